//! `countersign keys`: key rings, and how their keys turn while the server runs.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use countersign_ceremony::env::{Env, Random};
use countersign_ceremony::port::Key;
use countersign_ceremony::resealing::{self, Sealed};
use countersign_vault::{KeyId, Ring, Vault, file};

use super::data::{Data, Places};
use super::{Failure, block_on, print};
use crate::keys::{LOOK_AGAIN, Source};
use crate::node;
use crate::random::SystemRandom;

/// Events that are read to see which keys they need; beyond that they are drained first.
const EVENTS: usize = 100_000;
/// How often records are gone through, where nodes still seal with the old key.
const ROUNDS: u32 = 3;

/// Make key rings, and turn their keys.
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
        /// The server's configuration: the file that it names, wrapped where it names a `kms`.
        #[arg(long, value_name = "FILE", conflicts_with = "out")]
        config: Option<PathBuf>,
    },
    /// Each key, whether it seals, and what in the database is sealed under it.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// A new sealing key, from the key file to the last record, while the server runs: `add`, a
    /// pause in which nodes read the file, `seal-with`, another pause, `reseal`.
    ///
    /// For nodes that read one key file. Where each has a copy, take the steps one by one.
    Rotate {
        #[command(flatten)]
        data: Data,
        /// How long nodes have to read the key file again, in seconds. They look every second.
        #[arg(long, value_name = "SECONDS", default_value_t = 5)]
        wait: u64,
    },
    /// A new key that does not seal yet, so that every node may learn of it first.
    Add {
        #[command(flatten)]
        data: Data,
    },
    /// Let a key seal that all nodes know. What is written from now on is sealed under it.
    SealWith {
        /// Its number.
        key: u32,
        #[command(flatten)]
        data: Data,
    },
    /// Seal every record afresh that the sealing key has not sealed. Interrupted, start it again.
    Reseal {
        #[command(flatten)]
        data: Data,
    },
    /// Take a key out of the ring, when nothing in the database is sealed under it any more.
    Drop(Dropped),
    /// Wrap a key file by the configuration's `kms`. The file in the clear is gone afterwards.
    Wrap {
        /// The server's configuration.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(super) struct Dropped {
    /// Its number.
    key: u32,
    /// Tokens that it sealed are refused from now on: sessions that were not refreshed since it last
    /// sealed end. Without this nothing is taken out.
    #[arg(long)]
    and_its_tokens: bool,
    #[command(flatten)]
    data: Data,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::New { out, config } => new(out, config),
            Self::List { data } => list(&data),
            Self::Rotate { data, wait } => rotate(&data, Duration::from_secs(wait)),
            Self::Add { data } => print(&format!("added key {}\n", add(&turnable(&data)?)?)),
            Self::SealWith { key, data } => {
                seal_with(&turnable(&data)?, KeyId::new(key))?;
                print(&format!("key {key} seals\n"))
            }
            Self::Reseal { data } => {
                turnable_places(&data)?;
                block_on(reseal(&data))
            }
            Self::Drop(dropped) => dropped.run(),
            Self::Wrap { config } => wrap(config),
        }
    }
}

fn new(out: Option<PathBuf>, config: Option<PathBuf>) -> Result<(), Failure> {
    let ring = node::new_keys()?;
    if config.is_some() {
        let source = Data { data: None, config }.places()?.keys;
        source.create(&ring)?;
        return print(&format!("new {}\n", source.file.display()));
    }
    match out {
        Some(path) => Ok(file::create_new(path, &ring)?),
        None => print(&ring.to_text()),
    }
}

fn wrap(config: PathBuf) -> Result<(), Failure> {
    let source = Data { data: None, config: Some(config) }.places()?.keys;
    if source.kms.is_none() {
        return Err(Failure::new("the configuration names no `kms` to wrap by"));
    }
    let text = file::read(&source.file)?;
    if Ring::is_wrapped(&text) {
        return Err(Failure(format!("{} is wrapped already", source.file.display())));
    }
    source.replace(&Ring::parse(&text)?)?;
    print(&format!("wrapped {}\n", source.file.display()))
}

fn list(data: &Data) -> Result<(), Failure> {
    let (env, ring) = (data.env()?, data.keys()?);
    let sealed = block_on(sealed(data, &env))?;
    let of = |counts: &BTreeMap<KeyId, u64>, id| counts.get(&id).copied().unwrap_or_default();
    for id in ring.key_ids() {
        let (records, events) = (of(&sealed.records, id), of(&sealed.events, id));
        let seals = if id == ring.newest() { ", seals" } else { "" };
        let more = if sealed.more_events { " at least" } else { "" };
        print(&format!("key {id}: {records} records,{more} {events} events{seals}\n"))?;
    }
    Ok(())
}

