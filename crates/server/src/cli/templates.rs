//! `countersign templates`: the built-in texts of messages, to write others after them.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, print};
use crate::deliver::write_built_in;

/// Write the texts of mails and of messages to phones into a directory, a file each.
///
/// Name the directory as `templates` in the configuration. Files that are taken out of it are read
/// from the binary again. A language that is not built in begins with the English texts.
#[derive(Args, Debug)]
pub(super) struct Templates {
    /// The language: en and de are built in.
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
    /// The directory; the files go into one of the language's inside.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Templates {
    pub(super) fn run(self) -> Result<(), Failure> {
        let at = |error| Failure::new(format!("{}: {error}", self.out.display()));
        write_built_in(&self.language, &self.out).map_err(at)?;
        print(&format!("templates {}\n", self.out.join(&self.language).display()))
    }
}
