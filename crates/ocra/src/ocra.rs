//! OCRA = CryptoFunction(K, DataInput) (RFC 6287, section 5).
//!
//! Verification computes every candidate of its window, compares each in constant time and keeps the
//! latest match, so that its time says nothing of where the match was. What it does not do is
//! remember: a question is asked once (section 7.1), a counter is raised, a time step is spent, by
//! whoever keeps the record.

use core::fmt;

use countersign_otp::{Algorithm, Secret, UnixTime};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConditionallySelectable as _;
use zeroize::Zeroize as _;

use crate::{Input, InputError, Response, Suite, input};

/// A key and its suite.
#[derive(Clone)]
pub struct Ocra {
    suite: Suite,
    secret: Secret,
}

/// How far to look beyond what is expected: counters, or time steps to either side. 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ahead(u8);

/// A window beyond 100, in which guessing would be too easy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowError;

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a window has at most 100 steps")
    }
}

impl core::error::Error for WindowError {}

impl Ahead {
    /// Nothing beyond.
    pub const NONE: Self = Self(0);

    /// So many steps.
    ///
    /// # Errors
    ///
    /// [`WindowError`] beyond 100.
    pub fn new(steps: u8) -> Result<Self, WindowError> {
        if steps > 100 { Err(WindowError) } else { Ok(Self(steps)) }
    }
}

impl Ocra {
    /// Computes by `suite` with `secret`. Section 6.1 has keys as long as the hash's output.
    #[must_use]
    pub fn new(suite: Suite, secret: Secret) -> Self {
        Self { suite, secret }
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> &Suite {
        &self.suite
    }

    /// The response to `input`.
    ///
    /// # Errors
    ///
    /// [`InputError`] if the input is not of the suite's parts.
    pub fn response(&self, input: &Input<'_>) -> Result<Response, InputError> {
        let key = self.secret.expose();
        let length = self.suite.length();
        // HMAC takes a key of any length, so that the alternative is never taken.
        macro_rules! respond {
            ($hash:ty) => {{
                let Ok(mut hmac) = Hmac::<$hash>::new_from_slice(key) else {
                    return Err(InputError::Missing("key"));
                };
                input::write(&self.suite, input, |part| hmac.update(part))?;
                let mut output = hmac.finalize().into_bytes();
                let response = Response::truncate(&output, length);
                output.as_mut_slice().zeroize();
                response
            }};
        }
        Ok(match self.suite.algorithm() {
            Algorithm::Sha1 => respond!(Sha1),
            Algorithm::Sha256 => respond!(Sha256),
            Algorithm::Sha512 => respond!(Sha512),
        })
    }

    /// Whether `response` answers `input`, in constant time.
    ///
    /// # Errors
    ///
    /// [`InputError`] if the input is not of the suite's parts. No judgement was made then.
    pub fn verify(&self, input: &Input<'_>, response: &Response) -> Result<bool, InputError> {
        Ok(self.response(input)?.ct_eq(response).into())
    }

    /// Looks for `response` at the counter `next` and those after it, and returns the counter to
    /// expect from now on: **store it**. The last counter of all, 2^64 - 1, is never accepted.
    ///
    /// # Errors
    ///
    /// As [`Ocra::verify`].
    pub fn find_counter(
        &self,
        input: &Input<'_>,
        response: &Response,
        next: u64,
        ahead: Ahead,
    ) -> Result<Option<u64>, InputError> {
        let counters = next..=next.saturating_add(u64::from(ahead.0));
        let found = self.latest(counters, |counter| input.counter(counter), response)?;
        Ok(found.and_then(|counter| counter.checked_add(1)))
    }

    /// Looks for `response` at the time `now` and so many steps to either side, and returns the
    /// latest step that matched: **refuse it if it is not later than the one spent last.**
    ///
    /// # Errors
    ///
    /// As [`Ocra::verify`]; [`InputError::Superfluous`] if the suite has no time.
    pub fn find_step(
        &self,
        input: &Input<'_>,
        response: &Response,
        radius: Ahead,
        now: UnixTime,
    ) -> Result<Option<u64>, InputError> {
        let length = self.suite.step().ok_or(InputError::Superfluous("time"))?;
        let length = u64::from(length);
        let step = now.secs().checked_div(length).unwrap_or_default();
        let radius = u64::from(radius.0);
        let steps = step.saturating_sub(radius)..=step.saturating_add(radius);
        let at = |step: u64| input.at(UnixTime::from_secs(step.saturating_mul(length)));
        self.latest(steps, at, response)
    }

    /// The latest of `places` whose response is `response`; all are computed.
    fn latest<'a>(
        &self,
        places: impl Iterator<Item = u64>,
        input: impl Fn(u64) -> Input<'a>,
        response: &Response,
    ) -> Result<Option<u64>, InputError> {
        let (mut latest, mut found) = (0_u64, 0_u8);
        for place in places {
            let equal = self.response(&input(place))?.ct_eq(response);
            latest.conditional_assign(&place, equal);
            found |= equal.unwrap_u8();
        }
        Ok((found == 1).then_some(latest))
    }
}

impl fmt::Debug for Ocra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ocra").field("suite", &self.suite).finish_non_exhaustive()
    }
}
