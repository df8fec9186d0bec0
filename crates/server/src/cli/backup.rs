//! `countersign backup` and `countersign restore`: the database of one machine, as of one moment.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use countersign_ceremony::incarnation;
use countersign_ceremony::port::Outbox;
use countersign_store_sqlite::SqliteStore;

use super::data::Data;
use super::{Failure, block_on, print};
use crate::clock::SystemClock;
use crate::config::DatabaseUrl;

/// Copy the SQLite database as of one moment into a new file. The server may run.
///
/// The copy is sealed as the database is: it opens with the same key ring, which is not in it.
#[derive(Args, Debug)]
pub(super) struct Backup {
    #[command(flatten)]
    data: Data,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Put a backup in the place of the SQLite database, which must not be there. The server must not
/// run.
///
/// The restored database begins a new incarnation: every session, open login and remembered browser
/// from before is dead. Factors and recovery codes are those of the backup's moment.
#[derive(Args, Debug)]
pub(super) struct Restore {
    #[command(flatten)]
    data: Data,
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Failure> {
        let path = file_of(&self.data)?;
        if !path.is_file() {
            return Err(Failure(format!("{}: there is no database", path.display())));
        }
        SqliteStore::copy(&path, &self.to)
            .map_err(|error| Failure(format!("{}: {error}", self.to.display())))?;
        print(&format!("backup {}\n", self.to.display()))
    }
}

impl Restore {
    pub(super) fn run(self) -> Result<(), Failure> {
        let path = file_of(&self.data)?;
        for left in ["", "-wal", "-shm"].map(|suffix| with_suffix(&path, suffix)) {
            if fs::symlink_metadata(&left).is_ok() {
                let left = left.display();
                return Err(Failure(format!("{left}: it is in the way; move it elsewhere first")));
            }
        }
        if !self.from.is_file() {
            return Err(Failure(format!("{}: there is no such file", self.from.display())));
        }
        let env = self.data.env()?;
        let part = with_suffix(&path, ".restoring");
        let at = |error: &dyn std::fmt::Display| Failure(format!("{}: {error}", part.display()));
        // Left by a restore that was cut off.
        for left in ["", "-wal", "-shm"].map(|suffix| with_suffix(&part, suffix)) {
            let _absent = fs::remove_file(left);
        }
        SqliteStore::copy(&self.from, &part).map_err(|error| at(&error))?;
        let store = SqliteStore::open(&part, Arc::new(SystemClock), Outbox::default());
        let store = store.map_err(|error| at(&error))?;
        store.check().map_err(|error| at(&error))?;
        block_on(async { Ok(incarnation::begin(&store, &env).await?) })?;
        // Closed, so that all of it is in the one file.
        drop(store);
        fs::rename(&part, &path)?;
        File::open(path.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        print(&format!("restored {}\n", path.display()))
    }
}

/// The file of the database, where it is one.
fn file_of(data: &Data) -> Result<PathBuf, Failure> {
    match data.places()?.database {
        DatabaseUrl::Sqlite(path) => Ok(path),
        other => Err(Failure(format!(
            "{other}: it is no file of this machine; use the database's own backup, and after a \
             restore `countersign store renew`"
        ))),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
