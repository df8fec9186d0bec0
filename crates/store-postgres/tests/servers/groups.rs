//! Groups: they form under load, a lone settle waits for nobody, and those of two nodes that
//! overlap neither deadlock nor both win.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use countersign_ceremony::port::{
    EventId, EventRow, Key, Outbox, Settle, Settled, Store, StoreError, Version, WhenFull, WriteId,
};
use countersign_otp::UnixTime;
use countersign_store_postgres::PostgresStore;
use tokio::task::JoinSet;

use super::support::{Postgres, key, open, open_with, runtime, settle};

#[test]
fn groups_form_under_load_and_a_lone_settle_is_a_commit_of_its_own() {
    let Some(server) = Postgres::start("groups_form_under_load") else { return };
    runtime().block_on(async {
        let store = Arc::new(open(&server.url()).await);
        for n in 0..20 {
            let settle = settle(n, Version::ABSENT, u64::from(n));
            assert_eq!(store.settle(settle).await, Ok(Settled::Won));
        }
        let before = store.written();
        assert_eq!((before.commits, before.writes), (20, 20));

        let mut tasks = JoinSet::new();
        for n in 100..164 {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                let mut expected = Version::ABSENT;
                for write in 0..20 {
                    let settle = settle(n, expected, u64::from(n) * 1000 + write);
                    expected = settle.next;
                    assert_eq!(store.settle(settle).await, Ok(Settled::Won));
                }
            });
        }
        tasks.join_all().await;
        let after = store.written();
        let (commits, writes) = (after.commits - before.commits, after.writes - before.writes);
        assert_eq!(writes, 64 * 20);
        assert!(commits * 4 < writes, "{writes} settles took {commits} commits");
    });
    assert_eq!(server.sql("SELECT count(*) FROM countersign_event"), (20 + 64 * 20).to_string());
}

/// In a group are jobs with several events, with one and with none, with records that stood and that did not, and lost ones
/// among them.
#[test]
fn each_job_of_a_group_has_its_own_events_in_their_order_and_no_other_has_them() {
    let Some(server) = Postgres::start("each_job_of_a_group") else { return };
    let with_events = |n: u32, expected, write: u64| {
        let events = (0..write % 4).map(|place| {
            let (mut id, mut bytes) = ([0; 16], key(n).as_bytes().to_vec());
            id[..8].copy_from_slice(&write.to_be_bytes());
            // Against their order: it is not by their names that they are put in it.
            id[8] = 255 - u8::try_from(place).unwrap();
            bytes.extend_from_slice(&id[..9]);
            EventRow { id: EventId(id), bytes }
        });
        Settle { events: events.collect(), ..settle(n, expected, write) }
    };
    let due = runtime().block_on(async {
        let store = Arc::new(open(&server.url()).await);
        let mut tasks = JoinSet::new();
        for task in 0..64_u32 {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                let (mut expected, mut due) = (Version::ABSENT, Vec::new());
                for at in 0..25 {
                    let write = u64::from(task) * 1000 + at * 7 + u64::from(task);
                    // A new record now and then, at another time in each task.
                    let n = task * 1000 + (u32::try_from(at).unwrap() + task) / 3;
                    if (at + u64::from(task)).is_multiple_of(3) {
                        expected = Version::ABSENT;
                    }
                    let right = with_events(n, expected, write);
                    // Nobody has written this version: it is lost, and its events with it.
                    let wrong = with_events(n, expected.next(WriteId([9; 8])), write + 500);
                    assert_eq!(store.settle(wrong).await, Ok(Settled::Lost));
                    assert_eq!(store.settle(right.clone()).await, Ok(Settled::Won));
                    expected = right.next;
                    due.extend(right.events.into_iter().map(|event| event.bytes));
                }
                due
            });
        }
        let due = tasks.join_all().await;
        let written = store.written();
        assert!(written.commits * 4 < written.writes, "these were no groups: {written:?}");
        due
    });
    // By partition and in the order of commits, as a drain reads them; each says whose it is.
    let told = server.sql(
        "SELECT string_agg(partition || ' ' || place || ' ' || encode(bytes, 'hex'), ','
            ORDER BY partition, at, place, id)
        FROM countersign_event",
    );
    let mut left: HashMap<Vec<u8>, VecDeque<Vec<u8>>> = HashMap::new();
    for bytes in due.into_iter().flatten() {
        left.entry(bytes[..32].to_vec()).or_default().push_back(bytes);
    }
    for told in told.split(',') {
        let words: Vec<&str> = told.split(' ').collect();
        let [partition, place, hex] = words[..] else { panic!("{told}") };
        let byte = |at: usize| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len() / 2).map(byte).collect();
        let of: [u8; 32] = bytes[..32].try_into().unwrap();
        assert_eq!(partition, Key::from_bytes(of).partition().to_string());
        assert_eq!(place, (255 - bytes[40]).to_string());
        assert_eq!(left.get_mut(&of[..]).and_then(VecDeque::pop_front), Some(bytes));
    }
    assert!(left.values().all(VecDeque::is_empty), "{left:?}");
}