fn rotate(data: &Data, wait: Duration) -> Result<(), Failure> {
    let source = turnable(data)?;
    let ring = source.read()?;
    // One that was added before, and does not seal yet, is the one to go on with.
    let waiting = ring.key_ids().filter(|id| *id > ring.newest()).last();
    let key = match waiting {
        Some(key) => key,
        None => add(&source)?,
    };
    let wait = wait.max(LOOK_AGAIN);
    let pause = |what: &str| {
        told(&format!("{what}; nodes read it within {} s", wait.as_secs()));
        std::thread::sleep(wait);
    };
    pause(&format!("key {key} is in {}", source.file.display()));
    seal_with(&source, key)?;
    pause(&format!("key {key} seals"));
    block_on(reseal(data))
}

/// Adds a key that does not seal; its number.
fn add(source: &Source) -> Result<KeyId, Failure> {
    let ring = source.read()?;
    let seals = ring.newest();
    let ring = ring.with_new_key(|buf| SystemRandom.try_fill(buf))?;
    let key = ring.newest();
    source.replace(&ring.sealing_with(seals)?)?;
    Ok(key)
}

fn seal_with(source: &Source, key: KeyId) -> Result<(), Failure> {
    let ring = source.read()?;
    Ok(source.replace(&ring.sealing_with(key)?)?)
}

async fn reseal(data: &Data) -> Result<(), Failure> {
    let (databases, env) = (data.databases().await?, data.env()?);
    let encoding = data.places()?.encoding;
    let tell = |progress: resealing::Progress| {
        let resealing::Progress { read, resealed, partition } = progress;
        told(&format!(
            "read {read} records, resealed {resealed}, at {partition} of {} partitions",
            Key::PARTITIONS
        ));
    };
    let mut resealed = 0_u64;
    for _ in 0..ROUNDS {
        let progress = resealing::reseal(&databases, &env, encoding, tell).await?;
        resealed = resealed.saturating_add(progress.resealed);
        let newest = env.vault.newest();
        let sealed = resealing::sealed(&databases, &env, 0).await?;
        let left: u64 =
            sealed.records.iter().filter(|(id, _)| **id != newest).map(|(_, count)| count).sum();
        if left == 0 {
            let read = progress.read;
            return print(&format!("resealed {resealed} of {read} records under key {newest}\n"));
        }
        told(&format!("{left} records were written under an older key meanwhile: once more"));
    }
    Err(Failure::new(
        "records are still written under an older key: a node has not read the key file again; \
         look into its log, then start `keys reseal` again",
    ))
}

impl Dropped {
    fn run(self) -> Result<(), Failure> {
        let (source, key) = (turnable(&self.data)?, KeyId::new(self.key));
        let left = source.read()?.without_key(key)?;
        let sealed = block_on(sealed(&self.data, &self.data.env()?))?;
        if let Some(records) = sealed.records.get(&key) {
            return Err(Failure(format!(
                "{records} records are sealed under key {key}: `keys reseal` first"
            )));
        }
        if sealed.more_events || sealed.events.contains_key(&key) {
            return Err(Failure(format!(
                "events that wait may be sealed under key {key}: deliver them first"
            )));
        }
        if !self.and_its_tokens {
            return Err(Failure(format!(
                "nothing in the database needs key {key}, but tokens that it sealed may be out: wait \
                 until they have ended (docs/operate.md says how long), then say --and-its-tokens"
            )));
        }
        source.replace(&left)?;
        print(&format!("dropped key {key}\n"))
    }
}

async fn sealed(data: &Data, env: &Env) -> Result<Sealed, Failure> {
    let databases = data.databases().await?;
    Ok(resealing::sealed(&databases, env, EVENTS).await?)
}

/// Places whose keys can be turned here.
fn turnable_places(data: &Data) -> Result<Places, Failure> {
    let places = data.places()?;
    if places.keys.is_environment() {
        return Err(Failure(format!(
            "the ring comes from {}: turn it where that is set",
            file::ENVIRONMENT
        )));
    }
    if places.moving_to.is_some() {
        return Err(Failure::new("the database is moving: finish that, and turn keys afterwards"));
    }
    Ok(places)
}

fn turnable(data: &Data) -> Result<Source, Failure> {
    Ok(turnable_places(data)?.keys)
}

/// Progress goes to standard error; where that is gone nobody wants to know.
fn told(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
