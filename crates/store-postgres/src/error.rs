//! What can go wrong, and which answer of the port it is.
//!
//! PostgreSQL's own words (a code and a message about tables and connections; our statements carry
//! every value as a parameter, so none is repeated) are kept for the operator.

use std::path::PathBuf;
use std::{error, fmt};

use countersign_ceremony::port::StoreError;
use tokio_postgres::error::{Severity, SqlState};

/// The URL of no database of PostgreSQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadAddress;

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it is no URL like postgres://user:password@host:5432/database; special characters of \
             the password are percent-encoded",
        )
    }
}

impl error::Error for BadAddress {}

/// What the database, or the way to it, said.
#[derive(Debug)]
pub struct DatabaseError(pub(crate) tokio_postgres::Error);

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(said) => write!(f, "{} ({})", said.message(), said.code().code()),
            None => match error::Error::source(&self.0) {
                Some(source) => write!(f, "{}: {source}", self.0),
                None => self.0.fmt(f),
            },
        }
    }
}

impl error::Error for DatabaseError {}

/// Why a database was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be reached, or it refused.
    Database(DatabaseError),
    /// It did not answer in time.
    Silent,
    /// Its tables were made by a newer release that this one cannot serve beside: `needs` is the
    /// schema that a node must know, `known` our latest.
    Newer {
        /// The schema that a node must know.
        needs: i32,
        /// The latest schema that this release knows.
        known: i32,
    },
    /// Its tables are older than this release; `countersign store migrate` brings them up.
    Older {
        /// The schema that stands.
        found: i32,
        /// The latest schema that this release knows.
        known: i32,
    },
    /// TLS is wanted, and the system has no root certificates to check the server by.
    NoRoots,
    /// The file that `sslrootcert` names holds no certificates, or cannot be read.
    Roots(PathBuf),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(said) => write!(f, "cannot open the database: {said}"),
            Self::Silent => f.write_str("the database does not answer"),
            Self::Newer { needs, known } => write!(
                f,
                "the database needs a node that knows schema {needs}, this release knows {known}: \
                 run the newer release"
            ),
            Self::Older { found, known } => write!(
                f,
                "the database has schema {found}, this release needs {known}: migrate it first"
            ),
            Self::NoRoots => f.write_str(
                "there are no root certificates to check the database by: install them, or name \
                 them in SSL_CERT_FILE",
            ),
            Self::Roots(file) => {
                write!(f, "sslrootcert: no certificates can be read from {}", file.display())
            }
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Database(said) => Some(said),
            _ => None,
        }
    }
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(DatabaseError(error))
    }
}

/// What a failed statement that writes may have done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failed {
    /// Nothing, and it may be tried again at once: it was the victim among statements that waited
    /// for each other.
    Again,
    /// Nothing: the database refused.
    Nothing,
    /// Nobody knows: the connection ended before the answer came.
    Unknown,
}

/// An ERROR ends the statement, and with it its transaction. Anything else (the connection broken,
/// FATAL, PANIC, words that we do not know) may have come after the commit: a server that is told
/// to end while it waits for a standby says so after it has committed.
pub(crate) fn failed(error: &tokio_postgres::Error) -> Failed {
    let Some(said) = error.as_db_error() else { return Failed::Unknown };
    let aborted = matches!(said.parsed_severity(), Some(Severity::Error));
    if !aborted || *said.code() == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN {
        return Failed::Unknown;
    }
    match said.code() {
        &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE => Failed::Again,
        _ => Failed::Nothing,
    }
}

/// The port's word for a failed read.
pub(crate) fn unread(error: &tokio_postgres::Error) -> StoreError {
    let corrupt = error.code().is_some_and(|code| {
        *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED
    });
    if corrupt { StoreError::Corrupt } else { StoreError::Unavailable }
}
