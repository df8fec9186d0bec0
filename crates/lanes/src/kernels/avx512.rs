//! SHA-1 in AVX-512: 16 lanes a register, two bundles side by side.
//!
//! Why not the plain loops: a round is a chain of additions, and the compiler regroups it and puts one
//! bundle's round behind the other's, so that the units wait. An addition under a mask that the compiler
//! cannot see through stays where it is written; the mask is all ones, and costs nothing.

use core::{arch::x86_64::*, hint::black_box};

use crate::{Bundle, Schedule, Sha1, kernels::plain::halves};

type Out = [u32; 16];

/// Each chain over its own tail.
#[target_feature(enable = "avx512f")]
pub(crate) fn nested(bundles: &[Bundle<Sha1>], tails: &[[u64; 16]], out: &mut [Out]) {
    let length = bundles.len().min(tails.len()).min(out.len());
    let (bundles, last) = bundles[..length].as_chunks::<2>();
    let (tails, last_tails) = tails[..length].as_chunks::<2>();
    let (out, last_out) = out[..length].as_chunks_mut::<2>();
    for ((bundles, tails), out) in bundles.iter().zip(tails).zip(out) {
        *out = nested_together(bundles.each_ref(), tails);
    }
    for ((bundle, tails), out) in last.iter().zip(last_tails).zip(last_out) {
        [*out] = nested_together([bundle], &[*tails]);
    }
}

