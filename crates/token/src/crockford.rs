//! Crockford's base32 of 80 bits, by the `base32` crate: what people read aloud and type.
//!
//! Thirty-two characters without I, L, O and U; case, and the look-alikes I, L (1) and O (0), fold.
//! The crate looks its characters up in a table of one cache line; a code passes here once when it
//! is shown and once when it is tried, on the way to or from text that the owner sees anyway. What
//! is compared with a stored hash is compared in constant time, elsewhere.

use base32::Alphabet::Crockford;
use zeroize::Zeroizing;

pub(crate) const BYTES: usize = 10;
pub(crate) const CHARS: usize = 16;

/// Ten bytes as sixteen characters.
pub(crate) fn encode(bytes: &[u8; BYTES]) -> Zeroizing<String> {
    Zeroizing::new(base32::encode(Crockford, bytes))
}

/// Sixteen characters, folded, as ten bytes; nothing where one of them is not of the alphabet.
pub(crate) fn decode(chars: &[u8; CHARS]) -> Option<Zeroizing<[u8; BYTES]>> {
    // The crate takes trailing `=` for padding, which sixteen characters have none of.
    if !chars.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let bytes = Zeroizing::new(base32::decode(Crockford, str::from_utf8(chars).ok()?)?);
    let mut fixed = Zeroizing::new([0; BYTES]);
    if bytes.len() != BYTES {
        return None;
    }
    fixed.copy_from_slice(&bytes);
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; BYTES]) {
            let chars = encode(&bytes);
            let chars: &[u8; CHARS] = chars.as_bytes().try_into().unwrap();
            prop_assert_eq!(*decode(chars).unwrap(), bytes);
        }

        #[test]
        fn what_is_read_is_written_folded(chars in "[0-9A-TV-Za-tv-z]{16}") {
            let bytes = decode(chars.as_bytes().try_into().unwrap()).unwrap();
            let folded = chars.to_uppercase().replace('O', "0").replace(['I', 'L'], "1");
            prop_assert_eq!(&**encode(&bytes), &folded);
        }
    }

    #[test]
    fn every_byte_is_of_the_alphabet_or_refused() {
        for byte in 0..=u8::MAX {
            let known = byte.is_ascii_alphanumeric() && !matches!(byte, b'U' | b'u');
            assert_eq!(decode(&[byte; CHARS]).is_some(), known, "{byte:#x}");
        }
    }

    /// The alphabet in its order, 5 bits a character.
    #[test]
    fn the_characters_are_crockfords() {
        assert_eq!(
            &**encode(&[0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf]),
            "0123456789ABCDEF"
        );
    }
}
