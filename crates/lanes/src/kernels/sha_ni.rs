//! SHA-1 and SHA-256 in the SHA extensions. Their latency is several times their throughput, so that a
//! few chains in flight cost little more than one: up to four of SHA-1, two of SHA-256.

use core::{arch::x86_64::*, array};

use crate::{
    Bundle, Sha1, Sha256,
    kernels::{constants::K256, plain::halves},
};

/// `N` states of SHA-1: the words a to d, the first in the highest lane, and e in the highest lane.
#[derive(Clone, Copy)]
struct States1<const N: usize> {
    abcd: [__m128i; N],
    e: [__m128i; N],
}

/// `N` states of SHA-256, as the instructions hold them, the first word in the highest lane.
#[derive(Clone, Copy)]
struct States256<const N: usize> {
    abef: [__m128i; N],
    cdgh: [__m128i; N],
}

/// Sixteen words of `N` blocks: of SHA-1 the first of four in the highest lane, of SHA-256 in the lowest.
type Words<const N: usize> = [[__m128i; 4]; N];

/// SHA-1 (FIPS 180-4, section 6.1.2) of one block into each of `$n` states. A macro, so that it is written out
/// where it is used: states stay in registers from one block to the next, and words that are known fold away.
macro_rules! sha1 {
    ($n:expr, $start:expr, $words:expr) => {
        sha1!(@ $n, $start, $words, $)
    };
    (@ $n:expr, $start:expr, $words:expr, $d:tt) => {{
        let (start, mut w) = ($start, $words);
        let States1 { mut abcd, mut e } = start;
        macro_rules! four_rounds {
            ($d f:literal: $d($d g:literal)+) => {$d(
                for i in 0..$n {
                    if $d g >= 4 {
                        let early = _mm_sha1msg1_epu32(w[i][$d g & 3], w[i][($d g + 1) & 3]);
                        let both = _mm_xor_si128(early, w[i][($d g + 2) & 3]);
                        w[i][$d g & 3] = _mm_sha1msg2_epu32(both, w[i][($d g + 3) & 3]);
                    }
                    let added = if $d g == 0 {
                        _mm_add_epi32(e[i], w[i][0])
                    } else {
                        _mm_sha1nexte_epu32(e[i], w[i][$d g & 3])
                    };
                    e[i] = abcd[i];
                    abcd[i] = _mm_sha1rnds4_epu32::<$d f>(abcd[i], added);
                }
            )+};
        }
        four_rounds!(0: 0 1 2 3 4);
        four_rounds!(1: 5 6 7 8 9);
        four_rounds!(2: 10 11 12 13 14);
        four_rounds!(3: 15 16 17 18 19);
        for i in 0..$n {
            abcd[i] = _mm_add_epi32(abcd[i], start.abcd[i]);
            e[i] = _mm_sha1nexte_epu32(e[i], start.e[i]);
        }
        States1 { abcd, e }
    }};
}

/// SHA-256 (FIPS 180-4, section 6.2.2) of one block into each of `$n` states.
macro_rules! sha256 {
    ($n:expr, $start:expr, $words:expr) => {
        sha256!(@ $n, $start, $words, $)
    };
    (@ $n:expr, $start:expr, $words:expr, $d:tt) => {{
        let (start, mut w) = ($start, $words);
        let States256 { mut abef, mut cdgh } = start;
        macro_rules! four_rounds {
            ($d($d g:literal)+) => {$d(
                for i in 0..$n {
                    if $d g >= 4 {
                        let early = _mm_sha256msg1_epu32(w[i][$d g & 3], w[i][($d g + 1) & 3]);
                        let middle = _mm_alignr_epi8::<4>(w[i][($d g + 3) & 3], w[i][($d g + 2) & 3]);
                        let both = _mm_add_epi32(early, middle);
                        w[i][$d g & 3] = _mm_sha256msg2_epu32(both, w[i][($d g + 3) & 3]);
                    }
                    let [k0, k1, k2, k3] =
                        [K256[4 * $d g], K256[4 * $d g + 1], K256[4 * $d g + 2], K256[4 * $d g + 3]];
                    let added = _mm_add_epi32(w[i][$d g & 3], pack([k3, k2, k1, k0]));
                    cdgh[i] = _mm_sha256rnds2_epu32(cdgh[i], abef[i], added);
                    abef[i] = _mm_sha256rnds2_epu32(abef[i], cdgh[i], _mm_shuffle_epi32::<0x0e>(added));
                }
            )+};
        }
        four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for i in 0..$n {
            abef[i] = _mm_add_epi32(abef[i], start.abef[i]);
            cdgh[i] = _mm_add_epi32(cdgh[i], start.cdgh[i]);
        }
        States256 { abef, cdgh }
    }};
}

