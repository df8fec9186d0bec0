//! The database goes away in the middle of load, or what it answers is lost: won or unknown, never
//! doubled, and nothing acknowledged is missing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_ceremony::port::{Key, Settle, Settled, Store, StoreError, Version};
use countersign_store_postgres::PostgresStore;
use tokio::task::JoinSet;

use super::support::proxy::Proxy;
use super::support::{Postgres, key, open, runtime, settle};

/// Asks until the store answers again; how long a caller is refused meanwhile is the store's.
async fn until_back(store: &PostgresStore) {
    for _ in 0..1500 {
        if store.look(&[]).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the store did not come back");
}

/// What a client knows of its record: every version that may stand there.
#[derive(Default)]
struct Known {
    acknowledged: u64,
    unknown: u64,
}

/// Writes one record again and again, resolving unknown outcomes by looking, as the engine does.
async fn write(store: &PostgresStore, n: u32, over: &AtomicBool) -> Known {
    let mut known = Known::default();
    let mut stands = Version::ABSENT;
    for write in 0.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let settle = settle(n, stands, u64::from(n) * 1_000_000 + write);
        let next = settle.next;
        match store.settle(settle).await {
            Ok(Settled::Won) => {
                known.acknowledged += 1;
                stands = next;
            }
            Ok(Settled::Lost) => panic!("nobody else writes record {n}"),
            Err(StoreError::Unknown) => {
                known.unknown += 1;
                stands = settled_at(store, n, stands, next).await;
            }
            Err(StoreError::Unavailable) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    }
    known
}

/// After an unknown outcome: what stands is what stood, or what was written; nothing else.
async fn settled_at(store: &PostgresStore, n: u32, before: Version, after: Version) -> Version {
    loop {
        if let Ok(looked) = store.look(&[key(n)]).await {
            let found = looked.entries[0].as_ref().map_or(Version::ABSENT, |entry| entry.version);
            assert!(found == before || found == after, "record {n}: {found:?}");
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Kills and restarts the server beside load, by what `away` does to it.
fn beside_load(test: &str, mut away: impl FnMut(&mut Postgres)) {
    let Some(server) = Postgres::start(test) else { return };
    let server = Arc::new(Mutex::new(server));
    let url = server.lock().unwrap().url();
    runtime().block_on(async {
        let store = Arc::new(open(&url).await);
        let over = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for n in 0..32 {
            let (store, over) = (Arc::clone(&store), Arc::clone(&over));
            writers.spawn(async move { (n, write(&store, n, &over).await) });
        }
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokio::task::block_in_place(|| away(&mut server.lock().unwrap()));
            until_back(&store).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        over.store(true, Ordering::SeqCst);
        let mut acknowledged = 0;
        for (n, known) in writers.join_all().await {
            let looked = store.look(&[key(n)]).await.unwrap();
            let counter = looked.entries[0].as_ref().map_or(0, |entry| entry.version.counter());
            let most = known.acknowledged + known.unknown;
            assert!((known.acknowledged..=most).contains(&counter), "record {n}: {counter}");
            let events = server.lock().unwrap().sql(&format!(
                "SELECT count(*) FROM countersign_event
                 WHERE ('x' || encode(substring(id FROM 1 FOR 8), 'hex'))::bit(64)::int8 / 1000000 = {n}"
            ));
            assert_eq!(events, counter.to_string(), "record {n}: an event for each version");
            acknowledged += known.acknowledged;
        }
        assert!(acknowledged > 300, "only {acknowledged} settles: that was no load");
    });
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() {
    beside_load("a_server_that_is_killed", |server| {
        server.kill();
        server.up();
    });
}

#[test]
fn a_server_that_is_restarted_loses_nothing_that_it_acknowledged() {
    beside_load("a_server_that_is_restarted", |server| {
        server.down();
        server.up();
    });
}

#[test]
fn a_lost_reply_is_unknown_and_its_settle_stands_once() {
    let Some(server) = Postgres::start("a_lost_reply_is_unknown") else { return };
    runtime().block_on(async {
        let proxy = Proxy::to(server.port).await;
        let store = Arc::new(open(&server.url_at(proxy.port)).await);
        let first = settle(1, Version::ABSENT, 1);
        let stood = first.next;
        assert_eq!(store.settle(first).await, Ok(Settled::Won));

        // The commit happens; its reply does not come.
        proxy.swallow();
        let second = settle(1, stood, 2);
        let asked = tokio::spawn({
            let (store, second) = (Arc::clone(&store), second.clone());
            async move { store.settle(second).await }
        });
        wait_for_event(&server, &second).await;
        proxy.cut();
        assert_eq!(asked.await.unwrap(), Err(StoreError::Unknown));

        // Looking for its write id finds it; settling again does not double it.
        until_back(&store).await;
        let found = store.look(&[key(1)]).await.unwrap().entries[0].as_ref().map(|e| e.version);
        assert_eq!(found, Some(second.next));
        until_settles(&store).await;
        assert_eq!(store.settle(second.clone()).await, Ok(Settled::Lost));
        let third = settle(1, second.next, 3);
        assert_eq!(store.settle(third).await, Ok(Settled::Won));
    });
    assert_eq!(server.sql("SELECT count(*) FROM countersign_event"), "3");
}

#[test]
fn while_it_is_away_everybody_is_refused_at_once() {
    let Some(server) = Postgres::start("while_it_is_away") else { return };
    runtime().block_on(async {
        let proxy = Proxy::to(server.port).await;
        let store = open(&server.url_at(proxy.port)).await;
        proxy.refuse(true);
        proxy.cut();
        let mut refused: HashMap<StoreErrorName, u32> = HashMap::new();
        for n in 0..200 {
            let asked = store.settle(settle(n, Version::ABSENT, n.into()));
            let answer = tokio::time::timeout(Duration::from_secs(4), asked).await;
            match answer.expect("an answer at once") {
                Err(StoreError::Unavailable) => *refused.entry("unavailable").or_default() += 1,
                // The first may find the connection breaking under it.
                Err(StoreError::Unknown) => *refused.entry("unknown").or_default() += 1,
                answer => panic!("{answer:?}"),
            }
        }
        assert!(refused["unavailable"] >= 199, "{refused:?}");
        proxy.refuse(false);
        until_back(&store).await;
        until_settles(&store).await;
        assert_eq!(store.settle(settle(900, Version::ABSENT, 900)).await, Ok(Settled::Won));
    });
}

type StoreErrorName = &'static str;

/// The lane of settles comes back on its own.
async fn until_settles(store: &PostgresStore) {
    for write in 0..1500 {
        let probe = settle(1_000_000 + write, Version::ABSENT, 5_000_000 + u64::from(write));
        let probe = Settle { key: Key::from_bytes([0xee; 32]), events: Vec::new(), ..probe };
        if store.settle(probe).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no settle is taken");
}

/// Waits until the database itself has this settle.
async fn wait_for_event(server: &Postgres, settle: &Settle) {
    let version: String = settle.next.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let there = format!(
        "SELECT count(*) FROM countersign_record WHERE version = decode('{version}', 'hex')"
    );
    for _ in 0..500 {
        if tokio::task::block_in_place(|| server.sql(&there)) == "1" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the settle never arrived");
}
