//! The conformance suite: on one store, and on two stores over one file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};
use countersign_conformance::{Broken, Expectations, Fresh, prove};
use countersign_store_sqlite::SqliteStore;
use tempfile::TempDir;

/// A store and the directory that goes with it.
struct Kept<S> {
    store: S,
    dir: TempDir,
}

fn open(dir: &TempDir, fresh: &Fresh) -> SqliteStore {
    SqliteStore::open(dir.path().join("db"), fresh.clock.clone(), fresh.outbox).unwrap()
}

fn show(broken: &[Broken]) -> String {
    broken.iter().map(ToString::to_string).collect()
}

impl<S: Store> Store for Kept<S> {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.store.look(keys).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
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

#[test]
fn the_store_is_safe() {
    let fresh = |fresh: Fresh| {
        let dir = tempfile::tempdir().unwrap();
        Kept { store: open(&dir, &fresh), dir }
    };
    let reopen = |kept: Kept<SqliteStore>, fresh: Fresh| {
        let Kept { store, dir } = kept;
        drop(store);
        let store = open(&dir, &fresh);
        store.check().unwrap();
        Kept { store, dir }
    };
    let expectations = Expectations { reopen: Some(Box::new(reopen)), ..Expectations::default() };
    let report = prove(fresh, expectations).unwrap_or_else(|broken| panic!("{}", show(&broken)));
    assert!(report.durable);
    assert_eq!(report.held.len(), 14);
}

/// Two stores on one file, asked in turn: what one acknowledged, the other has.
struct Two {
    stores: [SqliteStore; 2],
    turn: AtomicUsize,
}

impl Two {
    fn next(&self) -> &SqliteStore {
        let [one, other] = &self.stores;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if turn.is_multiple_of(2) { one } else { other }
    }
}

impl Store for Two {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.next().look(keys).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        self.next().settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.next().walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.next().events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.next().forget(ids).await
    }
}

#[test]
fn two_stores_on_one_file_are_one_safe_store() {
    let fresh = |fresh: Fresh| {
        let dir = tempfile::tempdir().unwrap();
        let stores = [open(&dir, &fresh), open(&dir, &fresh)];
        Kept { store: Two { stores, turn: AtomicUsize::new(0) }, dir }
    };
    let expectations = Expectations { rounds: 60, scripts: 24, ..Expectations::default() };
    let report = prove(fresh, expectations).unwrap_or_else(|broken| panic!("{}", show(&broken)));
    assert_eq!(report.held.len(), 13);
}
