//! `countersign keys`: key rings.

use std::path::PathBuf;

use clap::Subcommand;
use countersign_vault::file;

use super::{Failure, print};
use crate::node;

/// Make key rings.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Make a new key ring: into a file of mode 0600 that is not there yet, or to standard output.
    ///
    /// Without its ring a database is lost, and with it the ring opens everything: keep a copy, and
    /// keep it elsewhere.
    New {
        /// The file.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self::New { out } = self;
        let ring = node::new_keys()?;
        match out {
            Some(path) => Ok(file::create_new(path, &ring)?),
            None => print(&ring.to_text()),
        }
    }
}
