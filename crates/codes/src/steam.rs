//! Steam Guard codes: TOTP with SHA-1 and thirty seconds, written with five of 26 characters, least
//! significant first. There is no specification; this is what the app shows.

use core::str;

use subtle::Choice;

use countersign_otp::{
    Algorithm, Codes, Divisor, Drift, Found, Invalid, Keyed, Period, Secret, Step, Totp, UnixTime,
    Window,
};

use crate::alphabet;

const ALPHABET: &[u8] = b"23456789BCDFGHJKMNPQRTVWXY";
const ALL: Divisor = Divisor::new(26 * 26 * 26 * 26 * 26);
const RADIX: Divisor = Divisor::new(26);

/// What Steam's app computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Steam;

impl Steam {
    /// Absorbs `secret` into SHA-1. Take the key for the methods below from here.
    pub fn key(self, secret: &Secret) -> Keyed {
        Keyed::new(secret, Algorithm::Sha1)
    }

    /// The step that `now` falls in.
    pub fn step_at(self, now: UnixTime) -> Step {
        Totp::DEFAULT.step_at(now)
    }

    /// The code of `step`.
    pub fn code(self, key: &Keyed, step: Step) -> SteamCode {
        SteamCode::from_value(Codes::new(key, ALL).number(step.number()))
    }

    /// Looks for `code` as [`Totp::find`] does, with the same promises.
    pub fn find(
        self,
        key: &Keyed,
        code: &SteamCode,
        window: Window,
        drift: Drift,
        spent: Option<Step>,
        now: UnixTime,
    ) -> Found {
        let codes = Codes::new(key, ALL);
        codes.find(code.value(), window, drift, spent, (Period::THIRTY, now))
    }
}

/// A code of five characters out of `23456789BCDFGHJKMNPQRTVWXY`.
#[derive(Clone)]
pub struct SteamCode([u8; 5]);

impl SteamCode {
    /// Reads a code, in upper or lower case.
    ///
    /// # Errors
    /// When it is not five characters of the alphabet.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut code = Self(text.as_bytes().try_into().map_err(|_| Invalid::SteamCode)?);
        code.0.make_ascii_uppercase();
        let known = code.0.iter().fold(Choice::from(1), |k, c| k & alphabet::place(ALPHABET, *c).1);
        if known.into() { Ok(code) } else { Err(Invalid::SteamCode) }
    }

    pub(crate) fn from_value(mut value: u64) -> Self {
        Self([(); 5].map(|()| {
            let digit = RADIX.remainder(value);
            value = RADIX.quotient(value);
            alphabet::character(ALPHABET, digit)
        }))
    }

    pub(crate) fn value(&self) -> u64 {
        let places = self.0.iter().rev().map(|c| alphabet::place(ALPHABET, *c).0);
        places.fold(0, |value, place| value.wrapping_mul(26).wrapping_add(place))
    }

    /// The characters: what is shown.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default() // ASCII, so nothing is lost
    }
}

wiped!(SteamCode, 0);
compared!(SteamCode, 0);
