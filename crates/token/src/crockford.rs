//! Crockford's base32 of 80 bits, in constant time and without a copy.
//!
//! Thirty-two characters without I, L, O and U; case, and the look-alikes I, L (1) and O (0), fold.
//! The library for it indexes its tables with the secret and grows its buffers, which leaves copies
//! behind; it is the tests' oracle.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

pub(crate) const BYTES: usize = 10;
pub(crate) const CHARS: usize = 16;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Ten bytes as sixteen ASCII characters.
pub(crate) fn encode(bytes: &[u8; BYTES]) -> Zeroizing<[u8; CHARS]> {
    let bits = Zeroizing::new(bytes.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte)));
    let mut chars = Zeroizing::new([0; CHARS]);
    for (place, char) in chars.iter_mut().rev().enumerate() {
        let [symbol, ..] = (*bits >> (5 * place)).to_le_bytes();
        *char = character(symbol & 31);
    }
    chars
}

/// Sixteen characters, folded, as ten bytes; nothing where one of them is not of the alphabet.
pub(crate) fn decode(chars: &[u8; CHARS]) -> Option<Zeroizing<[u8; BYTES]>> {
    let mut bits = Zeroizing::new(0u128);
    let mut known = Choice::from(1);
    for char in chars {
        let (symbol, found) = symbol(fold(*char));
        *bits = *bits << 5 | u128::from(symbol);
        known &= found;
    }
    let mut bytes = Zeroizing::new([0; BYTES]);
    for (place, byte) in bytes.iter_mut().rev().enumerate() {
        [*byte, ..] = (*bits >> (8 * place)).to_le_bytes();
    }
    bool::from(known).then_some(bytes)
}

fn character(symbol: u8) -> u8 {
    let mut found = 0;
    for (value, char) in (0u8..).zip(ALPHABET) {
        found.conditional_assign(char, value.ct_eq(&symbol));
    }
    found
}

fn symbol(char: u8) -> (u8, Choice) {
    let (mut symbol, mut known) = (0, Choice::from(0));
    for (value, candidate) in (0u8..).zip(ALPHABET) {
        let hit = candidate.ct_eq(&char);
        symbol.conditional_assign(&value, hit);
        known |= hit;
    }
    (symbol, known)
}

/// Upper case, and look-alikes to the digit that they look like.
fn fold(char: u8) -> u8 {
    // Without a branch: the case bit is cleared where the character is a lower-case letter.
    let mut folded = char.to_ascii_uppercase();
    folded.conditional_assign(&b'0', folded.ct_eq(&b'O'));
    folded.conditional_assign(&b'1', folded.ct_eq(&b'I') | folded.ct_eq(&b'L'));
    folded
}

#[cfg(test)]
mod tests {
    use base32::Alphabet::Crockford;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_library_agrees(bytes: [u8; BYTES]) {
            let chars = encode(&bytes);
            prop_assert_eq!(str::from_utf8(&*chars).unwrap(), base32::encode(Crockford, &bytes));
            prop_assert_eq!(*decode(&chars).unwrap(), bytes);
        }

        #[test]
        fn the_library_agrees_on_any_text(chars in "[0-9A-Za-z*$=~]{16}") {
            let ours = decode(chars.as_bytes().try_into().unwrap());
            // It takes trailing `=` for padding, which sixteen characters have none of.
            let theirs = base32::decode(Crockford, &chars).filter(|_| !chars.contains('='));
            prop_assert_eq!(ours.map(|bytes| bytes.to_vec()), theirs);
        }
    }

    #[test]
    fn every_byte_is_of_the_alphabet_or_refused() {
        for byte in 0..=u8::MAX {
            let known = byte.is_ascii_alphanumeric() && !matches!(byte, b'U' | b'u');
            assert_eq!(decode(&[byte; CHARS]).is_some(), known, "{byte:#x}");
        }
    }
}
