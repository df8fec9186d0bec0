//! A store whose time is the test's: what it says of its own clock is replaced, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_ceremony::env::{Clock, FrozenClock};
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Retimed<S> {
    pub(super) store: S,
    pub(super) clock: Arc<FrozenClock>,
    /// Nobody answers (C-19).
    pub(super) away: AtomicBool,
}

impl<S: Store> Retimed<S> {
    fn answers(&self) -> Result<(), StoreError> {
        if self.away.load(Ordering::SeqCst) { Err(StoreError::Unavailable) } else { Ok(()) }
    }
}

impl<S: Store> Store for Retimed<S> {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.answers()?;
        let looked = self.store.look(keys).await?;
        Ok(Looked { store_time: self.clock.now(), ..looked })
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        self.answers()?;
        self.store.settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.answers()?;
        self.store.walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.answers()?;
        self.store.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.answers()?;
        self.store.forget(ids).await
    }
}
