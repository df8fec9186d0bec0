//! AVX-512: 16 lanes of 32 bits, or 8 of 64; SHA-1 in two bundles side by side.
//!
//! The compiler regroups a round's additions, and puts one bundle's round behind the other's so that the
//! units wait. An addition under a mask that it cannot see through stays where it is written; the mask is
//! all ones, and costs nothing.

use core::{
    arch::x86_64::*,
    hint::black_box,
    slice::{from_mut, from_ref},
};

use zeroize::Zeroize;

use crate::{
    Bundle, Divisor, Schedule, Sha1, Sha256, Sha512,
    kernels::plain::{self, halves, truncate},
};

/// On 16 lanes of 32 bits.
#[derive(Clone, Copy)]
struct Zmm32 {
    all: __mmask16,
}

/// On 8 lanes of 64 bits.
#[derive(Clone, Copy)]
struct Zmm64 {
    all: __mmask8,
}

impl Zmm32 {
    #[inline]
    fn new() -> Self {
        Self { all: black_box(0xffff) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn add_here(self, x: __m512i, y: __m512i) -> __m512i {
        _mm512_maskz_add_epi32(self.all, x, y)
    }
}

impl Zmm64 {
    #[inline]
    fn new() -> Self {
        Self { all: black_box(0xff) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn add_here(self, x: __m512i, y: __m512i) -> __m512i {
        _mm512_maskz_add_epi64(self.all, x, y)
    }
}

operations_on! {
    Zmm32, "avx512f,avx512bw", __m512i, u32, 16;
    load |w: [i32; 16]| _mm512_setr_epi32(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15]);
    store |x| {
        let mut words = [0; 16];
        let quarters = [
            _mm512_extracti32x4_epi32::<0>(x),
            _mm512_extracti32x4_epi32::<1>(x),
            _mm512_extracti32x4_epi32::<2>(x),
            _mm512_extracti32x4_epi32::<3>(x),
        ];
        for (words, quarter) in words.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
            *words = [
                _mm_extract_epi32::<0>(quarter),
                _mm_extract_epi32::<1>(quarter),
                _mm_extract_epi32::<2>(quarter),
                _mm_extract_epi32::<3>(quarter),
            ];
        }
        words
    };
    splat _mm512_set1_epi32;
    add(x, y) = _mm512_add_epi32(x, y);
    xor(x, y) = _mm512_xor_si512(x, y);
    choose(x, y, z) = _mm512_ternarylogic_epi32::<0xca>(x, y, z);
    parity(x, y, z) = _mm512_ternarylogic_epi32::<0x96>(x, y, z);
    majority(x, y, z) = _mm512_ternarylogic_epi32::<0xe8>(x, y, z);
    rol1(x) = _mm512_rol_epi32::<1>(x);
    rol5(x) = _mm512_rol_epi32::<5>(x);
    rol30(x) = _mm512_rol_epi32::<30>(x);
    big0(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi32::<2>(x), _mm512_ror_epi32::<13>(x), _mm512_ror_epi32::<22>(x));
    big1(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi32::<6>(x), _mm512_ror_epi32::<11>(x), _mm512_ror_epi32::<25>(x));
    small0(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi32::<7>(x), _mm512_ror_epi32::<18>(x), _mm512_srli_epi32::<3>(x));
    small1(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi32::<17>(x), _mm512_ror_epi32::<19>(x), _mm512_srli_epi32::<10>(x));
}
halves_of_tails!(Zmm32, "avx512f,avx512bw", __m512i, 16);

operations_on! {
    Zmm64, "avx512f,avx512bw", __m512i, u64, 8;
    load |w: [i64; 8]| _mm512_setr_epi64(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
    store |x| {
        let halves = [_mm512_extracti64x4_epi64::<0>(x), _mm512_extracti64x4_epi64::<1>(x)];
        let [[a, b, c, d], [e, f, g, h]] = halves.map(|half| [
            _mm256_extract_epi64::<0>(half),
            _mm256_extract_epi64::<1>(half),
            _mm256_extract_epi64::<2>(half),
            _mm256_extract_epi64::<3>(half),
        ]);
        [a, b, c, d, e, f, g, h]
    };
    splat _mm512_set1_epi64;
    add(x, y) = _mm512_add_epi64(x, y);
    choose(x, y, z) = _mm512_ternarylogic_epi64::<0xca>(x, y, z);
    majority(x, y, z) = _mm512_ternarylogic_epi64::<0xe8>(x, y, z);
    big0(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi64::<28>(x), _mm512_ror_epi64::<34>(x), _mm512_ror_epi64::<39>(x));
    big1(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi64::<14>(x), _mm512_ror_epi64::<18>(x), _mm512_ror_epi64::<41>(x));
    small0(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi64::<1>(x), _mm512_ror_epi64::<8>(x), _mm512_srli_epi64::<7>(x));
    small1(x) = _mm512_ternarylogic_epi32::<0x96>(_mm512_ror_epi64::<19>(x), _mm512_ror_epi64::<61>(x), _mm512_srli_epi64::<6>(x));
}
whole_tails!(Zmm64, "avx512f,avx512bw", __m512i, 8);

all_hashes!("avx512f,avx512bw", Zmm32 16, Zmm64 8, parts 1, register __m512i, together 2 1 1);
