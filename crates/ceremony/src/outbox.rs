//! The way of audit events out of the outbox, each to every sink at least once.
//!
//! One node at a time hands events out: it holds the [`Lease`]. It reads the oldest events, hands
//! them to each sink, and only then are they forgotten. What a sink does not take is first put into
//! its own [`Backlog`], so that the other sinks go on and the outbox empties. A crash at any point
//! hands some events out twice, and loses none; a reader knows an event again by its id.
//!
//! Both are records behind the store's two verbs, so any store holds them. A lease that two nodes
//! believe in for a moment, as by a clock that is wrong, costs repetitions and nothing else.

mod backlog;
mod lease;

use crate::audit::Audit;
use crate::codec;
use crate::engine::Error;
use crate::env::Env;
use crate::port::{EventId, Store};

pub use self::backlog::{Appended, Backlog, Behind, Page};
pub use self::lease::{LEASE, Lease};

/// Some of the oldest events, opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Oldest {
    /// The events, those of one record in their order.
    pub events: Vec<Audit>,
    /// How many more were read that no key here opens: they stay where they are.
    pub unreadable: usize,
}

impl Oldest {
    /// Their names: for [`Store::forget`].
    #[must_use]
    pub fn ids(&self) -> Vec<EventId> {
        self.events.iter().map(|event| event.id.into()).collect()
    }
}

/// Reads the oldest events, at most `limit`.
///
/// # Errors
/// The store gave no answer.
pub async fn oldest<S: Store>(store: &S, env: &Env, limit: usize) -> Result<Oldest, Error> {
    let mut oldest = Oldest::default();
    for row in store.events(limit).await? {
        match codec::open_event(&*env.vault, &row) {
            Ok(event) => oldest.events.push(event),
            Err(_) => oldest.unreadable = oldest.unreadable.saturating_add(1),
        }
    }
    Ok(oldest)
}
