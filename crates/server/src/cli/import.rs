//! `countersign import`: users move in, one row at a time, with a report of each row that was left out.
//!
//! What it refuses: a row over 64 kB, a password hash that we do not verify, a key that counts by a
//! counter, an address that is another user's, a factor for a user who has one. A report names the
//! row and the reason, and no secret. Rows are read as they come: memory does not grow with the file.

mod rows;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use countersign_ceremony::engine::{Engine, MovedIn};
use countersign_ceremony::port::Store;
use serde_json::json;
use tokio::task::JoinSet;

use self::rows::Rows;
use super::data::Data;
use super::{Failure, block_on, print};
use crate::wire;

/// How many rows are under way at once: the database groups their commits.
const AT_ONCE: usize = 64;
/// After how many rows there is a line of progress.
const PROGRESS: u64 = 5_000;

/// Bring in users and their authenticator apps from another system. The server may be running.
///
/// Each row that is left out is a JSON line on standard output, with its place and the reason; the
/// last line is the sum. A row that was brought in before changes nothing: start it again after it
/// broke off, or go on with --after. Exits with 1 where a row was left out.
#[derive(Args, Debug)]
pub(super) struct Import {
    #[command(flatten)]
    data: Data,
    /// What the file holds.
    #[arg(long, value_enum, default_value_t = Format::Lines)]
    format: Format,
    /// The passphrase of a PSKC container is the first line of this file.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The tenants of users who have none in the file. Give it several times.
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Pass over so many rows.
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
    /// The file; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// JSON lines, as `export` writes them.
    Lines,
    /// One otpauth URI a line; the account is the user's address or id.
    Otpauth,
    /// A PSKC container (RFC 6030); the user of a key is the user's address or id.
    Pskc,
}

#[derive(Default)]
struct Sum {
    rows: u64,
    moved: u64,
    there: u64,
    refused: u64,
}

impl Import {
    pub(super) fn run(self) -> Result<(), Failure> {
        let input: Box<dyn BufRead> = if self.file.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let at = |error| Failure::new(format!("{}: {error}", self.file.display()));
            Box::new(BufReader::new(File::open(&self.file).map_err(at)?))
        };
        let rows = Rows::open(self.format, input, self.passphrase_file.as_deref(), &self.tenant)?;
        let after = self.after;
        let sum = block_on(async {
            let engine = Arc::new(self.data.engine().await?);
            all(&engine, rows, after).await
        })?;
        let Sum { rows, moved, there, refused } = sum;
        let told =
            json!({"rows": rows, "imported": moved, "alreadyThere": there, "refused": refused});
        print(&format!("{told}\n"))?;
        if refused > 0 {
            return Err(Failure::new(format!("{refused} of {rows} rows were left out")));
        }
        Ok(())
    }
}

/// A few rows at a time, told of in their order.
async fn all<S: Store>(engine: &Arc<Engine<S>>, rows: Rows, after: u64) -> Result<Sum, Failure> {
    let mut sum = Sum::default();
    let mut rows = rows.enumerate();
    loop {
        let mut under_way = JoinSet::new();
        let mut results = Vec::new();
        for (index, row) in rows.by_ref().take(AT_ONCE) {
            let place = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
            sum.rows = place;
            if place <= after {
                results.push((place, Ok(None)));
                continue;
            }
            match row {
                Err(reason) => results.push((place, Err(reason))),
                Ok(row) => {
                    let engine = Arc::clone(engine);
                    under_way.spawn(async move { (place, engine.move_in(row).await) });
                }
            }
        }
        while let Some(done) = under_way.join_next().await {
            let (place, moved) = done?;
            // Not known whether it was written: told again it changes nothing, so all may be.
            let moved = moved.map_err(|error| {
                Failure::new(format!(
                    "row {place}: {error}; start again with --after, or from the beginning"
                ))
            })?;
            results.push((
                place,
                wire::refused(moved).map_or(Ok(Some(moved)), |why| Err(why.to_owned())),
            ));
        }
        if results.is_empty() {
            return Ok(sum);
        }
        results.sort_unstable_by_key(|(place, _)| *place);
        let before = sum.rows.saturating_sub(u64::try_from(results.len()).unwrap_or_default());
        report(&mut sum, results)?;
        if before / PROGRESS != sum.rows / PROGRESS {
            // Where standard error is gone there is nobody to tell.
            let _ = writeln!(io::stderr(), "{} rows, {} left out", sum.rows, sum.refused);
        }
    }
}

fn report(
    sum: &mut Sum,
    results: Vec<(u64, Result<Option<MovedIn>, String>)>,
) -> Result<(), Failure> {
    for (place, result) in results {
        match result {
            Ok(None) => {}
            Ok(Some(MovedIn::WasThere)) => sum.there = sum.there.saturating_add(1),
            Ok(Some(_)) => sum.moved = sum.moved.saturating_add(1),
            Err(reason) => {
                sum.refused = sum.refused.saturating_add(1);
                print(&format!("{}\n", json!({"row": place, "reason": reason})))?;
            }
        }
    }
    Ok(())
}
