//! The fold: whatever waits for one user is decided on one look and settled by one swap.
//!
//! The first request of a user leads: it takes all that wait, looks once, decides one after the
//! other over the same record, and settles once. So a swap is lost to another node alone, and ten
//! thousand parallel guesses cost a handful of writes. Outcomes stay sealed until the swap is won.
//!
//! Who may wait: one request a login, and [`WAITING`] a user, known browsers first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use countersign_device::{ApplicationId, LoginId, TenantId, UserKey};
use countersign_otp::UnixTime;

use super::policies::Policies;
use super::{Engine, Error};
use crate::codec;
use crate::decide::{
    Commit, Decision, Event, Given, Notice, Outcome, Refusal, Sealed, Told, decide,
};
use crate::env::Body;
use crate::names::Names;
use crate::policy::Policy;
use crate::port::{Entry, EventRow, Key, Settle, Settled, Store, StoreError, Version, WriteId};
use crate::record::{Class, Record};
use crate::records::{ATTEMPTS, opened};
use crate::rules::{NODE_SKEW_SECS, NODE_SKEW_WARN_SECS, WAITING};

/// Everything that waits, by user.
#[derive(Debug, Default)]
pub(super) struct Folds {
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    /// When a skewed clock was last warned of.
    warned: AtomicU64,
}

/// How often a skewed clock is warned of.
const WARN_EVERY_SECS: u64 = 60;

/// What waits for one user.
#[derive(Debug, Default)]
struct Slot {
    /// Whoever holds it leads. It is fair, so that the led find their results before others lead.
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<Vec<Job>>,
}

/// One request that waits.
#[derive(Debug)]
struct Job {
    event: Event,
    /// The tenants whose policies count: the one that is logged in to first.
    tenants: Vec<TenantId>,
    application: Option<ApplicationId>,
    login: Option<LoginId>,
    class: Class,
    reply: oneshot::Sender<Result<Outcome, Error>>,
}

impl Job {
    fn new(event: Event, reply: oneshot::Sender<Result<Outcome, Error>>) -> Self {
        let (tenants, application, login, class) = match &event {
            Event::Begin(begin) => {
                let tenants = std::iter::once(&begin.tenant).chain(&begin.also).cloned().collect();
                (tenants, begin.application.clone(), None, Class::Stranger)
            }
            Event::Step(step) => {
                let login = &step.login;
                let (tenants, application) =
                    (vec![login.tenant.clone()], login.application.clone());
                (tenants, application, Some(login.id), login.class())
            }
            Event::Act(act) => {
                // A session acts once at a time; the administrator waits behind nobody.
                let session = act.actor.survivor().map(|_| act.actor.login());
                let tenants = std::iter::once(&act.tenant).chain(&act.also).cloned().collect();
                (tenants, act.application.clone(), session, Class::Known)
            }
            // The owner's recovery and the owner of the users are never the ones to give way.
            Event::Recover(_) | Event::Report(_) | Event::Import(_) | Event::Refill(_) => {
                (Vec::new(), None, None, Class::Known)
            }
        };
        Self { event, tenants, application, login, class, reply }
    }

    /// The policy that it is decided by: as strict as the strictest of the user's tenants.
    fn policy(&self, policies: &Policies<'_>) -> Policy {
        let application = self.application.as_ref();
        let own = policies.of(self.tenants.first(), application);
        let others = self.tenants.iter().skip(1);
        others.fold(own, |own, other| own.as_strict_as(&policies.of(Some(other), application)))
    }

    fn answer(self, result: Result<Outcome, Error>) {
        // Nobody listens any more where the client has gone: what was decided stands all the same.
        let _ = self.reply.send(result);
    }
}

