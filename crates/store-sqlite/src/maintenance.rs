//! Backup and check, while the store serves.
//!
//! Each reads one snapshot on a connection of its own. As long as it runs, the log cannot start
//! again at its beginning, so it grows by what is written meanwhile.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{BackupError, CheckError};
use crate::file;

/// Copies the database as of one moment, compacted, to a file that appears whole or not at all.
pub(crate) fn backup(database: &Path, to: &Path) -> Result<(), BackupError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists);
    }
    let mut part = to.to_path_buf().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    file::create(&part)?;
    let copied = copy(database, &part).and_then(|()| {
        fs::rename(&part, to)?;
        file::sync_directory_of(to)?;
        Ok(())
    });
    if copied.is_err() {
        // Nothing is lost if this fails: a half copy has the name of one.
        let _left = fs::remove_file(&part);
    }
    copied
}

fn copy(database: &Path, part: &Path) -> Result<(), BackupError> {
    let conn = file::connect(database)?;
    // In full, so that no name means anything else to SQLite; a name that is no text has no copy.
    let part = fs::canonicalize(part)?;
    let name = part.to_str().ok_or_else(|| std::io::Error::other("the name is not UTF-8"))?;
    conn.execute("VACUUM INTO ?1", [name])?;
    File::open(&part)?.sync_all()?;
    Ok(())
}

/// Reads every page and index, and counts the outbox.
pub(crate) fn check(database: &Path) -> Result<(), CheckError> {
    let conn = file::connect(database)?;
    let _snapshot = conn.unchecked_transaction()?;
    let mut damage = integrity(&conn)?;
    if damage.is_empty() {
        let waiting: i64 = conn.query_row("SELECT waiting FROM outbox", [], |row| row.get(0))?;
        let events: i64 = conn.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
        if waiting != events {
            damage.push(format!("the outbox counts {waiting} events and holds {events}"));
        }
    }
    if damage.is_empty() { Ok(()) } else { Err(CheckError::Damaged(damage)) }
}

fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = conn.prepare("PRAGMA integrity_check")?;
    let lines =
        check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}
