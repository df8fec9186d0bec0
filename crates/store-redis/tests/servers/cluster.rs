//! A master of a cluster that is killed in the middle of load, its settles waiting for its replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countersign_ceremony::port::{Key, Settled, Store, StoreError, Version};
use countersign_store_redis::{Config, RedisStore, Replicas};
use tokio::time::{sleep, timeout};

use crate::machines::{Fleet, installed};
use crate::support::{ROOMY, block_on, key, stands, write};

const WRITERS: u8 = 24;

/// Writes its record again and again, and finds out what became of what it was not told. The last version it is sure of.
async fn write_on(store: &RedisStore, key: Key, over: &AtomicBool, won: &AtomicU64) -> Version {
    let mut stood = Version::ABSENT;
    while !over.load(Ordering::SeqCst) {
        let next = write(key, stood);
        match store.settle(next.clone()).await {
            Ok(Settled::Won) => stood = next.next,
            Ok(Settled::Lost) => panic!("nobody else writes {key:?}"),
            Err(StoreError::Unavailable) => {
                sleep(Duration::from_millis(20)).await;
                continue;
            }
            Err(StoreError::Unknown) => loop {
                let Ok(found) = stands(store, key).await else { continue };
                let found = found.map_or(Version::ABSENT, |entry| entry.version);
                assert!(
                    found == next.next || found == stood,
                    "{found:?} stands; {stood:?} was acknowledged"
                );
                stood = found;
                break;
            },
            Err(error) => panic!("{error}"),
        }
        won.fetch_add(1, Ordering::SeqCst);
    }
    stood
}

#[test]
fn a_failover_in_the_middle_of_load_loses_nothing_acknowledged() {
    if !installed("a_failover_in_the_middle_of_load_loses_nothing_acknowledged") {
        return;
    }
    let mut fleet = Fleet::start(3, true);
    let config = Config { replicas: Some(Replicas::of(1)), ..Config::new(fleet.urls()) };
    block_on(async {
        let store = Arc::new(RedisStore::open(&config, ROOMY).await.unwrap());
        let over = Arc::new(AtomicBool::new(false));
        let won: Vec<_> = (0..WRITERS).map(|_| Arc::new(AtomicU64::new(0))).collect();
        let mut writers = Vec::new();
        for n in 0..WRITERS {
            let (store, over, won) =
                (Arc::clone(&store), Arc::clone(&over), Arc::clone(&won[usize::from(n)]));
            writers.push(tokio::spawn(async move { write_on(&store, key(n), &over, &won).await }));
        }
        let each = async |more: u64| {
            let from: Vec<u64> = won.iter().map(|won| won.load(Ordering::SeqCst)).collect();
            let all = async {
                while won
                    .iter()
                    .zip(&from)
                    .any(|(won, from)| won.load(Ordering::SeqCst) < from + more)
                {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(Duration::from_secs(30), all).await.expect("everybody writes on");
        };
        each(20).await;
        fleet.masters[0].kill();
        // Its users wait for the failover; with one replica promoted and none behind it, they wait until the old
        // master is back as its replica.
        sleep(Duration::from_millis(1500)).await;
        fleet.masters[0].start_again();
        each(20).await;
        // A failover by hand, under load: no write is lost and none is done twice.
        let _ok: String = fleet.replicas[1].ask("CLUSTER FAILOVER");
        each(20).await;
        over.store(true, Ordering::SeqCst);

        let mut events = 0;
        for (n, writer) in (0..WRITERS).zip(writers) {
            let stood = writer.await.unwrap();
            // Another store, that knows nothing of what came before.
            let found = stands(&store, key(n)).await.unwrap().unwrap();
            assert_eq!(found.version, stood);
            events += usize::try_from(stood.counter()).unwrap();
        }
        let fresh = RedisStore::open(&fleet_config(&fleet), ROOMY).await.unwrap();
        assert_eq!(fresh.events(usize::MAX).await.unwrap().len(), events, "an event a write");
    });
}

/// The whole fleet, also who was no master at the beginning.
fn fleet_config(fleet: &Fleet) -> Config {
    Config::new(fleet.masters.iter().chain(&fleet.replicas).map(crate::machines::Server::url))
}
