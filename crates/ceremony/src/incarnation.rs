//! Which incarnation of the database this is.
//!
//! A database that is restored from a backup has forgotten what happened since: sessions that were
//! ended, browsers that were revoked, challenges that were answered. So whoever restores one begins
//! a new incarnation, and then every session, open login, challenge and browser from before is
//! dead: each user's record, whenever it is next looked at, has another epoch
//! ([`Record::within`](crate::record::Record::within)). Nothing is rewritten for it.
//!
//! What a restore does bring back: factors that were removed since, and recovery codes that were
//! used since. A backup is as old as it is.

use serde::{Deserialize, Serialize};

use crate::engine::Error;
use crate::env::Env;
use crate::names::Names;
use crate::port::Store;
use crate::records;

/// An incarnation: the first of a database is 0, each later one is drawn at random.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Incarnation(u32);

impl Incarnation {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The incarnation that a database is in. A node asks once, when it starts.
///
/// # Errors
/// The store gave no answer, or what stands there cannot be read.
pub async fn of<S: Store>(store: &S, env: &Env) -> Result<Incarnation, Error> {
    let key = Names(&*env.vault).incarnation();
    let found = records::look::<S, Incarnation>(store, env, key).await?;
    Ok(found.value.unwrap_or_default())
}

/// Begins the next incarnation. Nodes that run do not notice: start them afterwards.
///
/// # Errors
/// The store gave no answer: it may have begun.
pub async fn begin<S: Store>(store: &S, env: &Env) -> Result<Incarnation, Error> {
    let key = Names(&*env.vault).incarnation();
    // Zero is the first alone.
    let drawn = Incarnation(u32::from_be_bytes(env.draw()?).max(1));
    records::change(store, env, key, None, |_: Option<Incarnation>| {
        (Some(drawn), Vec::new(), drawn)
    })
    .await
}
