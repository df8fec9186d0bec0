//! One group of writes: one transaction, one verdict each.
//!
//! A swap that is lost, or refused by the outbox, is the verdict of that one write and leaves the
//! others alone; only what the file itself refuses fails the group, and then the whole of it.

use countersign_ceremony::port::{
    EventId, EventRow, Outbox, Settle, Settled, StoreError, Version, WhenFull,
};
use countersign_otp::UnixTime;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::error::{failed_commit, refusal};
use crate::readers::seconds;

/// How many expired records go with each group.
const PURGED: i64 = 64;

const SWAP: &str = "UPDATE record SET version = ?3, expiry = ?4, bytes = ?5
    WHERE key = ?1 AND version = ?2 AND (expiry IS NULL OR expiry > ?6)";

/// Where no record may stand, an expired one does not.
const CREATE: &str = "INSERT INTO record (key, version, expiry, bytes) VALUES (?1, ?3, ?4, ?5)
    ON CONFLICT (key) DO UPDATE
    SET version = excluded.version, expiry = excluded.expiry, bytes = excluded.bytes
    WHERE record.version = ?2 OR record.expiry <= ?6";

const STANDS: &str = "SELECT version FROM record
    WHERE key = ?1 AND (expiry IS NULL OR expiry > ?2)";

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Work {
    Settle(Settle),
    /// Events to take out, by their place and their name.
    Forget(Vec<(i64, EventId)>),
}

/// The verdict of one write; a forgetting is always won.
pub(crate) type Verdict = Result<Settled, StoreError>;

/// Does all of this in one transaction. `Err` is the verdict of every one.
pub(crate) fn commit<'a>(
    conn: &mut Connection,
    outbox: Outbox,
    now: impl FnOnce() -> UnixTime,
    group: impl Iterator<Item = &'a Work>,
) -> Result<Vec<Verdict>, StoreError> {
    let failed = |error: rusqlite::Error| {
        tracing::error!(%error, "a group of writes failed");
        refusal(&error)
    };
    if !conn.is_autocommit() {
        // The rollback of an earlier failure failed as well.
        conn.execute_batch("ROLLBACK").map_err(failed)?;
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Asked for after the wait for the lock.
    let verdicts = write(&tx, outbox, seconds(now()), group).map_err(failed)?;
    tx.commit().map_err(|error| {
        tracing::error!(%error, "a commit failed");
        failed_commit(&error)
    })?;
    Ok(verdicts)
}

fn write<'a>(
    tx: &Transaction<'_>,
    outbox: Outbox,
    now: i64,
    group: impl Iterator<Item = &'a Work>,
) -> rusqlite::Result<Vec<Verdict>> {
    let mut events = Events::read(tx, outbox)?;
    let verdicts = group
        .map(|work| match work {
            Work::Settle(settle) => swap(tx, &mut events, settle, now),
            Work::Forget(rows) => events.forget(rows).map(|()| Ok(Settled::Won)),
        })
        .collect::<rusqlite::Result<Vec<_>>>()?;
    events.write()?;
    if verdicts.contains(&Ok(Settled::Won)) {
        purge(tx, now)?;
    }
    Ok(verdicts)
}

fn swap(
    tx: &Transaction<'_>,
    events: &mut Events<'_>,
    settle: &Settle,
    now: i64,
) -> rusqlite::Result<Verdict> {
    let expected = settle.expected.to_bytes();
    if events.refuses(&settle.events) {
        let mut stands = tx.prepare_cached(STANDS)?;
        let mut rows = stands.query(params![settle.key.as_bytes(), now])?;
        let stands = match rows.next()? {
            Some(row) => row.get(0)?,
            None => Version::ABSENT.to_bytes(),
        };
        let lost = stands != expected;
        return Ok(if lost { Ok(Settled::Lost) } else { Err(StoreError::OutboxFull) });
    }
    let sql = if settle.expected == Version::ABSENT { CREATE } else { SWAP };
    let changed = tx.prepare_cached(sql)?.execute(params![
        settle.key.as_bytes(),
        expected,
        settle.next.to_bytes(),
        settle.expiry.map(seconds),
        settle.bytes,
        now,
    ])?;
    if changed == 0 {
        return Ok(Ok(Settled::Lost));
    }
    events.add(&settle.events)?;
    Ok(Ok(Settled::Won))
}

