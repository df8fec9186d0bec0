//! Steam Guard codes: TOTP with SHA-1 and thirty seconds, written with five of 26 characters, least
//! significant first. There is no specification; this is what the app shows.

use core::{fmt, str};

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Algorithm, Drift, Found, Keyed, Secret, Step, Totp, UnixTime, Window, modulus::Modulus,
    scan::Codes,
};

const ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";
const LENGTH: usize = 5;
const ALL: Modulus = Modulus::new(26 * 26 * 26 * 26 * 26);
const RADIX: Modulus = Modulus::new(26);

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
        Totp::DEFAULT.step_at(now)
    }

    /// The code of `step`.
    #[must_use]
    pub fn code(self, key: &Keyed, step: Step) -> SteamCode {
        SteamCode::from_value(Codes { key, modulus: ALL }.at(step.number()))
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
        Codes { key, modulus: ALL }.find(code.value(), window, drift, spent, self.step_at(now))
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
    pub fn parse(text: &str) -> Result<Self, SteamCodeError> {
        let code = Self(text.as_bytes().try_into().map_err(|_| SteamCodeError)?);
        let mut known = Choice::from(1);
        let mut upper = [0; LENGTH];
        for (byte, upper) in code.0.iter().zip(&mut upper) {
            *upper = byte.to_ascii_uppercase();
            known &= place(*upper).1;
        }
        if known.into() { Ok(Self(upper)) } else { Err(SteamCodeError) }
    }

    fn from_value(value: u64) -> Self {
        let mut rest = value;
        Self([(); LENGTH].map(|()| {
            let digit = RADIX.reduce(rest);
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

impl ConstantTimeEq for SteamCode {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for SteamCode {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for SteamCode {}

impl Drop for SteamCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SteamCode {}

impl fmt::Debug for SteamCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SteamCode(..)")
    }
}

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

/// Text that is not five characters of Steam's alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SteamCodeError;

impl fmt::Display for SteamCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Steam code is five characters out of 23456789BCDFGHJKMNPQRTVWXY")
    }
}

impl core::error::Error for SteamCodeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    extern crate std;
    use std::format;

    #[test]
    fn codes_are_written_least_significant_first() {
        assert_eq!(SteamCode::from_value(0).as_str(), "22222");
        assert_eq!(SteamCode::from_value(1).as_str(), "32222");
        assert_eq!(SteamCode::from_value(26).as_str(), "23222");
        assert_eq!(SteamCode::from_value(26_u64.pow(5) - 1).as_str(), "YYYYY");
    }

    #[test]
    fn only_its_alphabet_is_read() {
        for text in ["", "2222", "222222", "2222A", "2222 ", "1BCDF", "2222\u{e9}", "\u{661}222"] {
            assert_eq!(SteamCode::parse(text).unwrap_err(), SteamCodeError, "{text}");
        }
        let code = SteamCode::parse("vwxy9").unwrap();
        assert_eq!(code.as_str(), "VWXY9");
        assert_eq!(format!("{code:?}"), "SteamCode(..)");
        assert_ne!(code, SteamCode::parse("VWXY8").unwrap());
        for byte in 0..=0x7f_u8 {
            let known = ALPHABET.contains(&byte.to_ascii_uppercase());
            assert_eq!(SteamCode::parse(&format!("2222{}", char::from(byte))).is_ok(), known);
        }
    }

    #[test]
    fn it_is_found_in_its_window_once() {
        let key = Steam.key(&Secret::from_bytes(&[5; 20]).unwrap());
        let now = UnixTime::from_secs(1_700_000_000);
        let step = Steam.step_at(now);
        let code = Steam.code(&key, step.checked_offset(-1).unwrap());
        let find = |spent, window| Steam.find(&key, &code, window, Drift::NONE, spent, now);
        let fresh =
            Found::Fresh { step: step.checked_offset(-1).unwrap(), drift: Drift::new(-1).unwrap() };
        assert_eq!(find(None, Window::DEFAULT), fresh);
        assert_eq!(find(step.checked_offset(-1), Window::DEFAULT), Found::Replayed);
        assert_eq!(find(None, Window::NONE), Found::No);
    }

    proptest! {
        #[test]
        fn a_value_is_written_and_read(value in 0..26_u64.pow(5)) {
            let code = SteamCode::from_value(value);
            prop_assert_eq!(code.value(), value);
            prop_assert_eq!(SteamCode::parse(code.as_str()).unwrap(), code);
        }
    }
}
