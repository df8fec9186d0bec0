//! What a call of the engine does: trips to the store, bytes written, costly work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_ceremony::env::{self, Busy, Clock, Later};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};
use countersign_ceremony::record::Class;

/// Counts.
#[derive(Debug, Default)]
pub struct Work {
    looks: AtomicU64,
    keys: AtomicU64,
    settles: AtomicU64,
    events: AtomicU64,
    costly: AtomicU64,
}

impl Work {
    /// Looks, records looked at, settles, events, costly jobs since the last call.
    pub(super) fn take(&self) -> [u64; 5] {
        [&self.looks, &self.keys, &self.settles, &self.events, &self.costly]
            .map(|count| count.swap(0, Ordering::SeqCst))
    }

    fn add(count: &AtomicU64, more: usize) {
        count.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

/// The memory store, counted.
#[derive(Debug)]
pub(super) struct Counted {
    store: MemoryStore,
    work: Arc<Work>,
}

impl Counted {
    pub(super) fn new(clock: Arc<dyn Clock>, work: Arc<Work>) -> Self {
        Self { store: MemoryStore::new(clock), work }
    }
}

impl Store for Counted {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        Work::add(&self.work.looks, 1);
        Work::add(&self.work.keys, keys.len());
        self.store.look(keys).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        Work::add(&self.work.settles, 1);
        Work::add(&self.work.events, settle.events.len());
        self.store.settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.store.walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.store.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.store.forget(ids).await
    }
}

/// The pool of workers, counted.
#[derive(Debug)]
pub(super) struct Workers {
    pub(super) of: Arc<dyn env::Workers>,
    pub(super) work: Arc<Work>,
}

impl env::Workers for Workers {
    fn run(&self, whose: Class, job: Box<dyn FnOnce() + Send>) -> Later<'_, Result<(), Busy>> {
        Work::add(&self.work.costly, 1);
        self.of.run(whose, job)
    }
}
