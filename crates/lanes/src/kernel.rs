//! Which kernel runs: a value that exists only where the processor has what the kernel needs.
//!
//! Every `unsafe` of this crate is in this file, and each is the same step: entering a function that is
//! compiled for an instruction set, with a value in hand that proves the set is there.

use crate::{Bundle, Divisor, Hash, Schedule};

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512, ShaNi};

/// A way to compute, that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernel {
    /// AVX-512 (F and BW), 16 lanes of 32 bits or 8 of 64; SHA-1 in two bundles at once.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// AVX2, 8 lanes of 32 bits or 4 of 64.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// The SHA extensions, up to four chains of SHA-1 or two of SHA-256 in flight; SHA-512 as portable.
    #[cfg(target_arch = "x86_64")]
    ShaNi(ShaNi),
    /// What the compiler makes of plain loops for the target's baseline: SSE2, NEON, or one by one.
    Portable,
}

impl Kernel {
    /// The fastest kernel for bundles of `H` that this processor has.
    #[inline]
    #[must_use]
    pub fn best<H: Hash>() -> Self {
        Self::available().max_by_key(|kernel| H::rank(*kernel)).unwrap_or(Self::Portable)
    }

    /// The kernel that is faster with one chain over two to four tails, or with a pair of states, than the
    /// block functions of `sha1` and `sha2`; none, where those are as fast.
    #[inline]
    #[must_use]
    pub fn few<H: Hash>() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if H::FEW_BY_SHA_NI {
            return ShaNi::new().map(Self::ShaNi);
        }
        None
    }

    /// All kernels that this processor has, [`Portable`](Self::Portable) last.
    #[inline]
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = [
            Avx512::new().map(Self::Avx512),
            Avx2::new().map(Self::Avx2),
            ShaNi::new().map(Self::ShaNi),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let wide = [None];
        wide.into_iter().flatten().chain([Self::Portable])
    }

    /// Compresses each block into the state beside it (FIPS 180-4, section 6), up to the shorter of the
    /// two slices.
    pub fn compress<H: Hash>(self, states: &mut [H::State], blocks: &[H::Block]) {
        H::compress(self, states, blocks);
    }

    /// One block into two copies of a state, every byte of the block XORed with the one mask and with the
    /// other.
    #[inline]
    #[must_use]
    pub fn compress_masked<H: Hash>(
        self,
        state: &H::State,
        block: &H::Block,
        masks: [u8; 2],
    ) -> [H::State; 2] {
        H::compress_masked(self, state, block, masks)
    }

    /// Each chain of each bundle over its own tail, of eight bytes in big-endian order: the nested hash,
    /// truncated to 31 bits (RFC 4226, section 5.3). Up to the shortest of the three slices.
    pub fn nested<H: Hash>(
        self,
        bundles: &[Bundle<H>],
        tails: &[H::Lanes<u64>],
        out: &mut [H::Lanes<u32>],
    ) {
        H::nested(self, bundles, tails, out);
    }

    /// As [`nested`](Self::nested), with one tail for all lanes, whose schedule can be kept.
    pub fn nested_shared<H: Hash>(
        self,
        bundles: &[Bundle<H>],
        schedule: &Schedule<H>,
        out: &mut [H::Lanes<u32>],
    ) {
        H::nested_shared(self, bundles, schedule, out);
    }

    /// One chain over a few tails, without a bundle: what [`ShaNi`] does best.
    #[inline]
    #[must_use]
    pub fn nested_few<H: Hash, const N: usize>(
        self,
        first: &H::State,
        second: &H::State,
        tails: [u64; N],
    ) -> [u32; N] {
        H::nested_few(self, first, second, tails)
    }

    /// Puts what a division leaves in the place of each value.
    #[inline]
    pub fn remainders<H: Hash>(self, values: &mut [H::Lanes<u32>], divisor: Divisor) {
        H::remainders(self, values, divisor);
    }

    /// Its name, for tables of measurements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::ShaNi(_) => "sha-ni",
            Self::Portable => "portable",
        }
    }
}
