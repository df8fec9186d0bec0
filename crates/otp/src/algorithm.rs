//! The choices of a credential that both sides must share: the hash and the number of digits.

use crate::{Invalid, decimal::Divisor};

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
    pub const fn secret_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name in `otpauth` URIs: `SHA1`, `SHA256`, `SHA512`.
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
    pub const fn count(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    /// What truncated values are reduced by.
    #[inline]
    pub(crate) const fn divisor(self) -> Divisor {
        match self {
            Self::Six => const { Divisor::new(1_000_000) },
            Self::Seven => const { Divisor::new(10_000_000) },
            Self::Eight => const { Divisor::new(100_000_000) },
        }
    }
}

impl TryFrom<u8> for Digits {
    type Error = Invalid;

    /// # Errors
    /// When `count` is not 6, 7 or 8.
    fn try_from(count: u8) -> Result<Self, Invalid> {
        match count {
            6 => Ok(Self::Six),
            7 => Ok(Self::Seven),
            8 => Ok(Self::Eight),
            _ => Err(Invalid::Digits),
        }
    }
}
