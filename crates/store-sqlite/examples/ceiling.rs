//! What grouping wins: settles of 64 tasks at once, as a ratio to a loop that commits one row a
//! transaction with the same `synchronous`. Pairs alternate in one run; the median is printed.
//!
//! `cargo run --release -p countersign-store-sqlite --example ceiling`
//!
//! A settle here is what a verification does to a store: a look at the record, then a swap of a
//! kilobyte with an event of a hundred bytes. The loop does the swap alone.
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Outbox, Settle, Settled, Store, Version, WriteId,
};
use countersign_otp::UnixTime;
use countersign_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};

/// The tasks that settle at once.
const TASKS: u64 = 64;

/// The records that they settle.
const RECORDS: u64 = 20_000;

/// The pairs.
const PAIRS: usize = 5;

/// How long each half of a pair takes.
const SPAN: Duration = Duration::from_secs(3);

/// The size of a record.
const RECORD: usize = 1089;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_700_000_000)
    }
}

fn main() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let store = SqliteStore::open(dir.path().join("db"), Arc::new(Noon), Outbox::default())?;
    let store = Arc::new(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    let plain = plain(&dir.path().join("plain"))?;
    runtime.block_on(fill(&store))?;

    let mut ratios = Vec::new();
    let mut plainly = 0;
    // The first pair is not counted: the logs are still growing to their size.
    for pair in 0..=PAIRS {
        let before = store.written();
        let ours = rate(runtime.block_on(settle_at_once(&store))?);
        let after = store.written();
        let theirs = rate(commit_one_by_one(&plain, &mut plainly)?);
        let group = (after.writes - before.writes) as f64 / (after.commits - before.commits) as f64;
        let ratio = ours / theirs;
        println!(
            "pair {pair}: {ours:.0}/s in groups of {group:.1}, one by one {theirs:.0}/s: {ratio:.2}"
        );
        if pair > 0 {
            ratios.push(ratio);
        }
    }
    // A bench that wrote to another store, or nowhere, would be fast as well.
    let waiting = runtime.block_on(store.events(1_000_000))?.len();
    let writes = usize::try_from(store.written().writes)?;
    if waiting != writes.min(1_000_000) || store.check().is_err() {
        return Err(format!("{waiting} events for {writes} writes").into());
    }
    ratios.sort_by(f64::total_cmp);
    println!("median of {PAIRS}: {:.2}", ratios.get(PAIRS / 2).copied().unwrap_or_default());
    Ok(())
}

fn rate(done: u64) -> f64 {
    done as f64 / SPAN.as_secs_f64()
}

async fn fill(store: &Arc<SqliteStore>) -> Outcome<()> {
    at_once(store, |store, task| async move {
        for n in (task..RECORDS).step_by(usize::try_from(TASKS)?) {
            settle(&store, n, Version::ABSENT).await?;
        }
        Ok(0)
    })
    .await
    .map(|_| ())
}

/// Every task looks at a record of its own and settles it, one after the other.
async fn settle_at_once(store: &Arc<SqliteStore>) -> Outcome<u64> {
    let begun = Instant::now();
    at_once(store, move |store, task| async move {
        let mut done = 0;
        let mut n = task;
        while begun.elapsed() < SPAN {
            let looked = store.look(&[key(n)]).await?;
            let entry = looked.entries.into_iter().flatten().next().ok_or("a record is gone")?;
            settle(&store, n, entry.version).await?;
            done += 1;
            // Spread over all records, no two tasks on one.
            n = (n + TASKS * 97) % (RECORDS / TASKS * TASKS);
        }
        Ok(done)
    })
    .await
}

async fn at_once<F, W>(store: &Arc<SqliteStore>, work: F) -> Outcome<u64>
where
    F: Fn(Arc<SqliteStore>, u64) -> W,
    W: Future<Output = Outcome<u64>> + Send + 'static,
{
    let tasks: Vec<_> =
        (0..TASKS).map(|task| tokio::spawn(work(Arc::clone(store), task))).collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    Ok(done)
}

async fn settle(store: &SqliteStore, n: u64, expected: Version) -> Outcome<()> {
    let next = expected.next(WriteId(n.to_be_bytes()));
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    id[8..].copy_from_slice(&next.counter().to_be_bytes());
    let events = vec![EventRow { id: EventId(id), bytes: vec![7; 102] }];
    let bytes: Vec<u8> = next.to_bytes().into_iter().cycle().take(RECORD).collect();
    let settle = Settle { key: key(n), expected, next, bytes, events, expiry: None };
    match store.settle(settle).await? {
        Settled::Won => Ok(()),
        Settled::Lost => Err("a swap that nobody else made was lost".into()),
    }
}

fn plain(path: &Path) -> Outcome<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE record (key BLOB NOT NULL PRIMARY KEY, version BLOB NOT NULL, bytes BLOB);
         BEGIN",
    )?;
    for n in 0..RECORDS {
        let mut insert = conn.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?;
        insert.execute(params![key(n).as_bytes(), [0_u8; 16], vec![5_u8; RECORD]])?;
    }
    conn.execute_batch("COMMIT")?;
    Ok(conn)
}

/// One row, one transaction, in a loop. `writes` counts on over all pairs: SQLite leaves out a write
/// that changes nothing, and its commit with it.
fn commit_one_by_one(conn: &Connection, writes: &mut u64) -> Outcome<u64> {
    let begun = Instant::now();
    let before = *writes;
    let mut update = conn.prepare("UPDATE record SET version = ?2, bytes = ?3 WHERE key = ?1")?;
    while begun.elapsed() < SPAN {
        *writes += 1;
        let n = *writes * 97 % RECORDS;
        let version = u128::from(*writes).to_be_bytes();
        let bytes: Vec<u8> = version.into_iter().cycle().take(RECORD).collect();
        update.execute(params![key(n).as_bytes(), version, bytes])?;
    }
    Ok(*writes - before)
}

/// Keys without an order, as keyed digests are.
fn key(n: u64) -> Key {
    let mut bytes = [0; 32];
    let mut state = n;
    for chunk in bytes.chunks_exact_mut(8) {
        state = (state ^ (state >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(state ^ (state >> 31)).to_be_bytes());
    }
    Key::from_bytes(bytes)
}
