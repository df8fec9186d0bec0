//! How far from the present step a code may lie: the window, the learned drift, and the radius of a
//! resynchronisation (RFC 6238, sections 5.2 and 6).
//!
//! Every code that is accepted is one that a guess can hit, so all three are bounded by their types.
//! A drift shifts the window and never widens it.

use crate::Invalid;

/// The steps around the expected one whose codes are accepted: at most two on either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    back: u8,
    ahead: u8,
}

impl Window {
    /// One step back, for the time that typing and the network take (RFC 6238, section 5.2), and one
    /// ahead, for a clock that is fast.
    pub const DEFAULT: Self = Self { back: 1, ahead: 1 };

    /// The expected step alone.
    pub const NONE: Self = Self { back: 0, ahead: 0 };

    /// `back` steps before the expected one and `ahead` after it.
    ///
    /// # Errors
    /// When either is more than 2.
    pub const fn new(back: u8, ahead: u8) -> Result<Self, Invalid> {
        if back > 2 || ahead > 2 {
            return Err(Invalid::Window);
        }
        Ok(Self { back, ahead })
    }

    /// Steps before the expected one: 0 to 2.
    pub const fn back(self) -> u8 {
        self.back
    }

    /// Steps after the expected one: 0 to 2.
    pub const fn ahead(self) -> u8 {
        self.ahead
    }

    /// How many codes are accepted at any moment, 1 to 5: what a single guess can hit.
    pub const fn codes(self) -> u8 {
        self.back.saturating_add(self.ahead).saturating_add(1)
    }

    /// The offsets from the present step that are accepted from a device with this drift.
    pub fn offsets(self, drift: Drift) -> impl Iterator<Item = i8> {
        drift.0.saturating_sub_unsigned(self.back)..=drift.0.saturating_add_unsigned(self.ahead)
    }
}

/// How many steps a device's clock runs ahead (positive) or behind (negative): what was learned from
/// it, to be given to its next verification (RFC 6238, section 6).
///
/// Verification alone never carries it further out than two steps. Only a resynchronisation does, up
/// to twenty; from there verification follows the device back in, but not further out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Drift(i8);

impl Drift {
    /// No drift is known.
    pub const NONE: Self = Self(0);

    /// How far verification may carry a drift out: 2 steps.
    pub const LEARNED_MAX: i8 = 2;

    /// How far a resynchronisation may set it: 20 steps.
    pub const MAX: i8 = 20;

    /// A drift that was stored: -20 to 20 steps.
    ///
    /// # Errors
    /// When `steps` is outside that.
    pub const fn new(steps: i8) -> Result<Self, Invalid> {
        if steps < -Self::MAX || steps > Self::MAX {
            return Err(Invalid::Drift);
        }
        Ok(Self(steps))
    }

    /// Its steps: -20 to 20, positive when the device runs ahead.
    pub const fn steps(self) -> i8 {
        self.0
    }

    /// What a match at `offset` from the present step teaches, early or late in that step.
    ///
    /// A device that is behind by a second shows the step before for a second of each step, so a match
    /// leaves two drifts that would explain it: its own offset, and the next one, later if the present
    /// step has just begun and earlier if it is about to end. The known drift moves no further than to
    /// the nearer of them, so that it does not swing where a clock is wrong by about half a step.
    #[must_use = "what was learned is for the next verification"]
    pub fn learn(self, offset: i8, early: bool) -> Self {
        let (low, high) = if early { (0, 1) } else { (-1, 0) };
        let drift = self.0.clamp(offset.saturating_add(low), offset.saturating_add(high));
        let bound = self.0.saturating_abs().max(Self::LEARNED_MAX);
        Self(drift.clamp(bound.saturating_neg(), bound))
    }
}

bounded! {
    /// How far on either side of the present step a resynchronisation looks: 1 to 20 steps. With
    /// steps of 30 seconds, 20 are ten minutes and 41 pairs of codes.
    Radius: 1..=20 steps
}

impl Radius {
    /// The offsets at which the second of two codes may lie, with the one before them for the first.
    pub(crate) fn offsets(self) -> impl Iterator<Item = i8> {
        0i8.saturating_sub_unsigned(self.0).saturating_sub(1)..=0i8.saturating_add_unsigned(self.0)
    }
}