/// A group that drops the oldest events adds its own by the same count.
#[test]
fn a_full_outbox_that_drops_keeps_the_newest_of_each_job() {
    let Some(server) = Postgres::start("a_full_outbox_that_drops") else { return };
    runtime().block_on(async {
        let outbox = Outbox { bound: 3, when_full: WhenFull::DropOldest };
        let store = open_with(&server.url(), outbox).await;
        let mut expected = Version::ABSENT;
        for write in 0..20_u64 {
            let event = |place: u8| {
                let id = [u8::try_from(write).unwrap() * 2 + place; 16];
                EventRow { id: EventId(id), bytes: id.to_vec() }
            };
            let settle = Settle { events: vec![event(0), event(1)], ..settle(7, expected, write) };
            expected = settle.next;
            assert_eq!(store.settle(settle).await, Ok(Settled::Won));
            let newest: Vec<u8> =
                store.events(9).await.unwrap().iter().map(|row| row.bytes[0]).collect();
            let last = u8::try_from(write).unwrap() * 2 + 1;
            let kept: Vec<u8> = (last.saturating_sub(2)..=last).collect();
            assert_eq!(newest, kept, "after write {write}");
        }
    });
}

/// Whether a record has expired is judged by the time at which its lock is held, and not by the one at which it was
/// waited for.
#[test]
fn a_record_that_expires_while_its_lock_is_waited_for_stands_as_absent() {
    let Some(server) = Postgres::start("a_record_that_expires_while") else { return };
    runtime().block_on(async {
        // Two nodes: the settles of one would wait in its queue, and not for the lock.
        let (one_node, other_node) =
            (Arc::new(open(&server.url()).await), Arc::new(open(&server.url()).await));
        let now = "SELECT floor(extract(epoch FROM clock_timestamp()))::int8";
        let now = || server.sql(now).parse::<u64>().unwrap();
        let end = now() + 2;
        let expiry = Some(UnixTime::from_secs(end));
        let at = |n: u8, expected, write: u8| Settle {
            key: Key::from_bytes([n; 32]),
            ..settle(0, expected, write.into())
        };
        let (one, other) = (at(1, Version::ABSENT, 1), at(2, Version::ABSENT, 2));
        for settle in [&one, &other] {
            let settle = Settle { expiry, ..settle.clone() };
            assert_eq!(one_node.settle(settle).await, Ok(Settled::Won));
        }
        let lock = "SELECT 1 FROM countersign_record WHERE key = $1 FOR UPDATE";
        let (hold_one, hold_other) = (held(&server, lock, 1).await, held(&server, lock, 2).await);
        let asked = |node: &Arc<PostgresStore>, settle: Settle| {
            let store = Arc::clone(node);
            tokio::spawn(async move { store.settle(settle).await })
        };
        let expects_it = asked(&one_node, at(1, one.next, 3));
        let expects_nothing = asked(&other_node, at(2, Version::ABSENT, 4));
        while now() < end {
            soon().await;
        }
        drop((hold_one, hold_other));
        assert_eq!(expects_it.await.unwrap(), Ok(Settled::Lost));
        assert_eq!(expects_nothing.await.unwrap(), Ok(Settled::Won));
    });
}

#[test]
fn as_many_events_as_a_settle_may_have_are_added_in_one_statement() {
    let Some(server) = Postgres::start("as_many_events_as") else { return };
    runtime().block_on(async {
        let outbox = Outbox { bound: 1 << 20, when_full: WhenFull::Refuse };
        let store = open_with(&server.url(), outbox).await;
        let with = |events: u16, write| {
            let event = |n: u16| {
                let mut id = [0; 16];
                id[..2].copy_from_slice(&n.to_be_bytes());
                EventRow { id: EventId(id), bytes: vec![0x5a; 100] }
            };
            Settle { events: (0..events).map(event).collect(), ..settle(1, Version::ABSENT, write) }
        };
        assert_eq!(store.settle(with(4097, 1)).await, Err(StoreError::Unavailable));
        assert_eq!(store.settle(with(4096, 2)).await, Ok(Settled::Won));
    });
    let told = server.sql("SELECT count(*) || ' ' || max(place) FROM countersign_event");
    assert_eq!(told, "4096 4095");
}

