//! Base32 (RFC 4648, section 6) for secrets: strict, canonical, in constant time.
//!
//! The decoder below this does not look at unused bits, so that several texts would stand for one
//! secret (RFC 4648, section 3.5); what it yields is encoded again here and compared. Which character
//! is wrong is not told, only that one is. Lenience (case, spaces, dashes) belongs to whoever reads
//! what people typed, before this.

use core::{fmt, str};

use base32ct::{Base32UpperUnpadded, Encoding};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Secret;

/// The symbols of the longest secret.
const MAX_SYMBOLS: usize = (Secret::MAX * 8).div_ceil(5);

/// A secret in unpadded base32, wiped when dropped.
pub struct Base32 {
    symbols: [u8; MAX_SYMBOLS],
    len: usize,
}

impl Base32 {
    pub(crate) fn encode(secret: &Secret) -> Self {
        let mut text = Self { symbols: [0; MAX_SYMBOLS], len: 0 };
        text.len = encode(secret.expose(), &mut text.symbols);
        text
    }

    /// The text. Whoever reads it can compute every code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The symbols are ASCII, so nothing is lost.
        str::from_utf8(self.symbols.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

impl Drop for Base32 {
    fn drop(&mut self) {
        self.symbols.zeroize();
    }
}

impl ZeroizeOnDrop for Base32 {}

impl fmt::Debug for Base32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Base32(..)")
    }
}

/// The symbols without their padding; `None` if the padding is not exactly what completes the group,
/// or if no whole bytes have that many symbols.
pub(crate) fn unpadded(text: &[u8]) -> Option<&[u8]> {
    let pads = text.iter().rev().take(6).take_while(|&&byte| byte == b'=').count();
    let symbols = text.get(..text.len().checked_sub(pads)?)?;
    let completing = match symbols.len() % 8 {
        0 => 0,
        2 => 6,
        4 => 4,
        5 => 3,
        7 => 1,
        _ => return None,
    };
    (pads == 0 || pads == completing).then_some(symbols)
}

/// The bytes that so many symbols hold.
pub(crate) fn decoded_len(symbols: &[u8]) -> usize {
    symbols.len().saturating_mul(5) / 8
}

/// Decodes `symbols`, as [`unpadded`] returned them, into all of `bytes`; `None` unless they are
/// canonical.
pub(crate) fn decode(symbols: &[u8], bytes: &mut [u8]) -> Option<()> {
    let decoded = Base32UpperUnpadded::decode(symbols, bytes).ok()?;
    let mut again = [0; MAX_SYMBOLS];
    let len = encode(decoded, &mut again);
    let canonical = again.get(..len).unwrap_or_default().ct_eq(symbols);
    again.zeroize();
    bool::from(canonical).then_some(())
}

/// Encodes `bytes`, at most those of a secret, and returns the number of symbols.
fn encode(bytes: &[u8], symbols: &mut [u8; MAX_SYMBOLS]) -> usize {
    Base32UpperUnpadded::encode(bytes, symbols).map_or(0, str::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretError;
    use proptest::prelude::*;
    extern crate std;
    use std::format;

    fn read(text: &str) -> Result<Secret, SecretError> {
        Secret::import_short_base32(text)
    }

    #[test]
    fn rfc_4648_section_10() {
        let vectors = [
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ];
        for (bytes, text) in vectors {
            let bare = text.trim_end_matches('=');
            assert_eq!(read(text).unwrap().expose(), bytes.as_bytes());
            assert_eq!(read(bare).unwrap().expose(), bytes.as_bytes());
            assert_eq!(Secret::import_short(bytes.as_bytes()).unwrap().to_base32().as_str(), bare);
        }
        assert_eq!(read("").unwrap_err(), SecretError::TooShort);
    }

    #[test]
    fn foreign_characters_are_refused() {
        for byte in 0..=0x7f_u8 {
            let text = format!("MZXW6{}TB", char::from(byte));
            let known = byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
            assert_eq!(read(&text).is_ok(), known, "{byte:#x}");
        }
        assert_eq!(read("MZXW6YТB").unwrap_err(), SecretError::NotBase32); // a Cyrillic Te
    }

    #[test]
    fn padding_is_whole_or_absent() {
        for wrong in
            ["MY=", "MY=====", "MY=======", "MZXQ===", "MZXW6====", "MZXW6YQ==", "MZXW6YTB="]
        {
            assert_eq!(read(wrong).unwrap_err(), SecretError::NotBase32, "{wrong}");
        }
        for wrong in ["=", "========", "MZXW6YTB========", "M=Y=====", "=MY====="] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn unused_bits_are_zero() {
        for wrong in ["MZ", "MZXR", "MZXW7", "MZXW6YR", "77"] {
            assert_eq!(read(wrong).unwrap_err(), SecretError::NotBase32, "{wrong}");
        }
        for partial in ["M", "MZX", "MZXW6Y", "MZXW6YTBO"] {
            assert_eq!(read(partial).unwrap_err(), SecretError::NotBase32, "{partial}");
        }
    }

    #[test]
    fn the_longest_fits_and_says_nothing() {
        let secret = Secret::from_bytes(&[0xff; Secret::MAX]).unwrap();
        let text = secret.to_base32();
        assert_eq!(text.as_str().len(), MAX_SYMBOLS);
        assert_eq!(Secret::from_base32(text.as_str()).unwrap(), secret);
        assert_eq!(format!("{text:?}"), "Base32(..)");
        assert_eq!(read(&"A".repeat(416)).unwrap_err(), SecretError::TooLong);
        assert_eq!(read(&"A".repeat(1 << 16)).unwrap_err(), SecretError::TooLong);
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(bytes in proptest::collection::vec(any::<u8>(), 1..=256)) {
            let secret = Secret::import_short(&bytes).unwrap();
            let text = secret.to_base32();
            prop_assert_eq!(read(text.as_str()).unwrap(), secret);
        }

        #[test]
        fn encode_undoes_decode(text in "[A-Z2-7]{2,40}={0,6}") {
            if let Ok(secret) = read(&text) {
                let again = secret.to_base32();
                prop_assert_eq!(again.as_str(), text.trim_end_matches('='));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,64}") {
            let _ = read(&text);
        }
    }
}
