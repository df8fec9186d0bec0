//! What waits for one sink that does not take events now: pages in a row, oldest first.
//!
//! A page is a record, and so is where the row begins and ends. A page is written before the end
//! moves past it, and gone only after its events were taken: what a crash leaves between is a page
//! that is found again at the end, or one that is missing at the beginning.

use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::engine::Error;
use crate::env::Env;
use crate::names::Names;
use crate::port::Store;
use crate::records::{self, ATTEMPTS};

/// The backlog of a sink, by the sink's name.
#[derive(Clone, Debug)]
pub struct Backlog {
    sink: String,
}

/// How far a sink is behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Behind {
    /// The number of the oldest page.
    first: u64,
    /// The number of the next page to come.
    end: u64,
    /// How many events wait, at most.
    pub events: u64,
}

/// One page of what waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    number: u64,
    /// Its events, oldest first; none where the page was already taken.
    pub events: Vec<Audit>,
}

/// How an append ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// How far the sink is behind now.
    pub behind: Behind,
    /// How many of the oldest events gave way.
    pub dropped: u64,
}

impl Behind {
    /// Does nothing wait?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first >= self.end
    }

    fn shortened(self, past: u64, events: u64) -> Self {
        if self.first >= past {
            return self;
        }
        let left = if past >= self.end { 0 } else { self.events.saturating_sub(events) };
        Self { first: past, end: self.end.max(past), events: left }
    }
}

impl Backlog {
    /// That of the sink of this name.
    #[must_use]
    pub fn of(sink: &str) -> Self {
        Self { sink: sink.to_owned() }
    }

    /// How far the sink is behind.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn behind<S: Store>(&self, store: &S, env: &Env) -> Result<Behind, Error> {
        let key = Names(&*env.vault).backlog(&self.sink);
        Ok(records::look(store, env, key).await?.value.unwrap_or_default())
    }

    /// Puts events at the end. Where more than `bound` would wait then, the oldest pages give way:
    /// a caller that must not lose any asks [`Self::behind`] before.
    ///
    /// # Errors
    /// The store gave no answer: they may be there, and may be put there again.
    pub async fn append<S: Store>(
        &self,
        store: &S,
        env: &Env,
        events: &[Audit],
        bound: u64,
    ) -> Result<Appended, Error> {
        let names = Names(&*env.vault);
        let mut behind = self.behind(store, env).await?;
        for _ in 0..ATTEMPTS {
            let number = behind.end;
            let key = names.backlog_page(&self.sink, number);
            let stands = |page: Option<Vec<Audit>>| match page {
                // From before a crash, or another node's: it counts as well.
                Some(there) => (None, Vec::new(), Some(there.len())),
                None => (Some(events.to_vec()), Vec::new(), None),
            };
            let there = records::change(store, env, key, None, stands).await?;
            let added = length(there.unwrap_or(events.len()));
            behind = self
                .change(store, env, |behind| Behind {
                    end: behind.end.max(number.saturating_add(1)),
                    events: behind.events.saturating_add(added),
                    ..behind
                })
                .await?;
            if there.is_none() {
                return self.within(store, env, behind, bound).await;
            }
        }
        Err(Error::Contended)
    }

    /// The oldest page; none where nothing waits.
    ///
    /// # Errors
    /// The store gave no answer, or the page cannot be read.
    pub async fn oldest<S: Store>(&self, store: &S, env: &Env) -> Result<Option<Page>, Error> {
        let behind = self.behind(store, env).await?;
        if behind.is_empty() {
            return Ok(None);
        }
        let number = behind.first;
        let key = Names(&*env.vault).backlog_page(&self.sink, number);
        let found = records::look::<S, Vec<Audit>>(store, env, key).await?;
        Ok(Some(Page { number, events: found.value.unwrap_or_default() }))
    }

    /// The sink has taken this page: it is gone.
    ///
    /// # Errors
    /// The store gave no answer: the page may come again.
    pub async fn taken<S: Store>(&self, store: &S, env: &Env, page: &Page) -> Result<(), Error> {
        let key = Names(&*env.vault).backlog_page(&self.sink, page.number);
        let ended = |there: Option<Vec<Audit>>| (there.map(|_| Vec::new()), Vec::new(), ());
        records::change(store, env, key, Some(env.clock.now()), ended).await?;
        let (past, events) = (page.number.saturating_add(1), length(page.events.len()));
        self.change(store, env, |behind| behind.shortened(past, events)).await?;
        Ok(())
    }

    async fn within<S: Store>(
        &self,
        store: &S,
        env: &Env,
        mut behind: Behind,
        bound: u64,
    ) -> Result<Appended, Error> {
        let mut dropped = 0_u64;
        // The page that was just put there stays, whatever the bound.
        while behind.events > bound && behind.first.saturating_add(1) < behind.end {
            let Some(page) = self.oldest(store, env).await? else { break };
            self.taken(store, env, &page).await?;
            dropped = dropped.saturating_add(length(page.events.len()));
            behind = self.behind(store, env).await?;
        }
        Ok(Appended { behind, dropped })
    }

    async fn change<S: Store>(
        &self,
        store: &S,
        env: &Env,
        next: impl Fn(Behind) -> Behind,
    ) -> Result<Behind, Error> {
        let key = Names(&*env.vault).backlog(&self.sink);
        records::change(store, env, key, None, |behind: Option<Behind>| {
            let next = next(behind.unwrap_or_default());
            (Some(next), Vec::new(), next)
        })
        .await
    }
}

fn length(events: usize) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}
