//! The kernels of x86-64, each a proof that the processor and the system have its instruction sets.

use crate::{
    Bundle, Divisor, Hash, Schedule, Sha1, Sha256, Sha512,
    kernels::{avx2, avx512, sha_ni},
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
}

impl Avx2 {
    /// The proof, where it holds.
    #[inline]
    #[must_use]
    pub fn new() -> Option<Self> {
        has_avx2::get().then_some(Self(()))
    }
}

impl ShaNi {
    /// The proof, where it holds.
    #[inline]
    #[must_use]
    pub fn new() -> Option<Self> {
        has_sha::get().then_some(Self(()))
    }
}

/// The entries into code compiled for an instruction set. Each takes the proof that the set is there, and
/// is named as the function it enters.
macro_rules! entries {
    ($proof:ident, $module:ident: $($name:ident $([$n:ident])? ($($arg:ident: $type:ty),+) $(-> $out:ty)?;)+) => {
        impl $proof {
            $(
                #[inline]
                #[allow(unsafe_code, reason = "the entry into code compiled for an instruction set")]
                pub(crate) fn $name $(<const $n: usize>)? (self, $($arg: $type),+) $(-> $out)? {
                    // SAFETY: `self` exists only where `new` found all that the module's functions
                    // are compiled for; nothing else is asked of their caller.
                    unsafe { $module::$name($($arg),+) }
                }
            )+
        }
    };
}

type State<H> = <H as Hash>::State;
type Block<H> = <H as Hash>::Block;
type Lanes<H, T> = <H as Hash>::Lanes<T>;

macro_rules! wide_entries {
    ($proof:ident, $module:ident) => {
        entries! { $proof, $module:
            sha1_compress(states: &mut [State<Sha1>], blocks: &[Block<Sha1>]);
            sha1_nested(bundles: &[Bundle<Sha1>], tails: &[Lanes<Sha1, u64>], out: &mut [Lanes<Sha1, u32>]);
            sha1_nested_shared(bundles: &[Bundle<Sha1>], schedule: &Schedule<Sha1>, out: &mut [Lanes<Sha1, u32>]);
            sha256_compress(states: &mut [State<Sha256>], blocks: &[Block<Sha256>]);
            sha256_nested(bundles: &[Bundle<Sha256>], tails: &[Lanes<Sha256, u64>], out: &mut [Lanes<Sha256, u32>]);
            sha256_nested_shared(bundles: &[Bundle<Sha256>], schedule: &Schedule<Sha256>, out: &mut [Lanes<Sha256, u32>]);
            sha512_compress(states: &mut [State<Sha512>], blocks: &[Block<Sha512>]);
            sha512_nested(bundles: &[Bundle<Sha512>], tails: &[Lanes<Sha512, u64>], out: &mut [Lanes<Sha512, u32>]);
            sha512_nested_shared(bundles: &[Bundle<Sha512>], schedule: &Schedule<Sha512>, out: &mut [Lanes<Sha512, u32>]);
            remainders(values: &mut [u32], divisor: Divisor);
        }
    };
}
wide_entries!(Avx512, avx512);
wide_entries!(Avx2, avx2);

entries! { ShaNi, sha_ni:
    sha1_compress(states: &mut [State<Sha1>], blocks: &[Block<Sha1>]);
    sha1_masked(state: &State<Sha1>, block: &Block<Sha1>, masks: [u8; 2]) -> [State<Sha1>; 2];
    sha1_nested(bundles: &[Bundle<Sha1>], tails: &[Lanes<Sha1, u64>], out: &mut [Lanes<Sha1, u32>]);
    sha1_nested_few[N](first: &State<Sha1>, second: &State<Sha1>, tails: [u64; N]) -> [u32; N];
    sha256_compress(states: &mut [State<Sha256>], blocks: &[Block<Sha256>]);
    sha256_masked(state: &State<Sha256>, block: &Block<Sha256>, masks: [u8; 2]) -> [State<Sha256>; 2];
    sha256_nested(bundles: &[Bundle<Sha256>], tails: &[Lanes<Sha256, u64>], out: &mut [Lanes<Sha256, u32>]);
    sha256_nested_few[N](first: &State<Sha256>, second: &State<Sha256>, tails: [u64; N]) -> [u32; N];
}
