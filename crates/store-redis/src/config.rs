//! What a store is opened with.

use std::fmt;
use std::time::Duration;

/// Where Redis is, and what an acknowledged settle has to have reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. Of a cluster, as many of
    /// its nodes as shall be asked for the others: one that answers is enough.
    pub urls: Vec<String>,
    /// What every name in the database begins with, so that others may use it too.
    pub prefix: String,
    /// A certificate authority in PEM in place of the system's.
    pub authority: Option<Vec<u8>>,
    /// What beside the master has to have a settle before it is acknowledged. None: nothing.
    pub replicas: Option<Replicas>,
}

/// What beside the master has to have a settle before it is acknowledged: `WAIT`, or `WAITAOF`.
///
/// A settle that does not reach it in time is [`Unknown`](countersign_ceremony::port::StoreError):
/// it stands on the master, and was acknowledged to nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replicas {
    /// How many replicas of its master must have it; at least 1.
    pub count: u8,
    /// They, and the master, must have it on their disks (`WAITAOF`, from Redis 7.2 on, with the
    /// append-only file); else in their memory.
    pub on_disk: bool,
    /// How long to wait for them, in whole milliseconds.
    pub patience: Duration,
}

impl Config {
    /// These URLs, under the prefix `cs`, and no replicas asked for.
    #[must_use]
    pub fn new(urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            prefix: "cs".to_owned(),
            authority: None,
            replicas: None,
        }
    }
}

/// A URL holds a password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { urls, prefix, authority, replicas } = self;
        f.debug_struct("Config")
            .field("urls", &urls.len())
            .field("prefix", prefix)
            .field("authority", &authority.is_some())
            .field("replicas", replicas)
            .finish()
    }
}

impl Replicas {
    /// This many replicas, in memory, within half a second.
    #[must_use]
    pub const fn of(count: u8) -> Self {
        Self { count, on_disk: false, patience: Duration::from_millis(500) }
    }
}
