//! Hands events out of the database to the sinks, a page at a time.
//!
//! Of all nodes one does so at a time, by a lease. In each step every sink is first given what waits
//! for it alone; then the oldest events of the outbox go to all sinks at once. A sink that does not
//! take its page rests for a while, and has the page put into its own backlog in the database; so
//! the page is forgotten, and nobody waits for it. The backlog has the bound of the outbox, and what
//! happens beyond it is the same choice: with `refuse` the outbox is left to fill.

use std::sync::Arc;
use std::time::Duration;

use countersign_ceremony::audit::Audit;
use countersign_ceremony::engine::Error;
use countersign_ceremony::env::Env;
use countersign_ceremony::outbox::{self, Backlog, Lease};
use countersign_ceremony::port::{Outbox, Store, WhenFull};
use countersign_otp::UnixTime;
use futures_util::future::{join_all, try_join_all};
use tokio::sync::watch::Receiver;

use super::Sink;

/// How many events are handed out together.
const PAGE: usize = 128;
/// How many pages of its backlog a sink is given in one step.
const PAGES: usize = 8;
/// For how many seconds of one step a sink may go on with its backlog.
const LONG: u64 = 2;
/// How many events that no key opens are looked past.
const UNREADABLE: usize = 4096;
/// The longest rest of a sink that is down, in seconds.
const REST: u64 = 60;
/// The pause where there was nothing to do.
const IDLE: Duration = Duration::from_millis(500);
/// The pause of a node that does not hold the lease, or whose database gave no answer.
const STANDBY: Duration = Duration::from_secs(2);

/// What moves events from the database to the sinks.
#[derive(Debug)]
pub struct Pump<S> {
    store: Arc<S>,
    env: Env,
    outbox: Outbox,
    lease: Lease,
    lanes: Vec<Lane>,
    unreadable: usize,
}

/// What one step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Another node hands events out.
    Standby,
    /// There was nothing to do.
    Idle,
    /// Something was handed out, or put aside.
    Moved,
}

/// One sink and how it is.
#[derive(Debug)]
struct Lane {
    sink: Arc<dyn Sink>,
    backlog: Backlog,
    failures: u32,
    rests_until: UnixTime,
    warned: bool,
}

/// What a lane can do with the next page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ready {
    /// It was given something that waited.
    moved: bool,
    /// Nothing waits before the page; else it goes to the end of the backlog.
    clear: bool,
    /// How many events it may be.
    room: u64,
}

impl<S: Store> Pump<S> {
    /// A pump between a store, whose outbox has this bound, and these sinks.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(
        store: Arc<S>,
        env: Env,
        outbox: Outbox,
        sinks: Vec<Arc<dyn Sink>>,
    ) -> Result<Self, Error> {
        let lease = Lease::new(&env)?;
        let lanes = sinks.into_iter().map(Lane::of).collect();
        Ok(Self { store, env, outbox, lease, lanes, unreadable: 0 })
    }

    /// Goes on until it is told to end, or nobody is left who could tell it.
    pub async fn run(mut self, mut end: Receiver<bool>) {
        loop {
            let pause = match self.step().await {
                Ok(Step::Moved) => Duration::ZERO,
                Ok(Step::Idle) => IDLE,
                Ok(Step::Standby) => STANDBY,
                Err(error) => {
                    tracing::warn!(%error, "events were not handed out");
                    STANDBY
                }
            };
            if tokio::time::timeout(pause, end.wait_for(|end| *end)).await.is_ok() {
                break;
            }
        }
        if let Err(error) = self.lease.release(&*self.store, &self.env).await {
            tracing::debug!(%error, "the lease of the outbox ends by itself");
        }
    }

    /// One step.
    ///
    /// # Errors
    /// The store gave no answer; nothing is lost, and some events may come again.
    pub async fn step(&mut self) -> Result<Step, Error> {
        let (store, env, outbox) = (&*self.store, &self.env, self.outbox);
        if !self.lease.hold(store, env).await? {
            return Ok(Step::Standby);
        }
        let caught_up = self.lanes.iter_mut().map(|lane| lane.catch_up(store, env, outbox));
        let ready = try_join_all(caught_up).await?;
        let idle = if ready.iter().any(|ready| ready.moved) { Step::Moved } else { Step::Idle };
        let room = ready.iter().map(|ready| ready.room).min().unwrap_or(0).min(outbox.bound);
        let page = PAGE.min(usize::try_from(room).unwrap_or(PAGE));
        if page == 0 {
            return Ok(idle);
        }

        let oldest = outbox::oldest(store, env, page.saturating_add(self.unreadable)).await?;
        if oldest.unreadable > 0 && self.unreadable == 0 {
            tracing::error!("events wait that no key here opens; are all keys in the ring?");
        }
        self.unreadable = oldest.unreadable.min(UNREADABLE);
        if oldest.events.is_empty() {
            return Ok(idle);
        }
        let events = &oldest.events;
        let handed = self.lanes.iter_mut().zip(&ready).map(|(lane, ready)| async move {
            if ready.clear && lane.give(env, events).await {
                return Ok(());
            }
            lane.put_aside(store, env, outbox, events).await
        });
        // All of them to their end, whatever one says: what was taken is not given up half way.
        join_all(handed).await.into_iter().collect::<Result<(), Error>>()?;
        store.forget(&oldest.ids()).await?;
        Ok(Step::Moved)
    }
}

