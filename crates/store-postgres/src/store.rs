//! The store: the port's verbs over three connections.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Walked,
};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio_postgres::Client;

use crate::address::Address;
use crate::chores::{Chore, ChoreStatements, Chores, Reply};
use crate::error::OpenError;
use crate::group::{EVENTS, Swap};
use crate::lane::{self, Job, ask};
use crate::looks::{Look, LookStatements, Looks};
use crate::outbox::Fill;
use crate::schema;
use crate::session::{Session, Statements, Way};
use crate::settles::{Counts, SettleStatements, Settles};
use crate::sql;

/// The largest record or event, in bytes: far above any of ours, and far below what would fail a
/// whole group.
const LARGEST: usize = 16 << 20;

/// Records and events in a database of PostgreSQL.
///
/// One a process and shared: it has three connections, one for settles, one for looks and one for
/// everything else, and comes back by itself when the database does. Dropping it closes them once
/// what waits is served.
#[derive(Debug)]
pub struct PostgresStore {
    looks: Sender<Look>,
    settles: Sender<Swap>,
    chores: Sender<Chore>,
    counts: Arc<Counts>,
}

/// What a store has written since it was opened: the mean size of a group is `writes / commits`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Statements that settled, each a commit.
    pub commits: u64,
    /// Settles in them, won or lost.
    pub writes: u64,
}

/// A session without statements of its own.
struct Bare;

impl Statements for Bare {
    async fn prepare(_: &Client) -> Result<Self, tokio_postgres::Error> {
        Ok(Self)
    }
}

impl PostgresStore {
    /// Connects, brings the tables to this release's schema and starts to serve, inside a Tokio
    /// runtime that drives time and I/O.
    ///
    /// Its time is the database's clock.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(address: Address, outbox: Outbox) -> Result<Self, OpenError> {
        let way = Way::new(address)?;
        let bare: Session<Bare> = way.connect().await?;
        schema::migrate(&bare.client).await?;
        warn_of_settings(&bare.client).await?;
        let waiting: i64 = bare.client.query_one(sql::COUNT, &[]).await?.try_get(0)?;
        drop(bare);
        let fill = Arc::new(Fill::new(outbox, u64::try_from(waiting).unwrap_or(0)));
        let counts = Arc::new(Counts::default());

        let session: Session<LookStatements> = way.connect().await?;
        let looks = lane::start(Looks, way.clone(), session);
        let session: Session<ChoreStatements> = way.connect().await?;
        let chores = lane::start(Chores::new(Arc::clone(&fill)), way.clone(), session);
        let session: Session<SettleStatements> = way.connect().await?;
        let lane = Settles { fill, counts: Arc::clone(&counts), chores: chores.clone() };
        let settles = lane::start(lane, way, session);
        Ok(Self { looks, settles, chores, counts })
    }

    /// Brings the tables to this release's schema, beside nodes that serve; how many steps it took.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn migrate(address: Address) -> Result<usize, OpenError> {
        let bare: Session<Bare> = Way::new(address)?.connect().await?;
        schema::migrate(&bare.client).await
    }

    /// What was written since this was opened.
    #[must_use]
    pub fn written(&self) -> Written {
        Written {
            commits: self.counts.commits.load(Ordering::Relaxed),
            writes: self.counts.writes.load(Ordering::Relaxed),
        }
    }

    async fn chore<T>(&self, chore: impl FnOnce(Reply<T>) -> Chore) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        // A walk of everything waits for its turn: nobody's login does.
        if let Err(refused) = self.chores.send(chore(reply)).await {
            refused.0.refuse();
        }
        answer.await.unwrap_or(Err(StoreError::Unavailable))
    }
}

/// A database that may lose what it acknowledged is told of, loudly.
async fn warn_of_settings(client: &Client) -> Result<(), OpenError> {
    let row = client.query_one("SELECT current_setting('fsync', true)", &[]).await?;
    let fsync: Option<&str> = row.try_get(0)?;
    if fsync == Some("off") {
        tracing::error!("the database has fsync off: a crash may bring spent codes back");
    }
    Ok(())
}

impl Store for PostgresStore {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        let (reply, answer) = oneshot::channel();
        ask(&self.looks, Look { keys: keys.to_vec(), reply });
        answer.await.unwrap_or(Err(StoreError::Unavailable))
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let mut sizes = settle.events.iter().map(|event| event.bytes.len());
        let too_long = settle.bytes.len() > LARGEST || sizes.any(|size| size > LARGEST);
        if too_long || settle.events.len() > EVENTS {
            return Err(StoreError::Unavailable);
        }
        let (reply, verdict) = oneshot::channel();
        ask(&self.settles, Swap { settle, reply });
        // A task that died may have died after the commit.
        verdict.await.unwrap_or(Err(StoreError::Unknown))
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.chore(|reply| Chore::Walk { after, limit, reply }).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.chore(|reply| Chore::Events { limit, reply }).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.chore(|reply| Chore::Forget { ids: ids.to_vec(), reply }).await
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        self.chore(|reply| Chore::Waiting { reply }).await.map(Some)
    }
}