/// Compresses each block into the state beside it.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn sha1_compress(states: &mut [[u32; 5]], blocks: &[[u8; 64]]) {
    let length = states.len().min(blocks.len());
    let (pairs, last) = states[..length].as_chunks_mut::<2>();
    let (pair_blocks, last_blocks) = blocks[..length].as_chunks::<2>();
    for (states, blocks) in pairs.iter_mut().zip(pair_blocks) {
        *states = unpack1(sha1!(2, pack1(states.each_ref()), words1(blocks)));
    }
    for (state, block) in last.iter_mut().zip(last_blocks) {
        [*state] = unpack1(sha1!(1, pack1([state]), words1(&[*block])));
    }
}

/// Compresses each block into the state beside it.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn sha256_compress(states: &mut [[u32; 8]], blocks: &[[u8; 64]]) {
    let length = states.len().min(blocks.len());
    let (pairs, last) = states[..length].as_chunks_mut::<2>();
    let (pair_blocks, last_blocks) = blocks[..length].as_chunks::<2>();
    for (states, blocks) in pairs.iter_mut().zip(pair_blocks) {
        *states = unpack256(sha256!(2, pack256(states.each_ref()), words256(blocks)));
    }
    for (state, block) in last.iter_mut().zip(last_blocks) {
        [*state] = unpack256(sha256!(1, pack256([state]), words256(&[*block])));
    }
}

/// `N` chains of SHA-1, each over its tail.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn sha1_chains<const N: usize>(
    first: [&[u32; 5]; N],
    second: [&[u32; 5]; N],
    tails: [u64; N],
) -> [u32; N] {
    let zero = _mm_setzero_si128();
    let mut words = [[zero, zero, zero, pack([0, 0, 0, 576])]; N];
    for i in 0..N {
        let [high, low] = halves(tails[i]);
        words[i][0] = pack([high, low, 1 << 31, 0]);
    }
    let inner = sha1!(N, pack1(first), words);
    let mut words = [[zero, zero, zero, pack([0, 0, 0, 672])]; N];
    for i in 0..N {
        words[i][0] = inner.abcd[i];
        words[i][1] = _mm_or_si128(inner.e[i], pack([0, 1 << 31, 0, 0]));
    }
    let outer = sha1!(N, pack1(second), words);
    let mut values = [0; N];
    for i in 0..N {
        let last = _mm_shuffle_epi8(outer.e[i], _mm_set1_epi8(12));
        values[i] = truncate(outer.abcd[i], outer.e[i], last);
    }
    values
}

