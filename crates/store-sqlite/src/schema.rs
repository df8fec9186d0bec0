//! The tables, and how they came to be.
//!
//! - `record`: a row a key. A rowid table: with the key as the table's own order (`WITHOUT ROWID`)
//!   a row of a kilobyte goes to overflow pages, and writes are 2.5 times slower.
//! - `event`: a row an event, so that each is forgotten alone; `seq` is the order of commits. No
//!   index on the id: events are forgotten in the order in which they were read, so that a search
//!   from the oldest one finds them at once, and no commit pays for an index.
//! - `outbox`: how many events wait, so that the bound costs no count.
//!
//! `user_version` counts the migrations that were run; they only go forward. `application_id` says
//! that the file is ours, so that nobody's else is ever migrated.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;

/// `CSGN`.
const APPLICATION_ID: i64 = 0x4353_474e;

/// One step each, in order; a step that was released is never changed.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE record (
        key BLOB NOT NULL PRIMARY KEY,
        version BLOB NOT NULL,
        expiry INTEGER,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX record_expiry ON record (expiry) WHERE expiry IS NOT NULL;
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE outbox (waiting INTEGER NOT NULL) STRICT;
    INSERT INTO outbox (waiting) VALUES (0);
"];

/// Brings the file to the latest schema, or refuses it unchanged.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), OpenError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let stands = inspect(conn, known)?;
    if stands == 0 {
        // Before the first table: later they say nothing.
        conn.pragma_update(None, "page_size", 4096)?;
        conn.pragma_update(None, "auto_vacuum", "NONE")?;
    }
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError::NoWriteAheadLog);
    }
    if stands < known {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been quicker.
        let stands = inspect(&tx, known)?;
        for step in MIGRATIONS.iter().skip(usize::try_from(stands).unwrap_or(usize::MAX)) {
            tx.execute_batch(step)?;
        }
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", known)?;
        tx.commit()?;
    }
    Ok(())
}

/// The schema that stands in the file; 0 for a new one.
fn inspect(conn: &Connection, known: i64) -> Result<i64, OpenError> {
    let number = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let empty = number("SELECT count(*) FROM sqlite_schema")? == 0;
    match (application, version) {
        (0, 0) if empty => Ok(0),
        (APPLICATION_ID, found) if found > known => Err(OpenError::Newer { found, known }),
        (APPLICATION_ID, found) if found > 0 => Ok(found),
        _ => Err(OpenError::Foreign),
    }
}
