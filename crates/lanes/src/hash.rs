//! The three hashes, as types: their words, states, blocks and lanes (FIPS 180-4, sections 1 and 5).

use core::fmt;

use zeroize::{DefaultIsZeroes, Zeroize};

use crate::{Bundle, Divisor, Kernel, Schedule};

/// A hash whose compression function runs over lanes. Sealed: [`Sha1`], [`Sha256`] and [`Sha512`].
pub trait Hash: sealed::Sealed + Sized + 'static {
    /// Its word: `u32` or `u64`.
    type Word: DefaultIsZeroes + fmt::Debug + PartialEq;

    /// A chaining value: 5 or 8 words.
    type State: Copy + fmt::Debug + PartialEq + Zeroize + AsRef<[Self::Word]> + AsMut<[Self::Word]>;

    /// A block of a message: 64 or 128 bytes.
    type Block: Copy + AsRef<[u8]> + AsMut<[u8]>;

    /// One value for each lane of a [`Bundle`].
    type Lanes<T: Copy>: Copy + AsRef<[T]> + AsMut<[T]>;

    /// How many lanes a bundle has: 16 for SHA-1 and SHA-256, 8 for SHA-512.
    const LANES: usize;

    /// `value` in every lane.
    fn splat<T: Copy>(value: T) -> Self::Lanes<T>;

    /// States in lane order: a row of lanes for each word.
    #[doc(hidden)]
    type Rows: Copy + Zeroize;

    /// The words that the rounds add for one block, the constants added.
    #[doc(hidden)]
    type Expanded: Copy;

    #[doc(hidden)]
    const NO_ROWS: Self::Rows;

    /// How fast a kernel is with bundles: the highest is the best.
    #[doc(hidden)]
    fn rank(kernel: Kernel) -> u8;

    /// Whether the SHA extensions have code of their own for a few tails.
    #[doc(hidden)]
    const FEW_BY_SHA_NI: bool;

    #[doc(hidden)]
    fn put(rows: &mut Self::Rows, lane: usize, state: &Self::State);

    #[doc(hidden)]
    fn expand(tail: u64) -> Self::Expanded;

    #[doc(hidden)]
    fn compress(kernel: Kernel, states: &mut [Self::State], blocks: &[Self::Block]);

    #[doc(hidden)]
    fn compress_masked(
        kernel: Kernel,
        state: &Self::State,
        block: &Self::Block,
        masks: [u8; 2],
    ) -> [Self::State; 2];

    #[doc(hidden)]
    fn nested(
        kernel: Kernel,
        bundles: &[Bundle<Self>],
        tails: &[Self::Lanes<u64>],
        out: &mut [Self::Lanes<u32>],
    );

    #[doc(hidden)]
    fn nested_shared(
        kernel: Kernel,
        bundles: &[Bundle<Self>],
        schedule: &Schedule<Self>,
        out: &mut [Self::Lanes<u32>],
    );

    #[doc(hidden)]
    fn nested_few<const N: usize>(
        kernel: Kernel,
        first: &Self::State,
        second: &Self::State,
        tails: [u64; N],
    ) -> [u32; N];

    #[doc(hidden)]
    fn remainders(kernel: Kernel, values: &mut [Self::Lanes<u32>], divisor: Divisor);
}

/// SHA-1: states of 160 bits, blocks of 64 bytes.
#[derive(Debug, Clone, Copy)]
pub enum Sha1 {}

/// SHA-256: states of 256 bits, blocks of 64 bytes.
#[derive(Debug, Clone, Copy)]
pub enum Sha256 {}

/// SHA-512: states of 512 bits, blocks of 128 bytes.
#[derive(Debug, Clone, Copy)]
pub enum Sha512 {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Sha1 {}
    impl Sealed for super::Sha256 {}
    impl Sealed for super::Sha512 {}
}
