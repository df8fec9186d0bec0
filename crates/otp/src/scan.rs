//! The search for a code among counters: every counter of the range is computed and compared,
//! whatever matched before, and the latest match is selected by masks. Time tells neither whether a
//! code was right nor where it lay; first-match timing is a known leak of this kind of code.
//!
//! The latest match, not the first: what is remembered is the highest spent counter, so a code that
//! happens to be right at two of them is spent at both.

use subtle::ConstantTimeEq;

use crate::{Code, Digits, Keyed, decimal::Divisor};

/// What no truncated value equals: stands for a code of another length, so that it costs the same.
const NOTHING: u64 = u64::MAX;

/// The codes of a key as the numbers that they write: truncated values (RFC 4226, section 5.3), reduced.
/// Who writes them otherwise than in digits takes them from here.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'k> {
    key: &'k Keyed,
    divisor: Divisor,
}

impl<'k> Codes<'k> {
    /// Codes of so many different values.
    pub const fn new(key: &'k Keyed, values: Divisor) -> Self {
        Self { key, divisor: values }
    }

    /// The number of the code at a counter, or step.
    pub fn number(&self, counter: u64) -> u64 {
        let [value] = self.key.truncated([counter]);
        self.divisor.remainder(u64::from(value))
    }

    /// The latest of `counters`, which ascend, that `candidate` is the code of; no counter, if it is the
    /// code of some up to `spent` alone, which all are spent.
    pub(crate) fn latest(
        &self,
        candidate: u64,
        counters: impl Iterator<Item = u64>,
        spent: Option<u64>,
    ) -> Option<Option<u64>> {
        let (mut latest, mut fresh, mut replayed) = (0, 0, 0);
        self.each(counters, |counter, value| {
            let hit = equal(value, candidate);
            let above = above(counter, spent);
            latest ^= hit & above & (latest ^ counter);
            fresh |= hit & above;
            replayed |= hit & !above;
        });
        let unspent = (fresh != 0).then_some(latest);
        (fresh | replayed != 0).then_some(unspent)
    }

    /// The latest of `counters`, which are consecutive, that `second` is the code of while `first` is
    /// that of the one before, both above `spent`.
    pub(crate) fn latest_pair(
        &self,
        (first, second): (u64, u64),
        counters: impl Iterator<Item = u64>,
        spent: Option<u64>,
    ) -> Option<u64> {
        let (mut latest, mut found, mut first_before) = (0, 0, 0);
        self.each(counters, |counter, value| {
            let pair = equal(value, second) & first_before;
            latest ^= pair & (latest ^ counter);
            found |= pair;
            first_before = equal(value, first) & above(counter, spent);
        });
        (found != 0).then_some(latest)
    }

    /// Tells each counter with its code, in order; three at a time are computed side by side.
    #[inline]
    fn each(&self, counters: impl Iterator<Item = u64>, mut tell: impl FnMut(u64, u64)) {
        let mut counters = counters.fuse();
        loop {
            match [counters.next(), counters.next(), counters.next()] {
                [Some(a), Some(b), Some(c)] => self.group([a, b, c], &mut tell),
                [Some(a), Some(b), None] => break self.group([a, b], &mut tell),
                [Some(a), ..] => break self.group([a], &mut tell),
                [None, ..] => break,
            }
        }
    }

    #[inline]
    fn group<const N: usize>(&self, counters: [u64; N], tell: &mut impl FnMut(u64, u64)) {
        for (counter, value) in counters.into_iter().zip(self.key.truncated(counters)) {
            tell(counter, self.divisor.remainder(u64::from(value)));
        }
    }
}

/// What to compare a code's value with, where codes have so many digits.
pub(crate) fn candidate(code: &Code, digits: Digits) -> u64 {
    if code.digits() == digits.count() { code.last_eight() } else { NOTHING }
}

/// All bits if the two are equal, else none. What follows is masked by it: one passage through the barrier of
/// `subtle` each, since more of them cost as much as a compression.
#[inline]
fn equal(value: u64, candidate: u64) -> u64 {
    u64::from(value.ct_eq(&candidate).unwrap_u8()).wrapping_neg()
}

/// All bits if the counter is above what is spent, which is no secret, else none.
#[inline]
fn above(counter: u64, spent: Option<u64>) -> u64 {
    u64::from(spent.is_none_or(|spent| counter > spent)).wrapping_neg()
}
