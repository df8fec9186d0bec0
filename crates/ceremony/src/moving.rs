//! Two databases, while everything moves from one to the other and nodes serve.
//!
//! A record lives in one of them. In the old one, until a sealed mark stands in its place there;
//! from then on, and where the old one never had it, in the new one. [`copy`] moves record by
//! record: the bytes and the version go to the new database first, where nobody looks yet, and then
//! the mark replaces exactly that version in the old one. Whoever wrote in between wins, and the
//! record is copied again. So no record lives in two places, and a copy that was interrupted goes
//! on where it stopped: a mark is where it has been.
//!
//! All nodes must be told of both databases before the copy begins. One that was not, and meets a
//! mark, refuses ([`CodecError::Moved`](crate::codec::CodecError::Moved)).
//!
//! The outbox moves by being drained: events of the old database are read first.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_vault::Vault;

use crate::codec;
use crate::engine::Error;
use crate::env::Env;
use crate::port::{
    Entry, EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Version, Walked,
    WriteId,
};
use crate::records::ATTEMPTS;

/// How many records one step of a copy reads.
const PAGE: usize = 256;

/// The old database and the new one, as one.
#[derive(Debug)]
pub struct Moving<A, B> {
    from: A,
    to: B,
    vault: Arc<dyn Vault>,
}

impl<A: Store, B: Store> Moving<A, B> {
    /// Everything moves `from` one database `to` another; the vault knows the marks.
    #[must_use]
    pub const fn new(from: A, to: B, vault: Arc<dyn Vault>) -> Self {
        Self { from, to, vault }
    }

    /// The old database.
    #[must_use]
    pub const fn from(&self) -> &A {
        &self.from
    }

    /// The new database.
    #[must_use]
    pub const fn to(&self) -> &B {
        &self.to
    }

    /// What lives in the old database.
    fn lives(&self, key: Key, entry: Option<&Entry>) -> bool {
        entry.is_some_and(|entry| !codec::is_moved(&*self.vault, key, &entry.bytes))
    }
}

impl<A: Store, B: Store> Store for Moving<A, B> {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        let mut looked = self.from.look(keys).await?;
        let elsewhere: Vec<Key> = keys
            .iter()
            .zip(&looked.entries)
            .filter(|(key, entry)| !self.lives(**key, entry.as_ref()))
            .map(|(key, _)| *key)
            .collect();
        if elsewhere.is_empty() {
            return Ok(looked);
        }
        let found = self.to.look(&elsewhere).await?;
        let mut found = found.entries.into_iter();
        for (key, entry) in keys.iter().zip(&mut looked.entries) {
            if !self.lives(*key, entry.as_ref()) {
                *entry = found.next().flatten();
            }
        }
        Ok(looked)
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let looked = self.from.look(&[settle.key]).await?;
        let entry = looked.entries.into_iter().next().flatten();
        if self.lives(settle.key, entry.as_ref()) {
            // A mark that comes meanwhile is another version: the swap is lost, and looked again.
            self.from.settle(settle).await
        } else {
            self.to.settle(settle).await
        }
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        let mut after = after;
        if limit == 0 {
            return Ok(Vec::new());
        }
        loop {
            let (old, new) =
                (self.from.walk(after, limit).await?, self.to.walk(after, limit).await?);
            // Beyond the end of a full page the other one says nothing.
            let end =
                |page: &[Walked]| page.last().filter(|_| page.len() >= limit).map(|row| row.key);
            let horizon = match (end(&old), end(&new)) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            let mut rows: BTreeMap<Key, Walked> =
                new.into_iter().map(|row| (row.key, row)).collect();
            for row in old {
                if self.lives(row.key, Some(&row.entry)) {
                    rows.insert(row.key, row);
                }
            }
            let within = |row: &Walked| horizon.is_none_or(|end| row.key <= end);
            let page: Vec<Walked> = rows.into_values().filter(within).take(limit).collect();
            if !page.is_empty() || horizon.is_none() {
                return Ok(page);
            }
            after = horizon;
        }
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        let mut rows = self.from.events(limit).await?;
        let left = limit.saturating_sub(rows.len());
        if left > 0 {
            rows.extend(self.to.events(left).await?);
        }
        Ok(rows)
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.from.forget(ids).await?;
        self.to.forget(ids).await
    }

    /// Each has its own bound: the fuller one counts.
    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.from.waiting().await?.max(self.to.waiting().await?))
    }
}

