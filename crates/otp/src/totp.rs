//! TOTP (RFC 6238): codes by the time.
//!
//! [`Totp::find`] is the only door for a code that came from outside. It takes the last step that was
//! spent, so that no caller can forget the one rule that keeps a code from passing twice (section
//! 5.2), does the same work whether and wherever a code matches, and answers with the step to store.

use crate::{
    Algorithm, Code, Digits, Drift, Keyed, Period, Radius, Secret, Step, UnixTime, Window,
    scan::{Codes, candidate},
};

/// What both sides agree on beside the secret: hash, digits and period, with `T0 = 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Totp {
    algorithm: Algorithm,
    digits: Digits,
    period: Period,
}

impl Totp {
    /// SHA-1, six digits, thirty seconds: what every app knows.
    pub const DEFAULT: Self = Self::new(Algorithm::Sha1, Digits::Six, Period::THIRTY);

    /// TOTP with this hash, so many digits, and steps of this length.
    pub const fn new(algorithm: Algorithm, digits: Digits, period: Period) -> Self {
        Self { algorithm, digits, period }
    }

    /// Its hash.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many digits its codes have.
    pub const fn digits(&self) -> Digits {
        self.digits
    }

    /// The length of its steps.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The step that `now` falls in (section 4.2).
    pub fn step_at(&self, now: UnixTime) -> Step {
        self.period.step_at(now)
    }

    /// Seconds until the next step: 1 to the period's length.
    pub fn remaining(&self, now: UnixTime) -> u64 {
        self.period.remaining(now)
    }

    /// Absorbs `secret` into this hash. The methods below compute with the hash of the key that they
    /// are given, so take it from here.
    pub fn key(&self, secret: &Secret) -> Keyed {
        Keyed::new(secret, self.algorithm)
    }

    /// The code of `step`.
    pub fn code(&self, key: &Keyed, step: Step) -> Code {
        let [value] = key.truncated([step.number()]);
        Code::truncated(value, self.digits)
    }

    /// Looks for `code` in the whole `window` around the present step, shifted by what is known of
    /// the device's `drift`. Codes at or below the last `spent` step are told as replayed.
    ///
    /// Constant work: neither time nor addresses depend on the key, on the code, or on where it
    /// matches. A code of another number of digits matches nowhere, at the same cost.
    #[must_use = "the step found must be stored, or the code passes again"]
    pub fn find(
        &self,
        key: &Keyed,
        code: &Code,
        window: Window,
        drift: Drift,
        spent: Option<Step>,
        now: UnixTime,
    ) -> Found {
        let candidate = candidate(code, self.digits);
        Codes::new(key, self.digits.divisor()).find(
            candidate,
            window,
            drift,
            spent,
            (self.period, now),
        )
    }

    /// [`Totp::find`] from the secret itself, for keys that are opened for one request and closed
    /// again.
    #[must_use = "the step found must be stored, or the code passes again"]
    pub fn find_raw(
        &self,
        secret: &Secret,
        code: &Code,
        window: Window,
        drift: Drift,
        spent: Option<Step>,
        now: UnixTime,
    ) -> Found {
        self.find(&self.key(secret), code, window, drift, spent, now)
    }

    /// Looks for two codes in a row, further from the present than one alone would be believed, after
    /// a device was out of step for long (section 6): `second` within `radius` of the present step,
    /// `first` right before it, both above the last `spent` step. Returns the step of the second, to
    /// store as spent, and the drift to verify with from now on.
    #[must_use = "the step found must be stored, or the codes pass again"]
    pub fn resynchronise(
        &self,
        key: &Keyed,
        first: &Code,
        second: &Code,
        radius: Radius,
        spent: Option<Step>,
        now: UnixTime,
    ) -> Option<(Step, Drift)> {
        let present = self.step_at(now);
        let steps = radius.offsets().filter_map(|o| present.checked_offset(o)).map(Step::number);
        let pair = (candidate(first, self.digits), candidate(second, self.digits));
        let number = Codes::new(key, self.digits.divisor()).latest_pair(
            pair,
            steps,
            spent.map(Step::number),
        )?;
        let step = Step::new(number);
        // Never refused: the radius is within what a drift holds.
        let drift = Drift::new(step.offset_from(present)).ok()?;
        Some((step, drift))
    }
}

impl Codes<'_> {
    /// What [`Totp::find`] tells of the code with this number, for steps of this period.
    #[must_use = "the step found must be stored, or the code passes again"]
    pub fn find(
        &self,
        candidate: u64,
        window: Window,
        drift: Drift,
        spent: Option<Step>,
        (period, now): (Period, UnixTime),
    ) -> Found {
        let present = period.step_at(now);
        let steps = window.offsets(drift).filter_map(|offset| present.checked_offset(offset));
        match self.latest(candidate, steps.map(Step::number), spent.map(Step::number)) {
            Some(Some(number)) => {
                let step = Step::new(number);
                let early = period.remaining(now) > period.secs() / 2;
                Found::Fresh { step, drift: drift.learn(step.offset_from(present), early) }
            }
            Some(None) => Found::Replayed,
            None => Found::No,
        }
    }
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the step found must be stored, or the code passes again"]
pub enum Found {
    /// It is right, and was not used before.
    Fresh {
        /// Its step, the latest if it is right at several: spent from now on.
        step: Step,
        /// What it teaches of the device's clock, for the next verification.
        drift: Drift,
    },
    /// It is right, but only at steps that are spent.
    Replayed,
    /// It is wrong.
    No,
}
