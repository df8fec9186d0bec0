//! Chains in lane order: what the widest kernels read without moving a word.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Hash;

/// As many *chains* as a hash has lanes. A chain is a pair of states that each have absorbed one block:
/// with the blocks `A` and `B` it stands for the function `H(B ‖ H(A ‖ tail))` of a tail, which then
/// costs two compressions.
///
/// Who reads the states can compute the function, so they are wiped when dropped, and `Debug` shows
/// nothing. A lane that was never set has states of zeros; its output means nothing.
#[derive(Clone)]
#[repr(C, align(64))]
pub struct Bundle<H: Hash> {
    pub(crate) first: Aligned<H::Rows>,
    pub(crate) second: Aligned<H::Rows>,
}

/// Rows that begin on a cache line, so that no vector of them lies across two.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Aligned<T>(pub(crate) T);

impl<H: Hash> Bundle<H> {
    /// A bundle whose lanes are to be set.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: Aligned(H::NO_ROWS), second: Aligned(H::NO_ROWS) }
    }

    /// The same chain in every lane, for many tails of one chain.
    #[must_use]
    pub fn splat(first: &H::State, second: &H::State) -> Self {
        let mut bundle = Self::new();
        for lane in 0..H::LANES {
            bundle.set(lane, first, second);
        }
        bundle
    }

    /// Puts a chain into a lane; beyond the last one nothing happens.
    #[inline]
    pub fn set(&mut self, lane: usize, first: &H::State, second: &H::State) {
        H::put(&mut self.first.0, lane, first);
        H::put(&mut self.second.0, lane, second);
    }
}

impl<H: Hash> Default for Bundle<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: Hash> Drop for Bundle<H> {
    fn drop(&mut self) {
        self.first.0.zeroize();
        self.second.0.zeroize();
    }
}

impl<H: Hash> ZeroizeOnDrop for Bundle<H> {}

impl<H: Hash> fmt::Debug for Bundle<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bundle(..)")
    }
}
