//! Groups: they form under load, and a lone write waits for nobody.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that measures")]

use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use countersign_ceremony::port::{
    EventId, EventRow, Key, Outbox, Settle, Settled, Store, StoreError, Version, WriteId,
};
use countersign_conformance::Dial;
use countersign_otp::UnixTime;
use countersign_store_sqlite::{SqliteStore, Written};
use rusqlite::Connection;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

fn open(path: &Path) -> SqliteStore {
    let clock = Arc::new(Dial::at(UnixTime::from_secs(1_700_000_000)));
    SqliteStore::open(path, clock, Outbox::default()).unwrap()
}

fn settle(n: u8, expected: Version) -> Settle {
    Settle {
        key: Key::from_bytes([n; 32]),
        expected,
        next: expected.next(WriteId([n; 8])),
        bytes: vec![n; 1000],
        events: vec![EventRow { id: EventId([n; 16]), bytes: vec![n; 100] }],
        expiry: None,
    }
}

#[test]
fn groups_form_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("db"));
    let barrier = Barrier::new(32);
    thread::scope(|scope| {
        for n in 0..32 {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                let runtime = Builder::new_current_thread().build().unwrap();
                let mut expected = Version::ABSENT;
                barrier.wait();
                for _ in 0..50 {
                    let settle = settle(n, expected);
                    expected = settle.next;
                    assert_eq!(runtime.block_on(store.settle(settle)), Ok(Settled::Won));
                }
            });
        }
    });
    let Written { commits, writes } = store.written();
    assert_eq!(writes, 32 * 50);
    assert!(commits < writes / 2, "{writes} writes took {commits} commits");
}

#[test]
fn a_lone_write_waits_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("db"));
    let plain = Connection::open(dir.path().join("plain")).unwrap();
    let setup = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)";
    plain.execute_batch(setup).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for n in 0..200 {
        let begun = Instant::now();
        let won = runtime.block_on(store.settle(settle(n, Version::ABSENT)));
        ours += begun.elapsed();
        assert_eq!(won, Ok(Settled::Won));
        let begun = Instant::now();
        plain.execute("INSERT INTO t VALUES (?1)", [vec![n; 1000]]).unwrap();
        theirs += begun.elapsed();
    }
    assert_eq!(store.written(), Written { commits: 200, writes: 200 });
    // A wait of two milliseconds for company would show on any disk.
    let slack = Duration::from_millis(200);
    assert!(ours < 3 * theirs + slack, "200 lone writes took {ours:?}; plain ones {theirs:?}");
}

#[test]
fn more_than_can_wait_is_refused_at_once_and_the_rest_is_written() {
    const ASKED: u16 = 6000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = Arc::new(open(&path));
    // While another holds the file, nothing is written and everything waits.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answers = Builder::new_current_thread().build().unwrap().block_on(async {
        let mut asked = JoinSet::new();
        let polled = Arc::new(AtomicU16::new(0));
        for n in 0..ASKED {
            let store = Arc::clone(&store);
            let [high, low] = n.to_be_bytes();
            let mut settle = settle(low, Version::ABSENT);
            settle.key =
                Key::from_bytes(std::array::from_fn(|at| if at < 16 { high } else { low }));
            let polled = Arc::clone(&polled);
            asked.spawn(async move {
                polled.fetch_add(1, Ordering::SeqCst);
                store.settle(settle).await
            });
        }
        // All have asked before the first has an answer.
        while polled.load(Ordering::SeqCst) < ASKED {
            tokio::task::yield_now().await;
        }
        other.execute_batch("COMMIT").unwrap();
        asked.join_all().await
    });
    let won = answers.iter().filter(|answer| **answer == Ok(Settled::Won)).count();
    let refused = answers.iter().filter(|answer| **answer == Err(StoreError::Unavailable)).count();
    assert_eq!(won + refused, answers.len());
    assert!((4096..4096 + 256).contains(&won), "{won} won, {refused} refused");
    let walked = Builder::new_current_thread().build().unwrap().block_on(store.walk(None, 10_000));
    assert_eq!(walked.unwrap().len(), won);
}