/// A few of the records whose time has passed: they read as absent already.
fn purge(tx: &Transaction<'_>, now: i64) -> rusqlite::Result<()> {
    let few = "DELETE FROM record WHERE rowid IN
        (SELECT rowid FROM record WHERE expiry <= ?1 ORDER BY expiry LIMIT ?2)";
    tx.prepare_cached(few)?.execute([now, PURGED])?;
    Ok(())
}

/// The outbox within one transaction.
struct Events<'tx> {
    tx: &'tx Transaction<'tx>,
    outbox: Outbox,
    before: u64,
    waiting: u64,
}

impl<'tx> Events<'tx> {
    fn read(tx: &'tx Transaction<'tx>, outbox: Outbox) -> rusqlite::Result<Self> {
        let mut count = tx.prepare_cached("SELECT waiting FROM outbox")?;
        let waiting: i64 = count.query_row([], |row| row.get(0))?;
        let waiting = u64::try_from(waiting).unwrap_or(0);
        Ok(Self { tx, outbox, before: waiting, waiting })
    }

    /// How many there would be beyond the bound.
    fn excess(&self, new: &[EventRow]) -> u64 {
        let new = u64::try_from(new.len()).unwrap_or(u64::MAX);
        if new == 0 {
            0
        } else {
            self.waiting.saturating_add(new).saturating_sub(self.outbox.bound)
        }
    }

    fn refuses(&self, new: &[EventRow]) -> bool {
        self.outbox.when_full == WhenFull::Refuse && self.excess(new) > 0
    }

    fn add(&mut self, new: &[EventRow]) -> rusqlite::Result<()> {
        let excess = self.excess(new);
        if excess > 0 {
            let oldest = "DELETE FROM event WHERE seq IN
                (SELECT seq FROM event ORDER BY seq LIMIT ?1)";
            let excess = i64::try_from(excess).unwrap_or(i64::MAX);
            let dropped = self.tx.prepare_cached(oldest)?.execute([excess])?;
            self.fewer(dropped);
        }
        let mut insert = self.tx.prepare_cached("INSERT INTO event (id, bytes) VALUES (?1, ?2)")?;
        for EventRow { id, bytes } in new {
            insert.execute(params![id.0, bytes])?;
            self.waiting = self.waiting.saturating_add(1);
        }
        Ok(())
    }

    /// The name is asked for beside the place: a place that was emptied may be taken again.
    fn forget(&mut self, rows: &[(i64, EventId)]) -> rusqlite::Result<()> {
        let mut delete = self.tx.prepare_cached("DELETE FROM event WHERE seq = ?1 AND id = ?2")?;
        for (seq, id) in rows {
            let forgotten = delete.execute(params![seq, id.0])?;
            self.fewer(forgotten);
        }
        Ok(())
    }

    fn fewer(&mut self, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.waiting = self.waiting.saturating_sub(rows);
    }

