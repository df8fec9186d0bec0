//! Keys turn: records that an old key sealed are sealed afresh, while nodes serve.
//!
//! Whatever is settled is sealed under the newest key, so records that are in use turn by
//! themselves; [`reseal`] turns the rest. Each is a swap like any other, of the same content, so
//! whoever writes meanwhile wins or looks again, and nobody waits. Interrupted, it goes on where it
//! stopped, since what is done says so itself.
//!
//! Tokens and cookies carry their key with them and end by themselves; events leave with the
//! outbox. [`sealed`] counts what still needs which key.

use std::collections::BTreeMap;

use countersign_vault::KeyId;

use crate::codec::{self, CodecError, Encoding};
use crate::engine::Error;
use crate::env::Env;
use crate::moving::walked;
use crate::port::{Settle, Settled, Store, StoreError, Walked, WriteId};
use crate::records::ATTEMPTS;

/// How many records one step reads.
const PAGE: usize = 256;

/// How far re-sealing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Records that were read.
    pub read: u64,
    /// Records that this run sealed afresh.
    pub resealed: u64,
    /// The partition that it is in, of [`Key::PARTITIONS`](crate::port::Key::PARTITIONS).
    pub partition: u16,
}

/// Seals every record under the vault's newest key, in this encoding or each in its own; tells how far it is, every few
/// hundred.
///
/// # Errors
/// A database gave no answer, or a record does not open: run it again, it goes on where it stopped.
pub async fn reseal<S: Store>(
    store: &S,
    env: &Env,
    encoding: Option<Encoding>,
    mut tell: impl FnMut(Progress),
) -> Result<Progress, Error> {
    let mut progress = Progress::default();
    let mut after = None;
    loop {
        let page = store.walk(after, PAGE).await?;
        for row in &page {
            progress.read = progress.read.saturating_add(1);
            if resealed(store, env, encoding, row).await? {
                progress.resealed = progress.resealed.saturating_add(1);
            }
        }
        let Some(last) = page.last() else { return Ok(progress) };
        progress.partition = last.key.partition();
        tell(progress);
        after = Some(last.key);
    }
}

/// What is sealed under each key: records, and events that wait.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sealed {
    /// Records.
    pub records: BTreeMap<KeyId, u64>,
    /// Events, of the oldest that [`sealed`] was told to read.
    pub events: BTreeMap<KeyId, u64>,
    /// Whether there may be more events than were read.
    pub more_events: bool,
}

/// Counts what is sealed under each key: all records, and the oldest events, at most so many.
///
/// # Errors
/// A database gave no answer, or holds what was never sealed.
pub async fn sealed<S: Store>(store: &S, env: &Env, events: usize) -> Result<Sealed, Error> {
    let vault = &*env.vault;
    let mut sealed = Sealed::default();
    let mut after = None;
    loop {
        let page = store.walk(after, PAGE).await?;
        for row in &page {
            count(&mut sealed.records, codec::key_of(vault, &row.entry.bytes)?);
        }
        let Some(last) = page.last() else { break };
        after = Some(last.key);
    }
    let rows = store.events(events).await?;
    sealed.more_events = rows.len() >= events;
    for row in &rows {
        count(&mut sealed.events, codec::key_of(vault, &row.bytes)?);
    }
    Ok(sealed)
}

fn count(counts: &mut BTreeMap<KeyId, u64>, id: KeyId) {
    let count = counts.entry(id).or_default();
    *count = count.saturating_add(1);
}

/// Seals one record afresh. False where that was done already, or it is gone.
async fn resealed<S: Store>(
    store: &S,
    env: &Env,
    encoding: Option<Encoding>,
    row: &Walked,
) -> Result<bool, Error> {
    let (key, vault) = (row.key, &*env.vault);
    let mut row = row.clone();
    for _ in 0..ATTEMPTS {
        let newest = codec::key_of(vault, &row.entry.bytes)? == vault.newest();
        if newest && is_in(encoding, env, &row)? {
            return Ok(false);
        }
        let settle = Settle {
            key,
            expected: row.entry.version,
            next: row.entry.version.next(WriteId(env.draw()?)),
            bytes: codec::reseal(vault, encoding, key, env.draw()?, &row.entry.bytes)?,
            events: Vec::new(),
            expiry: row.expiry,
        };
        match store.settle(settle).await {
            Ok(Settled::Won) => return Ok(true),
            // Somebody wrote it, or its time has passed, or it was written after all: look again.
            Ok(Settled::Lost) | Err(StoreError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
        match walked(store, key).await? {
            Some(now) => row = now,
            None => return Ok(false),
        }
    }
    Err(Error::Contended)
}

/// Whether a record is in this encoding; what has moved is in none.
fn is_in(encoding: Option<Encoding>, env: &Env, row: &Walked) -> Result<bool, CodecError> {
    let Some(encoding) = encoding else { return Ok(true) };
    match codec::check(&*env.vault, row.key, &row.entry.bytes) {
        Ok(present) => Ok(present == encoding),
        Err(CodecError::Moved) => Ok(true),
        Err(error) => Err(error),
    }
}
