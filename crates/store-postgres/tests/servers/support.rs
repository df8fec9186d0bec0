//! What the tests stand on.

pub(crate) mod postgres;
pub(crate) mod proxy;

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_ceremony::port::{EventId, EventRow, Key, Outbox, Settle, Version, WriteId};
use countersign_store_postgres::{Address, PostgresStore};

pub(crate) use postgres::Postgres;

/// Opens a store.
pub(crate) async fn open(url: &str) -> PostgresStore {
    open_with(url, Outbox::default()).await
}

pub(crate) async fn open_with(url: &str, outbox: Outbox) -> PostgresStore {
    let address = Address::parse(url).unwrap();
    PostgresStore::open(address, outbox).await.unwrap_or_else(|error| panic!("{error}"))
}

/// A name that no other namespace of this process has.
pub(crate) fn fresh_name() -> String {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    format!("s{}", NAMES.fetch_add(1, Ordering::Relaxed))
}

/// A settle of the n-th key with one event; its write is the only one of this number.
pub(crate) fn settle(n: u32, expected: Version, write: u64) -> Settle {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&write.to_be_bytes());
    Settle {
        key: key(n),
        expected,
        next: expected.next(WriteId(write.to_be_bytes())),
        bytes: vec![0xa5; 600],
        events: vec![EventRow { id: EventId(id), bytes: vec![0x5a; 100] }],
        expiry: None,
    }
}

/// The n-th key: spread over the partitions.
pub(crate) fn key(n: u32) -> Key {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b1).to_be_bytes());
    bytes[4..8].copy_from_slice(&n.to_be_bytes());
    Key::from_bytes(bytes)
}

/// A runtime as a server has it.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
