//! Time as an argument: seconds, steps, and the length of a step (RFC 6238, section 4).
//!
//! Nothing here reads a clock. Every operation is total: no second and no step, up to the largest,
//! makes anything panic or wrap.

use core::num::NonZeroU64;

use crate::Invalid;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds: the Unix time of RFC 6238, section 4.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The moment `secs` seconds after [`UnixTime::EPOCH`].
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since [`UnixTime::EPOCH`].
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// `secs` seconds later, or the last representable moment.
    pub const fn saturating_add(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs))
    }

    /// `secs` seconds earlier, or [`UnixTime::EPOCH`].
    pub const fn saturating_sub(self, secs: u64) -> Self {
        Self(self.0.saturating_sub(secs))
    }

    /// Seconds from `earlier` until `self`; 0 if `earlier` is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The number of a time step: `T` of RFC 6238, section 4.2, in 64 bits, so that it outlives 2038.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(u64);

impl Step {
    /// The step with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// `steps` steps later, or earlier when negative; `None` where there is no such step.
    pub fn checked_offset(self, steps: i8) -> Option<Self> {
        self.0.checked_add_signed(i64::from(steps)).map(Self)
    }

    /// How many steps `self` lies after `other`, negative when before, capped to what an `i8` holds.
    pub fn offset_from(self, other: Self) -> i8 {
        let distance = i8::try_from(self.0.abs_diff(other.0)).unwrap_or(i8::MAX);
        if self < other { distance.saturating_neg() } else { distance }
    }
}

/// The length of a step: `X` of RFC 6238, section 4.1, 15 to 120 seconds.
///
/// A shorter one leaves nobody the time to type, a longer one gives a shoulder-surfer too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period(NonZeroU64);

impl Period {
    /// 30 seconds, the default that RFC 6238, section 5.2 recommends and the only one most apps know.
    pub const THIRTY: Self = Self(NonZeroU64::MIN.saturating_add(29));

    /// A period of `secs` seconds.
    ///
    /// # Errors
    /// When `secs` is not within 15 to 120.
    pub const fn new(secs: u64) -> Result<Self, Invalid> {
        match NonZeroU64::new(secs) {
            Some(length) if secs >= 15 && secs <= 120 => Ok(Self(length)),
            _ => Err(Invalid::Period),
        }
    }

    /// Its seconds.
    pub const fn secs(self) -> u64 {
        self.0.get()
    }

    /// The step that `now` falls in, with `T0 = 0`.
    pub(crate) fn step_at(self, now: UnixTime) -> Step {
        Step(now.0 / self.0)
    }

    /// Seconds from `now` to the next step: 1 to the period's length.
    pub(crate) fn remaining(self, now: UnixTime) -> u64 {
        self.secs().saturating_sub(now.0 % self.0)
    }
}
