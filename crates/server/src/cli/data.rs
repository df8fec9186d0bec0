//! The data directory of a command that works beside a server, or without one.

use std::path::PathBuf;

use clap::Args;
use countersign_ceremony::engine::Engine;
use countersign_vault::Ring;

use super::Failure;
use crate::config::{Config, DatabaseUrl};
use crate::database::Database;
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
    /// Where the database is, and the key file.
    fn places(&self) -> Result<(DatabaseUrl, PathBuf), Failure> {
        if let Some(file) = &self.config {
            let config = Config::read(file, std::env::vars_os())?;
            return Ok((config.database, config.keys_file));
        }
        let data = self.data.clone().unwrap_or_default();
        if !data.is_dir() {
            return Err(Failure::new(format!("{}: there is no such directory", data.display())));
        }
        let keys = data.join("keys");
        Ok((DatabaseUrl::in_directory(&data), keys))
    }

    /// The keys.
    pub(super) fn keys(&self) -> Result<Ring, Failure> {
        let (_, keys) = self.places()?;
        Ok(node::keys(&keys)?)
    }

    /// An engine over the database, which must be there; the server may be running.
    pub(super) async fn engine(&self) -> Result<Engine<Database>, Failure> {
        Ok(node::engine_beside(self.database().await?, self.keys()?)?)
    }

    /// The database, which must be there.
    pub(super) async fn database(&self) -> Result<Database, Failure> {
        let (url, _) = self.places()?;
        Ok(Database::open_existing(&url).await?)
    }
}
