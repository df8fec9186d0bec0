//! Looks: those that wait together go in one SELECT.

use std::collections::{HashMap, VecDeque};

use countersign_ceremony::port::{Entry, Key, Looked, StoreError, Version};
use countersign_otp::UnixTime;
use tokio::sync::oneshot;
use tokio_postgres::{Client, Row, Statement};

use crate::error::{DatabaseError, unread};
use crate::lane::{Broken, Job, Lane};
use crate::session::{Session, Statements, patiently};
use crate::sql;

/// How many looks go together at most.
const GROUP: usize = 64;

/// What is asked: these keys.
pub(crate) struct Look {
    pub(crate) keys: Vec<Key>,
    pub(crate) reply: oneshot::Sender<Result<Looked, StoreError>>,
}

impl Job for Look {
    fn refuse(self) {
        // Whoever does not wait any more asked not to know.
        let _unheard = self.reply.send(Err(StoreError::Unavailable));
    }
}

pub(crate) struct LookStatements {
    look: Statement,
}

impl Statements for LookStatements {
    async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { look: client.prepare(sql::LOOK).await? })
    }
}

/// The lane of looks.
pub(crate) struct Looks;

impl Lane for Looks {
    type Job = Look;
    type Statements = LookStatements;

    async fn serve(
        &mut self,
        session: &Session<LookStatements>,
        waiting: &mut VecDeque<Look>,
    ) -> Result<(), Broken> {
        let group: Vec<Look> = waiting.drain(..waiting.len().min(GROUP)).collect();
        let (found, broken) = match find(session, &group).await {
            Ok(found) => (found, Ok(())),
            Err((error, broken)) => (Err(error), if broken { Err(Broken) } else { Ok(()) }),
        };
        for look in group {
            let answer = match &found {
                Ok((entries, store_time)) => Ok(Looked {
                    entries: look.keys.iter().map(|key| entries.get(key).cloned()).collect(),
                    store_time: *store_time,
                }),
                Err(error) => Err(*error),
            };
            let _unheard = look.reply.send(answer);
        }
        broken
    }
}

/// The living records, by key, and the time of the database.
type Found = (HashMap<Key, Entry>, UnixTime);

/// What was found; or why nothing was, and whether the connection is broken with it.
async fn find(
    session: &Session<LookStatements>,
    group: &[Look],
) -> Result<Result<Found, StoreError>, (StoreError, bool)> {
    let mut keys: Vec<&[u8]> =
        group.iter().flat_map(|look| look.keys.iter().map(|key| &key.as_bytes()[..])).collect();
    keys.sort_unstable();
    keys.dedup();
    match patiently(session.client.query(&session.statements.look, &[&keys])).await {
        Some(Ok(rows)) => Ok(living(&rows)),
        Some(Err(error)) => {
            let (answer, broken) = (unread(&error), session.client.is_closed());
            tracing::warn!(said = %DatabaseError(error), "a look failed");
            Err((answer, broken))
        }
        None => Err((StoreError::Unavailable, true)),
    }
}

fn living(rows: &[Row]) -> Result<Found, StoreError> {
    let corrupt = |_| StoreError::Corrupt;
    let (time, records) = rows.split_first().ok_or(StoreError::Corrupt)?;
    let now: i64 = time.try_get(3).map_err(corrupt)?;
    let mut found = HashMap::with_capacity(records.len());
    for row in records {
        let expiry: Option<i64> = row.try_get(3).map_err(corrupt)?;
        if expiry.is_none_or(|end| now < end) {
            found.insert(key(row, 0)?, entry(row, 1)?);
        }
    }
    Ok((found, UnixTime::from_secs(u64::try_from(now).unwrap_or(0))))
}

/// The key in a column.
pub(crate) fn key(row: &Row, column: usize) -> Result<Key, StoreError> {
    let bytes: &[u8] = row.try_get(column).map_err(|_| StoreError::Corrupt)?;
    bytes.try_into().map(Key::from_bytes).map_err(|_| StoreError::Corrupt)
}

/// The version in a column, and the bytes in the next.
pub(crate) fn entry(row: &Row, column: usize) -> Result<Entry, StoreError> {
    let corrupt = |_| StoreError::Corrupt;
    let bytes = row.try_get(column.saturating_add(1)).map_err(corrupt)?;
    Ok(Entry { version: version(row, column)?, bytes })
}

/// The version in a column.
pub(crate) fn version(row: &Row, column: usize) -> Result<Version, StoreError> {
    let bytes: &[u8] = row.try_get(column).map_err(|_| StoreError::Corrupt)?;
    bytes.try_into().map(Version::from_bytes).map_err(|_| StoreError::Corrupt)
}
