//! The message schedule of one tail, expanded once for all lanes.

use core::fmt;

use crate::Hash;

/// A tail's last block, expanded (FIPS 180-4, section 6) with the constants of the rounds added: 320
/// bytes for SHA-1, 256 for SHA-256, 640 for SHA-512. Not wiped: a tail that all lanes share is no
/// lane's secret.
#[derive(Clone)]
pub struct Schedule<H: Hash> {
    pub(crate) tail: u64,
    pub(crate) words: H::Expanded,
}

impl<H: Hash> Schedule<H> {
    /// The schedule of `tail`, as eight bytes in big-endian order.
    #[must_use]
    pub fn new(tail: u64) -> Self {
        Self { tail, words: H::expand(tail) }
    }
}

impl<H: Hash> fmt::Debug for Schedule<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schedule(..)")
    }
}
