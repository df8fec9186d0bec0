//! The data directory of a command that works beside a server, or without one.

use std::path::PathBuf;

use clap::Args;
use countersign_ceremony::engine::Engine;
use countersign_store_sqlite::SqliteStore;
use countersign_vault::Ring;

use super::Failure;
use crate::config::Config;
use crate::node;

/// Which data directory, and which keys.
#[derive(Args, Debug)]
pub(super) struct Data {
    /// The data directory; its keys are in the file `keys` inside, or in COUNTERSIGN_KEYS.
    #[arg(long, value_name = "DIR", required_unless_present = "config", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The server's configuration, which names both.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Data {
    /// The directory and the key file.
    fn paths(&self) -> Result<(PathBuf, PathBuf), Failure> {
        if let Some(file) = &self.config {
            let config = Config::read(file, std::env::vars_os())?;
            return Ok((config.data, config.keys_file));
        }
        let data = self.data.clone().unwrap_or_default();
        if !data.is_dir() {
            return Err(Failure::new(format!("{}: there is no such directory", data.display())));
        }
        let keys = data.join("keys");
        Ok((data, keys))
    }

    /// The keys.
    pub(super) fn keys(&self) -> Result<Ring, Failure> {
        let (_, keys) = self.paths()?;
        Ok(node::keys(&keys)?)
    }

    /// An engine over the database, which must be there; the server may be running.
    pub(super) fn engine(&self) -> Result<Engine<SqliteStore>, Failure> {
        Ok(node::engine_beside(self.database()?, self.keys()?)?)
    }

    /// The database, which must be there.
    pub(super) fn database(&self) -> Result<SqliteStore, Failure> {
        let (data, _) = self.paths()?;
        Ok(node::database(&data)?)
    }
}
