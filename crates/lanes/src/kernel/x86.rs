//! The kernels of x86-64, each a proof that the processor and the system have its instruction sets.

use crate::{
    Bundle, Schedule, Sha1, Sha256,
    kernels::{Op, avx512, sha_ni},
};

cpufeatures::new!(has_avx512, "avx512f", "avx512bw");
cpufeatures::new!(has_avx2, "avx2");
cpufeatures::new!(has_sha, "sha", "sse2", "ssse3", "sse4.1");

/// Proof that AVX-512 (F and BW) is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx512(());

/// Proof that AVX2 is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2(());

/// Proof that the SHA extensions and SSE4.1 are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShaNi(());

impl Avx512 {
    /// The proof, where it holds.
    #[inline]
    #[must_use]
    pub fn new() -> Option<Self> {
        has_avx512::get().then_some(Self(()))
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for AVX-512")]
    pub(crate) fn run(self, op: impl Op) {
        #[target_feature(enable = "avx512f,avx512bw")]
        fn compiled_for_it(op: impl Op) {
            op.call();
        }
        // SAFETY: `self` exists only where `new` found AVX-512F and AVX-512BW.
        unsafe { compiled_for_it(op) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for AVX-512")]
    pub(crate) fn sha1_nested(
        self,
        bundles: &[Bundle<Sha1>],
        tails: &[[u64; 16]],
        out: &mut [[u32; 16]],
    ) {
        // SAFETY: `self` exists only where `new` found AVX-512F.
        unsafe { avx512::nested(bundles, tails, out) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for AVX-512")]
    pub(crate) fn sha1_nested_shared(
        self,
        bundles: &[Bundle<Sha1>],
        schedule: &Schedule<Sha1>,
        out: &mut [[u32; 16]],
    ) {
        // SAFETY: `self` exists only where `new` found AVX-512F.
        unsafe { avx512::nested_shared(bundles, schedule, out) }
    }
}

impl Avx2 {
    /// The proof, where it holds.
    #[inline]
    #[must_use]
    pub fn new() -> Option<Self> {
        has_avx2::get().then_some(Self(()))
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for AVX2")]
    pub(crate) fn run(self, op: impl Op) {
        #[target_feature(enable = "avx2")]
        fn compiled_for_it(op: impl Op) {
            op.call();
        }
        // SAFETY: `self` exists only where `new` found AVX2.
        unsafe { compiled_for_it(op) }
    }
}

impl ShaNi {
    /// The proof, where it holds.
    #[inline]
    #[must_use]
    pub fn new() -> Option<Self> {
        has_sha::get().then_some(Self(()))
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for the SHA extensions")]
    pub(crate) fn sha1_compress(self, states: &mut [[u32; 5]], blocks: &[[u8; 64]]) {
        // SAFETY: `self` exists only where `new` found SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::sha1_compress(states, blocks) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for the SHA extensions")]
    pub(crate) fn sha1_nested(
        self,
        bundles: &[Bundle<Sha1>],
        tails: &[[u64; 16]],
        out: &mut [[u32; 16]],
    ) {
        // SAFETY: `self` exists only where `new` found SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::sha1_bundles(bundles, tails, out) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for the SHA extensions")]
    pub(crate) fn sha1_nested_few<const N: usize>(
        self,
        first: &[u32; 5],
        second: &[u32; 5],
        tails: [u64; N],
    ) -> [u32; N] {
        // SAFETY: `self` exists only where `new` found SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::sha1_nested([first; N], [second; N], tails) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for the SHA extensions")]
    pub(crate) fn sha256_compress(self, states: &mut [[u32; 8]], blocks: &[[u8; 64]]) {
        // SAFETY: `self` exists only where `new` found SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::sha256_compress(states, blocks) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for the SHA extensions")]
    pub(crate) fn sha256_nested(
        self,
        bundles: &[Bundle<Sha256>],
        tails: &[[u64; 16]],
        out: &mut [[u32; 16]],
    ) {
        // SAFETY: `self` exists only where `new` found SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::sha256_bundles(bundles, tails, out) }
    }

    #[inline]
    #[allow(unsafe_code, reason = "the entry into code compiled for the SHA extensions")]
    pub(crate) fn sha256_nested_few<const N: usize>(
        self,
        first: &[u32; 8],
        second: &[u32; 8],
        tails: [u64; N],
    ) -> [u32; N] {
        // SAFETY: `self` exists only where `new` found SHA, SSSE3 and SSE4.1.
        unsafe { sha_ni::sha256_nested([first; N], [second; N], tails) }
    }
}
