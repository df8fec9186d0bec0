//! What a call of the engine does: trips to the store, bytes written, costly work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_ceremony::env::{self, Body, Busy, Clock, Deliver, Later, Message, NotDelivered};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};
use countersign_ceremony::record::Class;
use countersign_otp::Code;

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

/// The code that was mailed last: thousands are.
#[derive(Debug, Default)]
pub(super) struct LastMail(Mutex<Option<Code>>);

impl LastMail {
    pub(super) fn take(&self) -> Option<String> {
        let code = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        code.map(|code| code.as_str().to_owned())
    }
}

impl Deliver for LastMail {
    fn deliver(&self, message: Message) -> Later<'_, Result<(), NotDelivered>> {
        if let Body::Code { code, .. } = message.body {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
        }
        Box::pin(std::future::ready(Ok(())))
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
