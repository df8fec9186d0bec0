//! The store in memory: the reference meaning of the port, and the simulator's disk.
//!
//! One mutex, so that its meaning is plain: whatever another store does, it must look like this.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_otp::UnixTime;

use crate::env::Clock;
use crate::port::{
    Entry, EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Version,
    Walked, WhenFull,
};

/// A store that lasts as long as the process.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    outbox: Outbox,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<Key, Row>,
    events: VecDeque<EventRow>,
}

#[derive(Debug)]
struct Row {
    entry: Entry,
    expiry: Option<UnixTime>,
}

impl MemoryStore {
    /// An empty store whose own time is `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_outbox(clock, Outbox::default())
    }

    /// The same with another bound of the outbox.
    #[must_use]
    pub fn with_outbox(clock: Arc<dyn Clock>, outbox: Outbox) -> Self {
        Self { clock, outbox, state: Mutex::default() }
    }

    /// Nothing panics while it holds the lock, so a poisoned one is whole all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn living(&self, key: &Key, now: UnixTime) -> Option<&Row> {
        self.records.get(key).filter(|row| row.expiry.is_none_or(|end| now < end))
    }
}

impl Store for MemoryStore {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        let store_time = self.clock.now();
        let state = self.state();
        let entries =
            keys.iter().map(|key| state.living(key, store_time).map(|row| row.entry.clone()));
        Ok(Looked { entries: entries.collect(), store_time })
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let now = self.clock.now();
        let Settle { key, expected, next, bytes, events, expiry } = settle;
        let mut state = self.state();
        let present = state.living(&key, now).map_or(Version::ABSENT, |row| row.entry.version);
        if present != expected {
            return Ok(Settled::Lost);
        }
        let waiting = u64::try_from(state.events.len().saturating_add(events.len()));
        let excess = waiting.unwrap_or(u64::MAX).saturating_sub(self.outbox.bound);
        if excess > 0 && !events.is_empty() {
            match self.outbox.when_full {
                WhenFull::Refuse => return Err(StoreError::OutboxFull),
                WhenFull::DropOldest => {
                    let oldest = usize::try_from(excess).unwrap_or(usize::MAX);
                    let oldest = oldest.min(state.events.len());
                    state.events.drain(..oldest);
                }
            }
        }
        state.events.extend(events);
        state.records.insert(key, Row { entry: Entry { version: next, bytes }, expiry });
        Ok(Settled::Won)
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        let now = self.clock.now();
        let state = self.state();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = state.records.range((from, Bound::Unbounded));
        let living = rows.filter(|(_, row)| row.expiry.is_none_or(|end| now < end));
        let walked = living.map(|(key, row)| Walked {
            key: *key,
            entry: row.entry.clone(),
            expiry: row.expiry,
        });
        Ok(walked.take(limit).collect())
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        Ok(self.state().events.iter().take(limit).cloned().collect())
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        let ids: HashSet<_> = ids.iter().collect();
        self.state().events.retain(|event| !ids.contains(&event.id));
        Ok(())
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        Ok(u64::try_from(self.state().events.len()).ok())
    }
}
