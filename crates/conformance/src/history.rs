//! What clients of a store saw: calls with their beginning and their end, by one shared count.
//!
//! The count is taken before a call is made and after it returned. So if one call's end is less
//! than another's beginning, the first had returned before the second was made; calls that
//! overlap may have happened in either order.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_ceremony::port::{Key, Settled, StoreError, Version};

/// The shared count.
#[derive(Debug, Default)]
pub(crate) struct Ticks(AtomicU64);

impl Ticks {
    pub(crate) fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// The thread that only reads.
pub(crate) const READER: usize = usize::MAX;

/// One call on one key.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) thread: usize,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A swap and its answer.
    Settle { expected: Version, next: Version, answer: Result<Settled, StoreError> },
    /// What stood there, by a look or a walk; ABSENT where nothing did.
    Saw(Version),
}

/// The calls on every key.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) calls: BTreeMap<Key, Vec<Call>>,
}

impl History {
    pub(crate) fn add(&mut self, key: Key, call: Call) {
        self.calls.entry(key).or_default().push(call);
    }

    pub(crate) fn join(&mut self, other: Self) {
        for (key, calls) in other.calls {
            self.calls.entry(key).or_default().extend(calls);
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, begin, end, what } = self;
        write!(f, "  {begin:>6} to {end:>6}  ")?;
        match *thread {
            READER => f.write_str("reader    ")?,
            thread => write!(f, "thread {thread:<3}")?,
        }
        match what {
            What::Settle { expected, next, answer } => {
                write!(f, "settle {} -> {}: {answer:?}", Short(*expected), Short(*next))
            }
            What::Saw(version) => write!(f, "saw {}", Short(*version)),
        }
    }
}

/// A version for people: the counter and the end of the id.
pub(crate) struct Short(pub(crate) Version);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == Version::ABSENT {
            return f.write_str("ABSENT");
        }
        write!(f, "{}/{:x}", self.0.counter(), u64::from_be_bytes(self.0.write().0))
    }
}
