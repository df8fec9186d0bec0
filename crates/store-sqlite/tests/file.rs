//! The file itself: its mode, its schema, its backups, and what it answers when it cannot be used.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Outbox, Settle, Settled, Store, StoreError, Version, WriteId,
};
use countersign_otp::UnixTime;
use countersign_store_sqlite::{BackupError, CheckError, OpenError, SqliteStore};
use rusqlite::Connection;

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_700_000_000)
    }
}

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, Arc::new(Noon), Outbox::default())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn first_write(n: u8, bytes: Vec<u8>) -> Settle {
    Settle {
        key: Key::from_bytes([n; 32]),
        expected: Version::ABSENT,
        next: Version::ABSENT.next(WriteId([n; 8])),
        bytes,
        events: vec![EventRow { id: EventId([n; 16]), bytes: vec![n; 100] }],
        expiry: None,
    }
}

fn stands(store: &SqliteStore, n: u8) -> Option<Vec<u8>> {
    let looked = block_on(store.look(&[Key::from_bytes([n; 32])])).unwrap();
    looked.entries.into_iter().next().unwrap().map(|entry| entry.bytes)
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
#[cfg(unix)]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = open(&path).unwrap();
    assert_eq!(block_on(store.settle(first_write(1, vec![1]))), Ok(Settled::Won));
    for name in ["db", "db-wal", "db-shm"] {
        assert_eq!(mode(&dir.path().join(name)), 0o600, "{name}");
    }
    store.backup(dir.path().join("backup")).unwrap();
    assert_eq!(mode(&dir.path().join("backup")), 0o600);
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path).unwrap());
    assert_eq!(mode(&path), 0o600, "a file that was open to others is closed to them");
}

#[test]
fn a_backup_is_taken_while_it_serves_and_opens_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("db")).unwrap();
    assert_eq!(block_on(store.settle(first_write(1, vec![1; 3000]))), Ok(Settled::Won));
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    assert_eq!(block_on(store.settle(first_write(2, vec![2]))), Ok(Settled::Won));
    assert!(matches!(store.backup(&backup), Err(BackupError::Exists)));
    assert!(matches!(store.backup(dir.path().join("no/such")), Err(BackupError::File(_))));
    assert!(!dir.path().join("backup.part").exists());

    let restored = open(&backup).unwrap();
    restored.check().unwrap();
    assert_eq!(stands(&restored, 1), Some(vec![1; 3000]));
    assert_eq!(stands(&restored, 2), None, "the backup is of the moment of its call");
    assert_eq!(block_on(restored.events(10)).unwrap().len(), 1);
    assert_eq!(block_on(restored.settle(first_write(3, vec![3]))), Ok(Settled::Won));
}

#[test]
fn a_newer_schema_and_a_foreign_file_are_refused_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let newer = dir.path().join("newer");
    drop(open(&newer).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&newer).unwrap();
    assert!(matches!(open(&newer), Err(OpenError::Newer { found: 99, known: 1 })));
    assert_eq!(fs::read(&newer).unwrap(), before);

    let foreign = dir.path().join("foreign");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE photo (x)").unwrap();
    let before = fs::read(&foreign).unwrap();
    assert!(matches!(open(&foreign), Err(OpenError::Foreign)));
    assert_eq!(fs::read(&foreign).unwrap(), before);

    let text = dir.path().join("text");
    fs::write(&text, "not a database, and long enough to be sure of it".repeat(100)).unwrap();
    let refused = open(&text).unwrap_err();
    assert!(matches!(refused, OpenError::Sqlite(_)), "{refused}");

    let nowhere = open(&dir.path().join("no/such/directory")).unwrap_err();
    assert!(matches!(nowhere, OpenError::File(_)), "{nowhere}");
    assert!(open(dir.path()).is_err(), "a directory is no database");
}

#[test]
fn a_name_that_sqlite_would_take_for_memory_is_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(":memory:");
    let store = open(&path).unwrap();
    assert_eq!(block_on(store.settle(first_write(1, vec![1]))), Ok(Settled::Won));
    drop(store);
    assert_eq!(stands(&open(&path).unwrap(), 1), Some(vec![1]));
}

#[test]
fn an_open_file_of_size_none_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    fs::write(&path, "").unwrap();
    let store = open(&path).unwrap();
    assert_eq!(block_on(store.settle(first_write(1, vec![1]))), Ok(Settled::Won));
    store.check().unwrap();
}

#[test]
fn a_record_beyond_reason_is_refused_and_the_next_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("db")).unwrap();
    let refused = block_on(store.settle(first_write(1, vec![0; (16 << 20) + 1])));
    assert_eq!(refused, Err(StoreError::Unavailable));
    assert_eq!(stands(&store, 1), None);
    assert_eq!(block_on(store.settle(first_write(1, vec![0; 16 << 20]))), Ok(Settled::Won));
}

#[test]
fn a_damaged_file_says_so_and_nothing_panics() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = open(&path).unwrap();
    for n in 0..200 {
        assert_eq!(block_on(store.settle(first_write(n, vec![n; 1000]))), Ok(Settled::Won));
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 50 * 4096);
    for byte in bytes.iter_mut().skip(5 * 4096) {
        *byte = 0xa5;
    }
    fs::write(&path, bytes).unwrap();

    let store = open(&path).unwrap();
    assert!(matches!(store.check(), Err(CheckError::Damaged(_) | CheckError::Sqlite(_))));
    let keys: Vec<_> = (0..200).map(|n| Key::from_bytes([n; 32])).collect();
    assert_eq!(block_on(store.look(&keys)).unwrap_err(), StoreError::Corrupt);
    assert_eq!(block_on(store.walk(None, 1000)).unwrap_err(), StoreError::Corrupt);
    let mut answers = (200..=255).map(|n| block_on(store.settle(first_write(n, vec![n; 1000]))));
    assert!(answers.any(|answer| answer.is_err()), "a damaged file cannot take them all");
}

#[test]
fn a_miscounted_outbox_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = open(&path).unwrap();
    assert_eq!(block_on(store.settle(first_write(1, vec![1]))), Ok(Settled::Won));
    store.check().unwrap();
    Connection::open(&path).unwrap().execute_batch("UPDATE outbox SET waiting = 7").unwrap();
    assert!(matches!(store.check(), Err(CheckError::Damaged(lines)) if lines.len() == 1));
}