/// `N` chains of SHA-256, each over its tail.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn sha256_chains<const N: usize>(
    first: [&[u32; 8]; N],
    second: [&[u32; 8]; N],
    tails: [u64; N],
) -> [u32; N] {
    let zero = _mm_setzero_si128();
    let mut words = [[zero, zero, zero, pack([576, 0, 0, 0])]; N];
    for i in 0..N {
        let [high, low] = halves(tails[i]);
        words[i][0] = pack([0, 1 << 31, low, high]);
    }
    let inner = sha256!(N, pack256(first), words);
    let mut words = [[zero, zero, pack([0, 0, 0, 1 << 31]), pack([768, 0, 0, 0])]; N];
    for i in 0..N {
        let (abef, cdgh) = (inner.abef[i], inner.cdgh[i]);
        words[i][0] = _mm_shuffle_epi32::<0xb1>(_mm_unpackhi_epi64(abef, cdgh));
        words[i][1] = _mm_shuffle_epi32::<0xb1>(_mm_unpacklo_epi64(abef, cdgh));
    }
    let outer = sha256!(N, pack256(second), words);
    let mut values = [0; N];
    for i in 0..N {
        let (abef, cdgh) = (outer.abef[i], outer.cdgh[i]);
        let last = _mm_shuffle_epi8(cdgh, _mm_setzero_si128());
        values[i] = truncate(_mm_unpackhi_epi64(cdgh, abef), _mm_slli_si128::<8>(abef), last);
    }
    values
}

/// Dynamic truncation in a register: of a digest, the first four words with the first in the highest lane, the
/// fifth in the highest lane, and its last byte in every place. The 31 bits are picked by a shuffle, which has no
/// address; where it points before the first register's begin it yields zeros, and the other register's bytes.
#[inline]
#[target_feature(enable = "sse2,ssse3")]
fn truncate(abcd: __m128i, e: __m128i, last: __m128i) -> u32 {
    let offset = _mm_and_si128(last, _mm_set1_epi8(15));
    let places = _mm_sub_epi8(_mm_set1_epi32(0x0f0e_0d0c), offset);
    let from_abcd = _mm_shuffle_epi8(abcd, places);
    let from_e = _mm_shuffle_epi8(e, _mm_xor_si128(places, _mm_set1_epi8(i8::MIN)));
    _mm_cvtsi128_si32(_mm_or_si128(from_abcd, from_e)).cast_unsigned() & 0x7fff_ffff
}

/// The compression of one block into copies of one state, under two masks.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn sha1_masked(state: &[u32; 5], block: &[u8; 64], masks: [u8; 2]) -> [[u32; 5]; 2] {
    let [words] = words1(array::from_ref(block));
    unpack1(sha1!(2, pack1([state; 2]), masked(words, masks)))
}

/// The compression of one block into copies of one state, under two masks.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn sha256_masked(state: &[u32; 8], block: &[u8; 64], masks: [u8; 2]) -> [[u32; 8]; 2] {
    let [words] = words256(array::from_ref(block));
    unpack256(sha256!(2, pack256([state; 2]), masked(words, masks)))
}

#[inline]
#[target_feature(enable = "sse2")]
fn masked(words: [__m128i; 4], masks: [u8; 2]) -> Words<2> {
    let mut both = [words; 2];
    for (words, mask) in both.iter_mut().zip(masks) {
        for word in words {
            *word = _mm_xor_si128(*word, _mm_set1_epi8(mask.cast_signed()));
        }
    }
    both
}

macro_rules! bundles {
    ($nested:ident, $hash:ty, $words:literal, $one:ident, $at_once:literal) => {
        /// Each chain of each bundle over its tail, a few at once.
        #[target_feature(enable = "sha,sse4.1,ssse3")]
        pub(crate) fn $nested(
            bundles: &[Bundle<$hash>],
            tails: &[[u64; 16]],
            out: &mut [[u32; 16]],
        ) {
            for ((bundle, tails), out) in bundles.iter().zip(tails).zip(out) {
                let (tails, out) =
                    (tails.as_chunks::<$at_once>().0, out.as_chunks_mut::<$at_once>().0);
                for (n, (tails, out)) in tails.iter().zip(out).enumerate() {
                    let mut first = [[0; $words]; $at_once];
                    let mut second = [[0; $words]; $at_once];
                    for i in 0..$at_once {
                        first[i] = bundle.first.0.map(|row| row[n * $at_once + i]);
                        second[i] = bundle.second.0.map(|row| row[n * $at_once + i]);
                    }
                    *out = $one(first.each_ref(), second.each_ref(), *tails);
                }
            }
        }
    };
}

