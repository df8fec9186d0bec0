//! HOTP (RFC 4226): codes by a counter.
//!
//! The verifier keeps the next counter that it expects and stores what [`Hotp::find`] returns in its
//! place: the code that matched, and all before it, never pass again. Nothing before the expected
//! counter is ever looked at, and a failure moves nothing (section 7.2).

use crate::{
    Code, Digits, Invalid, Keyed,
    scan::{Codes, candidate},
};

/// What both sides agree on beside the secret and the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hotp {
    digits: Digits,
}

impl Hotp {
    /// HOTP with codes of so many digits.
    pub const fn new(digits: Digits) -> Self {
        Self { digits }
    }

    /// How many digits its codes have.
    pub const fn digits(&self) -> Digits {
        self.digits
    }

    /// The code of `counter` (section 5.3).
    pub fn code(&self, key: &Keyed, counter: u64) -> Code {
        let [value] = key.truncated([counter]);
        Code::truncated(value, self.digits)
    }

    /// The same by the block functions of `sha1` and `sha2` alone: what lanes are measured against.
    #[cfg(feature = "lanes")]
    pub fn code_by_blocks(&self, key: &Keyed, counter: u64) -> Code {
        let [value] = key.truncated_by_blocks([counter]);
        Code::truncated(value, self.digits)
    }

    /// Looks for `code` among the counters from `next`, which is the one expected, to `ahead` beyond
    /// it (section 7.4), in constant time, and returns the counter to expect from now on, beyond the
    /// latest match. `None` if there is no match.
    ///
    /// The last counter of all, 2^64 - 1, is never accepted: nothing could be expected after it.
    #[must_use = "the counter returned must be stored, or the code passes again"]
    pub fn find(&self, key: &Keyed, code: &Code, next: u64, ahead: LookAhead) -> Option<u64> {
        let counters = next..=next.saturating_add(u64::from(ahead.0));
        let candidate = candidate(code, self.digits);
        let latest = Codes::new(key, self.digits.divisor()).latest(candidate, counters, None);
        latest.flatten()?.checked_add(1)
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
        let pair = (candidate(first, self.digits), candidate(second, self.digits));
        Codes::new(key, self.digits.divisor()).latest_pair(pair, counters, None)?.checked_add(1)
    }
}

bounded! {
    /// How many counters beyond the expected one a code is looked for: 0 to 15, as few as the device's
    /// unused codes allow. A guess can hit one code more than this.
    LookAhead: 0..=15 counters
}

bounded! {
    /// How many counters beyond the expected one a resynchronisation looks: 1 to 100. A guess of two
    /// codes can hit one pair more than this.
    Reach: 1..=100 counters
}
