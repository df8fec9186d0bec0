//! The store: the port's five verbs over the servers.

use std::sync::Mutex;

use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Walked,
};
use countersign_otp::UnixTime;
use redis::{Cmd, Value, cmd};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::cluster::{Cluster, time};
use crate::config::Config;
use crate::durability::Durability;
use crate::error::OpenError;
use crate::names::{Names, Partition};
use crate::outbox::{self, Seen};
use crate::record;
use crate::script::{Call, verdict};
use crate::seeds::Seeds;
use crate::unsure::Unsure;
use crate::walk;

/// How many requests are under way at once; the next is told that the store is not available.
const UNDER_WAY: usize = 4096;

/// Records and events in Redis or Valkey, one server or a cluster.
///
/// Open it once a process and share it. It lives in the Tokio runtime that opened it.
#[derive(Debug)]
pub struct RedisStore {
    cluster: Cluster,
    names: Names,
    outbox: Outbox,
    replicated: bool,
    unsure: Unsure,
    durability: Durability,
    seen: Mutex<Seen>,
    under_way: Semaphore,
}

impl RedisStore {
    /// Connects, finds all masters, and refuses a server that would forget.
    ///
    /// The bound of the outbox is kept a partition, in 1,024 equal shares rounded up.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was written.
    pub async fn open(config: &Config, outbox: Outbox) -> Result<Self, OpenError> {
        // Another part of the process may have chosen first; then it is the same one.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let seeds = Seeds::read(config)?;
        let (cluster, durability) = Cluster::open(seeds, config.replicas).await?;
        Ok(Self {
            cluster,
            names: Names::new(&config.prefix),
            outbox,
            replicated: config.replicas.is_some(),
            unsure: Unsure::default(),
            durability,
            seen: Mutex::default(),
            under_way: Semaphore::new(UNDER_WAY),
        })
    }

    /// What an acknowledged settle survived when this was opened.
    #[must_use]
    pub const fn durability(&self) -> &Durability {
        &self.durability
    }

    fn enter(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.under_way.try_acquire().map_err(|_| StoreError::Unavailable)
    }

    fn get(&self, key: &Key) -> Cmd {
        let name = self.names.record(key);
        let mut get = Cmd::with_capacity(2, name.len().saturating_add(3));
        get.arg("GET").arg(name);
        get
    }

    /// Looks where the newest write may not have reached the replicas: it has, or there is no answer.
    async fn look_at_unsure(&self, key: &Key) -> Result<(Value, UnixTime), StoreError> {
        let partition = Partition::of(key);
        let commands = |_| {
            // Something to wait for: what was written before it is there before it.
            let mut fence = cmd("SET");
            fence.arg(self.names.fence(partition)).arg(1);
            vec![fence, cmd("TIME"), self.get(key)]
        };
        let mut answer =
            self.cluster.write(partition, commands).await.map_err(|error| match error {
                StoreError::Unknown => StoreError::Unavailable,
                error => error,
            })?;
        let value = answer.values.pop().filter(|_| answer.reached);
        let now = answer.values.pop().as_ref().and_then(time);
        value.zip(now).ok_or(StoreError::Unavailable)
    }

    async fn read_all(&self, keys: &[Key]) -> Result<Vec<(Value, UnixTime)>, StoreError> {
        if !self.replicated {
            let reads = keys.iter().map(|key| (Partition::of(key), self.get(key)));
            return self.cluster.look(reads.collect()).await;
        }
        let mut read = Vec::with_capacity(keys.len());
        for key in keys {
            let partition = Partition::of(key);
            read.push(match self.unsure.marked(partition) {
                Some(mark) => {
                    let looked = self.look_at_unsure(key).await?;
                    self.unsure.done(partition, mark);
                    Some(looked)
                }
                None => None,
            });
        }
        let open = keys.iter().zip(&read).filter(|(_, read)| read.is_none());
        let open = open.map(|(key, _)| (Partition::of(key), self.get(key))).collect();
        let mut rest = self.cluster.look(open).await?.into_iter();
        let all = read.into_iter().map(|read| read.or_else(|| rest.next()));
        all.collect::<Option<_>>().ok_or(StoreError::Unavailable)
    }
}

impl Store for RedisStore {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        let _permit = self.enter()?;
        let read = if keys.is_empty() {
            // Nothing is asked for but the time.
            let any = Partition::of(&Key::from_bytes([0; 32]));
            let answer = self.cluster.look(vec![(any, cmd("PING"))]).await?;
            let store_time = answer.first().map(|(_, now)| *now).ok_or(StoreError::Unavailable)?;
            return Ok(Looked { entries: Vec::new(), store_time });
        } else {
            self.read_all(keys).await?
        };
        let store_time = read.first().map(|(_, now)| *now).ok_or(StoreError::Unavailable)?;
        let entries =
            read.into_iter().map(|(value, now)| Ok(living(value, now)?.map(|(entry, _)| entry)));
        Ok(Looked { entries: entries.collect::<Result<_, StoreError>>()?, store_time })
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let _permit = self.enter()?;
        let partition = Partition::of(&settle.key);
        let call = Call::of(&settle, &self.names, self.outbox).ok_or(StoreError::Unavailable)?;
        let command = |with_text| vec![if with_text { call.by_text() } else { call.by_digest() }];
        let answer = self.cluster.write(partition, command).await;
        let settled =
            answer.and_then(|answer| match verdict(answer.values.last().unwrap_or(&Value::Nil))? {
                Settled::Won if !answer.reached => Err(StoreError::Unknown),
                settled => Ok(settled),
            });
        if self.replicated && matches!(settled, Ok(Settled::Lost) | Err(StoreError::Unknown)) {
            self.unsure.mark(partition);
        }
        settled
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        let _permit = self.enter()?;
        walk::walk(&self.cluster, &self.names, after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        let _permit = self.enter()?;
        let (rows, seen) = outbox::oldest(&self.cluster, &self.names, limit).await?;
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = seen;
        Ok(rows)
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        let _permit = self.enter()?;
        let (known, others) = {
            let seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            outbox::by_partition(&seen, ids)
        };
        outbox::forget(&self.cluster, &self.names, known, others).await
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        let _permit = self.enter()?;
        outbox::fullest(&self.cluster, &self.names).await.map(Some)
    }
}

/// What a `GET` brought.
pub(crate) fn living(
    value: Value,
    now: UnixTime,
) -> Result<Option<(countersign_ceremony::port::Entry, Option<UnixTime>)>, StoreError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(value) => record::read(value, now),
        _ => Err(StoreError::Corrupt),
    }
}