/// Every chain over the tail of one schedule.
#[target_feature(enable = "avx512f")]
pub(crate) fn nested_shared(bundles: &[Bundle<Sha1>], schedule: &Schedule<Sha1>, out: &mut [Out]) {
    let length = bundles.len().min(out.len());
    let (bundles, last) = bundles[..length].as_chunks::<2>();
    let (out, last_out) = out[..length].as_chunks_mut::<2>();
    for (bundles, out) in bundles.iter().zip(out) {
        *out = nested_shared_together(bundles.each_ref(), &schedule.0);
    }
    for (bundle, out) in last.iter().zip(last_out) {
        [*out] = nested_shared_together([bundle], &schedule.0);
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn nested_together<const S: usize>(
    bundles: [&Bundle<Sha1>; S],
    tails: &[[u64; 16]; S],
) -> [Out; S] {
    let ops = Zmm::<S>::new();
    let (mut high, mut low) = ([[0; 16]; S], [[0; 16]; S]);
    for ((tails, high), low) in tails.iter().zip(&mut high).zip(&mut low) {
        for ((tail, high), low) in tails.iter().zip(high).zip(low) {
            [*high, *low] = halves(*tail);
        }
    }
    let state = ops.rows(bundles.map(|bundle| &bundle.first.0));
    let high = ops.load(high.each_ref());
    let mut words = last_block!(ops, 1 << 31, 576, high, ops.load(low.each_ref()));
    let inner = sha1!(scheduled, ops, state, words);
    ops.finish(bundles, inner)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn nested_shared_together<const S: usize>(
    bundles: [&Bundle<Sha1>; S],
    words: &[u32; 80],
) -> [Out; S] {
    let ops = Zmm::<S>::new();
    let state = ops.rows(bundles.map(|bundle| &bundle.first.0));
    let inner = sha1!(shared, ops, state, words);
    ops.finish(bundles, inner)
}

/// The operations on `S` registers of 16 lanes side by side.
#[derive(Clone, Copy)]
struct Zmm<const S: usize> {
    all: __mmask16,
}

type V<const S: usize> = [__m512i; S];

macro_rules! each {
    ($($name:ident($($x:ident),+) = $one:expr;)+) => {
        $(
            #[inline]
            #[target_feature(enable = "avx512f")]
            fn $name(self, $($x: V<S>),+) -> V<S> {
                let mut out = [_mm512_setzero_si512(); S];
                for i in 0..S {
                    $(let $x = $x[i];)+
                    out[i] = $one;
                }
                out
            }
        )+
    };
}

impl<const S: usize> Zmm<S> {
    #[inline]
    fn new() -> Self {
        Self { all: black_box(0xffff) }
    }

    each! {
        add(x, y) = _mm512_add_epi32(x, y);
        xor(x, y) = _mm512_xor_si512(x, y);
        choose(x, y, z) = _mm512_ternarylogic_epi32::<0xca>(x, y, z);
        parity(x, y, z) = _mm512_ternarylogic_epi32::<0x96>(x, y, z);
        majority(x, y, z) = _mm512_ternarylogic_epi32::<0xe8>(x, y, z);
        rol1(x) = _mm512_rol_epi32::<1>(x);
        rol5(x) = _mm512_rol_epi32::<5>(x);
        rol30(x) = _mm512_rol_epi32::<30>(x);
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add_here(self, x: V<S>, y: V<S>) -> V<S> {
        let mut out = [_mm512_setzero_si512(); S];
        for i in 0..S {
            out[i] = _mm512_maskz_add_epi32(self.all, x[i], y[i]);
        }
        out
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn splat(self, word: u32) -> V<S> {
        [_mm512_set1_epi32(word.cast_signed()); S]
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(self, rows: [&[u32; 16]; S]) -> V<S> {
        let mut out = [_mm512_setzero_si512(); S];
        for i in 0..S {
            let [a, b, c, d, e, f, g, h, j, k, l, m, n, o, p, q] = rows[i].map(u32::cast_signed);
            out[i] = _mm512_setr_epi32(a, b, c, d, e, f, g, h, j, k, l, m, n, o, p, q);
        }
        out
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rows(self, rows: [&[[u32; 16]; 5]; S]) -> [V<S>; 5] {
        [
            self.load(rows.map(|[a, ..]| a)),
            self.load(rows.map(|[_, b, ..]| b)),
            self.load(rows.map(|[_, _, c, ..]| c)),
            self.load(rows.map(|[_, _, _, d, _]| d)),
            self.load(rows.map(|[.., e]| e)),
        ]
    }

    /// The second hash over the digests of the first, truncated.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn finish(self, bundles: [&Bundle<Sha1>; S], [a, b, c, d, e]: [V<S>; 5]) -> [Out; S] {
        let ops = self;
        let state = ops.rows(bundles.map(|bundle| &bundle.second.0));
        let mut words = last_block!(ops, 1 << 31, 672, a, b, c, d, e);
        let [a, b, c, d, e] = sha1!(scheduled, ops, state, words);
        let mut out = [[0; 16]; S];
        for i in 0..S {
            out[i] = store(truncate([a[i], b[i], c[i], d[i], e[i]]));
        }
        out
    }
}

/// As [`plain::truncate`](crate::kernels::plain::truncate).
#[inline]
#[target_feature(enable = "avx512f")]
fn truncate([a, b, c, d, e]: [__m512i; 5]) -> __m512i {
    let bit = |bit| _mm512_test_epi32_mask(e, _mm512_set1_epi32(bit));
    let (by8, by4) = (bit(8), bit(4));
    let (f, g) = (_mm512_mask_mov_epi32(a, by8, c), _mm512_mask_mov_epi32(b, by8, d));
    let h = _mm512_mask_mov_epi32(c, by8, e);
    let (high, low) = (_mm512_mask_mov_epi32(f, by4, g), _mm512_mask_mov_epi32(g, by4, h));
    let left = _mm512_slli_epi32::<3>(_mm512_and_si512(e, _mm512_set1_epi32(3)));
    let right = _mm512_sub_epi32(_mm512_set1_epi32(32), left);
    let word = _mm512_or_si512(_mm512_sllv_epi32(high, left), _mm512_srlv_epi32(low, right));
    _mm512_and_si512(word, _mm512_set1_epi32(0x7fff_ffff))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(x: __m512i) -> Out {
    let mut out = [0; 16];
    let quarters = [
        _mm512_extracti32x4_epi32::<0>(x),
        _mm512_extracti32x4_epi32::<1>(x),
        _mm512_extracti32x4_epi32::<2>(x),
        _mm512_extracti32x4_epi32::<3>(x),
    ];
    for (words, quarter) in out.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
        *words = [
            _mm_extract_epi32::<0>(quarter),
            _mm_extract_epi32::<1>(quarter),
            _mm_extract_epi32::<2>(quarter),
            _mm_extract_epi32::<3>(quarter),
        ]
        .map(i32::cast_unsigned);
    }
    out
}
