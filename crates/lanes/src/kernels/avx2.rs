//! AVX2: 8 lanes of 32 bits, or 4 of 64, the two halves of a bundle side by side.

use core::{
    arch::x86_64::*,
    slice::{from_mut, from_ref},
};

use zeroize::Zeroize;

use crate::{
    Bundle, Divisor, Schedule, Sha1, Sha256, Sha512,
    kernels::plain::{self, halves, truncate},
};

/// On 8 lanes of 32 bits.
#[derive(Clone, Copy)]
struct Ymm32;

/// On 4 lanes of 64 bits.
#[derive(Clone, Copy)]
struct Ymm64;

impl Ymm32 {
    #[inline]
    const fn new() -> Self {
        Self
    }
}

impl Ymm64 {
    #[inline]
    const fn new() -> Self {
        Self
    }
}

operations_on! {
    Ymm32, "avx2", __m256i, u32, 8;
    load |w: [i32; 8]| _mm256_setr_epi32(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
    store |x| [_mm256_extract_epi32::<0>(x), _mm256_extract_epi32::<1>(x), _mm256_extract_epi32::<2>(x), _mm256_extract_epi32::<3>(x), _mm256_extract_epi32::<4>(x), _mm256_extract_epi32::<5>(x), _mm256_extract_epi32::<6>(x), _mm256_extract_epi32::<7>(x)];
    splat _mm256_set1_epi32;
    add(x, y) = _mm256_add_epi32(x, y);
    add_here(x, y) = _mm256_add_epi32(x, y);
    xor(x, y) = _mm256_xor_si256(x, y);
    choose(x, y, z) = _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)));
    parity(x, y, z) = _mm256_xor_si256(x, _mm256_xor_si256(y, z));
    majority(x, y, z) = _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)));
    rol1(x) = _mm256_or_si256(_mm256_slli_epi32::<1>(x), _mm256_srli_epi32::<31>(x));
    rol5(x) = _mm256_or_si256(_mm256_slli_epi32::<5>(x), _mm256_srli_epi32::<27>(x));
    rol30(x) = _mm256_or_si256(_mm256_slli_epi32::<30>(x), _mm256_srli_epi32::<2>(x));
    big0(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<2>(x), _mm256_slli_epi32::<30>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<13>(x), _mm256_slli_epi32::<19>(x)), _mm256_or_si256(_mm256_srli_epi32::<22>(x), _mm256_slli_epi32::<10>(x))));
    big1(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<6>(x), _mm256_slli_epi32::<26>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<11>(x), _mm256_slli_epi32::<21>(x)), _mm256_or_si256(_mm256_srli_epi32::<25>(x), _mm256_slli_epi32::<7>(x))));
    small0(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<7>(x), _mm256_slli_epi32::<25>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<18>(x), _mm256_slli_epi32::<14>(x)), _mm256_srli_epi32::<3>(x)));
    small1(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<17>(x), _mm256_slli_epi32::<15>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi32::<19>(x), _mm256_slli_epi32::<13>(x)), _mm256_srli_epi32::<10>(x)));
}
halves_of_tails!(Ymm32, "avx2", __m256i, 8);

operations_on! {
    Ymm64, "avx2", __m256i, u64, 4;
    load |w: [i64; 4]| _mm256_setr_epi64x(w[0], w[1], w[2], w[3]);
    store |x| [_mm256_extract_epi64::<0>(x), _mm256_extract_epi64::<1>(x), _mm256_extract_epi64::<2>(x), _mm256_extract_epi64::<3>(x)];
    splat _mm256_set1_epi64x;
    add(x, y) = _mm256_add_epi64(x, y);
    add_here(x, y) = _mm256_add_epi64(x, y);
    choose(x, y, z) = _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)));
    majority(x, y, z) = _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)));
    big0(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<28>(x), _mm256_slli_epi64::<36>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<34>(x), _mm256_slli_epi64::<30>(x)), _mm256_or_si256(_mm256_srli_epi64::<39>(x), _mm256_slli_epi64::<25>(x))));
    big1(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<14>(x), _mm256_slli_epi64::<50>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<18>(x), _mm256_slli_epi64::<46>(x)), _mm256_or_si256(_mm256_srli_epi64::<41>(x), _mm256_slli_epi64::<23>(x))));
    small0(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<1>(x), _mm256_slli_epi64::<63>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<8>(x), _mm256_slli_epi64::<56>(x)), _mm256_srli_epi64::<7>(x)));
    small1(x) = _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<19>(x), _mm256_slli_epi64::<45>(x)), _mm256_xor_si256(_mm256_or_si256(_mm256_srli_epi64::<61>(x), _mm256_slli_epi64::<3>(x)), _mm256_srli_epi64::<6>(x)));
}
whole_tails!(Ymm64, "avx2", __m256i, 4);

all_hashes!("avx2", Ymm32 8, Ymm64 4, parts 2, register __m256i, together 2 2 2);
