//! Codes that are sent to somebody: drawn uniformly, kept as a keyed digest.
//!
//! A code of six digits is found from a plain digest in a second, so what is kept is HMAC-SHA-256
//! under a key that is not in the database, over the code and what it was sent for: the digest of one
//! login, destination or purpose is no digest of another's code, whatever the parts are, because each
//! part is framed by its length.
//!
//! Rejection, not a plain remainder, makes every code as likely as every other; a generator that
//! yields nothing usable is an error after 128 draws, and never an endless loop.

use core::{fmt, str};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Code, CodeLength};

impl Code {
    /// Draws a code uniformly from all of this length. `fill` fills a buffer with random bytes.
    ///
    /// # Errors
    /// When `fill` fails, or yields nothing usable in 128 draws.
    pub fn try_uniform<E>(
        length: CodeLength,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, UniformError<E>> {
        let codes = 10_u64.saturating_pow(u32::from(length.count()));
        Ok(Self::from_value(below(codes, &mut fill)?, length))
    }
}

/// A code of 6 to 10 letters out of `BCDFGHJKLMNPQRSTVWXZ`: no vowels, so no words, and nothing that
/// looks like a digit (RFC 8628, section 6.1). Eight of them carry 34 bits.
#[derive(Clone)]
pub struct LetterCode {
    letters: [u8; Self::MAX],
    length: CodeLength,
}

impl LetterCode {
    /// The letters, none of which is taken for another.
    pub const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

    const MAX: usize = 10;

    /// Draws a code uniformly from all of this length. `fill` fills a buffer with random bytes.
    ///
    /// # Errors
    /// When `fill` fails, or yields nothing usable in 128 draws.
    pub fn try_uniform<E>(
        length: CodeLength,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, UniformError<E>> {
        let mut code = Self { letters: [0; Self::MAX], length };
        for letter in code.letters.iter_mut().take(usize::from(length.count())) {
            let drawn = below(20, &mut fill)?;
            for (place, candidate) in (0_u64..).zip(Self::ALPHABET) {
                letter.conditional_assign(candidate, place.ct_eq(&drawn));
            }
        }
        Ok(code)
    }

    /// Reads a code as people type it: upper or lower case, with dashes and spaces anywhere
    /// (RFC 8628, section 6.1).
    ///
    /// # Errors
    /// When anything else is in it, or there are not 6 to 10 letters.
    pub fn parse(text: &str) -> Result<Self, LetterCodeError> {
        let mut letters = [0; Self::MAX];
        let mut places = letters.iter_mut();
        let mut count = 0_u8;
        let mut known = Choice::from(1);
        for byte in text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
            let letter = places.next().ok_or(LetterCodeError::Length)?;
            *letter = byte.to_ascii_uppercase();
            count = count.saturating_add(1);
            known &= Self::ALPHABET.iter().fold(Choice::from(0), |k, l| k | l.ct_eq(letter));
        }
        let length = CodeLength::new(count).map_err(|_| LetterCodeError::Length)?;
        if known.into() { Ok(Self { letters, length }) } else { Err(LetterCodeError::NotLetters) }
    }

    /// The letters as text, in upper case: what is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII, so nothing is lost.
        str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// How many letters: 6 to 10.
    #[must_use]
    pub const fn length(&self) -> CodeLength {
        self.length
    }

    fn bytes(&self) -> &[u8] {
        self.letters.get(..usize::from(self.length.count())).unwrap_or_default()
    }
}

impl ConstantTimeEq for LetterCode {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.letters.ct_eq(&other.letters)
    }
}

impl PartialEq for LetterCode {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for LetterCode {}

impl Drop for LetterCode {
    fn drop(&mut self) {
        self.letters.zeroize();
    }
}

impl ZeroizeOnDrop for LetterCode {}

impl fmt::Debug for LetterCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LetterCode(..)")
    }
}

/// A code that can be delivered: of digits or of letters.
pub trait Delivered: sealed::Delivered {}

impl Delivered for Code {}

impl Delivered for LetterCode {}

mod sealed {
    pub trait Delivered {
        /// Its kind, and what is sent.
        fn written(&self) -> (u8, &[u8]);
    }

    impl Delivered for crate::Code {
        fn written(&self) -> (u8, &[u8]) {
            (1, self.as_bytes())
        }
    }

    impl Delivered for super::LetterCode {
        fn written(&self) -> (u8, &[u8]) {
            (2, self.bytes())
        }
    }
}

/// The digest of `code` under `key`, bound to every part of `context`: the login, the destination,
/// the purpose.
#[must_use]
pub fn digest(key: &[u8; 32], context: &[&[u8]], code: &impl Delivered) -> CodeDigest {
    // A key shorter than a block is padded with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(b, k)| *b = *k);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    let (kind, written) = code.written();
    mac.update(b"countersign delivered code v1");
    mac.update(&[kind]);
    for part in [written].iter().chain(context) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    CodeDigest(mac.finalize().into_bytes().into())
}

/// The keyed digest of a delivered code: what is stored in its place.
#[derive(Clone, Copy)]
pub struct CodeDigest([u8; 32]);

impl CodeDigest {
    /// A digest that was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ConstantTimeEq for CodeDigest {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for CodeDigest {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for CodeDigest {}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest(..)")
    }
}

/// Why no code was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniformError<E> {
    /// What was to yield random bytes failed.
    Source(E),
    /// 128 draws in a row were unusable: what yields them is not random.
    Stuck,
}

impl<E: fmt::Display> fmt::Display for UniformError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "no random bytes for a code: {error}"),
            Self::Stuck => f.write_str("the bytes for a code are not random"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for UniformError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            Self::Stuck => None,
        }
    }
}

/// Why text is no code of letters. It does not say which character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterCodeError {
    /// Not 6 to 10 letters.
    Length,
    /// Something that is no letter of the alphabet, dash or space.
    NotLetters,
}

impl fmt::Display for LetterCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a code has 6 to 10 letters",
            Self::NotLetters => "a code has letters out of BCDFGHJKLMNPQRSTVWXZ only",
        })
    }
}

impl core::error::Error for LetterCodeError {}

/// A uniform number below `bound`, without a division: the high half of the product of `bound` and 64
/// random bits, unless the low half falls into the part that would make some numbers likelier
/// (Lemire, "Fast random integer generation in an interval", 2019).
fn below<E>(
    bound: u64,
    fill: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<u64, UniformError<E>> {
    const DRAWS: usize = 128;
    let surplus = bound.wrapping_neg().checked_rem(bound).unwrap_or_default();
    let mut drawn = [0; 8];
    for _ in 0..DRAWS {
        fill(&mut drawn).map_err(UniformError::Source)?;
        let product = u128::from(u64::from_le_bytes(drawn)).wrapping_mul(u128::from(bound));
        drawn.zeroize();
        let [a, b, c, d, e, f, g, h, high @ ..] = product.to_le_bytes();
        if u64::from_le_bytes([a, b, c, d, e, f, g, h]) >= surplus {
            return Ok(u64::from_le_bytes(high));
        }
    }
    Err(UniformError::Stuck)
}
