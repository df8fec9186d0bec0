//! `countersign export`: users move out, as JSON lines that `import` reads.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::data::Data;
use super::{Failure, block_on, print};
use crate::wire;

/// How many records are read at once.
const AT_ONCE: usize = 256;

/// Write all users with their factors and password hashes, **secrets in the clear**.
///
/// Whoever reads the file can answer for every user. It is made with mode 0600, and an existing file
/// is not touched. Passkeys work under the same domain, and recovery codes under a key ring with the
/// same root. The server may be running; who enrols meanwhile may be missing.
#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    data: Data,
    /// Say that you know what the file holds.
    #[arg(long, required = true)]
    with_secrets: bool,
    /// Where to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let at = |error| Failure::new(format!("{}: {error}", self.out.display()));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&self.out).map_err(at)?;
        let mut out = BufWriter::new(file);
        let rows = block_on(async {
            let engine = self.data.engine().await?;
            let (mut after, mut rows) = (None, 0_u64);
            while let Some((some, last)) = engine.move_out(after, AT_ONCE).await? {
                for row in &some {
                    let line = Zeroizing::new(wire::moving_out(row).to_string());
                    writeln!(out, "{}", *line).map_err(at)?;
                    rows = rows.saturating_add(1);
                }
                after = Some(last);
            }
            Ok(rows)
        })?;
        out.flush().map_err(at)?;
        out.into_inner().map_err(|error| at(error.into_error()))?.sync_all().map_err(at)?;
        print(&format!("{rows} rows\n"))
    }
}
