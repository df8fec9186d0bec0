//! What is not a verification: walks, the outbox, and sweeping, one after the other on a connection
//! of their own, so that no login waits behind them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use countersign_ceremony::port::{EventId, EventRow, Key, StoreError, Walked};
use countersign_otp::UnixTime;
use tokio::sync::oneshot;
use tokio_postgres::{Client, Row, Statement};

use crate::error::{DatabaseError, unread};
use crate::lane::{Broken, Job, Lane};
use crate::looks::{entry, key};
use crate::outbox::Fill;
use crate::session::{Session, Statements, patiently};
use crate::sql;

/// How many events are taken out by one statement.
const STEP: usize = 512;

/// Of how many events that were read the places are kept, for when they are forgotten.
const PLACES: usize = 1 << 16;

/// One chore.
pub(crate) enum Chore {
    Walk {
        after: Option<Key>,
        limit: usize,
        reply: Reply<Vec<Walked>>,
    },
    Events {
        limit: usize,
        reply: Reply<Vec<EventRow>>,
    },
    Forget {
        ids: Vec<EventId>,
        reply: Reply<()>,
    },
    /// How many events wait, of all nodes.
    Waiting {
        reply: Reply<u64>,
    },
    /// Take out records whose time has passed.
    Sweep,
    /// See how full the outbox is, and make room.
    Trim,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

impl Job for Chore {
    fn refuse(self) {
        let no = StoreError::Unavailable;
        // Whoever does not wait any more asked not to know.
        let _unheard = match self {
            Self::Walk { reply, .. } => reply.send(Err(no)).is_ok(),
            Self::Events { reply, .. } => reply.send(Err(no)).is_ok(),
            Self::Forget { reply, .. } => reply.send(Err(no)).is_ok(),
            Self::Waiting { reply } => reply.send(Err(no)).is_ok(),
            Self::Sweep | Self::Trim => true,
        };
    }
}

pub(crate) struct ChoreStatements {
    walk: Statement,
    events: Statement,
    forget: Statement,
    search: Statement,
    count: Statement,
    trim: Statement,
    purge: Statement,
}

impl Statements for ChoreStatements {
    async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            walk: client.prepare(sql::WALK).await?,
            events: client.prepare(sql::EVENTS).await?,
            forget: client.prepare(sql::FORGET).await?,
            search: client.prepare(sql::SEARCH).await?,
            count: client.prepare(sql::COUNT).await?,
            trim: client.prepare(sql::TRIM).await?,
            purge: client.prepare(sql::PURGE).await?,
        })
    }
}

/// The lane of chores.
pub(crate) struct Chores {
    pub(crate) fill: Arc<Fill>,
    places: HashMap<EventId, Place>,
}

/// Where an event stands in the outbox.
#[derive(Clone, Copy)]
struct Place {
    partition: i16,
    at: i64,
    place: i16,
}

type Standing = Session<ChoreStatements>;

impl Chores {
    pub(crate) fn new(fill: Arc<Fill>) -> Self {
        Self { fill, places: HashMap::new() }
    }
}

impl Lane for Chores {
    type Job = Chore;
    type Statements = ChoreStatements;

    async fn serve(
        &mut self,
        session: &Standing,
        waiting: &mut VecDeque<Chore>,
    ) -> Result<(), Broken> {
        let Some(chore) = waiting.pop_front() else { return Ok(()) };
        let unheard = match chore {
            Chore::Walk { after, limit, reply } => {
                reply.send(walk(session, after, limit).await).is_ok()
            }
            Chore::Events { limit, reply } => reply.send(self.events(session, limit).await).is_ok(),
            Chore::Forget { ids, reply } => reply.send(self.forget(session, &ids).await).is_ok(),
            Chore::Waiting { reply } => reply.send(self.count(session).await).is_ok(),
            Chore::Sweep => {
                // Once for all that asked.
                waiting.retain(|chore| !matches!(chore, Chore::Sweep));
                execute(session, &session.statements.purge, &[]).await.is_ok()
            }
            Chore::Trim => {
                waiting.retain(|chore| !matches!(chore, Chore::Trim));
                self.trim(session).await.is_ok()
            }
        };
        let _whoever_asked_knows = unheard;
        if session.client.is_closed() { Err(Broken) } else { Ok(()) }
    }
}

async fn walk(
    session: &Standing,
    after: Option<Key>,
    limit: usize,
) -> Result<Vec<Walked>, StoreError> {
    // No key is empty, so every key comes after the empty one.
    let after: &[u8] = after.as_ref().map_or(&[], |key| key.as_bytes());
    let rows = query(session, &session.statements.walk, &[&after, &bounded(limit)]).await?;
    let walked = rows.iter().map(|row| {
        let end: Option<i64> = row.try_get(3).map_err(|_| StoreError::Corrupt)?;
        let expiry = end.map(|secs| UnixTime::from_secs(u64::try_from(secs).unwrap_or(0)));
        Ok(Walked { key: key(row, 0)?, entry: entry(row, 1)?, expiry })
    });
    walked.collect()
}

