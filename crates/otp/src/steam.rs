//! Steam Guard codes: TOTP with SHA-1 and thirty seconds, written with five of 26 characters, least
//! significant first. There is no specification; this is what the app shows.

use core::str;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::{
    Algorithm, Drift, Found, Invalid, Keyed, Period, Secret, Step, UnixTime, Window,
    decimal::Divisor, scan::Codes,
};

const ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";
const LENGTH: usize = 5;
const ALL: Divisor = Divisor::new(26 * 26 * 26 * 26 * 26);
const RADIX: Divisor = Divisor::new(26);

/// What Steam's app computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Steam;

impl Steam {
    /// Absorbs `secret` into SHA-1. Take the key for the methods below from here.
    #[must_use]
    pub fn key(self, secret: &Secret) -> Keyed {
        Keyed::new(secret, Algorithm::Sha1)
    }

    /// The step that `now` falls in.
    #[must_use]
    pub fn step_at(self, now: UnixTime) -> Step {
        Period::THIRTY.step_at(now)
    }

    /// The code of `step`.
    #[must_use]
    pub fn code(self, key: &Keyed, step: Step) -> SteamCode {
        let [value] = key.truncated([step.number()]);
        SteamCode::from_value(ALL.remainder(value))
    }

    /// Looks for `code` as [`Totp::find`] does, with the same promises.
    #[must_use = "the step found must be stored, or the code passes again"]
    pub fn find(
        self,
        key: &Keyed,
        code: &SteamCode,
        window: Window,
        drift: Drift,
        spent: Option<Step>,
        now: UnixTime,
    ) -> Found {
        Codes { key, divisor: ALL }.find(code.value(), window, drift, spent, (Period::THIRTY, now))
    }
}

/// A code of five characters out of `23456789BCDFGHJKMNPQRTVWXY`.
#[derive(Clone)]
pub struct SteamCode([u8; LENGTH]);

impl SteamCode {
    /// Reads a code, in upper or lower case.
    ///
    /// # Errors
    /// When it is not five characters of the alphabet.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let code = Self(text.as_bytes().try_into().map_err(|_| Invalid::SteamCode)?);
        let mut known = Choice::from(1);
        let mut upper = [0; LENGTH];
        for (byte, upper) in code.0.iter().zip(&mut upper) {
            *upper = byte.to_ascii_uppercase();
            known &= place(*upper).1;
        }
        if known.into() { Ok(Self(upper)) } else { Err(Invalid::SteamCode) }
    }

    fn from_value(value: u64) -> Self {
        let mut rest = value;
        Self([(); LENGTH].map(|()| {
            let digit = RADIX.remainder(rest);
            rest = RADIX.quotient(rest);
            let mut character = 0;
            for (place, letter) in (0_u64..).zip(ALPHABET) {
                character.conditional_assign(letter, place.ct_eq(&digit));
            }
            character
        }))
    }

    fn value(&self) -> u64 {
        let digits = self.0.iter().rev().map(|letter| place(*letter).0);
        digits.fold(0, |value, digit| value.wrapping_mul(26).wrapping_add(digit))
    }

    /// The characters: what is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII, so nothing is lost.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

wiped!(SteamCode, 0);
compared!(SteamCode, 0);

/// Where `letter` stands in the alphabet, and whether it does; every place is looked at.
fn place(letter: u8) -> (u64, Choice) {
    let (mut found, mut known) = (0, Choice::from(0));
    for (place, candidate) in (0_u64..).zip(ALPHABET) {
        let hit = candidate.ct_eq(&letter);
        found.conditional_assign(&place, hit);
        known |= hit;
    }
    (found, known)
}

#[cfg(test)]
#[path = "../tests/unit/steam.rs"]
mod tests;
