//! The conformance suite: on one server that is killed and started again, on a cluster, and on two stores beside each other.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};
use countersign_conformance::{Broken, Expectations, Fresh, prove};
use countersign_store_redis::{Config, RedisStore, Replicas};
use tokio::runtime::Handle;

use crate::machines::{Fleet, Server, installed};

fn open(config: &Config, fresh: &Fresh) -> RedisStore {
    Handle::current().block_on(RedisStore::open(config, fresh.outbox)).unwrap()
}

fn expectations<S>() -> Expectations<S> {
    Expectations {
        own_clock: true,
        outbox_shares: 1024,
        rounds: 60,
        scripts: 24,
        ..Expectations::default()
    }
}

fn show(broken: &[Broken]) -> String {
    broken.iter().map(ToString::to_string).collect()
}

/// Every store under a prefix of its own.
fn next(config: &Config, number: &mut u32) -> Config {
    *number += 1;
    Config { prefix: format!("t{number}"), ..config.clone() }
}

/// A store and the configuration that opens it again.
struct Kept(RedisStore, Config);

impl Store for Kept {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.0.look(keys).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        self.0.settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.0.walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.0.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.0.forget(ids).await
    }
}

#[test]
fn one_server_is_safe_and_durable() {
    if !installed("one_server_is_safe_and_durable") {
        return;
    }
    let server =
        Rc::new(RefCell::new(Server::start(&["--appendonly", "yes", "--appendfsync", "always"])));
    let config = Config::new([server.borrow().url()]);
    let mut number = 0;
    let fresh = |fresh: Fresh| {
        let config = next(&config, &mut number);
        Kept(open(&config, &fresh), config)
    };
    let reopen = move |Kept(store, config): Kept, fresh: Fresh| {
        drop(store);
        server.borrow_mut().kill_and_restart();
        Kept(open(&config, &fresh), config)
    };
    let expectations = Expectations { reopen: Some(Box::new(reopen)), ..expectations() };
    let report = prove(fresh, expectations).unwrap_or_else(|broken| panic!("{}", show(&broken)));
    assert!(report.durable);
    assert_eq!(report.held.len(), 14);
}

/// Two stores, asked in turn: what one acknowledged, the other has.
struct Two {
    stores: [RedisStore; 2],
    turn: AtomicUsize,
}

impl Two {
    fn next(&self) -> &RedisStore {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.stores[turn % 2]
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

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        self.next().waiting().await
    }
}

#[test]
fn two_stores_on_a_cluster_that_wait_for_replicas_are_one_safe_store() {
    if !installed("two_stores_on_a_cluster_that_wait_for_replicas_are_one_safe_store") {
        return;
    }
    let fleet = Fleet::start(3, true);
    // A busy machine may take long; that is not what is asked here.
    let replicas = Replicas { patience: Duration::from_secs(20), ..Replicas::of(1) };
    let config = Config { replicas: Some(replicas), ..Config::new(fleet.urls()) };
    let mut number = 0;
    let fresh = |fresh: Fresh| {
        let config = next(&config, &mut number);
        let stores = [open(&config, &fresh), open(&config, &fresh)];
        Two { stores, turn: AtomicUsize::new(0) }
    };
    let report = prove(fresh, expectations()).unwrap_or_else(|broken| panic!("{}", show(&broken)));
    assert_eq!(report.held.len(), 13);
}
