//! Codes of 6 to 10 digits, as people type them and as mails carry them.
//!
//! What this refuses: anything but ASCII digits (no space, sign, separator or digit of another
//! script), fewer than 6 (RFC 4226, section 5.3) and more than 10. Parsing folds over all characters
//! and branches once, on whether all of them are digits. Comparison is in constant time, `Debug` says
//! nothing, and the digits are wiped.

use core::{fmt, str};

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Digits, modulus};

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
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let length = u8::try_from(text.len()).map_err(|_| CodeError::Length)?;
        let mut code = Self { ascii: [0; Self::MAX], length: CodeLength::new(length)? };
        let mut foreign = 0;
        for (digit, byte) in code.ascii.iter_mut().rev().zip(text.bytes().rev()) {
            *digit = byte;
            foreign |= u8::from(!byte.is_ascii_digit());
        }
        if foreign == 0 { Ok(code) } else { Err(CodeError::NotDigits) }
    }

    /// The code that shows the last digits of `value`.
    pub(crate) fn from_value(value: u64, length: CodeLength) -> Self {
        let mut ascii = modulus::decimal(value);
        let unused = Self::MAX.saturating_sub(usize::from(length.count()));
        for digit in ascii.iter_mut().take(unused) {
            *digit = 0;
        }
        Self { ascii, length }
    }

    /// The number that the digits write.
    pub(crate) fn value(&self) -> u64 {
        modulus::value_of(self.ascii)
    }

    /// The digits as text: what is shown or sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII, so nothing is lost.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        let unused = Self::MAX.saturating_sub(usize::from(self.length.count()));
        self.ascii.get(unused..).unwrap_or_default()
    }

    /// How many digits: 6 to 10.
    #[must_use]
    pub const fn digits(&self) -> u8 {
        self.length.count()
    }

    /// How many digits, as a length for others.
    #[must_use]
    pub const fn length(&self) -> CodeLength {
        self.length
    }
}

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

impl str::FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.ascii.zeroize();
    }
}

impl ZeroizeOnDrop for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

/// How many digits a code has: 6 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeLength(u8);

impl CodeLength {
    /// Six digits.
    pub const SIX: Self = Self(6);

    /// `count` digits.
    ///
    /// # Errors
    /// When `count` is not within 6 to 10.
    pub const fn new(count: u8) -> Result<Self, CodeError> {
        if count < 6 || count > 10 {
            return Err(CodeError::Length);
        }
        Ok(Self(count))
    }

    /// The number: 6 to 10.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.0
    }
}

impl From<Digits> for CodeLength {
    fn from(digits: Digits) -> Self {
        Self(digits.count())
    }
}

/// Why text is no code. It does not say which character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeError {
    /// Not 6 to 10 characters.
    Length,
    /// Not all of them are ASCII digits.
    NotDigits,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a code has 6 to 10 digits",
            Self::NotDigits => "a code has digits only",
        })
    }
}

impl core::error::Error for CodeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    extern crate std;
    use std::{format, string::String};

    #[test]
    fn a_code_has_6_to_10_digits() {
        let digits = "0123456789012";
        for len in 0..=digits.len() {
            let text = &digits[..len];
            match Code::parse(text) {
                Ok(code) => {
                    assert!((6..=10).contains(&len));
                    assert_eq!(code.as_str(), text);
                    assert_eq!(usize::from(code.digits()), len);
                    assert_eq!(code.length(), CodeLength::new(code.digits()).unwrap());
                }
                Err(error) => {
                    assert!(!(6..=10).contains(&len));
                    assert_eq!(error, CodeError::Length);
                }
            }
        }
        assert_eq!(Code::parse(&"1".repeat(262)).unwrap_err(), CodeError::Length);
    }

    #[test]
    fn anything_else_is_refused() {
        let refused = [
            "12345 ",
            " 123456",
            "+12345",
            "-123456",
            "12345a",
            "123 456",
            "123-456",
            "1234\u{0}6",
            "12345\u{ff11}",
            "\u{661}\u{662}\u{663}",
            "1234.5",
            "0x1234",
            "1e5000",
            "12345/",
            "12345:",
        ];
        for text in refused {
            assert_eq!(Code::parse(text).unwrap_err(), CodeError::NotDigits, "{text:?}");
        }
        for place in 0..8 {
            let mut text = String::from("00000000");
            text.replace_range(place..=place, "x");
            assert_eq!(text.parse::<Code>().unwrap_err(), CodeError::NotDigits);
        }
    }

    #[test]
    fn equality_looks_at_every_digit_and_the_length() {
        let code = Code::parse("0000000000").unwrap();
        assert_eq!(code, code.clone());
        for place in 0..10 {
            let mut text = String::from("0000000000");
            text.replace_range(place..=place, "1");
            assert_ne!(code, Code::parse(&text).unwrap());
        }
        assert_ne!(code, Code::parse("000000000").unwrap());
    }

    #[test]
    fn it_says_nothing() {
        assert_eq!(format!("{:?}", Code::parse("123456").unwrap()), "Code(..)");
    }

    proptest! {
        #[test]
        fn a_value_is_written_and_read(value in 0..10_000_000_000_u64, count in 6..=10_u8) {
            let length = CodeLength::new(count).unwrap();
            let value = value % 10_u64.pow(u32::from(count));
            let code = Code::from_value(value, length);
            let text = format!("{value:0width$}", width = usize::from(count));
            prop_assert_eq!(code.as_str(), &text);
            prop_assert_eq!(code.value(), value);
            prop_assert_eq!(Code::parse(&text).unwrap(), code);
        }

        #[test]
        fn only_digits_are_read(text in "\\PC{0,12}") {
            let digits = (6..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            prop_assert_eq!(Code::parse(&text).is_ok(), digits);
        }
    }
}
