//! What can go wrong with a server, and which answer of the port it is.

use std::{error, fmt};

use countersign_ceremony::port::StoreError;
use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

/// Why a store was not opened. No word of it holds a password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no URL, or one is malformed, or asks for what a cluster does not have.
    Url(&'static str),
    /// No server could be reached, or none let us in.
    Away(String),
    /// A server would forget records to make room.
    Forgets {
        /// Which one.
        server: String,
        /// By which `maxmemory-policy`.
        policy: String,
    },
    /// The replicas' disks are asked for, and the server is too old to wait for them.
    NoWaitAof,
    /// The server is older than the commands that are needed.
    TooOld,
    /// The cluster has slots that no master serves.
    Incomplete,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "a URL of Redis cannot be used: {why}"),
            Self::Away(why) => write!(f, "Redis cannot be reached: {why}"),
            Self::Forgets { server, policy } => write!(
                f,
                "{server} may forget spent codes to make room (maxmemory-policy {policy}): set it \
                 to noeviction"
            ),
            Self::NoWaitAof => {
                f.write_str("replicas' disks can be waited for from Redis 7.2 on (WAITAOF)")
            }
            Self::TooOld => f.write_str("Redis 6.2 or later is needed"),
            Self::Incomplete => {
                f.write_str("the cluster has slots that no master serves; see CLUSTER INFO")
            }
        }
    }
}

impl error::Error for OpenError {}

/// Why a trip to a server brought no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// Nothing was sent.
    NotSent,
    /// It was sent, or may have been.
    Lost,
}

/// What an error that a server answered says of the command: it was not carried out, and..
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// ..another server has the slot from now on.
    Moved,
    /// ..another server has this key already: ask it, once.
    Ask(String),
    /// ..it may be carried out soon, here or elsewhere.
    Later,
    /// ..the script is not there.
    NoScript,
    /// ..what stands there is not ours.
    Corrupt,
    /// ..it never will be as things are.
    Never,
}

impl Refused {
    pub(crate) fn of(error: &ServerError) -> Self {
        use ServerErrorKind::{
            Ask, BusyLoading, ClusterDown, MasterDown, Moved, NoScript, ReadOnly, TryAgain,
        };
        match error.kind() {
            Some(Moved | ReadOnly) => Self::Moved,
            Some(Ask) => {
                let mut words = error.details().unwrap_or_default().split_ascii_whitespace();
                words.nth(1).map_or(Self::Later, |to| Self::Ask(to.to_owned()))
            }
            Some(TryAgain | ClusterDown | BusyLoading | MasterDown) => Self::Later,
            Some(NoScript) => Self::NoScript,
            _ => match error.code() {
                "CORRUPT" | "WRONGTYPE" => Self::Corrupt,
                _ if error.details().is_some_and(|text| text.contains("WRONGTYPE")) => {
                    Self::Corrupt
                }
                _ => Self::Never,
            },
        }
    }
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Corrupt => Self::Corrupt,
            _ => Self::Unavailable,
        }
    }
}

/// An error of the library, without the address of a password.
pub(crate) fn told(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::AuthenticationFailed => "the user or the password is wrong".to_owned(),
        _ => error.to_string(),
    }
}
