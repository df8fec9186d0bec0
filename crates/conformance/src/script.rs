//! Scripts of operations: the same one run on a store and on the memory store, answer by answer.
//!
//! A script comes from a strategy (and shrinks to its smallest failing form) or from bytes (and
//! serves a fuzzer). It names keys, versions and events by their place, so that every script means
//! something.

use std::fmt::{Debug, Write as _};

use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{
    EventId, Key, Looked, Outbox, Settle, Settled, Store, Version, Walked, WhenFull,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::{option, prop_oneof};

use crate::ground::{Caller, Fresh, Ground};
use crate::suite::Expectations;

/// How many keys a script uses; they differ in one bit.
const KEYS: u8 = 5;

/// What is done, one after the other, on a fresh store with this outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// The bound of its outbox.
    pub outbox: Outbox,
    /// What is done.
    pub steps: Vec<Step>,
}

/// One operation. A key is a number modulo a few.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Looks at these keys.
    Look(Vec<u8>),
    /// Swaps one record.
    Settle {
        /// Its key.
        key: u8,
        /// Which version is named.
        expected: Expected,
        /// How many bytes it gets.
        size: u16,
        /// How many events go with it, modulo four.
        events: u8,
        /// After how many seconds it ends, less one: 0 has ended already.
        lasts: Option<u8>,
    },
    /// Turns the clock.
    Advance(u8),
    /// Walks one page.
    Walk {
        /// After this key.
        after: Option<u8>,
        /// At most this many.
        limit: u8,
    },
    /// Reads the oldest events.
    Events(u8),
    /// Forgets events by their place in the order of all that were ever made.
    Forget {
        /// The first.
        first: u8,
        /// How many.
        count: u8,
    },
    /// Opens the store again, where it is durable.
    Reopen,
}

/// Which version a settle names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// The one that stands there.
    Present,
    /// None.
    Absent,
    /// One that stood there before.
    Past,
    /// The present counter with another write's id.
    Forged,
}

impl Script {
    /// A script for every sequence of bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (outbox, steps) = bytes.split_first().unwrap_or((&0, &[]));
        let steps = steps.chunks_exact(4).filter_map(|chunk| match *chunk {
            [kind, a, b, c] => Some(Step::from_bytes(kind, a, b, c)),
            _ => None,
        });
        Self { outbox: outbox_of(*outbox), steps: steps.take(200).collect() }
    }

    /// Scripts for a property test.
    pub fn strategy() -> impl Strategy<Value = Self> {
        (any::<u8>(), vec(Step::strategy(), 1..40))
            .prop_map(|(outbox, steps)| Self { outbox: outbox_of(outbox), steps })
    }

    /// Runs it on a store and on the memory store.
    ///
    /// # Errors
    /// What was done, and the first answer that differs.
    pub fn run<S: Store>(
        &self,
        mut fresh: impl FnMut(Fresh) -> S,
        expectations: Expectations<S>,
    ) -> Result<(), String> {
        self.run_on(&mut Ground::new(&mut fresh, expectations))
    }

    pub(crate) fn run_on<S: Store>(&self, ground: &mut Ground<'_, S>) -> Result<(), String> {
        let mut stage = Stage {
            model: MemoryStore::with_outbox(ground.dial.clone(), self.outbox),
            outbox: self.outbox,
            past: Vec::new(),
            events: Vec::new(),
        };
        let mut store = ground.store_with(self.outbox)?;
        for (at, step) in self.steps.iter().enumerate() {
            if *step == Step::Reopen {
                store = ground.reopen(store, self.outbox)?;
                continue;
            }
            stage.run(ground, &store, step).map_err(|differs| {
                let mut text = format!("{:?}\n", self.outbox);
                for step in self.steps.iter().take(at.saturating_add(1)) {
                    let _ = writeln!(text, "  {step:?}");
                }
                text + &differs
            })?;
        }
        Ok(())
    }
}

impl Step {
    fn from_bytes(kind: u8, a: u8, b: u8, c: u8) -> Self {
        match kind % 16 {
            0..=1 => Self::Look(vec![a, b, c]),
            2..=8 => Self::Settle {
                key: a,
                expected: match b % 8 {
                    0..=4 => Expected::Present,
                    5 => Expected::Absent,
                    6 => Expected::Past,
                    _ => Expected::Forged,
                },
                size: u16::from(kind).wrapping_mul(u16::from(c)),
                events: b / 8,
                lasts: c.is_multiple_of(4).then_some(c / 4 % 5),
            },
            9 => Self::Advance(a % 4),
            10..=11 => Self::Walk { after: (!a.is_multiple_of(8)).then_some(a), limit: b % 8 },
            12 => Self::Events(a),
            13..=14 => Self::Forget { first: a, count: b % 4 },
            _ => Self::Reopen,
        }
    }

    fn strategy() -> impl Strategy<Value = Self> {
        let expected = prop_oneof![
            5 => Just(Expected::Present),
            1 => Just(Expected::Absent),
            1 => Just(Expected::Past),
            1 => Just(Expected::Forged),
        ];
        let settle = (0..KEYS, expected, 0..3000_u16, 0..4_u8, option::weighted(0.3, 0..5_u8));
        prop_oneof![
            2 => vec(0..KEYS, 0..5).prop_map(Self::Look),
            8 => settle.prop_map(|(key, expected, size, events, lasts)| Self::Settle {
                key, expected, size, events, lasts,
            }),
            1 => (0..4_u8).prop_map(Self::Advance),
            1 => (option::of(0..KEYS), 0..8_u8).prop_map(|(after, limit)| Self::Walk { after, limit }),
            1 => (0..20_u8).prop_map(Self::Events),
            1 => (0..20_u8, 0..4_u8).prop_map(|(first, count)| Self::Forget { first, count }),
            1 => Just(Self::Reopen),
        ]
    }
}