impl Slot {
    /// Nothing panics while it holds the lock, so a poisoned one is whole all the same.
    fn waiting(&self) -> MutexGuard<'_, Vec<Job>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job wait, or answers it at once.
    fn enter(&self, job: Job) {
        let too_many = || Ok(Outcome::Refused(Refusal::TooMany(Some(1))));
        let mut waiting = self.waiting();
        if job.login.is_some() && waiting.iter().any(|other| other.login == job.login) {
            return job.answer(too_many());
        }
        if waiting.len() >= WAITING {
            let stranger = waiting.iter().rposition(|other| other.class == Class::Stranger);
            match stranger.filter(|_| job.class == Class::Known) {
                Some(stranger) => waiting.remove(stranger).answer(too_many()),
                None => return job.answer(too_many()),
            }
        }
        waiting.push(job);
    }
}

impl Folds {
    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }

    /// Forgets a slot that nobody else holds.
    fn leave(&self, key: Key, slot: &Arc<Slot>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // The map holds one, the caller another.
        if Arc::strong_count(slot) <= 2 && slot.waiting().is_empty() {
            slots.remove(&key);
        }
    }
}

impl<S: Store> Engine<S> {
    /// Decides an event of a user, together with whatever else waits for that user.
    pub(super) async fn decided(&self, user: &UserKey, event: Event) -> Result<Outcome, Error> {
        let key = Names(&*self.env.vault).user(user);
        let slot = self.folds.slot(key);
        let (reply, mut result) = oneshot::channel();
        slot.enter(Job::new(event, reply));
        let outcome = loop {
            if let Ok(outcome) = result.try_recv() {
                break outcome;
            }
            let turn = slot.turn.lock().await;
            match result.try_recv() {
                Ok(outcome) => break outcome,
                // Whoever led with this job in hand is gone: what became of it is not known.
                Err(oneshot::error::TryRecvError::Closed) => {
                    break Err(StoreError::Unknown.into());
                }
                Err(oneshot::error::TryRecvError::Empty) => {
                    let jobs = std::mem::take(&mut *slot.waiting());
                    self.lead(user, key, jobs).await;
                    drop(turn);
                }
            }
        };
        self.folds.leave(key, &slot);
        outcome
    }

    /// Decides and settles all jobs together, and answers each.
    async fn lead(&self, user: &UserKey, key: Key, jobs: Vec<Job>) {
        match self.settled(user, key, &jobs).await {
            Ok(told) => {
                for (job, Told { outcome, notices, offer }) in jobs.into_iter().zip(told) {
                    let application = job.application.as_ref();
                    let notices =
                        notices.into_iter().map(|Notice { to, of }| (to, Body::Notice(of)));
                    let links = offer.map_or_else(Vec::new, |offer| self.letters(user, offer));
                    let letters = notices.chain(links).collect();
                    self.notify(letters, job.tenants.first(), application).await;
                    job.answer(Ok(outcome));
                }
            }
            Err(error) => {
                for job in jobs {
                    job.answer(Err(error));
                }
            }
        }
    }