impl Lane {
    fn of(sink: Arc<dyn Sink>) -> Self {
        let backlog = Backlog::of(sink.name());
        Self { sink, backlog, failures: 0, rests_until: UnixTime::from_secs(0), warned: false }
    }

    /// Gives the sink some of what waits for it.
    async fn catch_up<S: Store>(
        &mut self,
        store: &S,
        env: &Env,
        outbox: Outbox,
    ) -> Result<Ready, Error> {
        let begun = env.clock.now();
        let mut moved = false;
        let mut behind = self.backlog.behind(store, env).await?;
        for _ in 0..PAGES {
            if begun < self.rests_until || env.clock.now().since(begun) > LONG {
                break;
            }
            let Some(page) = self.backlog.oldest(store, env).await? else { break };
            if !page.events.is_empty() && !self.give(env, &page.events).await {
                break;
            }
            self.backlog.taken(store, env, &page).await?;
            moved = true;
            behind = self.backlog.behind(store, env).await?;
        }
        self.told(behind.events, outbox);
        let clear = behind.is_empty();
        let room = match outbox.when_full {
            WhenFull::Refuse if !clear => outbox.bound.saturating_sub(behind.events),
            WhenFull::Refuse | WhenFull::DropOldest => u64::MAX,
        };
        Ok(Ready { moved, clear, room })
    }

    /// Hands these over. False: it did not take them, and rests.
    async fn give(&mut self, env: &Env, events: &[Audit]) -> bool {
        let name = self.sink.name().to_owned();
        if env.clock.now() < self.rests_until {
            return false;
        }
        match self.sink.take(events).await {
            Ok(()) => {
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!(sink = name, "a sink of events is back");
                }
                let count = u64::try_from(events.len()).unwrap_or(0);
                metrics::counter!("events", "sink" => name, "outcome" => "taken").increment(count);
                true
            }
            Err(why) => {
                let rest = 1_u64.checked_shl(self.failures).unwrap_or(REST).min(REST);
                self.rests_until = env.clock.now().saturating_add(rest);
                if self.failures == 0 {
                    tracing::error!(sink = name, why, "a sink of events is down");
                } else {
                    tracing::warn!(sink = name, why, rest, "a sink of events is still down");
                }
                self.failures = self.failures.saturating_add(1);
                metrics::counter!("events", "sink" => name, "outcome" => "failed").increment(1);
                false
            }
        }
    }

    /// Puts what the sink did not take at the end of its backlog.
    async fn put_aside<S: Store>(
        &mut self,
        store: &S,
        env: &Env,
        outbox: Outbox,
        events: &[Audit],
    ) -> Result<(), Error> {
        let appended = self.backlog.append(store, env, events, outbox.bound).await?;
        if appended.dropped > 0 {
            let (sink, lost) = (self.sink.name(), appended.dropped);
            tracing::error!(sink, lost, "a sink was down for too long: its oldest events are lost");
        }
        self.told(appended.behind.events, outbox);
        Ok(())
    }

    /// The alarm, before the backlog is full.
    fn told(&mut self, waiting: u64, outbox: Outbox) {
        let (sink, bound) = (self.sink.name().to_owned(), outbox.bound);
        let nearly = waiting >= bound.saturating_sub(bound / 5);
        if nearly && !self.warned {
            tracing::error!(sink, waiting, bound, "the backlog of a sink of events is nearly full");
        }
        self.warned = nearly || (self.warned && waiting > bound / 5 * 3);
    }
}

#[cfg(test)]
mod tests;