bundles!(sha1_nested, Sha1, 5, sha1_chains, 4);
bundles!(sha256_nested, Sha256, 8, sha256_chains, 2);

/// One chain of SHA-1 over each tail.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn sha1_nested_few<const N: usize>(
    first: &[u32; 5],
    second: &[u32; 5],
    tails: [u64; N],
) -> [u32; N] {
    sha1_chains([first; N], [second; N], tails)
}

/// One chain of SHA-256 over each tail.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn sha256_nested_few<const N: usize>(
    first: &[u32; 8],
    second: &[u32; 8],
    tails: [u64; N],
) -> [u32; N] {
    sha256_chains([first; N], [second; N], tails)
}

/// Four words, the first in the highest lane.
#[inline]
#[target_feature(enable = "sse2")]
fn pack([a, b, c, d]: [u32; 4]) -> __m128i {
    _mm_set_epi32(a.cast_signed(), b.cast_signed(), c.cast_signed(), d.cast_signed())
}

/// The inverse of [`pack`].
#[inline]
#[target_feature(enable = "sse4.1")]
fn unpack(x: __m128i) -> [u32; 4] {
    [
        _mm_extract_epi32::<3>(x),
        _mm_extract_epi32::<2>(x),
        _mm_extract_epi32::<1>(x),
        _mm_extract_epi32::<0>(x),
    ]
    .map(i32::cast_unsigned)
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn pack1<const N: usize>(states: [&[u32; 5]; N]) -> States1<N> {
    let zero = [_mm_setzero_si128(); N];
    let mut packed = States1 { abcd: zero, e: zero };
    for i in 0..N {
        let [a, b, c, d, e] = *states[i];
        packed.abcd[i] = pack([a, b, c, d]);
        packed.e[i] = pack([e, 0, 0, 0]);
    }
    packed
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn unpack1<const N: usize>(packed: States1<N>) -> [[u32; 5]; N] {
    let mut states = [[0; 5]; N];
    for i in 0..N {
        let [a, b, c, d] = unpack(packed.abcd[i]);
        let [e, ..] = unpack(packed.e[i]);
        states[i] = [a, b, c, d, e];
    }
    states
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn pack256<const N: usize>(states: [&[u32; 8]; N]) -> States256<N> {
    let zero = [_mm_setzero_si128(); N];
    let mut packed = States256 { abef: zero, cdgh: zero };
    for i in 0..N {
        let [a, b, c, d, e, f, g, h] = *states[i];
        packed.abef[i] = pack([a, b, e, f]);
        packed.cdgh[i] = pack([c, d, g, h]);
    }
    packed
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn unpack256<const N: usize>(packed: States256<N>) -> [[u32; 8]; N] {
    let mut states = [[0; 8]; N];
    for i in 0..N {
        let [a, b, e, f] = unpack(packed.abef[i]);
        let [c, d, g, h] = unpack(packed.cdgh[i]);
        states[i] = [a, b, c, d, e, f, g, h];
    }
    states
}

#[inline]
#[target_feature(enable = "sse2")]
fn words1<const N: usize>(blocks: &[[u8; 64]; N]) -> Words<N> {
    let mut packed = [[_mm_setzero_si128(); 4]; N];
    for (packed, block) in packed.iter_mut().zip(blocks) {
        let words: [u32; 16] = block_words!(block, u32);
        for (packed, words) in packed.iter_mut().zip(words.as_chunks().0) {
            *packed = pack(*words);
        }
    }
    packed
}

#[inline]
#[target_feature(enable = "sse2")]
fn words256<const N: usize>(blocks: &[[u8; 64]; N]) -> Words<N> {
    let mut packed = [[_mm_setzero_si128(); 4]; N];
    for (packed, block) in packed.iter_mut().zip(blocks) {
        let words: [u32; 16] = block_words!(block, u32);
        for (packed, [a, b, c, d]) in packed.iter_mut().zip(words.as_chunks().0) {
            *packed = pack([*d, *c, *b, *a]);
        }
    }
    packed
}
