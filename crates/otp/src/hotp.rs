//! HOTP (RFC 4226): codes by a counter.
//!
//! The verifier keeps the next counter that it expects and stores what [`Hotp::find`] returns in its
//! place: the code that matched, and all before it, never pass again. Nothing before the expected
//! counter is ever looked at, and a failure moves nothing (section 7.2).

use core::fmt;

use crate::{
    Code, Digits, Keyed,
    scan::{Codes, Hit, candidate},
};

/// What both sides agree on beside the secret and the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hotp {
    digits: Digits,
}

impl Hotp {
    /// HOTP with codes of so many digits.
    #[must_use]
    pub const fn new(digits: Digits) -> Self {
        Self { digits }
    }

    /// How many digits its codes have.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }

    /// The code of `counter` (section 5.3).
    #[must_use]
    pub fn code(&self, key: &Keyed, counter: u64) -> Code {
        Code::from_value(self.codes(key).at(counter), self.digits.into())
    }

    /// Looks for `code` among the counters from `next`, which is the one expected, to `ahead` beyond
    /// it (section 7.4), in constant time, and returns the counter to expect from now on, beyond the
    /// latest match. `None` if there is no match.
    ///
    /// The last counter of all, 2^64 - 1, is never accepted: nothing could be expected after it.
    #[must_use = "the counter returned must be stored, or the code passes again"]
    pub fn find(&self, key: &Keyed, code: &Code, next: u64, ahead: LookAhead) -> Option<u64> {
        let counters = next..=next.saturating_add(u64::from(ahead.0));
        let candidate = candidate(code, self.digits.into());
        match self.codes(key).latest(candidate, counters, None) {
            Hit::Fresh(counter) => counter.checked_add(1),
            Hit::Spent | Hit::No => None,
        }
    }

    /// Looks for two codes in a row, further ahead than one alone would be believed (section 7.4):
    /// `first` at `next` to `reach` beyond it, `second` right after it. Returns the counter to expect
    /// from now on, or `None`.
    #[must_use = "the counter returned must be stored, or the codes pass again"]
    pub fn resynchronise(
        &self,
        key: &Keyed,
        first: &Code,
        second: &Code,
        next: u64,
        reach: Reach,
    ) -> Option<u64> {
        let counters = next..=next.saturating_add(u64::from(reach.0)).saturating_add(1);
        let length = self.digits.into();
        let pair = (candidate(first, length), candidate(second, length));
        self.codes(key).latest_pair(pair, counters, None)?.checked_add(1)
    }

    fn codes<'k>(&self, key: &'k Keyed) -> Codes<'k> {
        Codes { key, modulus: self.digits.modulus() }
    }
}

/// How many counters beyond the expected one a code is looked for: 0 to 15, as few as the device's
/// unused codes allow. A guess can hit one code more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookAhead(u8);

impl LookAhead {
    /// The expected counter alone.
    pub const NONE: Self = Self(0);

    /// 15 beyond the expected one.
    pub const MAX: Self = Self(15);

    /// `counters` beyond the expected one.
    ///
    /// # Errors
    /// When there are more than 15.
    pub const fn new(counters: u8) -> Result<Self, LookAheadError> {
        if counters > Self::MAX.0 {
            return Err(LookAheadError);
        }
        Ok(Self(counters))
    }

    /// How many codes are accepted at any moment, 1 to 16: what a single guess can hit.
    #[must_use]
    pub const fn codes(self) -> u8 {
        self.0.saturating_add(1)
    }
}

/// How many counters beyond the expected one a resynchronisation looks: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reach(u8);

impl Reach {
    /// 100 beyond the expected one.
    pub const MAX: Self = Self(100);

    /// `counters` beyond the expected one.
    ///
    /// # Errors
    /// When there are none, or more than 100.
    pub const fn new(counters: u8) -> Result<Self, ReachError> {
        if counters == 0 || counters > Self::MAX.0 {
            return Err(ReachError);
        }
        Ok(Self(counters))
    }

    /// How many pairs of codes are accepted, 2 to 101: what a single guess of two codes can hit.
    #[must_use]
    pub const fn pairs(self) -> u8 {
        self.0.saturating_add(1)
    }
}

/// A look-ahead of more than 15 counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookAheadError;

impl fmt::Display for LookAheadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a look-ahead is at most 15 counters; beyond it, resynchronise")
    }
}

impl core::error::Error for LookAheadError {}

/// A reach of no counter, or of more than 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReachError;

impl fmt::Display for ReachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resynchronisation looks 1 to 100 counters ahead")
    }
}

impl core::error::Error for ReachError {}
