//! The database of a command that works beside a server, or without one.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use countersign_ceremony::codec::Encoding;
use countersign_ceremony::engine::Engine;
use countersign_ceremony::env::Env;
use countersign_ceremony::port::Outbox;
use countersign_vault::{Ring, Vault};

use super::Failure;
use crate::clock::SystemClock;
use crate::config::{Config, DatabaseUrl};
use crate::database::Database;
use crate::databases::Databases;
use crate::keys::Source;
use crate::node;

/// Which data directory, and which keys.
#[derive(Args, Debug)]
pub(super) struct Data {
    /// The data directory; its keys are in the file `keys` inside, or in COUNTERSIGN_KEYS.
    #[arg(long, value_name = "DIR", required_unless_present = "config", conflicts_with = "config")]
    pub(super) data: Option<PathBuf>,
    /// The server's configuration, which names both.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// What they say.
pub(super) struct Places {
    pub(super) database: DatabaseUrl,
    pub(super) moving_to: Option<DatabaseUrl>,
    pub(super) keys: Source,
    /// In which encoding the server writes, where the configuration was given.
    pub(super) encoding: Option<Encoding>,
}

impl Data {
    /// Where the database is, and the key file.
    pub(super) fn places(&self) -> Result<Places, Failure> {
        if let Some(file) = &self.config {
            let config = Config::read(file, std::env::vars_os())?;
            let keys = Source::of(&config);
            let Config { database, moving_to, encoding, .. } = config;
            return Ok(Places { database, moving_to, keys, encoding: Some(encoding) });
        }
        let data = self.data.clone().unwrap_or_default();
        if !data.is_dir() {
            return Err(Failure::new(format!("{}: there is no such directory", data.display())));
        }
        let database = DatabaseUrl::in_directory(&data);
        let keys = Source { file: data.join("keys"), kms: None };
        Ok(Places { database, moving_to: None, keys, encoding: None })
    }

    /// The keys.
    pub(super) fn keys(&self) -> Result<Ring, Failure> {
        Ok(self.places()?.keys.read()?)
    }

    /// What a command is given beside the database.
    pub(super) fn env(&self) -> Result<Env, Failure> {
        let encoding = self.places()?.encoding.unwrap_or_default();
        Ok(node::env_beside(self.keys()?, encoding)?)
    }

    /// An engine over the database, which must be there; the server may be running.
    pub(super) async fn engine(&self) -> Result<Engine<Databases>, Failure> {
        Ok(node::engine_beside(self.databases().await?, self.env()?).await?)
    }

    /// The database, which must be there; and the one that everything moves to.
    pub(super) async fn databases(&self) -> Result<Databases, Failure> {
        let Places { database, moving_to, .. } = self.places()?;
        if moving_to.is_none() {
            return Ok(Databases::One(Database::open_existing(&database).await?));
        }
        let vault: Arc<dyn Vault> = Arc::new(self.keys()?);
        let (to, clock) = (moving_to.as_ref(), Arc::new(SystemClock));
        Ok(Databases::open(&database, to, &vault, clock, Outbox::default()).await?)
    }
}
