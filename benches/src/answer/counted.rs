//! A store under observation: its trips are counted, its clock is the bench's, and it can be taken away.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{
    Entry, EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};

/// A store, and what was asked of it.
///
/// The bench turns its clock by a step after each pass, so that every user has a new code. A database
/// that has a clock of its own would look skewed: its time is replaced by the bench's.
pub struct Counted<S> {
    inner: S,
    clock: Arc<dyn Clock>,
    trips: AtomicU64,
    /// Nothing is asked of the store: looks are answered from here, and every settle is won.
    away: AtomicBool,
    kept: RwLock<HashMap<Key, Entry>>,
}

impl<S: Store> Counted<S> {
    /// Observes a store.
    pub fn new(inner: S, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            trips: AtomicU64::default(),
            away: AtomicBool::default(),
            kept: RwLock::default(),
        }
    }

    /// The store itself.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// How many looks and settles there were.
    pub fn trips(&self) -> u64 {
        self.trips.load(Ordering::Relaxed)
    }

    /// Keeps what stands in the store now, to answer from when it is taken away.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep(&self) -> Result<(), StoreError> {
        let mut all = HashMap::new();
        let mut after = None;
        loop {
            let page = self.inner.walk(after, 1000).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            all.extend(page.into_iter().map(|row| (row.key, row.entry)));
        }
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }

    /// Takes the store away, or gives it back.
    pub fn take_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
}

impl<S: Store> Store for Counted<S> {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        if self.away.load(Ordering::Relaxed) {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            let entries = keys.iter().map(|key| kept.get(key).cloned()).collect();
            return Ok(Looked { entries, store_time: self.clock.now() });
        }
        self.trips.fetch_add(1, Ordering::Relaxed);
        let looked = self.inner.look(keys).await?;
        Ok(Looked { store_time: self.clock.now(), ..looked })
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Ok(Settled::Won);
        }
        self.trips.fetch_add(1, Ordering::Relaxed);
        self.inner.settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.inner.walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.inner.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.inner.forget(ids).await
    }
}

impl<S> fmt::Debug for Counted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").field("trips", &self.trips).finish_non_exhaustive()
    }
}