    async fn settled(&self, user: &UserKey, key: Key, jobs: &[Job]) -> Result<Vec<Told>, Error> {
        let mut tenants: Vec<TenantId> =
            jobs.iter().flat_map(|job| &job.tenants).cloned().collect();
        tenants.sort();
        tenants.dedup();
        let mut keys = Vec::with_capacity(tenants.len().saturating_add(2));
        keys.push(key);
        if !tenants.is_empty() {
            keys.extend(self.policy_keys(&tenants));
        }
        let write = WriteId(self.env.draw()?);
        for _ in 0..ATTEMPTS {
            let looked = self.store.look(&keys).await?;
            let now = self.env.clock.now();
            self.compare_clocks(looked.store_time, now)?;
            let mut entries = looked.entries.into_iter();
            let found = opened::<Record>(&self.env, key, entries.next().flatten())?;
            let policies = self.policies(&tenants, keys.iter().copied().skip(1).zip(entries))?;
            let record = found.value.unwrap_or_default();
            let mut all = Folded::new(record.within(self.env.incarnation));
            for job in jobs {
                let policy = job.policy(&policies);
                let given =
                    Given { user, policy: &policy, vault: &*self.env.vault, node: &self.env.node };
                all.add(|record| {
                    Ok(decide(record, &given, job.event.clone(), now, self.env.draw()?))
                })?;
            }
            if !all.changed {
                return Ok(all.open(&Commit::proven()));
            }
            all.record.note_write(write);
            let settle = self.sealed(key, found.version, write, &all)?;
            match self.store.settle(settle).await {
                Ok(Settled::Won) => return Ok(all.open(&Commit::proven())),
                Ok(Settled::Lost) => {}
                Err(StoreError::Unknown) => {
                    if self.resolve(key, found.version, write, &all).await? {
                        return Ok(all.open(&Commit::proven()));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    /// A node whose clock is off the store's says so, and stops deciding before it does harm.
    fn compare_clocks(&self, store: UnixTime, node: UnixTime) -> Result<(), Error> {
        let skew = store.since(node).max(node.since(store));
        if skew > NODE_SKEW_SECS {
            return Err(Error::Skew);
        }
        if skew >= NODE_SKEW_WARN_SECS {
            let last = self.folds.warned.swap(node.secs(), Ordering::Relaxed);
            if last.abs_diff(node.secs()) >= WARN_EVERY_SECS {
                tracing::warn!(skew, "this node's clock is off the store's; set it");
            } else {
                self.folds.warned.store(last, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn sealed(
        &self,
        key: Key,
        expected: Version,
        write: WriteId,
        all: &Folded,
    ) -> Result<Settle, Error> {
        let vault = &*self.env.vault;
        let events: Result<Vec<EventRow>, Error> = all
            .audits
            .iter()
            .map(|audit| Ok(codec::seal_event(vault, self.env.draw()?, audit)?))
            .collect();
        Ok(Settle {
            key,
            expected,
            next: expected.next(write),
            bytes: codec::seal(vault, self.env.encoding, key, self.env.draw()?, &all.record)?,
            events: events?,
            expiry: None,
        })
    }

    /// The reply to a settle was lost: looks until it is known how it ended. True where it was won;
    /// false where another write stands there and this one never did.
    async fn resolve(
        &self,
        key: Key,
        expected: Version,
        write: WriteId,
        all: &Folded,
    ) -> Result<bool, Error> {
        for attempt in 0..10_u32 {
            self.env.clock.pause(25_u64.saturating_mul(1 << attempt.min(6))).await;
            let Ok(looked) = self.store.look(&[key]).await else { continue };
            let entry: Option<Entry> = looked.entries.into_iter().next().flatten();
            let version = entry.as_ref().map_or(Version::ABSENT, |entry| entry.version);
            if version == expected.next(write) {
                return Ok(true);
            }
            if version == expected {
                // It may still be under way: the swap decides, and at most one of the two wins it. Sealed anew, which is
                // all that differs, so that no settle pays for a copy that hardly any needs.
                let Ok(again) = self.sealed(key, expected, write, all) else { continue };
                match self.store.settle(again).await {
                    Ok(Settled::Won) => return Ok(true),
                    Ok(Settled::Lost) | Err(_) => continue,
                }
            }
            let record = opened::<Record>(&self.env, key, entry)?.value;
            return Ok(record.is_some_and(|record| record.has_write(write)));
        }
        Err(StoreError::Unknown.into())
    }
}

/// Several decisions over one record.
struct Folded {
    record: Record,
    changed: bool,
    audits: Vec<crate::audit::Audit>,
    told: Vec<Sealed<Told>>,
}

impl Folded {
    const fn new(record: Record) -> Self {
        Self { record, changed: false, audits: Vec::new(), told: Vec::new() }
    }

    fn add(&mut self, decide: impl FnOnce(Record) -> Result<Decision, Error>) -> Result<(), Error> {
        let before = std::mem::take(&mut self.record);
        let Decision { record, changed, audits, told } = decide(before)?;
        self.record = record;
        self.changed |= changed;
        self.audits.extend(audits);
        self.told.push(told);
        Ok(())
    }

    fn open(self, commit: &Commit) -> Vec<Told> {
        self.told.into_iter().map(|told| told.open(commit)).collect()
    }
}
