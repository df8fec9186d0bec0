//! `countersign store`: the database itself.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Subcommand;
use countersign_ceremony::codec::Encoding;
use countersign_ceremony::port::{Key, Store};
use countersign_ceremony::{codec, incarnation, moving};

use super::data::Data;
use super::{Failure, block_on, print};
use crate::database::Database;
use crate::databases::Databases;

/// How many records a check reads at once.
const PAGE: usize = 256;

/// Look after the database.
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Bring the tables to this release's schema. Nodes may run; each also does so when it starts.
    Migrate {
        #[command(flatten)]
        data: Data,
    },
    /// Read everything, and say whether every record opens. The server may run.
    Check {
        #[command(flatten)]
        data: Data,
    },
    /// Move everything from `database` to `moving_to`, record by record, while nodes serve.
    ///
    /// All nodes must have been started with both before. Interrupted, it goes on where it stopped.
    Copy {
        #[command(flatten)]
        data: Data,
    },
    /// Begin a new incarnation, after a database was restored: every session, open login and
    /// remembered browser from before is dead. Start the nodes afterwards.
    Renew {
        #[command(flatten)]
        data: Data,
    },
}

impl StoreCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Migrate { data } => migrate(&data),
            Self::Check { data } => check(&data),
            Self::Copy { data } => copy(&data),
            Self::Renew { data } => renew(&data),
        }
    }
}

fn migrate(data: &Data) -> Result<(), Failure> {
    // Opening is migrating; what is not there yet is made by the first start.
    block_on(async {
        let places = data.places()?;
        Database::open_existing(&places.database).await?;
        print(&format!("current {}\n", places.database))
    })
}

fn check(data: &Data) -> Result<(), Failure> {
    let vault = data.keys()?;
    block_on(async {
        let databases = data.databases().await?;
        let (mut read, mut moved, mut after) = (0_u64, 0_u64, None);
        let mut written: BTreeMap<Encoding, u64> = BTreeMap::new();
        let mut broken: Vec<Key> = Vec::new();
        if let Databases::One(database) = &databases {
            database.check()?;
        }
        loop {
            let page = databases.walk(after, PAGE).await?;
            for row in &page {
                read = read.saturating_add(1);
                match codec::check(&vault, row.key, &row.entry.bytes) {
                    Ok(encoding) => {
                        let count = written.entry(encoding).or_default();
                        *count = count.saturating_add(1);
                    }
                    Err(codec::CodecError::Moved) => moved = moved.saturating_add(1),
                    Err(_) => broken.push(row.key),
                }
            }
            let Some(last) = page.last() else { break };
            after = Some(last.key);
        }
        let some: Vec<String> = broken.iter().take(8).map(|key| format!("{key:?}")).collect();
        if !broken.is_empty() {
            return Err(Failure(format!(
                "{} of {read} records do not open, among them {}: are the keys complete?",
                broken.len(),
                some.join(", ")
            )));
        }
        let written: String = written
            .iter()
            .map(|(encoding, count)| format!(", {count} in encoding {}", encoding.number()))
            .collect();
        print(&format!("sound {read} records, {moved} of them moved away{written}\n"))
    })
}

fn copy(data: &Data) -> Result<(), Failure> {
    let env = data.env()?;
    block_on(async {
        let Databases::Moving(stores) = data.databases().await? else {
            return Err(Failure::new(
                "the configuration names no `moving_to`: name it, start all nodes with it, then copy",
            ));
        };
        let tell = |progress: moving::Progress| {
            let (moved, at, all) = (progress.moved, progress.partition, Key::PARTITIONS);
            // Where standard error is gone nobody wants to know.
            let _ = writeln!(io::stderr(), "moved {moved}, at {at} of {all} partitions");
        };
        let moved = moving::copy(stores.from(), stores.to(), &env, tell).await?;
        let waiting = stores.from().events(1).await?.len();
        if waiting > 0 {
            let _ = writeln!(io::stderr(), "events wait in the old database: drain them there");
        }
        print(&format!("moved {} records, {} had moved before\n", moved.moved, moved.found_moved))
    })
}

fn renew(data: &Data) -> Result<(), Failure> {
    let env = data.env()?;
    block_on(async {
        let databases = data.databases().await?;
        let number = incarnation::begin(&databases, &env).await?.number();
        print(&format!("incarnation {number}\n"))
    })
}
