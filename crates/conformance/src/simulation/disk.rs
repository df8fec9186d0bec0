//! The disk that all nodes share, and the network before it.
//!
//! The memory store is the disk. It keeps beside it what was ever settled, so that a checker knows
//! the truth and a failover can forget the end of it. The network delays, refuses, loses a request
//! or its reply, and lets a settle arrive after its sender has given up or died.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_ceremony::codec;
use countersign_ceremony::env::Clock;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Version, Walked, WriteId,
};
use countersign_ceremony::record::{Epoch, Record};
use countersign_otp::UnixTime;
use countersign_vault::Vault;
use tokio::sync::oneshot;

use super::bug::Bug;
use super::clockwork::{Clockwork, Group};
use super::plan::Weather;

/// What all nodes share.
#[derive(Debug)]
pub(super) struct Platter {
    pub(super) clockwork: Clockwork,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) bug: Option<Bug>,
    /// The records of users, which planted bugs reach into.
    pub(super) users: Vec<Key>,
    pub(super) kept: Mutex<Kept>,
}

/// What is on it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) memory: Arc<MemoryStore>,
    /// Every settle that was won, in order: what the memory store is made of.
    log: Vec<Settle>,
    /// The events of every settle that was ever won, also of those forgotten since.
    pub(super) committed: Vec<EventRow>,
}

impl Kept {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let memory = Arc::new(MemoryStore::new(clock));
        Self { memory, log: Vec::new(), committed: Vec::new() }
    }
}

impl Platter {
    /// Only one thread is here, and nothing waits while it holds the lock.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn memory(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.kept().memory)
    }

    async fn apply(&self, mut settle: Settle) -> Result<Settled, StoreError> {
        let memory = self.memory();
        let truth = settle.events.clone();
        match self.bug {
            Some(Bug::LostUpdate) => {
                let looked = memory.look(&[settle.key]).await?;
                let entry = looked.entries.into_iter().next().flatten();
                settle.expected = entry.map_or(Version::ABSENT, |entry| entry.version);
            }
            Some(Bug::Unwritten) if self.clockwork.chance(200) => return Ok(Settled::Won),
            Some(Bug::EventsLost) => settle.events.retain(|_| self.clockwork.chance(900)),
            Some(Bug::EventsDoubled) => settle.events.extend(truth.clone()),
            Some(bug) => self.reach_into(bug, &mut settle),
            None => {}
        }
        let settled = memory.settle(settle.clone()).await?;
        match (settled, self.bug) {
            (Settled::Won, Some(Bug::Forgotten)) if self.clockwork.chance(200) => {
                self.kept().committed.extend(truth);
                self.kept().log.push(settle);
                self.forget(1).await;
            }
            (Settled::Won, _) => {
                let mut kept = self.kept();
                kept.committed.extend(truth);
                kept.log.push(settle);
            }
            (Settled::Lost, Some(Bug::EventsOfLosers)) => {
                let nowhere = Settle {
                    key: Key::from_bytes([7; 32]),
                    expected: Version::ABSENT,
                    next: Version::ABSENT.next(WriteId([7; 8])),
                    expiry: Some(UnixTime::EPOCH),
                    ..settle
                };
                let _ = memory.settle(nowhere).await?;
            }
            (Settled::Lost, _) => {}
        }
        Ok(settled)
    }

    /// A rule that is broken on purpose, by changing what a decision made of the record.
    fn reach_into(&self, bug: Bug, settle: &mut Settle) {
        if !self.users.contains(&settle.key) {
            return;
        }
        let vault = &*self.vault;
        let Ok(mut record) = codec::open::<Record>(vault, settle.key, &settle.bytes) else {
            return;
        };
        match bug {
            Bug::LedgerEmptied => {
                record.ledger.refill();
                record.logins.retain(|touched| touched.spent);
                record.strangers_floor = UnixTime::EPOCH;
            }
            Bug::FloorsAhead if record.settled > self.true_time().saturating_add(3_600) => {
                record.strangers_floor = record.settled;
                record.known_floor = record.settled;
                record.settled = self.true_time();
            }
            Bug::EpochKept => record.epoch = Epoch::default(),
            _ => return,
        }
        let mut nonce = [0; 24];
        self.clockwork.fill(&mut nonce);
        if let Ok(bytes) =
            codec::seal(vault, codec::Encoding::default(), settle.key, nonce, &record)
        {
            settle.bytes = bytes;
        }
    }

    fn true_time(&self) -> UnixTime {
        super::site::true_time(&self.clockwork)
    }

    /// A failover to a replica that lacks the last settles, though they were acknowledged.
    pub(super) async fn forget(&self, last: usize) {
        let (log, events) = {
            let mut kept = self.kept();
            let rest = kept.log.len().saturating_sub(last);
            kept.log.truncate(rest);
            (kept.log.clone(), Arc::clone(&kept.memory))
        };
        let waiting = events.events(usize::MAX).await.unwrap_or_default();
        let waiting: HashSet<EventId> = waiting.iter().map(|row| row.id).collect();
        let replica = MemoryStore::new(Arc::clone(&self.clock));
        for mut settle in log {
            settle.events.retain(|row| waiting.contains(&row.id));
            let _ = replica.settle(settle).await;
        }
        self.kept().memory = Arc::new(replica);
    }

    /// Another platter with the same on it.
    pub(super) async fn copied(&self) -> Self {
        let log = self.kept().log.clone();
        let copy = Self {
            clockwork: self.clockwork.clone(),
            clock: Arc::clone(&self.clock),
            vault: Arc::clone(&self.vault),
            bug: None,
            users: self.users.clone(),
            kept: Mutex::new(Kept::new(Arc::clone(&self.clock))),
        };
        for settle in log {
            let _ = copy.apply(settle).await;
        }
        copy
    }
}

