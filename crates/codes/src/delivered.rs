//! Codes that are sent to somebody: drawn uniformly by rejection, kept as a keyed digest.
//!
//! A code of six digits is found from a plain digest in a second, so what is kept is HMAC-SHA-256
//! under a key that is not in the database, over the code and what it was sent for. Each part is
//! framed by its length, so that no digest of one login, destination or purpose is one of another.

use core::str;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

use countersign_otp::{Code, CodeLength, Digits, FillError, Invalid};

use crate::alphabet;

/// Draws a code of digits uniformly from all of this length. `fill` fills a buffer with random bytes.
///
/// # Errors
/// When `fill` fails, or yields nothing usable in 128 draws.
pub fn try_uniform<E>(
    length: CodeLength,
    mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Code, FillError<E>> {
    // Eight digits are drawn at once, a ninth and a tenth by themselves.
    let mut digits = Zeroizing::new([b'0'; 10]);
    let [tenth, ninth, last @ ..] = &mut *digits;
    let more = usize::from(length.count().saturating_sub(8));
    for digit in [ninth, tenth].into_iter().take(more) {
        let [drawn, ..] = below(10, &mut fill)?.to_le_bytes();
        *digit = drawn | b'0';
    }
    let [a, b, c, d, ..] = below(100_000_000, &mut fill)?.to_le_bytes();
    let eight = Code::truncated(u32::from_le_bytes([a, b, c, d]), Digits::Eight);
    last.iter_mut().zip(eight.as_ascii()).for_each(|(digit, drawn)| *digit = *drawn);
    let shown = digits.iter().len().saturating_sub(usize::from(length.count()));
    Code::from_ascii(digits.get(shown..).unwrap_or_default()).map_err(FillError::Invalid)
}

/// A code of 6 to 10 letters out of `BCDFGHJKLMNPQRSTVWXZ`: no vowels, so no words, and nothing that
/// looks like a digit (RFC 8628, section 6.1). Eight of them carry 34 bits.
#[derive(Clone)]
pub struct LetterCode {
    letters: [u8; 10],
    length: CodeLength,
}

impl LetterCode {
    /// The letters, none of which is taken for another.
    pub const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

    /// Draws a code uniformly from all of this length. `fill` fills a buffer with random bytes.
    ///
    /// # Errors
    /// When `fill` fails, or yields nothing usable in 128 draws.
    pub fn try_uniform<E>(
        length: CodeLength,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, FillError<E>> {
        let mut code = Self { letters: [0; 10], length };
        for letter in code.letters.iter_mut().take(usize::from(length.count())) {
            *letter = alphabet::character(Self::ALPHABET, below(20, &mut fill)?);
        }
        Ok(code)
    }

    /// Reads a code as people type it: upper or lower case, with dashes and spaces anywhere
    /// (RFC 8628, section 6.1).
    ///
    /// # Errors
    /// When anything else is in it, or there are not 6 to 10 letters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut code = Self { letters: [0; 10], length: CodeLength::MAX };
        let (mut count, mut known) = (0_u8, Choice::from(1));
        let mut places = code.letters.iter_mut();
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let letter = places.next().ok_or(Invalid::CodeLength)?;
            *letter = byte.to_ascii_uppercase();
            known &= alphabet::place(Self::ALPHABET, *letter).1;
            count = count.saturating_add(1);
        }
        code.length = CodeLength::new(count)?;
        if known.into() { Ok(code) } else { Err(Invalid::CodeCharacters) }
    }

    /// The letters as text, in upper case: what is sent.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default() // ASCII, so nothing is lost
    }

    /// As [`digest`], for letters. It never equals that of digits.
    pub fn digest(&self, key: &[u8; 32], context: &[&[u8]]) -> CodeDigest {
        CodeDigest::of(b"letters", self.as_bytes(), key, context)
    }

    fn as_bytes(&self) -> &[u8] {
        self.letters.get(..usize::from(self.length.count())).unwrap_or_default()
    }
}

wiped!(LetterCode, letters);
compared!(LetterCode, letters);

/// The digest of `code` under `key`, bound to every part of `context`: the login, the destination,
/// the purpose.
pub fn digest(key: &[u8; 32], context: &[&[u8]], code: &Code) -> CodeDigest {
    CodeDigest::of(b"digits", code.as_ascii(), key, context)
}

/// The keyed digest of a delivered code: what is stored in its place.
#[derive(Clone, Copy)]
pub struct CodeDigest([u8; 32]);

impl CodeDigest {
    /// A digest that was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(kind: &[u8], code: &[u8], key: &[u8; 32], context: &[&[u8]]) -> Self {
        // A key shorter than a block is padded with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block.iter_mut().zip(key).for_each(|(b, k)| *b = *k);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        block.as_mut_slice().zeroize();
        for part in [b"countersign delivered code 1", kind, code].iter().chain(context) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Self(mac.finalize().into_bytes().into())
    }
}

compared!(CodeDigest, 0);
silent!(CodeDigest);

/// A uniform number below `bound`, without a division: the high half of the product of `bound` and 64
/// random bits, unless the low half falls into the part that would make some numbers likelier
/// (Lemire, "Fast random integer generation in an interval", 2019).
pub(crate) fn below<E>(
    bound: u64,
    fill: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<u64, FillError<E>> {
    let surplus = bound.wrapping_neg().checked_rem(bound).unwrap_or_default();
    let mut drawn = [0; 8];
    for _ in 0..128 {
        fill(&mut drawn).map_err(FillError::Source)?;
        let product = u128::from(u64::from_le_bytes(drawn)).wrapping_mul(u128::from(bound));
        drawn.as_mut_slice().zeroize();
        let [a, b, c, d, e, f, g, h, high @ ..] = product.to_le_bytes();
        if u64::from_le_bytes([a, b, c, d, e, f, g, h]) >= surplus {
            return Ok(u64::from_le_bytes(high));
        }
    }
    Err(FillError::Invalid(Invalid::NotRandom))
}
