//! What is written to a store and read back.

use countersign_ceremony::port::{
    Entry, EventId, EventRow, Key, Outbox, Settle, Store, StoreError, Version, WhenFull, WriteId,
};
use countersign_store_redis::RedisStore;

/// More events than any test brings.
pub(crate) const ROOMY: Outbox = Outbox { bound: 1 << 40, when_full: WhenFull::DropOldest };

/// The write after `expected`, of a key's own.
pub(crate) fn write(key: Key, expected: Version) -> Settle {
    let counter = expected.counter() + 1;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&key.as_bytes()[..8]);
    id[8..].copy_from_slice(&counter.to_be_bytes());
    Settle {
        key,
        expected,
        next: expected.next(WriteId(counter.to_be_bytes())),
        bytes: counter.to_be_bytes().to_vec(),
        events: vec![EventRow { id: EventId(id), bytes: key.as_bytes().to_vec() }],
        expiry: None,
    }
}

/// The n-th of keys that are spread over all partitions.
pub(crate) fn key(n: u8) -> Key {
    let mut bytes = [n; 32];
    bytes[0] = n.wrapping_mul(0x9d);
    Key::from_bytes(bytes)
}

pub(crate) async fn stands(store: &RedisStore, key: Key) -> Result<Option<Entry>, StoreError> {
    Ok(store.look(&[key]).await?.entries.pop().flatten())
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(future)
}
