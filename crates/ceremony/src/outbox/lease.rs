//! Which node hands events out now.

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::engine::Error;
use crate::env::Env;
use crate::names::Names;
use crate::port::Store;
use crate::record::seconds;
use crate::records;

/// For how many seconds a node holds it without a word: then another takes it.
pub const LEASE: u64 = 20;

/// A node's hold on the outbox, or its wish for it.
#[derive(Debug)]
pub struct Lease {
    node: [u8; 16],
    until: Option<UnixTime>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Held {
    node: [u8; 16],
    #[serde(with = "seconds")]
    until: UnixTime,
}

impl Lease {
    /// Of a node that has not asked for it yet.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new(env: &Env) -> Result<Self, Error> {
        Ok(Self { node: env.draw()?, until: None })
    }

    /// Takes it where nobody holds it, or holds it longer. True: this node may hand events out for
    /// the next two thirds of [`LEASE`]. Writes at most once in the first third.
    ///
    /// # Errors
    /// The store gave no answer: this node does not hold it.
    pub async fn hold<S: Store>(&mut self, store: &S, env: &Env) -> Result<bool, Error> {
        let now = env.clock.now();
        let left = self.until.take().map_or(0, |until| until.since(now));
        if left > LEASE / 3 * 2 && left <= LEASE {
            self.until = Some(now.saturating_add(left));
            return Ok(true);
        }
        let mine = Held { node: self.node, until: now.saturating_add(LEASE) };
        let key = Names(&*env.vault).outbox_lease();
        let held = records::change(store, env, key, None, |held: Option<Held>| match held {
            // A clock that ran ahead must not hold it for long after.
            Some(other)
                if other.node != mine.node
                    && now < other.until
                    && other.until.since(now) <= LEASE.saturating_mul(2) =>
            {
                (None, Vec::new(), false)
            }
            _ => (Some(mine.clone()), Vec::new(), true),
        })
        .await?;
        self.until = held.then_some(mine.until);
        Ok(held)
    }

    /// Gives it back, so that another node need not wait.
    ///
    /// # Errors
    /// The store gave no answer: it ends by itself.
    pub async fn release<S: Store>(&mut self, store: &S, env: &Env) -> Result<(), Error> {
        if self.until.take().is_none() {
            return Ok(());
        }
        let (node, now) = (self.node, env.clock.now());
        let key = Names(&*env.vault).outbox_lease();
        records::change(store, env, key, None, |held: Option<Held>| match held {
            Some(held) if held.node == node => (Some(Held { until: now, ..held }), Vec::new(), ()),
            _ => (None, Vec::new(), ()),
        })
        .await
    }
}
