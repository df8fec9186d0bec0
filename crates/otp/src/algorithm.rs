//! The choices of a credential that both sides must share: the hash and the number of digits.

use core::fmt;

use crate::modulus::Modulus;

/// The hash under HMAC (RFC 6238, section 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// HMAC-SHA-1: what RFC 4226 has, and the only one that every app knows. Its known collisions
    /// do not touch HMAC (RFC 4226, appendix B; RFC 6194, section 3.3).
    #[default]
    Sha1,
    /// HMAC-SHA-256. Some apps read it and compute SHA-1 all the same.
    Sha256,
    /// HMAC-SHA-512. Some apps read it and compute SHA-1 all the same.
    Sha512,
}

impl Algorithm {
    /// The length that a generated secret should have, in bytes: that of the hash's output
    /// (RFC 6238, section 5.1).
    #[must_use]
    pub const fn secret_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name in `otpauth` URIs: `SHA1`, `SHA256`, `SHA512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// How many digits an authenticator shows (RFC 4226, section 5.3: at least 6).
///
/// Not more than 8: the truncated value has 31 bits, so that a ninth digit is hardly worth the
/// typing and a tenth is a lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Digits {
    /// 6, the default, and the only one that every app knows.
    #[default]
    Six,
    /// 7.
    Seven,
    /// 8.
    Eight,
}

impl Digits {
    /// The number.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    /// What truncated values are reduced by.
    #[inline]
    pub(crate) const fn modulus(self) -> Modulus {
        const SIX: Modulus = Modulus::new(1_000_000);
        const SEVEN: Modulus = Modulus::new(10_000_000);
        const EIGHT: Modulus = Modulus::new(100_000_000);
        match self {
            Self::Six => SIX,
            Self::Seven => SEVEN,
            Self::Eight => EIGHT,
        }
    }
}

impl TryFrom<u8> for Digits {
    type Error = DigitsError;

    /// # Errors
    /// When `count` is not 6, 7 or 8.
    fn try_from(count: u8) -> Result<Self, DigitsError> {
        match count {
            6 => Ok(Self::Six),
            7 => Ok(Self::Seven),
            8 => Ok(Self::Eight),
            _ => Err(DigitsError),
        }
    }
}

/// A number of digits other than 6, 7 or 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigitsError;

impl fmt::Display for DigitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code has 6, 7 or 8 digits")
    }
}

impl core::error::Error for DigitsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_to_eight_digits() {
        for count in 0..=u8::MAX {
            match Digits::try_from(count) {
                Ok(digits) => assert_eq!(digits.count(), count),
                Err(DigitsError) => assert!(!(6..=8).contains(&count)),
            }
        }
        assert_eq!(Digits::default(), Digits::Six);
    }

    #[test]
    fn generated_secrets_have_the_length_of_the_hash() {
        assert_eq!(Algorithm::Sha1.secret_len(), 20);
        assert_eq!(Algorithm::Sha256.secret_len(), 32);
        assert_eq!(Algorithm::Sha512.secret_len(), 64);
        assert_eq!(Algorithm::default(), Algorithm::Sha1);
    }

    #[test]
    fn names_are_those_of_the_uri() {
        let names = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].map(Algorithm::name);
        assert_eq!(names, ["SHA1", "SHA256", "SHA512"]);
    }
}
