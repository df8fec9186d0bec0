//! A store that writes and loses its reply: what was won counts as won, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::engine::{Client, Engine, Passed, Reply, Settings};
use countersign_ceremony::env::Env;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};
use countersign_device::{RealmId, UserId};

use crate::support::tenant;

/// Loses the replies of the next settles: those that were written, or those that were not.
struct Lossy {
    inner: MemoryStore,
    written: AtomicU32,
    unwritten: AtomicU32,
}

fn take(from: &AtomicU32) -> bool {
    from.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Store for Lossy {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.inner.look(keys).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        if take(&self.unwritten) {
            return Err(StoreError::Unknown);
        }
        let settled = self.inner.settle(settle).await?;
        if take(&self.written) { Err(StoreError::Unknown) } else { Ok(settled) }
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

#[tokio::test]
async fn a_settle_and_a_refresh_whose_replies_are_lost_are_won_once() {
    for (written, unwritten) in [(1, 0), (0, 1), (1, 1), (2, 2)] {
        let env = Env::for_tests().unwrap();
        let store = Arc::new(Lossy {
            inner: MemoryStore::new(env.clock.clone()),
            written: AtomicU32::new(written),
            unwritten: AtomicU32::new(unwritten),
        });
        let realm = RealmId::parse("main").unwrap();
        let settings = Settings::new(realm, "https://id.example".into(), "app".into());
        let engine = Engine::new(store.clone(), env, settings).unwrap();
        let passed = Passed {
            user: UserId::parse("alice").unwrap(),
            tenant: tenant(),
            also: Vec::new(),
            application: None,
            email: None,
            first: FirstFactor::Password,
            epoch: None,
        };
        let reply = engine.begin(passed, &Client::default()).await.unwrap();
        let Reply::Granted(granted) = reply else { panic!("{reply:?}") };
        let events = store.events(10).await.unwrap();
        assert_eq!(events.len(), 1, "granted once, whatever was lost");
        let tokens = engine.mint(&granted.assertion).unwrap();

        store.written.store(written, Ordering::SeqCst);
        store.unwritten.store(unwritten, Ordering::SeqCst);
        let next = engine.refresh(&tokens.refresh).await.unwrap().unwrap();
        assert!(engine.refresh(&next.refresh).await.unwrap().is_some(), "no theft was seen");
    }
}