/// Every task of every node swaps any of a few records, so that nearly every group overlaps with
/// the other node's.
#[test]
fn overlapping_groups_of_two_nodes_never_deadlock() {
    const KEYS: u32 = 24;
    let Some(server) = Postgres::start("overlapping_groups") else { return };
    let (won, lost) = runtime().block_on(async {
        let nodes = [Arc::new(open(&server.url()).await), Arc::new(open(&server.url()).await)];
        let mut tasks = JoinSet::new();
        for task in 0..48_u32 {
            let store = Arc::clone(&nodes[task as usize % 2]);
            tasks.spawn(async move {
                let (mut won, mut lost) = (0_u32, 0_u32);
                let mut dice = task.wrapping_mul(0x9e37_79b1) | 1;
                for write in 0..60 {
                    dice ^= dice << 13;
                    dice ^= dice >> 17;
                    dice ^= dice << 5;
                    let n = dice % KEYS;
                    let looked = store.look(&[key(n)]).await.unwrap();
                    let stands = looked.entries[0].as_ref().map(|entry| entry.version);
                    let expected = stands.unwrap_or(Version::ABSENT);
                    let settle = settle(n, expected, u64::from(task) * 1000 + write);
                    match store.settle(settle).await.unwrap() {
                        Settled::Won => won += 1,
                        Settled::Lost => lost += 1,
                    }
                }
                (won, lost)
            });
        }
        let all = tasks.join_all().await;
        all.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    assert!(won > 200 && lost > 100, "{won} won and {lost} lost: that was no race");
    // Each won swap wrote one version and one event.
    let events = server.sql("SELECT count(*) FROM countersign_event");
    assert_eq!(events, won.to_string());
    let counters =
        "SELECT sum(('x' || encode(substring(version FROM 1 FOR 8), 'hex'))::bit(64)::int8)
        FROM countersign_record";
    assert_eq!(server.sql(counters), won.to_string());
    assert!(!server.log().contains("deadlock"), "{}", server.log());
}

/// One group makes two records, of which the other changes the second and makes the first: whoever
/// had locked what stands before it made what does not would wait in a circle. Sessions by hand hold
/// both groups in the middle, one after the other.
#[test]
fn groups_that_make_what_the_other_changes_never_deadlock() {
    let Some(server) = Postgres::start("groups_that_make") else { return };
    runtime().block_on(async {
        let [one, other] =
            [Arc::new(open(&server.url()).await), Arc::new(open(&server.url()).await)];
        let at = |n: u8, expected, write: u8| Settle {
            key: Key::from_bytes([n; 32]),
            ..settle(0, expected, write.into())
        };
        let (first, of_one, of_other) =
            (at(20, Version::ABSENT, 1), at(90, Version::ABSENT, 2), at(91, Version::ABSENT, 3));
        for settle in [&first, &of_one, &of_other] {
            assert_eq!(one.settle(settle.clone()).await, Ok(Settled::Won));
        }
        let hold_first =
            held(&server, "SELECT 1 FROM countersign_record WHERE key = $1 FOR UPDATE", 20).await;
        let hold_one =
            held(&server, "SELECT 1 FROM countersign_record WHERE key = $1 FOR UPDATE", 90).await;
        let hold_other =
            held(&server, "SELECT 1 FROM countersign_record WHERE key = $1 FOR UPDATE", 91).await;
        let making =
            "INSERT INTO countersign_record (key, version, at, bytes) VALUES ($1, '', 0, '')";
        let hold_made = held(&server, making, 10).await;

        let mut tasks = JoinSet::new();
        let mut told = |store: &Arc<PostgresStore>, settle: Settle| {
            let store = Arc::clone(store);
            tasks.spawn(async move { store.settle(settle).await });
        };
        // What waits behind a held swap is one group when that is let go.
        let made = at(50, Version::ABSENT, 10);
        told(&one, at(90, of_one.next, 4));
        soon().await;
        told(&one, at(20, first.next, 5));
        told(&one, at(30, Version::ABSENT, 6));
        told(&one, at(50, Version::ABSENT, 7));
        soon().await;
        drop(hold_one);
        soon().await;
        told(&other, made.clone());
        soon().await;
        told(&other, at(91, of_other.next, 8));
        soon().await;
        told(&other, at(10, Version::ABSENT, 9));
        told(&other, at(30, Version::ABSENT, 11));
        told(&other, at(50, made.next, 12));
        soon().await;
        drop(hold_other);
        soon().await;
        drop(hold_first);
        soon().await;
        drop(hold_made);
        let verdicts = tasks.join_all().await;
        assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
        let won = verdicts.iter().filter(|verdict| **verdict == Ok(Settled::Won)).count();
        assert!((6..=7).contains(&won), "of what both make, one: {verdicts:?}");
    });
    assert!(!server.log().contains("deadlock"), "{}", server.log());
}

/// A transaction that did this to the n-th record, open until it is dropped.
async fn held(server: &Postgres, statement: &str, n: u8) -> tokio_postgres::Client {
    let (client, connection) =
        tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN").await.unwrap();
    client.query(statement, &[&[n; 32].to_vec()]).await.unwrap();
    client
}

/// Longer than a statement takes that waits for nobody, and eight of them shorter than one may take.
async fn soon() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}

#[test]
fn more_than_can_wait_is_refused_at_once() {
    const ASKED: u32 = 6000;
    let Some(server) = Postgres::start("more_than_can_wait") else { return };
    let answers = runtime().block_on(async {
        let store = Arc::new(open(&server.url()).await);
        // While another holds the table nothing is written, and everything waits.
        let (holder, driver) =
            tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(driver);
        holder.batch_execute("BEGIN; LOCK TABLE countersign_record").await.unwrap();
        let polled = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for n in 0..ASKED {
            let (store, polled) = (Arc::clone(&store), Arc::clone(&polled));
            tasks.spawn(async move {
                polled.fetch_add(1, Ordering::SeqCst);
                store.settle(settle(n, Version::ABSENT, u64::from(n))).await
            });
        }
        // All have asked before the first has an answer.
        while polled.load(Ordering::SeqCst) < ASKED {
            tokio::task::yield_now().await;
        }
        holder.batch_execute("COMMIT").await.unwrap();
        tasks.join_all().await
    });
    let won = answers.iter().filter(|answer| **answer == Ok(Settled::Won)).count();
    let refused = answers.iter().filter(|answer| **answer == Err(StoreError::Unavailable)).count();
    assert_eq!(won + refused, answers.len());
    assert!((4096..4096 + 256).contains(&won), "{won} won, {refused} refused");
    assert_eq!(server.sql("SELECT count(*) FROM countersign_record"), won.to_string());
}

#[test]
fn the_outbox_is_read_oldest_first_over_all_partitions_and_forgotten_in_steps() {
    let Some(server) = Postgres::start("the_outbox_is_read_oldest_first") else { return };
    runtime().block_on(async {
        let store = open(&server.url()).await;
        let mut due = Vec::new();
        for n in 0..700 {
            // Half of them in one partition, the rest anywhere.
            let settle = settle(if n % 2 == 0 { HOT } else { n }, Version::ABSENT, u64::from(n));
            let settle = Settle {
                expected: if n % 2 == 0 && n > 0 { last(&store).await } else { Version::ABSENT },
                ..settle
            };
            due.extend(settle.events.iter().map(|event| event.id));
            assert_eq!(store.settle(settle).await, Ok(Settled::Won));
        }
        for limit in [0, 1, 10, 300, 700, 5000] {
            let read: Vec<_> =
                store.events(limit).await.unwrap().into_iter().map(|row| row.id).collect();
            assert_eq!(read, due[..limit.min(due.len())], "events({limit})");
        }
        store.forget(&due[..650]).await.unwrap();
        // Another node, which has not read them, forgets some by name alone.
        let other = open(&server.url()).await;
        other.forget(&due[640..690]).await.unwrap();
        let left: Vec<_> = store.events(100).await.unwrap().into_iter().map(|row| row.id).collect();
        assert_eq!(left, due[690..]);
    });
}

/// The record that is written again and again.
const HOT: u32 = 10_000;

async fn last(store: &PostgresStore) -> Version {
    let looked = store.look(&[key(HOT)]).await.unwrap();
    looked.entries[0].as_ref().map_or(Version::ABSENT, |entry| entry.version)
}