impl Chores {
    /// Reads a few of each partition, and more of each only where that was not enough.
    async fn events(
        &mut self,
        session: &Standing,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        let wanted = bounded(limit);
        let mut of_each = (wanted / 256).saturating_add(8);
        loop {
            let of_each_at_most = of_each.min(wanted.max(1));
            let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
                [&of_each_at_most, &wanted];
            let rows = query(session, &session.statements.events, &params).await?;
            let read: Vec<(Place, EventRow)> = rows
                .iter()
                .map(event)
                .collect::<Result<_, _>>()
                .map_err(|_| StoreError::Corrupt)?;
            let hides = rows.first().is_some_and(|row| row.try_get(5).unwrap_or(true));
            if hides && read.len() < limit && of_each < wanted {
                of_each = of_each.saturating_mul(8);
                continue;
            }
            for (place, row) in &read {
                if self.places.len() >= PLACES {
                    self.places.clear();
                }
                self.places.insert(row.id, *place);
            }
            return Ok(read.into_iter().map(|(_, row)| row).collect());
        }
    }

    async fn forget(&mut self, session: &Standing, ids: &[EventId]) -> Result<(), StoreError> {
        let (known, unknown): (Vec<_>, Vec<_>) =
            ids.iter().partition(|id| self.places.contains_key(id));
        for some in known.chunks(STEP) {
            let placed = || some.iter().filter_map(|id| Some((id, self.places.get(id)?)));
            let partitions: Vec<i16> = placed().map(|(_, place)| place.partition).collect();
            let ats: Vec<i64> = placed().map(|(_, place)| place.at).collect();
            let places: Vec<i16> = placed().map(|(_, place)| place.place).collect();
            let names: Vec<&[u8]> = placed().map(|(id, _)| &id.0[..]).collect();
            let statement = &session.statements.forget;
            let gone = execute(session, statement, &[&partitions, &ats, &places, &names]).await?;
            self.fill.removed(gone);
            some.iter().for_each(|id| {
                self.places.remove(id);
            });
        }
        for some in unknown.chunks(PLACES) {
            let names: Vec<&[u8]> = some.iter().map(|id| &id.0[..]).collect();
            let gone = execute(session, &session.statements.search, &[&names]).await?;
            self.fill.removed(gone);
        }
        Ok(())
    }

    async fn count(&self, session: &Standing) -> Result<u64, StoreError> {
        let rows = query(session, &session.statements.count, &[]).await?;
        let waiting: i64 =
            rows.first().and_then(|row| row.try_get(0).ok()).ok_or(StoreError::Corrupt)?;
        let waiting = u64::try_from(waiting).unwrap_or(0);
        self.fill.counted(waiting);
        Ok(waiting)
    }

    async fn trim(&self, session: &Standing) -> Result<(), StoreError> {
        let waiting = self.count(session).await?;
        let mut excess = self.fill.excess(waiting);
        while excess > 0 {
            let step = excess.min(u64::try_from(STEP).unwrap_or(1));
            let some = i64::try_from(step).unwrap_or(i64::MAX);
            let gone = execute(session, &session.statements.trim, &[&some]).await?;
            self.fill.removed(gone);
            excess = if gone == 0 { 0 } else { excess.saturating_sub(gone) };
        }
        Ok(())
    }
}

fn event(row: &Row) -> Result<(Place, EventRow), tokio_postgres::Error> {
    let place = Place { partition: row.try_get(0)?, at: row.try_get(1)?, place: row.try_get(2)? };
    let id: &[u8] = row.try_get(3)?;
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(id) {
        *to = *from;
    }
    Ok((place, EventRow { id: EventId(name), bytes: row.try_get(4)? }))
}

type Params<'a> = [&'a (dyn tokio_postgres::types::ToSql + Sync)];

async fn query(
    session: &Standing,
    statement: &Statement,
    params: &Params<'_>,
) -> Result<Vec<Row>, StoreError> {
    heard(patiently(session.client.query(statement, params)).await)
}

async fn execute(
    session: &Standing,
    statement: &Statement,
    params: &Params<'_>,
) -> Result<u64, StoreError> {
    heard(patiently(session.client.execute(statement, params)).await)
}

fn heard<T>(answer: Option<Result<T, tokio_postgres::Error>>) -> Result<T, StoreError> {
    answer.ok_or(StoreError::Unavailable)?.map_err(|error| {
        let answer = unread(&error);
        tracing::warn!(said = %DatabaseError(error), "a chore failed");
        answer
    })
}

fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
