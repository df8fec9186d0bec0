//! Settles: those that wait together go in one statement, which is one commit.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_ceremony::port::{Key, Settled, StoreError, Version};
use tokio::sync::mpsc::Sender;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::chores::Chore;
use crate::error::{DatabaseError, Failed, failed, unread};
use crate::group::{self, Group, Swap};
use crate::lane::{Broken, Lane};
use crate::looks::{key, version};
use crate::outbox::Fill;
use crate::session::{Session, Statements, patiently};
use crate::sql;

/// How often a group is tried again that the database chose as the victim of a deadlock.
const TRIES: u32 = 4;

/// After how many groups what has expired is swept.
const SWEEP: u64 = 64;

pub(crate) struct SettleStatements {
    settle: Statement,
    settle_with_room: Statement,
    settle_what_stands: Statement,
    stands: Statement,
    count: Statement,
}

impl Statements for SettleStatements {
    async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            settle: client.prepare(sql::SETTLE).await?,
            settle_with_room: client.prepare(sql::SETTLE_WITH_ROOM).await?,
            settle_what_stands: client.prepare(sql::SETTLE_WHAT_STANDS).await?,
            stands: client.prepare(sql::STANDS).await?,
            count: client.prepare(sql::COUNT).await?,
        })
    }
}

/// What was committed since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
}

/// The lane of settles.
pub(crate) struct Settles {
    pub(crate) fill: Arc<Fill>,
    pub(crate) counts: Arc<Counts>,
    /// Told when there is something to sweep or to trim.
    pub(crate) chores: Sender<Chore>,
}

impl Lane for Settles {
    type Job = Swap;
    type Statements = SettleStatements;

    async fn serve(
        &mut self,
        session: &Session<SettleStatements>,
        waiting: &mut VecDeque<Swap>,
    ) -> Result<(), Broken> {
        if self.fill.is_counted() && waiting.iter().any(|swap| !swap.settle.events.is_empty()) {
            self.count(session).await?;
        }
        let Group { swaps, crowded } = group::next(waiting, &self.fill);
        let done = self.swap(session, swaps).await;
        if done.is_err() {
            crowded.into_iter().for_each(|swap| swap.answer(Err(StoreError::Unavailable)));
            return done;
        }
        refuse_or_lose(session, crowded).await
    }
}

impl Settles {
    async fn count(&self, session: &Session<SettleStatements>) -> Result<(), Broken> {
        let counting = session.client.query_one(&session.statements.count, &[]);
        let row = patiently(counting).await.and_then(Result::ok).ok_or(Broken)?;
        let waiting: i64 = row.try_get(0).map_err(|_| Broken)?;
        self.fill.counted(u64::try_from(waiting).unwrap_or(0));
        Ok(())
    }

    async fn swap(
        &self,
        session: &Session<SettleStatements>,
        swaps: Vec<Swap>,
    ) -> Result<(), Broken> {
        if swaps.is_empty() {
            return Ok(());
        }
        let mut tries = 1;
        loop {
            let failure = match patiently(self.commit(session, &swaps)).await {
                Some(Ok(rows)) => {
                    self.told(swaps, &rows);
                    return Ok(());
                }
                Some(Err(error)) => {
                    let failure = failed(&error);
                    tracing::warn!(said = %DatabaseError(error), "a group of settles failed");
                    failure
                }
                None => Failed::Unknown,
            };
            if failure == Failed::Again && tries < TRIES {
                tries += 1;
                continue;
            }
            let unknown = failure == Failed::Unknown;
            let verdict = if unknown { StoreError::Unknown } else { StoreError::Unavailable };
            swaps.into_iter().for_each(|swap| swap.answer(Err(verdict)));
            return if unknown { Err(Broken) } else { Ok(()) };
        }
    }

