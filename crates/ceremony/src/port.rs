//! The store port: look and settle over opaque bytes.
//!
//! A store is a versioned register a key. It knows keys, versions, bytes and event bytes, and no
//! word of the domain: no store ever sees a rule, and no rule ever sees a store. Any database with
//! a compare-and-swap on one key, that commits an insert with it, can be one.
//!
//! What a store must hold, and what the conformance suite proves of it:
//! - each key is a linearizable register: a look that begins after a settle was acknowledged sees
//!   that settle or a later one;
//! - a settle is won by whoever names the exact version, and by nobody else;
//! - the events of a settle are there exactly when its bytes are;
//! - what was acknowledged survives a crash.

use std::fmt;
use std::future::Future;

use countersign_otp::UnixTime;

/// The name of a record: a keyed digest, so that a database shows no user and no address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// How many partitions the keys fall into.
    pub const PARTITIONS: u16 = 1024;

    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of this key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The partition of this key, below [`Key::PARTITIONS`]: its first ten bits.
    #[must_use]
    pub const fn partition(&self) -> u16 {
        let [a, b, ..] = self.0;
        u16::from_be_bytes([a, b]) >> 6
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Key({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// The random half of a version: the id of the write that made it, one over all its attempts.
///
/// A node that lost a reply finds out by it whether its write was won.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WriteId(pub [u8; 8]);

/// What a record's version is: a counter and the id of the write that made it.
///
/// All 16 bytes are compared, so that a counter that comes again after a failover or a restore
/// never matches. The byte form is the counter, big-endian, then the id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Version {
    counter: u64,
    write: WriteId,
}

impl Version {
    /// The version of a record that is not there.
    pub const ABSENT: Self = Self { counter: 0, write: WriteId([0; 8]) };

    /// The version that `write` makes of this one.
    #[must_use]
    pub const fn next(self, write: WriteId) -> Self {
        Self { counter: self.counter.saturating_add(1), write }
    }

    /// The counter: how many writes this record has seen since it was last absent.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.counter
    }

    /// The write that made this version.
    #[must_use]
    pub const fn write(self) -> WriteId {
        self.write
    }

    /// The version of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, id @ ..] = bytes;
        Self { counter: u64::from_be_bytes([a, b, c, d, e, f, g, h]), write: WriteId(id) }
    }

    /// The bytes of this version.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let (counter, id) = bytes.split_at_mut(8);
        counter.copy_from_slice(&self.counter.to_be_bytes());
        id.copy_from_slice(&self.write.0);
        bytes
    }
}

/// One record as it stands in the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its version.
    pub version: Version,
    /// Its bytes: sealed, and nothing to the store.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, bytes } = self;
        f.debug_struct("Entry").field("version", version).field("len", &bytes.len()).finish()
    }
}

/// What a look found.
#[derive(Clone, Debug)]
pub struct Looked {
    /// One entry for each key that was asked for, in that order; none where there is no record, or
    /// where its expiry has passed.
    pub entries: Vec<Option<Entry>>,
    /// The store's own clock when it answered, so that a node learns how far off it is itself.
    pub store_time: UnixTime,
}

/// The name of an event: it is delivered at least once, and known by this when it comes again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventId(pub [u8; 16]);

/// One event in the outbox: sealed, and nothing to the store.
#[derive(Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its name.
    pub id: EventId,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for EventRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, bytes } = self;
        f.debug_struct("EventRow").field("id", id).field("len", &bytes.len()).finish()
    }
}

/// One compare-and-swap, with the events that it commits.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The record to write.
    pub key: Key,
    /// The version that must stand there now; [`Version::ABSENT`] where no record may stand.
    pub expected: Version,
    /// The version that stands there afterwards.
    pub next: Version,
    /// The bytes that stand there afterwards.
    pub bytes: Vec<u8>,
    /// What goes to the outbox in the same commit: each id once in all time, and no more of them
    /// than the outbox's bound.
    pub events: Vec<EventRow>,
    /// When the record ends, by the store's clock: from that second on it is absent. None: never.
    pub expiry: Option<UnixTime>,
}

/// How a settle ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a verdict counts only when its swap is won"]
pub enum Settled {
    /// The swap is done and durable, its events with it.
    Won,
    /// Another version stands there; nothing was written.
    Lost,
}

/// Why a store gave no answer. No decision was reached: the engine fails closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// Nothing was written: the store is away, busy beyond its bound, or refuses.
    Unavailable,
    /// It is not known whether the settle was written: the engine looks for its write id.
    Unknown,
    /// Nothing was written: the outbox is full and its configuration says to refuse.
    OutboxFull,
    /// What stands in the store cannot be read.
    Corrupt,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the store is not available; try again",
            Self::Unknown => "the store did not say whether it wrote",
            Self::OutboxFull => "the event outbox is full; drain it, or let it drop the oldest",
            Self::Corrupt => "the store holds bytes that it cannot read; check it",
        })
    }
}

impl std::error::Error for StoreError {}

/// What an outbox does beyond its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenFull {
    /// The settle is refused: nothing happens that is not written down.
    Refuse,
    /// The oldest events give way: nobody is refused because a sink is down.
    DropOldest,
}

/// The bound of the event outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outbox {
    /// How many events wait at most.
    pub bound: u64,
    /// What happens beyond it.
    pub when_full: WhenFull,
}

impl Default for Outbox {
    /// A million events, about 300 MB, and then the oldest give way.
    fn default() -> Self {
        Self { bound: 1_000_000, when_full: WhenFull::DropOldest }
    }
}

/// One row of a [`Store::walk`].
#[derive(Clone, Debug)]
pub struct Walked {
    /// Its key.
    pub key: Key,
    /// The record.
    pub entry: Entry,
    /// When it ends.
    pub expiry: Option<UnixTime>,
}

/// A database, as the engine sees it.
///
/// `look` and `settle` are all that a verification needs. `walk`, `events`, `forget` and
/// `waiting` serve copying, re-sealing and the delivery of events.
pub trait Store: Send + Sync + 'static {
    /// Reads records, all in one trip, each at or after the moment of the call.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn look(&self, keys: &[Key]) -> impl Future<Output = Result<Looked, StoreError>> + Send;

    /// Swaps one record and adds its events, in one commit that is durable when this returns.
    ///
    /// # Errors
    /// Any [`StoreError`]; only [`StoreError::Unknown`] may have written.
    fn settle(&self, settle: Settle) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// The records whose keys come after `after`, in key order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn walk(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Walked>, StoreError>> + Send;

    /// The oldest events of the outbox, at most `limit`, those of one record in their order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn events(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EventRow>, StoreError>> + Send;

    /// Takes delivered events out of the outbox. Ids that are not there are passed over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Unknown`]; forgetting again is harmless.
    fn forget(&self, ids: &[EventId]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How many events wait in the outbox, for the alarm before it is full. Where its bound is kept
    /// in shares: as many as if each were as full as the fullest. None: this store does not say.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    fn waiting(&self) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send {
        std::future::ready(Ok(None))
    }
}
