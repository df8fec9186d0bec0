//! A response: digits to type, or a whole HMAC to send.

use core::fmt;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::Length;

/// A response, wiped when dropped. It is compared in constant time, and not printed by `Debug`.
#[derive(Clone)]
pub struct Response {
    length: Length,
    /// ASCII digits, or the bytes of the HMAC.
    bytes: [u8; 64],
    len: usize,
}

/// Why a text is no response of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseError;

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response has exactly the digits, or the bytes, of its suite")
    }
}

impl core::error::Error for ResponseError {}

impl Response {
    /// The digits that somebody typed.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] if there are not 4 to 10, or anything else among them.
    pub fn parse(text: &str) -> Result<Self, ResponseError> {
        let len = u8::try_from(text.len()).map_err(|_| ResponseError)?;
        if !(4..=10).contains(&len) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ResponseError);
        }
        Ok(Self::of(Length::Digits(len), text.as_bytes()))
    }

    /// The whole HMAC that somebody sent, for a suite of length 0.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] if it is not 20, 32 or 64 bytes long.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ResponseError> {
        match bytes.len() {
            20 | 32 | 64 => Ok(Self::of(Length::Full, bytes)),
            _ => Err(ResponseError),
        }
    }

    /// The digits; none if the suite's length is 0.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self.length {
            Length::Digits(_) => core::str::from_utf8(self.as_bytes()).ok(),
            Length::Full => None,
        }
    }

    /// The digits in ASCII, or the bytes of the HMAC.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The response of `length` in an HMAC (RFC 4226, section 5.3). No branch and no address hangs
    /// on the HMAC: all sixteen places are read for the one that its last four bits name.
    pub(crate) fn truncate(hmac: &[u8], length: Length) -> Self {
        let Length::Digits(digits) = length else {
            return Self::of(length, hmac);
        };
        let offset = hmac.last().copied().unwrap_or_default() & 0x0f;
        let mut value = 0_u32;
        for (place, word) in (0_u8..16).zip(hmac.windows(4)) {
            let word = word.try_into().map_or(0, u32::from_be_bytes);
            value.conditional_assign(&word, place.ct_eq(&offset));
        }
        let mut rest = value & 0x7fff_ffff;
        let mut bytes = [b'0'; 10];
        for byte in bytes.iter_mut().take(usize::from(digits)).rev() {
            // Below ten.
            let [digit, ..] = (rest % 10).to_le_bytes();
            *byte |= digit;
            rest /= 10;
        }
        let response = Self::of(length, bytes.get(..usize::from(digits)).unwrap_or_default());
        bytes.zeroize();
        value.zeroize();
        rest.zeroize();
        response
    }

    pub(crate) fn ct_eq(&self, other: &Self) -> Choice {
        // Lengths are of suites, not of secrets.
        Choice::from(u8::from(self.length == other.length && self.len == other.len))
            & self.bytes.ct_eq(&other.bytes)
    }

    fn of(length: Length, from: &[u8]) -> Self {
        let mut response = Self { length, bytes: [0; 64], len: from.len().min(64) };
        for (to, from) in response.bytes.iter_mut().zip(from) {
            *to = *from;
        }
        response
    }
}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Response {}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response(..)")
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for Response {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_4226_section_5_4() {
        let hmac = [
            0x1f, 0x86, 0x98, 0x69, 0x0e, 0x02, 0xca, 0x16, 0x61, 0x85, 0x50, 0xef, 0x7f, 0x19,
            0xda, 0x8e, 0x94, 0x5b, 0x55, 0x5a,
        ];
        let digits = |length| Response::truncate(&hmac, Length::Digits(length));
        assert_eq!(digits(6).as_str(), Some("872921"));
        assert_eq!(digits(4).as_str(), Some("2921"));
        assert_eq!(digits(10).as_str(), Some("1357872921"));
        assert_eq!(Response::truncate(&hmac, Length::Full).as_bytes(), hmac);
        assert_eq!(Response::truncate(&hmac, Length::Full).as_str(), None);
    }

    #[test]
    fn every_offset_of_every_hash_is_found() {
        for len in [20, 32, 64_u8] {
            for offset in 0..16 {
                let mut hmac: Vec<u8> = (0..len).map(|i| i.wrapping_mul(37)).collect();
                hmac[usize::from(len) - 1] = 0x50 | offset;
                let at = usize::from(offset);
                let word = u32::from_be_bytes(hmac[at..at + 4].try_into().unwrap());
                let expected = format!("{:010}", word & 0x7fff_ffff);
                let response = Response::truncate(&hmac, Length::Digits(10));
                assert_eq!(response.as_str(), Some(expected.as_str()), "{len} {offset}");
            }
        }
    }

    #[test]
    fn only_digits_and_whole_hashes() {
        for text in ["", "123", "12345678901", "12345a", "+12345", "12 34", "١٢٣٤"] {
            assert_eq!(Response::parse(text), Err(ResponseError), "{text}");
        }
        assert_eq!(Response::parse("0123").unwrap().as_str(), Some("0123"));
        for len in 0..=70 {
            let bytes = vec![b'1'; len];
            assert_eq!(Response::from_bytes(&bytes).is_ok(), [20, 32, 64].contains(&len));
        }
        assert_ne!(Response::parse("1111").unwrap(), Response::parse("11111").unwrap());
        assert_eq!(format!("{:?}", Response::parse("1111")), "Ok(Response(..))");
    }
}
