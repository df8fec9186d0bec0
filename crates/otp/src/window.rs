//! How far from the present step a code may lie: the window, the learned drift, and the radius of a
//! resynchronisation (RFC 6238, sections 5.2 and 6).
//!
//! Every code that is accepted is one that a guess can hit, so all three are bounded by their types.
//! A drift shifts the window and never widens it.

use core::fmt;

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
    pub const fn new(back: u8, ahead: u8) -> Result<Self, WindowError> {
        if back > 2 || ahead > 2 {
            return Err(WindowError);
        }
        Ok(Self { back, ahead })
    }

    /// Steps before the expected one: 0 to 2.
    #[must_use]
    pub const fn back(self) -> u8 {
        self.back
    }

    /// Steps after the expected one: 0 to 2.
    #[must_use]
    pub const fn ahead(self) -> u8 {
        self.ahead
    }

    /// How many codes are accepted at any moment, 1 to 5: what a single guess can hit.
    #[must_use]
    pub const fn codes(self) -> u8 {
        self.back.saturating_add(self.ahead).saturating_add(1)
    }

    /// The offsets from the present step that are accepted from a device with this drift.
    pub(crate) fn offsets(self, drift: Drift) -> impl Iterator<Item = i8> {
        drift.0.saturating_sub_unsigned(self.back)..=drift.0.saturating_add_unsigned(self.ahead)
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::DEFAULT
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
    pub const fn new(steps: i8) -> Result<Self, DriftError> {
        if steps < -Self::MAX || steps > Self::MAX {
            return Err(DriftError);
        }
        Ok(Self(steps))
    }

    /// Its steps: -20 to 20, positive when the device runs ahead.
    #[must_use]
    pub const fn steps(self) -> i8 {
        self.0
    }

    /// What a match at `offset` from the present step teaches.
    pub(crate) fn learn(self, offset: i8) -> Self {
        let bound = self.0.saturating_abs().max(Self::LEARNED_MAX);
        Self(offset.clamp(bound.saturating_neg(), bound))
    }
}

/// How far on either side of the present step a resynchronisation looks: 1 to 20 steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Radius(u8);

impl Radius {
    /// 20 steps: ten minutes of 30-second steps, 41 pairs of codes.
    pub const MAX: Self = Self(20);

    /// `steps` on either side.
    ///
    /// # Errors
    /// When `steps` is not within 1 to 20.
    pub const fn new(steps: u8) -> Result<Self, RadiusError> {
        if steps == 0 || steps > Self::MAX.0 {
            return Err(RadiusError);
        }
        Ok(Self(steps))
    }

    /// Its steps: 1 to 20.
    #[must_use]
    pub const fn steps(self) -> u8 {
        self.0
    }

    /// The offsets at which the second of two codes may lie, with the one before them for the first.
    pub(crate) fn offsets(self) -> impl Iterator<Item = i8> {
        0i8.saturating_sub_unsigned(self.0).saturating_sub(1)..=0i8.saturating_add_unsigned(self.0)
    }
}

/// A window of more than two steps on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowError;

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a window reaches at most 2 steps back and 2 ahead")
    }
}

impl core::error::Error for WindowError {}

/// A drift of more than twenty steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriftError;

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a drift is at most 20 steps either way")
    }
}

impl core::error::Error for DriftError {}

/// A radius of no step, or of more than twenty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RadiusError;

impl fmt::Display for RadiusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resynchronisation looks 1 to 20 steps either way")
    }
}

impl core::error::Error for RadiusError {}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec::Vec;

    #[test]
    fn windows_reach_two_steps_either_way() {
        for back in 0..=u8::MAX {
            for ahead in 0..=u8::MAX {
                let window = Window::new(back, ahead);
                assert_eq!(window.is_ok(), back <= 2 && ahead <= 2);
                if let Ok(window) = window {
                    assert_eq!((window.back(), window.ahead()), (back, ahead));
                    assert_eq!(window.codes(), back + ahead + 1);
                    assert_eq!(window.offsets(Drift::NONE).count(), usize::from(window.codes()));
                }
            }
        }
        assert_eq!(Window::default(), Window::new(1, 1).unwrap());
        assert_eq!(Window::NONE.codes(), 1);
    }

    #[test]
    fn drift_shifts_the_window_and_never_widens_it() {
        let window = Window::new(2, 1).unwrap();
        for steps in -20..=20 {
            let offsets: Vec<i8> = window.offsets(Drift::new(steps).unwrap()).collect();
            assert_eq!(offsets, [steps - 2, steps - 1, steps, steps + 1]);
        }
    }

    #[test]
    fn drift_is_learned_to_two_steps_and_set_to_twenty() {
        assert!(
            Drift::new(-21).is_err() && Drift::new(21).is_err() && Drift::new(i8::MIN).is_err()
        );
        let learn = |from, offset| Drift::new(from).unwrap().learn(offset).steps();
        assert_eq!(
            [-4, -3, -2, -1, 0, 1, 2, 3, 4].map(|o| learn(0, o)),
            [-2, -2, -2, -1, 0, 1, 2, 2, 2]
        );
        assert_eq!([14, 15, 16].map(|o| learn(15, o)), [14, 15, 15]);
        assert_eq!([-16, -15, -14].map(|o| learn(-15, o)), [-15, -15, -14]);
        assert_eq!([learn(2, 3), learn(3, 4), learn(3, 2)], [2, 3, 2]);
        assert_eq!(Drift::default(), Drift::NONE);
    }

    #[test]
    fn a_radius_has_its_pairs() {
        assert!(Radius::new(0).is_err() && Radius::new(21).is_err());
        let offsets: Vec<i8> = Radius::new(3).unwrap().offsets().collect();
        assert_eq!(offsets, [-4, -3, -2, -1, 0, 1, 2, 3]);
        assert_eq!(Radius::MAX.offsets().count(), 42);
        assert_eq!(Radius::MAX.steps(), 20);
    }
}