    async fn commit(
        &self,
        session: &Session<SettleStatements>,
        swaps: &[Swap],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let jobs = || swaps.iter().map(|swap| &swap.settle);
        let keys: Vec<&[u8]> = jobs().map(|job| &job.key.as_bytes()[..]).collect();
        let expected: Vec<Vec<u8>> = jobs().map(|job| job.expected.to_bytes().to_vec()).collect();
        let next: Vec<Vec<u8>> = jobs().map(|job| job.next.to_bytes().to_vec()).collect();
        let expiry: Vec<Option<i64>> = jobs()
            .map(|job| job.expiry.map(|end| i64::try_from(end.secs()).unwrap_or(i64::MAX)))
            .collect();
        let bytes: Vec<&[u8]> = jobs().map(|job| job.bytes.as_slice()).collect();
        let absent = Version::ABSENT.to_bytes();

        // Ten bits.
        let partition = |key: Key| i16::try_from(key.partition()).unwrap_or(0);
        let partitions: Vec<i16> = jobs().map(|job| partition(job.key)).collect();
        let events = || jobs().flat_map(|job| &job.events);
        let ids: Vec<&[u8]> = events().map(|event| &event.id.0[..]).collect();
        let texts: Vec<&[u8]> = events().map(|event| event.bytes.as_slice()).collect();
        let (firsts, lasts) = ranges(swaps);
        let room = i64::try_from(self.fill.room()).unwrap_or(i64::MAX);

        let expects_absence = jobs().any(|job| job.expected == Version::ABSENT);
        let has_room = i64::try_from(ids.len()).is_ok_and(|events| events <= room);
        let absent = &absent[..];
        let all: [&(dyn ToSql + Sync); 12] = [
            &keys,
            &expected,
            &next,
            &expiry,
            &bytes,
            &absent,
            &partitions,
            &firsts,
            &lasts,
            &ids,
            &texts,
            &room,
        ];
        // Each is planned once, so that what it does not need is left out and not skipped.
        let but_room: &[_] = all.split_last().map_or(&[], |(_, others)| others);
        let statements = &session.statements;
        let (statement, params) = match (has_room, expects_absence) {
            (false, _) => (&statements.settle, &all[..]),
            (true, true) => (&statements.settle_with_room, but_room),
            (true, false) => (&statements.settle_what_stands, but_room),
        };
        session.client.query(statement, params).await
    }

    /// Tells everybody what the commit says of their swap.
    fn told(&self, swaps: Vec<Swap>, rows: &[Row]) {
        let mut won = HashSet::with_capacity(swaps.len());
        let mut dropped = 0;
        for row in rows {
            match key(row, 0) {
                Ok(key) => {
                    won.insert(key);
                }
                Err(_) => dropped = row.try_get::<_, i64>(1).unwrap_or(0),
            }
        }
        let mut added = 0_u64;
        let writes = u64::try_from(swaps.len()).unwrap_or(u64::MAX);
        let count = |events: &[_]| u64::try_from(events.len()).unwrap_or(u64::MAX);
        let verdicts: Vec<_> = swaps
            .into_iter()
            .map(|swap| {
                let is_won = won.contains(&swap.settle.key);
                if is_won {
                    added = added.saturating_add(count(&swap.settle.events));
                }
                (swap, if is_won { Settled::Won } else { Settled::Lost })
            })
            .collect();
        self.fill.added(added);
        self.fill.removed(u64::try_from(dropped).unwrap_or(0));
        self.counts.writes.fetch_add(writes, Ordering::Relaxed);
        let commits = self.counts.commits.fetch_add(1, Ordering::Relaxed);
        if commits.is_multiple_of(SWEEP) {
            // A full queue: it has enough to do.
            let _later = self.chores.try_send(Chore::Sweep);
        }
        if self.fill.is_close() {
            let _later = self.chores.try_send(Chore::Trim);
        }
        verdicts.into_iter().for_each(|(swap, verdict)| swap.answer(Ok(verdict)));
    }
}

/// Of each job, which of all events are its first and its last, counted from one as the database does. The last of a job
/// without any is before its first.
fn ranges(swaps: &[Swap]) -> (Vec<i32>, Vec<i32>) {
    let mut before = 0_i32;
    let of = |swap: &Swap| {
        let first = before.saturating_add(1);
        // A group has a few thousand at most.
        before = before.saturating_add(i32::try_from(swap.settle.events.len()).unwrap_or(i32::MAX));
        (first, before)
    };
    swaps.iter().map(of).unzip()
}

/// These find the outbox full; but a swap that is lost is lost, full or not.
async fn refuse_or_lose(
    session: &Session<SettleStatements>,
    crowded: Vec<Swap>,
) -> Result<(), Broken> {
    if crowded.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = crowded.iter().map(|swap| &swap.settle.key.as_bytes()[..]).collect();
    let params: [&(dyn ToSql + Sync); 1] = [&keys];
    let asking = session.client.query(&session.statements.stands, &params);
    let (stands, done) = match patiently(asking).await {
        Some(Ok(rows)) => (versions(&rows), Ok(())),
        Some(Err(error)) => (Err(unread(&error)), Ok(())),
        None => (Err(StoreError::Unavailable), Err(Broken)),
    };
    for swap in crowded {
        let verdict = stands.as_ref().map_err(|error| *error).and_then(|stands| {
            let present = stands.get(&swap.settle.key).copied().unwrap_or(Version::ABSENT);
            let full = present == swap.settle.expected;
            if full { Err(StoreError::OutboxFull) } else { Ok(Settled::Lost) }
        });
        swap.answer(verdict);
    }
    done
}

fn versions(rows: &[Row]) -> Result<HashMap<Key, Version>, StoreError> {
    rows.iter().map(|row| Ok((key(row, 0)?, version(row, 1)?))).collect()
}
