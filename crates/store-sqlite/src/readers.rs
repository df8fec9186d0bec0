//! Reading, on a few connections that only read.
//!
//! A look runs on the async worker that asks for it, or for others beside it (`looks.rs`). It takes some ten microseconds:
//! the pages are in the system's page cache, a reader in WAL mode waits for no writer, and handing
//! it to a thread and back costs more than the read (measured: a fifth of the throughput). What it
//! does wait for, when the pages are not cached, is one disk read or two.

use std::collections::HashSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use countersign_ceremony::port::{Entry, EventId, EventRow, Key, StoreError, Version, Walked};
use countersign_otp::UnixTime;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::refusal;
use crate::file;

const LOOK: &str = "SELECT version, bytes FROM record
    WHERE key = ?1 AND (expiry IS NULL OR expiry > ?2)";

const WALK: &str = "SELECT version, bytes, key, expiry FROM record
    WHERE key > ?1 AND (expiry IS NULL OR expiry > ?2) ORDER BY key LIMIT ?3";

/// The connections, each behind a lock that is never held across an await.
#[derive(Debug)]
pub(crate) struct Readers {
    pool: Box<[Mutex<Connection>]>,
    turn: AtomicUsize,
}

impl Readers {
    /// As many connections as can read at once: one a core.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let cores = thread::available_parallelism().map_or(2, NonZero::get).clamp(2, 16);
        let connect = |_| {
            let conn = file::connect(path)?;
            conn.pragma_update(None, "query_only", true)?;
            // Whenever somebody wrote, a reader drops its own cache; the system's serves it.
            conn.pragma_update(None, "cache_size", -256)?;
            Ok(Mutex::new(conn))
        };
        let pool = (0..cores).map(connect).collect::<rusqlite::Result<_>>()?;
        Ok(Self { pool, turn: AtomicUsize::new(0) })
    }

    /// The records of these keys as of one moment.
    pub(crate) fn look(
        &self,
        keys: impl Iterator<Item = Key>,
        now: UnixTime,
    ) -> Result<Vec<Option<Entry>>, StoreError> {
        self.read(|conn| {
            let _snapshot = Snapshot::take(conn)?;
            let mut look = conn.prepare_cached(LOOK)?;
            let now = seconds(now);
            keys.map(|key| look.query_row(params![key.as_bytes(), now], entry).optional()).collect()
        })
    }

    /// The records after a key, in order.
    pub(crate) fn walk(
        &self,
        after: Option<Key>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<Walked>, StoreError> {
        self.read(|conn| {
            let mut walk = conn.prepare_cached(WALK)?;
            // No key is empty, so every key comes after the empty one.
            let after: &[u8] = after.as_ref().map_or(&[], |key| key.as_bytes());
            let rows = walk.query_map(params![after, seconds(now), bounded(limit)], |row| {
                let end: Option<i64> = row.get(3)?;
                Ok(Walked {
                    key: Key::from_bytes(row.get(2)?),
                    entry: entry(row)?,
                    expiry: end.map(|secs| UnixTime::from_secs(u64::try_from(secs).unwrap_or(0))),
                })
            })?;
            rows.collect()
        })
    }

    /// The oldest events.
    pub(crate) fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.read(|conn| {
            let mut oldest =
                conn.prepare_cached("SELECT id, bytes FROM event ORDER BY seq LIMIT ?1")?;
            let rows = oldest.query_map([bounded(limit)], |row| {
                Ok(EventRow { id: EventId(row.get(0)?), bytes: row.get(1)? })
            })?;
            rows.collect()
        })
    }

    /// How many events wait.
    pub(crate) fn waiting(&self) -> Result<u64, StoreError> {
        self.read(|conn| {
            let waiting: i64 = conn
                .prepare_cached("SELECT waiting FROM outbox")?
                .query_row([], |row| row.get(0))?;
            Ok(u64::try_from(waiting).unwrap_or(0))
        })
    }

    /// Where these events stand, found from the oldest on: at once for those that were just read.
    /// Only ids that are not there cost a pass over the whole outbox.
    pub(crate) fn find(&self, ids: &[EventId]) -> Result<Vec<(i64, EventId)>, StoreError> {
        let mut missing: HashSet<_> = ids.iter().copied().collect();
        self.read(|conn| {
            let mut found = Vec::with_capacity(missing.len());
            let mut scan = conn.prepare_cached("SELECT seq, id FROM event ORDER BY seq")?;
            let mut rows = scan.query([])?;
            while !missing.is_empty()
                && let Some(row) = rows.next()?
            {
                let id = EventId(row.get(1)?);
                if missing.remove(&id) {
                    found.push((row.get(0)?, id));
                }
            }
            Ok(found)
        })
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let conn = self.free().ok_or(StoreError::Unavailable)?;
        let of_now = |conn: &Connection| {
            if !conn.is_autocommit() {
                // What an earlier failure left open shows the file as it was then.
                conn.execute_batch("ROLLBACK")?;
            }
            work(conn)
        };
        of_now(&conn).map_err(|error| {
            tracing::warn!(%error, "a read failed");
            refusal(&error)
        })
    }

    /// A connection that nobody uses now, else the next one in turn.
    fn free(&self) -> Option<MutexGuard<'_, Connection>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (before, after) = self.pool.split_at(turn % self.pool.len().max(1));
        let mut in_turn = after.iter().chain(before);
        let idle = in_turn.clone().find_map(|conn| conn.try_lock().ok());
        // A read that panicked left no transaction behind: its guard ended it.
        idle.or_else(|| {
            in_turn.next().map(|conn| conn.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

/// One moment of the file, as long as this is there: its lock is taken once for all that is read of it.
///
/// A look takes some ten microseconds, and parsing these two words anew each time would be a tenth of that.
struct Snapshot<'conn>(&'conn Connection);

impl<'conn> Snapshot<'conn> {
    fn take(conn: &'conn Connection) -> rusqlite::Result<Self> {
        conn.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(conn))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Nothing was written. Where it does not end, whoever reads next ends it.
        let _ended = self.0.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
    }
}

/// SQLite counts in 63 bits; what ends after them never ends.
pub(crate) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.secs()).unwrap_or(i64::MAX)
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry { version: Version::from_bytes(row.get(0)?), bytes: row.get(1)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn a_snapshot_that_an_earlier_failure_left_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = file::prepare(&dir.path().join("db")).unwrap();
        let mut writer = file::connect(&path).unwrap();
        schema::migrate(&mut writer).unwrap();
        let readers = Readers::open(&path).unwrap();
        for conn in &readers.pool {
            let left = "BEGIN; SELECT count(*) FROM record";
            conn.lock().unwrap().execute_batch(left).unwrap();
        }
        let record =
            "INSERT INTO record (key, version, bytes) VALUES (zeroblob(32), zeroblob(16), x'07')";
        writer.execute(record, []).unwrap();
        for _ in &readers.pool {
            let found =
                readers.look([Key::from_bytes([0; 32])].into_iter(), UnixTime::EPOCH).unwrap();
            let bytes = found.into_iter().flatten().map(|entry| entry.bytes);
            assert_eq!(bytes.collect::<Vec<_>>(), [[7]]);
        }
        assert!(readers.pool.iter().all(|conn| conn.lock().unwrap().is_autocommit()));
    }
}