/// The model beside the store, and what happened so far.
struct Stage {
    model: MemoryStore,
    outbox: Outbox,
    /// Every version that was won, with its key.
    past: Vec<(Key, Version)>,
    /// Every event that was offered.
    events: Vec<EventId>,
}

impl Stage {
    fn run<S: Store>(
        &mut self,
        ground: &mut Ground<'_, S>,
        store: &S,
        step: &Step,
    ) -> Result<(), String> {
        let own_clock = ground.expectations.own_clock;
        let store = ground.caller(store)?;
        let model = &self.model;
        match step {
            Step::Look(keys) => {
                let keys: Vec<Key> = keys.iter().copied().map(near_key).collect();
                let shown =
                    |looked: Looked| (looked.entries, (!own_clock).then_some(looked.store_time));
                let due = store.wait(model.look(&keys))?.map(shown);
                same(&due, &store.wait(store.store.look(&keys))?.map(shown))
            }
            Step::Settle { .. } => {
                let settle = self.settle(ground, &store, step)?;
                let due = store.wait(self.model.settle(settle.clone()))?;
                let found = store.try_settle(settle.clone())?;
                same(&due, &found)?;
                if due == Ok(Settled::Won) {
                    self.past.push((settle.key, settle.next));
                    self.events.extend(settle.events.iter().map(|event| event.id));
                }
                Ok(())
            }
            Step::Advance(seconds) => {
                ground.dial.advance(u64::from(*seconds));
                Ok(())
            }
            Step::Walk { after, limit } => {
                let (after, limit) = (after.map(near_key), usize::from(*limit));
                let shown = |page: Vec<Walked>| -> Vec<_> {
                    page.into_iter().map(|row| (row.key, row.entry, row.expiry)).collect()
                };
                let due = store.wait(model.walk(after, limit))?.map(shown);
                same(&due, &store.wait(store.store.walk(after, limit))?.map(shown))
            }
            Step::Events(limit) => {
                let due = store.wait(model.events(usize::from(*limit)))?;
                same(&due, &store.wait(store.store.events(usize::from(*limit)))?)
            }
            Step::Forget { first, count } => {
                let (first, count) = (usize::from(*first), usize::from(*count));
                let ids: Vec<_> = self.events.iter().skip(first).take(count).copied().collect();
                let due = store.wait(model.forget(&ids))?;
                same(&due, &store.wait(store.store.forget(&ids))?)
            }
            Step::Reopen => Ok(()),
        }
    }

    /// What a settle step means now.
    fn settle<S: Store>(
        &self,
        ground: &mut Ground<'_, S>,
        caller: &Caller<'_, S>,
        step: &Step,
    ) -> Result<Settle, String> {
        let Step::Settle { key, expected, size, events, lasts } = step else {
            return Err("no settle\n".to_owned());
        };
        let key = near_key(*key);
        let looked = caller.wait(self.model.look(&[key]))?.map_err(|error| error.to_string())?;
        let present = looked.entries.into_iter().flatten().next();
        let present = present.map_or(Version::ABSENT, |entry| entry.version);
        let expected = match expected {
            Expected::Present => present,
            Expected::Absent => Version::ABSENT,
            Expected::Past => {
                let mut past = self.past.iter().rev().filter(|(at, _)| *at == key);
                past.nth(1).map_or(Version::ABSENT, |(_, version)| *version)
            }
            Expected::Forged => {
                let mut bytes = present.to_bytes();
                bytes[15] ^= 0x40;
                Version::from_bytes(bytes)
            }
        };
        // No more than the bound at once: what a store does then is not asked.
        let most = u8::try_from(self.outbox.bound).unwrap_or(u8::MAX).min(4);
        let mut settle = ground.settle(key, expected, events % most);
        settle.bytes = settle.bytes.iter().cycle().take(usize::from(*size)).copied().collect();
        if !ground.expectations.own_clock {
            let end =
                |after: u8| looked.store_time.saturating_add(u64::from(after)).saturating_sub(1);
            settle.expiry = lasts.map(end);
        }
        Ok(settle)
    }
}

fn same<T: PartialEq + Debug>(due: &T, found: &T) -> Result<(), String> {
    if due == found {
        return Ok(());
    }
    Err(format!("there the memory store says\n  {due:?}\nand this one\n  {found:?}\n"))
}

fn outbox_of(byte: u8) -> Outbox {
    let bound = u64::from(byte % 8).saturating_add(4);
    match byte / 8 % 4 {
        0 => Outbox { bound, when_full: WhenFull::Refuse },
        1 => Outbox { bound, when_full: WhenFull::DropOldest },
        _ => Outbox::default(),
    }
}

/// Keys that differ in one bit.
fn near_key(n: u8) -> Key {
    let mut bytes = [0x40; 32];
    if let Some(last) = bytes.last_mut() {
        *last ^= 1 << (n % KEYS);
    }
    Key::from_bytes(bytes)
}
