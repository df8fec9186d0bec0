//! The conformance suite: on one store, and on two nodes over one database.

use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Walked,
};
use countersign_conformance::{Broken, Expectations, Fresh, Property, prove};
use countersign_store_postgres::PostgresStore;
use tokio::runtime::Handle;

use super::support::{Postgres, fresh_name, open_with};

/// A store and the URL of its namespace.
struct Kept {
    stores: Vec<PostgresStore>,
    url: String,
    turn: AtomicUsize,
}

impl Kept {
    fn open(nodes: usize, url: String, fresh: &Fresh) -> Self {
        let open = |_| Handle::current().block_on(open_with(&url, fresh.outbox));
        Self { stores: (0..nodes).map(open).collect(), url: url.clone(), turn: AtomicUsize::new(0) }
    }

    /// Nodes are asked in turn: what one acknowledged, the others have.
    fn next(&self) -> &PostgresStore {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.stores[turn % self.stores.len()]
    }
}

impl Store for Kept {
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

fn show(broken: &[Broken]) -> String {
    broken.iter().map(ToString::to_string).collect()
}

#[test]
fn the_store_is_safe() {
    let Some(server) = Postgres::start("the_store_is_safe") else { return };
    let fresh = |fresh: Fresh| Kept::open(1, server.namespace(&fresh_name()), &fresh);
    let reopen = |Kept { stores, url, .. }: Kept, fresh: Fresh| {
        drop(stores);
        Kept::open(1, url, &fresh)
    };
    let expectations = Expectations {
        reopen: Some(Box::new(reopen)),
        own_clock: true,
        rounds: 100,
        scripts: 32,
        ..Expectations::default()
    };
    let report = prove(fresh, expectations).unwrap_or_else(|broken| panic!("{}", show(&broken)));
    assert!(report.durable);
    assert_eq!(report.held.len(), 14);
}

/// The bound of the outbox is exact for one node: no row stands where all nodes would count.
#[test]
fn two_nodes_on_one_database_are_one_safe_store_but_for_the_outbox_bound() {
    let test = "two_nodes_on_one_database_are_one_safe_store_but_for_the_outbox_bound";
    let Some(server) = Postgres::start(test) else { return };
    let fresh = |fresh: Fresh| Kept::open(2, server.namespace(&fresh_name()), &fresh);
    let expectations =
        Expectations { own_clock: true, rounds: 60, scripts: 12, ..Expectations::default() };
    let broken = prove(fresh, expectations).err().unwrap_or_default();
    let broken: Vec<_> =
        broken.into_iter().filter(|broken| broken.property != Property::OutboxBound).collect();
    assert!(broken.is_empty(), "{}", show(&broken));
}