    fn write(self) -> rusqlite::Result<()> {
        if self.waiting != self.before {
            let waiting = i64::try_from(self.waiting).unwrap_or(i64::MAX);
            self.tx.prepare_cached("UPDATE outbox SET waiting = ?1")?.execute([waiting])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use countersign_ceremony::port::{Key, WriteId};

    use super::*;
    use crate::{file, schema};

    const NOW: UnixTime = UnixTime::from_secs(1000);

    /// A database that is gone with its directory.
    fn database() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = file::prepare(&dir.path().join("db")).unwrap();
        let mut conn = file::connect(&path).unwrap();
        schema::migrate(&mut conn).unwrap();
        (dir, conn)
    }

    fn settle(n: u16, expected: Version, size: usize) -> Settle {
        let [high, low] = n.to_be_bytes();
        let mut id = [high; 16];
        id[15] = low;
        Settle {
            key: Key::from_bytes(std::array::from_fn(|at| if at == 0 { low } else { high })),
            expected,
            next: expected.next(WriteId([low; 8])),
            bytes: vec![low; size],
            events: vec![EventRow { id: EventId(id), bytes: vec![low; 100] }],
            expiry: None,
        }
    }

    fn write(
        conn: &mut Connection,
        outbox: Outbox,
        group: &[Work],
    ) -> Result<Vec<Verdict>, StoreError> {
        commit(conn, outbox, || NOW, group.iter())
    }

    fn count(conn: &Connection, table: &str) -> i64 {
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_lost_swap_and_a_refused_one_leave_their_group_alone() {
        let (_dir, mut conn) = database();
        let outbox = Outbox { bound: 3, when_full: WhenFull::Refuse };
        let first = settle(1, Version::ABSENT, 10);
        let group = [Work::Settle(first.clone())];
        assert_eq!(write(&mut conn, outbox, &group), Ok(vec![Ok(Settled::Won)]));
        let group = [
            Work::Settle(settle(2, Version::ABSENT, 10)),
            Work::Settle(settle(1, Version::ABSENT, 10)),
            Work::Settle(settle(3, Version::ABSENT, 10)),
            Work::Settle(settle(4, Version::ABSENT, 10)),
            Work::Settle(settle(5, first.next, 10)),
            Work::Forget(vec![
                (1, EventId([9; 16])),
                (1, first.events[0].id),
                (77, EventId([0; 16])),
            ]),
            Work::Settle(settle(6, Version::ABSENT, 10)),
        ];
        let verdicts = vec![
            Ok(Settled::Won),
            Ok(Settled::Lost),
            Ok(Settled::Won),
            Err(StoreError::OutboxFull),
            Ok(Settled::Lost),
            Ok(Settled::Won),
            Ok(Settled::Won),
        ];
        assert_eq!(write(&mut conn, outbox, &group), Ok(verdicts));
        assert_eq!(count(&conn, "record"), 4);
        assert_eq!(count(&conn, "event"), 3);
        let waiting: i64 =
            conn.query_row("SELECT waiting FROM outbox", [], |row| row.get(0)).unwrap();
        assert_eq!(waiting, 3);
    }

    #[test]
    fn a_group_that_does_not_fit_is_wholly_not_there() {
        let (_dir, mut conn) = database();
        conn.pragma_update_and_check(None, "max_page_count", 40, |_| Ok(())).unwrap();
        let group: Vec<_> =
            (0..60).map(|n| Work::Settle(settle(n, Version::ABSENT, 3000))).collect();
        let refused = write(&mut conn, Outbox::default(), &group);
        assert_eq!(refused, Err(StoreError::Unavailable));
        assert_eq!((count(&conn, "record"), count(&conn, "event")), (0, 0));
        let fits = [Work::Settle(settle(1, Version::ABSENT, 3000))];
        assert_eq!(write(&mut conn, Outbox::default(), &fits), Ok(vec![Ok(Settled::Won)]));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_unavailable() {
        let (_dir, mut conn) = database();
        conn.pragma_update(None, "query_only", true).unwrap();
        let group = [Work::Settle(settle(1, Version::ABSENT, 10))];
        assert_eq!(write(&mut conn, Outbox::default(), &group), Err(StoreError::Unavailable));
        conn.pragma_update(None, "query_only", false).unwrap();
        assert_eq!(write(&mut conn, Outbox::default(), &group), Ok(vec![Ok(Settled::Won)]));
    }

    #[test]
    fn a_transaction_that_an_earlier_failure_left_is_ended() {
        let (_dir, mut conn) = database();
        conn.execute_batch("BEGIN; INSERT INTO event (id, bytes) VALUES (x'00', x'00')").unwrap();
        let group = [Work::Settle(settle(1, Version::ABSENT, 10))];
        assert_eq!(write(&mut conn, Outbox::default(), &group), Ok(vec![Ok(Settled::Won)]));
        assert_eq!(count(&conn, "event"), 1);
    }

    #[test]
    fn what_has_expired_goes_some_with_each_group() {
        let (_dir, mut conn) = database();
        for n in 0..200 {
            // All but the last have a time to end.
            let expiry = (n < 199).then(|| UnixTime::from_secs(if n < 190 { 999 } else { 1001 }));
            let work = [Work::Settle(Settle { expiry, ..settle(n, Version::ABSENT, 10) })];
            let won = commit(&mut conn, Outbox::default(), || UnixTime::from_secs(1), work.iter());
            assert_eq!(won, Ok(vec![Ok(Settled::Won)]));
        }
        let mut left = vec![count(&conn, "record")];
        for n in 300..304 {
            let work = [Work::Settle(settle(n, Version::ABSENT, 10))];
            assert!(write(&mut conn, Outbox::default(), &work).is_ok());
            left.push(count(&conn, "record"));
        }
        assert_eq!(left, [200, 137, 74, 13, 14], "64 go with each group, and one comes");
        let plan: String = conn
            .query_row("EXPLAIN QUERY PLAN SELECT rowid FROM record WHERE expiry <= 5", [], |row| {
                row.get(3)
            })
            .unwrap();
        assert!(plan.contains("record_expiry"), "{plan}");
    }
}
