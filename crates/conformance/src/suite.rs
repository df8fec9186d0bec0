//! The suite: every property, run one after the other, and what came of it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign_ceremony::port::Store;

use crate::ground::{Fresh, Ground, panicked};
use crate::properties;

/// Closes a store and opens it again on the same data, as after a crash: it does nothing that a
/// crash would not do, above all it saves nothing.
pub type Reopen<S> = Box<dyn FnMut(S, Fresh) -> S>;

/// What the suite may expect of a store, and how hard it tries.
pub struct Expectations<S> {
    /// How to open the store again. None: it does not claim to be durable.
    pub reopen: Option<Reopen<S>>,
    /// The store's time is its own (a database's clock) and not the clock that it is given: expiry
    /// is then waited for, some seconds in all.
    pub own_clock: bool,
    /// In how many equal shares the outbox's bound is kept: 1, or one a partition where a bound
    /// over all of them would be one hot counter. The suite then asks each share for its own.
    pub outbox_shares: u64,
    /// How many threads race.
    pub threads: usize,
    /// How many operations each of them does in a race.
    pub rounds: usize,
    /// How many scripts are compared with the memory store.
    pub scripts: u32,
}

impl<S> Default for Expectations<S> {
    /// Not durable, given its clock, one outbox; 8 threads of 150 operations, 64 scripts.
    fn default() -> Self {
        Self {
            reopen: None,
            own_clock: false,
            outbox_shares: 1,
            threads: 8,
            rounds: 150,
            scripts: 64,
        }
    }
}

impl<S> fmt::Debug for Expectations<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expectations")
            .field("durable", &self.reopen.is_some())
            .field("own_clock", &self.own_clock)
            .field("outbox_shares", &self.outbox_shares)
            .field("threads", &self.threads)
            .field("rounds", &self.rounds)
            .field("scripts", &self.scripts)
            .finish()
    }
}

/// What a store must hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Property {
    /// Each key is a linearizable register, under real threads.
    Linearizable,
    /// A lost swap writes nothing: no version, no bytes, no event, no expiry.
    LostWritesNothing,
    /// [`Version::ABSENT`](countersign_ceremony::port::Version::ABSENT) is what stands where no
    /// record stands, and nothing else is.
    Absent,
    /// All 16 bytes of a version are compared and kept.
    WholeVersion,
    /// Events are there exactly when their settle is, once, those of a record in their order.
    EventsWithCommit,
    /// Bytes come back as they were given, whatever their number and values.
    Bytes,
    /// Keys that differ in one bit are two keys.
    Keys,
    /// A look answers in the order of its keys, and as often as a key is named.
    LookOrder,
    /// A record is absent from the second of its expiry on, by the time that a look tells.
    Expiry,
    /// A walk is complete and in order while others write.
    Walk,
    /// Forgetting takes out what it names and nothing else, and may be repeated.
    Forget,
    /// The outbox keeps its bound, by refusing or by dropping the oldest, under races as well.
    OutboxBound,
    /// Any sequence of operations has the answers of the memory store.
    Model,
    /// What was acknowledged is there after the store is opened again.
    Durable,
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linearizable => "each key is a linearizable register",
            Self::LostWritesNothing => "a lost swap writes nothing",
            Self::Absent => "ABSENT stands where no record does, and nowhere else",
            Self::WholeVersion => "all 16 bytes of a version count",
            Self::EventsWithCommit => "events are there exactly when their settle is",
            Self::Bytes => "bytes are never changed",
            Self::Keys => "keys are never mixed",
            Self::LookOrder => "a look answers in the order of its keys",
            Self::Expiry => "a record is absent from the second of its expiry on",
            Self::Walk => "a walk is complete and in order while others write",
            Self::Forget => "forgetting takes out what it names, and may be repeated",
            Self::OutboxBound => "the outbox keeps its bound",
            Self::Model => "any script has the answers of the memory store",
            Self::Durable => "what was acknowledged survives",
        })
    }
}

/// A property that a store does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which one.
    pub property: Property,
    /// What happened that must not: the operations that show it, a line each.
    pub history: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BROKEN: {}\n{}", self.property, self.history)
    }
}

/// A store that held everything that was asked of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What it was asked to hold.
    pub held: Vec<Property>,
    /// Whether [`Property::Durable`] was among it.
    pub durable: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for property in &self.held {
            writeln!(f, "held: {property}")?;
        }
        if !self.durable {
            writeln!(f, "not asked: {}", Property::Durable)?;
        }
        Ok(())
    }
}

/// Proves a store, or says how it is broken.
///
/// `fresh` makes an empty store that keeps the outbox and, unless it has its own, the clock that
/// it is given. It is called a few hundred times, inside the suite's Tokio runtime (several
/// threads, with all that the build of Tokio has).
///
/// # Errors
/// Every property that does not hold, each with the history that shows it.
pub fn prove<S: Store>(
    mut fresh: impl FnMut(Fresh) -> S,
    expectations: Expectations<S>,
) -> Result<Report, Vec<Broken>> {
    type Check<S> = fn(&mut Ground<'_, S>) -> Result<(), String>;
    let checks: [(Property, Check<S>); 14] = [
        (Property::LostWritesNothing, properties::swap::lost_writes_nothing),
        (Property::Absent, properties::swap::absent),
        (Property::WholeVersion, properties::swap::whole_version),
        (Property::Bytes, properties::bytes::bytes),
        (Property::Keys, properties::keys::keys),
        (Property::LookOrder, properties::keys::look_order),
        (Property::Expiry, properties::expiry::expiry),
        (Property::Forget, properties::outbox::forget),
        (Property::OutboxBound, properties::outbox::bound),
        (Property::Model, properties::model::model),
        (Property::Linearizable, properties::race::linearizable),
        (Property::EventsWithCommit, properties::race::events_with_commit),
        (Property::Walk, properties::walk::walk),
        (Property::Durable, properties::durable::durable),
    ];
    let durable = expectations.reopen.is_some();
    let mut ground = Ground::new(&mut fresh, expectations);
    let mut held = Vec::new();
    let mut broken = Vec::new();
    for (property, check) in checks {
        if property == Property::Durable && !durable {
            continue;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&mut ground)));
        match outcome.unwrap_or_else(|payload| Err(panicked(payload))) {
            Ok(()) => held.push(property),
            Err(history) => broken.push(Broken { property, history }),
        }
    }
    if broken.is_empty() { Ok(Report { held, durable }) } else { Err(broken) }
}
