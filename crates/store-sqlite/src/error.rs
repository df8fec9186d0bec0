//! What can go wrong with the file, and which answer of the port it is.
//!
//! SQLite's own words (a code and a message about pages and files, never a value) are kept as the
//! source of an error, so that an operator reads "disk is full" and not only "unavailable".

use std::{error, fmt, io};

use countersign_ceremony::port::StoreError;
use rusqlite::ErrorCode;

/// What SQLite said.
#[derive(Debug)]
pub struct SqliteError(pub(crate) rusqlite::Error);

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for SqliteError {}

/// Why a database was not opened. Nothing was changed in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The file or its directory cannot be created, read or written, or no thread be started.
    File(io::Error),
    /// The file is an SQLite database of another program.
    Foreign,
    /// The file was written by a newer release: `found` is its schema, `known` our latest.
    Newer {
        /// The schema of the file.
        found: i64,
        /// The latest schema that this release knows.
        known: i64,
    },
    /// The file cannot be kept with a write-ahead log: the file system has no shared memory.
    NoWriteAheadLog,
    /// SQLite refused.
    Sqlite(SqliteError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(source) => write!(f, "cannot use the database file: {source}"),
            Self::Foreign => f.write_str("this SQLite file belongs to another program"),
            Self::Newer { found, known } => write!(
                f,
                "the database has schema {found}, this release knows {known}: run the newer release"
            ),
            Self::NoWriteAheadLog => f.write_str(
                "the database cannot keep a write-ahead log here: put it on a local file system",
            ),
            Self::Sqlite(source) => write!(f, "cannot open the database: {source}"),
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::File(source) => Some(source),
            Self::Sqlite(source) => Some(source),
            Self::Foreign | Self::Newer { .. } | Self::NoWriteAheadLog => None,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(source: io::Error) -> Self {
        Self::File(source)
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(SqliteError(source))
    }
}

/// Why there is no backup.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// A file of that name is there already; a backup never overwrites.
    Exists,
    /// The backup's file cannot be written.
    File(io::Error),
    /// SQLite refused.
    Sqlite(SqliteError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("the backup's file is there already: name another"),
            Self::File(source) => write!(f, "cannot write the backup: {source}"),
            Self::Sqlite(source) => write!(f, "cannot back up the database: {source}"),
        }
    }
}

impl error::Error for BackupError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Exists => None,
            Self::File(source) => Some(source),
            Self::Sqlite(source) => Some(source),
        }
    }
}

impl From<io::Error> for BackupError {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists,
            _ => Self::File(source),
        }
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(SqliteError(source))
    }
}

/// What a check found.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckError {
    /// The file is damaged: what SQLite, or our own count, found, a line each.
    Damaged(Vec<String>),
    /// SQLite could not read so far as to say.
    Sqlite(SqliteError),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(lines) => {
                write!(f, "the database is damaged, restore a backup: {}", lines.join("; "))
            }
            Self::Sqlite(source) => write!(f, "cannot check the database: {source}"),
        }
    }
}

impl error::Error for CheckError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Damaged(_) => None,
            Self::Sqlite(source) => Some(source),
        }
    }
}

impl From<rusqlite::Error> for CheckError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite(SqliteError(source))
    }
}

/// The port's word for an error that certainly wrote nothing.
pub(crate) fn refusal(error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqliteFailure,
    };
    match error {
        SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt,
            _ => StoreError::Unavailable,
        },
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => {
            StoreError::Corrupt
        }
        _ => StoreError::Unavailable,
    }
}

/// The port's word for a failed COMMIT.
///
/// Only a busy database surely has nothing of it. After any other failure the log's frames may be
/// whole in the file, and a recovery after a crash would find them.
pub(crate) fn failed_commit(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unavailable,
        _ => StoreError::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn only_a_busy_commit_surely_wrote_nothing() {
        assert_eq!(failed_commit(&failure(ffi::SQLITE_BUSY)), StoreError::Unavailable);
        for code in [ffi::SQLITE_IOERR, ffi::SQLITE_FULL, ffi::SQLITE_CORRUPT] {
            assert_eq!(failed_commit(&failure(code)), StoreError::Unknown, "{code}");
        }
    }

    #[test]
    fn before_the_commit_nothing_is_unknown() {
        assert_eq!(refusal(&failure(ffi::SQLITE_CORRUPT)), StoreError::Corrupt);
        assert_eq!(refusal(&failure(ffi::SQLITE_NOTADB)), StoreError::Corrupt);
        assert_eq!(refusal(&failure(ffi::SQLITE_FULL)), StoreError::Unavailable);
        assert_eq!(refusal(&failure(ffi::SQLITE_READONLY)), StoreError::Unavailable);
    }
}