/// The store as one node sees it.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) platter: Arc<Platter>,
    pub(super) weather: Weather,
}

impl Disk {
    async fn lag(&self) {
        let clockwork = &self.platter.clockwork;
        let millis = clockwork.below(self.weather.lag.saturating_add(1));
        clockwork.sleep(millis).await;
    }

    /// Sends a settle on its way: it arrives whether its sender lives or not.
    fn send(&self, settle: Settle, after: u64) -> oneshot::Receiver<Result<Settled, StoreError>> {
        let (done, result) = oneshot::channel();
        let platter = Arc::clone(&self.platter);
        self.platter.clockwork.spawn(Group::WORLD, async move {
            platter.clockwork.sleep(after).await;
            let settled = platter.apply(settle).await;
            // Nobody listens any more where the sender has died.
            let _ = done.send(settled);
        });
        result
    }
}

impl Store for Disk {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.lag().await;
        if self.platter.clockwork.chance(self.weather.away) {
            return Err(StoreError::Unavailable);
        }
        let looked = self.platter.memory().look(keys).await;
        self.lag().await;
        looked
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let (clockwork, weather) = (&self.platter.clockwork, &self.weather);
        self.lag().await;
        if clockwork.chance(weather.away) {
            return Err(StoreError::Unavailable);
        }
        if clockwork.chance(weather.request_lost) {
            return Err(StoreError::Unknown);
        }
        if clockwork.chance(weather.late) {
            drop(self.send(settle, clockwork.below(3_000)));
            return Err(StoreError::Unknown);
        }
        let reply_lost = clockwork.chance(weather.reply_lost);
        let after = clockwork.below(weather.lag.saturating_add(1));
        let settled = self.send(settle, after).await.unwrap_or(Err(StoreError::Unknown));
        self.lag().await;
        if reply_lost { Err(StoreError::Unknown) } else { settled }
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.platter.memory().walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.platter.memory().events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.platter.memory().forget(ids).await
    }
}