/// How far a copy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Records that this run moved.
    pub moved: u64,
    /// Records that had moved before.
    pub found_moved: u64,
    /// The partition that it is in, of [`Key::PARTITIONS`].
    pub partition: u16,
}

/// Moves every record; tells how far it is, every few hundred.
///
/// # Errors
/// A database gave no answer: run it again, it goes on where it stopped.
pub async fn copy<A: Store, B: Store>(
    from: &A,
    to: &B,
    env: &Env,
    mut tell: impl FnMut(Progress),
) -> Result<Progress, Error> {
    let mut progress = Progress::default();
    let mut after = None;
    loop {
        let page = from.walk(after, PAGE).await?;
        for row in &page {
            if moved(from, to, env, row).await? {
                progress.moved = progress.moved.saturating_add(1);
            } else {
                progress.found_moved = progress.found_moved.saturating_add(1);
            }
        }
        let Some(last) = page.last() else { return Ok(progress) };
        progress.partition = last.key.partition();
        tell(progress);
        after = Some(last.key);
    }
}

/// Moves one record. False where it had moved already.
async fn moved<A: Store, B: Store>(
    from: &A,
    to: &B,
    env: &Env,
    row: &Walked,
) -> Result<bool, Error> {
    let (key, vault) = (row.key, &*env.vault);
    let mut row = row.clone();
    let mut marked = false;
    for _ in 0..ATTEMPTS {
        if codec::is_moved(vault, key, &row.entry.bytes) {
            return Ok(marked);
        }
        if !stands_at(to, &row).await? {
            continue;
        }
        let mark = Settle {
            key,
            expected: row.entry.version,
            next: row.entry.version.next(WriteId(env.draw()?)),
            bytes: codec::seal_moved(vault, key, env.draw()?)?,
            events: Vec::new(),
            expiry: row.expiry,
        };
        match from.settle(mark).await {
            Ok(Settled::Won) => return Ok(true),
            Ok(Settled::Lost) => {}
            Err(StoreError::Unknown) => marked = true,
            Err(error) => return Err(error.into()),
        }
        // Somebody wrote it, or its time has passed, or the mark stands after all.
        match walked(from, key).await? {
            Some(now) => row = now,
            None => return Ok(false),
        }
    }
    Err(Error::Contended)
}

/// Puts a record into the new database as it is. False where that was not won: it is tried again.
async fn stands_at<B: Store>(to: &B, row: &Walked) -> Result<bool, Error> {
    let Walked { key, entry, expiry } = row.clone();
    let there = to.look(&[key]).await?.entries.into_iter().next().flatten();
    let stands = there.map_or(Version::ABSENT, |there| there.version);
    if stands == entry.version {
        return Ok(true);
    }
    let Entry { version, bytes } = entry;
    let settle = Settle { key, expected: stands, next: version, bytes, events: Vec::new(), expiry };
    match to.settle(settle).await {
        Ok(Settled::Won) => Ok(true),
        Ok(Settled::Lost) | Err(StoreError::Unknown) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// One record as it stands. Unlike a look, a walk tells its expiry beside it.
pub(crate) async fn walked<S: Store>(store: &S, key: Key) -> Result<Option<Walked>, StoreError> {
    let page = store.walk(before(key), 1).await?;
    Ok(page.into_iter().next().filter(|now| now.key == key))
}

/// The key before this one; none before the first.
fn before(key: Key) -> Option<Key> {
    let mut bytes = *key.as_bytes();
    for byte in bytes.iter_mut().rev() {
        let (less, borrowed) = byte.overflowing_sub(1);
        *byte = less;
        if !borrowed {
            return Some(Key::from_bytes(bytes));
        }
    }
    None
}
