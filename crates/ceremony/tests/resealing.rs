//! Records are sealed afresh under the newest key while others write them, and nothing else changes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_ceremony::codec;
use countersign_ceremony::env::Env;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{Key, Settle, Settled, Store, Version, WriteId};
use countersign_ceremony::resealing::{reseal, sealed};
use countersign_otp::UnixTime;
use countersign_vault::{KeyId, Ring, Turning, Vault};

const OLD: KeyId = KeyId::new(1);
const NEW: KeyId = KeyId::new(2);
const LATER: UnixTime = UnixTime::from_secs(4_000_000_000);

/// A vault of one key, the ring of two that follows it, and what else there is.
fn world() -> (Arc<Turning>, Ring, Env, MemoryStore) {
    let mut n = 0_u8;
    let mut fill = |buf: &mut [u8]| {
        buf.fill_with(|| {
            n = n.wrapping_mul(5).wrapping_add(17);
            n
        });
        Ok::<_, ()>(())
    };
    let ring = Ring::try_new(&mut fill).unwrap();
    let next = Ring::parse(&ring.to_text()).unwrap().with_new_key(&mut fill).unwrap();
    let vault = Arc::new(Turning::new(ring));
    let held: Arc<dyn Vault> = vault.clone();
    let env = Env { vault: held, ..Env::for_tests().unwrap() };
    let store = MemoryStore::new(Arc::clone(&env.clock));
    (vault, next, env, store)
}

fn key(n: u32) -> Key {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
    Key::from_bytes(bytes)
}

async fn write(store: &MemoryStore, env: &Env, n: u32, expected: Version, value: u64) -> Settled {
    let settle = Settle {
        key: key(n),
        expected,
        next: expected.next(WriteId(env.draw().unwrap())),
        bytes: codec::seal(&*env.vault, env.encoding, key(n), env.draw().unwrap(), &value).unwrap(),
        events: Vec::new(),
        expiry: n.is_multiple_of(2).then_some(LATER),
    };
    store.settle(settle).await.unwrap()
}

async fn value(store: &MemoryStore, env: &Env, n: u32) -> (Version, u64) {
    let entry = store.look(&[key(n)]).await.unwrap().entries.remove(0).unwrap();
    (entry.version, codec::open(&*env.vault, key(n), &entry.bytes).unwrap())
}

#[tokio::test]
async fn every_record_turns_and_none_changes() {
    let (vault, next, env, store) = world();
    for n in 0..1000 {
        assert_eq!(write(&store, &env, n, Version::ABSENT, n.into()).await, Settled::Won);
    }
    assert!(vault.turn(next).unwrap());
    // One that was written since is under the new key already, and is let be.
    let (version, _) = value(&store, &env, 7).await;
    assert_eq!(write(&store, &env, 7, version, 77).await, Settled::Won);
    let mut pages = 0;
    let progress = reseal(&store, &env, None, |_| pages += 1).await.unwrap();
    assert_eq!((progress.read, progress.resealed, pages), (1000, 999, 4));
    let counted = sealed(&store, &env, 10).await.unwrap();
    assert_eq!(counted.records, BTreeMap::from([(NEW, 1000)]));
    for row in store.walk(None, 2000).await.unwrap() {
        assert_eq!(vault.key_of(&row.entry.bytes), Ok(NEW));
    }
    for n in 0..1000 {
        let expected = if n == 7 { 77 } else { n.into() };
        assert_eq!(value(&store, &env, n).await.1, expected);
    }
    let expiries = store.walk(None, 2000).await.unwrap();
    let kept = expiries.iter().filter(|row| row.expiry == Some(LATER)).count();
    assert_eq!(kept, 500, "what ends, ends when it did");
    assert_eq!(reseal(&store, &env, None, |_| {}).await.unwrap().resealed, 0, "again is nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_write_is_lost_to_it() {
    const KEYS: u32 = 24;
    const WRITES: u64 = 200;
    let (vault, next, env, store) = world();
    let store = Arc::new(store);
    for n in 0..KEYS {
        assert_eq!(write(&store, &env, n, Version::ABSENT, 0).await, Settled::Won);
    }
    let writers: Vec<_> = (0..KEYS)
        .map(|n| {
            let (store, env) = (Arc::clone(&store), env.clone());
            tokio::spawn(async move {
                let mut won = 0;
                while won < WRITES {
                    let (version, count) = value(&store, &env, n).await;
                    assert_eq!(count, won, "a count goes back only where a write was lost");
                    if write(&store, &env, n, version, count + 1).await == Settled::Won {
                        won += 1;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    assert!(vault.turn(next).unwrap());
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        // One record that is written without pause may outlast its attempts; then once more.
        reseal(&*store, &env, None, |_| {}).await.ok();
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    reseal(&*store, &env, None, |_| {}).await.unwrap();
    assert_eq!(
        sealed(&*store, &env, 1).await.unwrap().records,
        BTreeMap::from([(NEW, u64::from(KEYS))])
    );
    for n in 0..KEYS {
        assert_eq!(value(&store, &env, n).await.1, WRITES);
    }
}

#[tokio::test]
async fn what_does_not_open_stops_it_and_stays() {
    let (vault, next, env, store) = world();
    assert_eq!(write(&store, &env, 1, Version::ABSENT, 1).await, Settled::Won);
    // Another record's bytes in its place (E-22).
    let bytes =
        codec::seal(&*env.vault, env.encoding, key(1), env.draw().unwrap(), &9_u64).unwrap();
    let swapped = Settle {
        key: key(2),
        expected: Version::ABSENT,
        next: Version::ABSENT.next(WriteId([1; 8])),
        bytes: bytes.clone(),
        events: Vec::new(),
        expiry: None,
    };
    assert_eq!(store.settle(swapped).await, Ok(Settled::Won));
    assert!(vault.turn(next).unwrap());
    assert!(reseal(&store, &env, None, |_| {}).await.is_err());
    let stands = store.look(&[key(2)]).await.unwrap().entries.remove(0).unwrap();
    assert_eq!(stands.bytes, bytes);
    assert_eq!(vault.key_of(&stands.bytes), Ok(OLD));
}
