//! The search for a code among counters: every counter of the range is computed and compared,
//! whatever matched before, and the latest match is selected by masks. Time tells neither whether a
//! code was right nor where it lay; first-match timing is a known leak of this kind of code.
//!
//! The latest match, not the first: what is remembered is the highest spent counter, so a code that
//! happens to be right at two of them is spent at both.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::{Code, CodeLength, Keyed, modulus::Modulus};

/// What no truncated value equals: stands for a code of another length, so that it costs the same.
const NOTHING: u64 = u64::MAX;

/// A family of codes: a key, and what its truncated values are reduced by.
pub(crate) struct Codes<'k> {
    pub(crate) key: &'k Keyed,
    pub(crate) modulus: Modulus,
}

/// Where a code was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hit {
    /// At this counter, above all that are spent.
    Fresh(u64),
    /// Only at counters that are spent.
    Spent,
    /// Nowhere.
    No,
}

impl Codes<'_> {
    #[inline]
    pub(crate) fn at(&self, counter: u64) -> u64 {
        self.modulus.reduce(self.key.truncated(counter))
    }

    /// The latest of `counters`, which ascend, that `candidate` is the code of. All up to `spent`
    /// are spent.
    pub(crate) fn latest(
        &self,
        candidate: u64,
        counters: impl Iterator<Item = u64>,
        spent: Option<u64>,
    ) -> Hit {
        let mut latest = 0;
        let (mut fresh, mut replayed) = (Choice::from(0), Choice::from(0));
        for counter in counters {
            let hit = self.at(counter).ct_eq(&candidate);
            let above = above(counter, spent);
            latest.conditional_assign(&counter, hit & above);
            fresh |= hit & above;
            replayed |= hit & !above;
        }
        if fresh.into() {
            Hit::Fresh(latest)
        } else if replayed.into() {
            Hit::Spent
        } else {
            Hit::No
        }
    }

    /// The latest of `counters`, which are consecutive, that `second` is the code of while `first` is
    /// that of the one before, both above `spent`.
    pub(crate) fn latest_pair(
        &self,
        (first, second): (u64, u64),
        counters: impl Iterator<Item = u64>,
        spent: Option<u64>,
    ) -> Option<u64> {
        let mut latest = 0;
        let (mut found, mut first_before) = (Choice::from(0), Choice::from(0));
        for counter in counters {
            let value = self.at(counter);
            let pair = value.ct_eq(&second) & first_before;
            latest.conditional_assign(&counter, pair);
            found |= pair;
            first_before = value.ct_eq(&first) & above(counter, spent);
        }
        bool::from(found).then_some(latest)
    }
}

/// What to compare a code's value with, where codes have this length.
pub(crate) fn candidate(code: &Code, length: CodeLength) -> u64 {
    if code.length() == length { code.value() } else { NOTHING }
}

fn above(counter: u64, spent: Option<u64>) -> Choice {
    Choice::from(u8::from(spent.is_none_or(|spent| counter > spent)))
}
