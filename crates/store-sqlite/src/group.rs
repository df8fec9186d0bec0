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
