//! Base32 (RFC 4648, section 6) for secrets: strict, canonical, in constant time.
//!
//! The decoder below this does not look at unused bits, so that several texts would stand for one
//! secret (RFC 4648, section 3.5); what it yields is encoded again here and compared. Which character
//! is wrong is not told, only that one is. Lenience (case, spaces, dashes) belongs to whoever reads
//! what people typed, before this.

use core::str;

use base32ct::{Base32UpperUnpadded, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

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
    pub fn as_str(&self) -> &str {
        // The symbols are ASCII, so nothing is lost.
        str::from_utf8(self.symbols.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

wiped!(Base32, symbols);

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
    again.as_mut_slice().zeroize();
    bool::from(canonical).then_some(())
}

/// Encodes `bytes`, at most those of a secret, and returns the number of symbols.
fn encode(bytes: &[u8], symbols: &mut [u8; MAX_SYMBOLS]) -> usize {
    Base32UpperUnpadded::encode(bytes, symbols).map_or(0, str::len)
}
