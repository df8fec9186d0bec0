//! Codes of 6 to 10 digits, as people type them and as mails carry them.
//!
//! What this refuses: anything but ASCII digits (no space, sign, separator or digit of another
//! script), fewer than 6 (RFC 4226, section 5.3) and more than 10. Parsing folds over all characters
//! and branches once, on whether all of them are digits. Comparison is in constant time, `Debug` says
//! nothing, and the digits are wiped.

use core::str;

use subtle::{Choice, ConstantTimeEq};

use crate::{Digits, Invalid, decimal};

/// A code of 6 to 10 ASCII digits.
#[derive(Clone)]
pub struct Code {
    /// ASCII, aligned right; zero bytes before.
    ascii: [u8; Self::MAX],
    length: CodeLength,
}

impl Code {
    const MAX: usize = 10;

    /// Reads a code.
    ///
    /// # Errors
    /// When `text` is not 6 to 10 bytes long, or holds anything but ASCII digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::from_ascii(text.as_bytes())
    }

    /// As [`Code::parse`], from bytes.
    ///
    /// # Errors
    /// As there.
    pub fn from_ascii(text: &[u8]) -> Result<Self, Invalid> {
        let length = u8::try_from(text.len()).map_err(|_| Invalid::CodeLength)?;
        let mut code = Self { ascii: [0; Self::MAX], length: CodeLength::new(length)? };
        let mut foreign = 0;
        for (digit, byte) in code.ascii.iter_mut().rev().zip(text.iter().rev()) {
            *digit = *byte;
            foreign |= u8::from(!byte.is_ascii_digit());
        }
        if foreign == 0 { Ok(code) } else { Err(Invalid::CodeCharacters) }
    }

    /// The code of so many digits for a truncated value, of which the last 31 bits count (RFC 4226,
    /// section 5.3).
    #[inline]
    pub fn truncated(value: u32, digits: Digits) -> Self {
        let unused = 8_u32.saturating_sub(u32::from(digits.count())).wrapping_mul(8);
        let eight = decimal::last_eight(u64::from(value & 0x7fff_ffff));
        let shown = u64::from_le_bytes(eight) & u64::MAX.wrapping_shl(unused);
        let [c, d, e, f, g, h, i, j] = shown.to_le_bytes();
        Self { ascii: [0, 0, c, d, e, f, g, h, i, j], length: CodeLength(digits.count()) }
    }

    /// The number that its last eight digits write.
    #[inline]
    pub const fn last_eight(&self) -> u64 {
        let [_, _, last @ ..] = self.ascii;
        decimal::value_of(last)
    }

    /// The digits as text: what is shown or sent.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_ascii()).unwrap_or_default() // ASCII, so nothing is lost
    }

    /// The same as bytes.
    pub fn as_ascii(&self) -> &[u8] {
        let unused = Self::MAX.saturating_sub(usize::from(self.length.count()));
        self.ascii.get(unused..).unwrap_or_default()
    }

    /// How many digits: 6 to 10.
    pub const fn digits(&self) -> u8 {
        self.length.count()
    }
}

wiped!(Code, ascii);

impl ConstantTimeEq for Code {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.ascii.ct_eq(&other.ascii)
    }
}

impl PartialEq for Code {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Code {}

bounded! {
    /// How many digits a code has: 6 to 10.
    CodeLength: 6..=10 count
}

impl CodeLength {
    /// Six digits.
    pub const SIX: Self = Self(6);
}
