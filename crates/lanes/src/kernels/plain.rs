//! One lane in plain Rust, and loops over lanes that the compiler turns into vectors of whatever set the
//! code around them is compiled for: SSE2, AVX2, AVX-512, NEON.
//!
//! Nothing here branches or indexes on what is hashed.

use crate::Divisor;

/// The operations on a word of 32 bits.
#[derive(Clone, Copy)]
pub(crate) struct Word32;

/// The operations on a word of 64 bits.
#[derive(Clone, Copy)]
pub(crate) struct Word64;

macro_rules! operations {
    ($ops:ident, $word:ty, big0 $a:literal $b:literal $c:literal, big1 $d:literal $e:literal $f:literal,
     small0 $g:literal $h:literal $i:literal, small1 $j:literal $k:literal $l:literal) => {
        impl $ops {
            #[inline(always)]
            pub(crate) const fn splat(self, word: $word) -> $word {
                word
            }

            #[inline(always)]
            pub(crate) const fn add(self, x: $word, y: $word) -> $word {
                x.wrapping_add(y)
            }

            #[inline(always)]
            pub(crate) const fn add_here(self, x: $word, y: $word) -> $word {
                x.wrapping_add(y)
            }

            #[inline(always)]
            pub(crate) const fn choose(self, x: $word, y: $word, z: $word) -> $word {
                z ^ (x & (y ^ z))
            }

            #[inline(always)]
            pub(crate) const fn majority(self, x: $word, y: $word, z: $word) -> $word {
                (x & y) | (z & (x | y))
            }

            #[inline(always)]
            pub(crate) const fn big0(self, x: $word) -> $word {
                x.rotate_right($a) ^ x.rotate_right($b) ^ x.rotate_right($c)
            }

            #[inline(always)]
            pub(crate) const fn big1(self, x: $word) -> $word {
                x.rotate_right($d) ^ x.rotate_right($e) ^ x.rotate_right($f)
            }

            #[inline(always)]
            pub(crate) const fn small0(self, x: $word) -> $word {
                x.rotate_right($g) ^ x.rotate_right($h) ^ (x >> $i)
            }

            #[inline(always)]
            pub(crate) const fn small1(self, x: $word) -> $word {
                x.rotate_right($j) ^ x.rotate_right($k) ^ (x >> $l)
            }
        }
    };
}

operations!(Word32, u32, big0 2 13 22, big1 6 11 25, small0 7 18 3, small1 17 19 10);
operations!(Word64, u64, big0 28 34 39, big1 14 18 41, small0 1 8 7, small1 19 61 6);

/// What SHA-1 has and SHA-2 has not.
impl Word32 {
    #[inline(always)]
    pub(crate) const fn xor(self, x: u32, y: u32) -> u32 {
        x ^ y
    }

    #[inline(always)]
    pub(crate) const fn parity(self, x: u32, y: u32, z: u32) -> u32 {
        x ^ y ^ z
    }

    #[inline(always)]
    pub(crate) const fn rol1(self, x: u32) -> u32 {
        x.rotate_left(1)
    }

    #[inline(always)]
    pub(crate) const fn rol5(self, x: u32) -> u32 {
        x.rotate_left(5)
    }

    #[inline(always)]
    pub(crate) const fn rol30(self, x: u32) -> u32 {
        x.rotate_left(30)
    }
}

/// The 31 bits of a digest at the byte offset, 0 to 15, that its last four bits name (RFC 4226, section
/// 5.3); of the digest, its first five words and its last one. Every step is one that vectors have.
#[inline(always)]
pub(crate) const fn truncate(words: [u32; 5], last: u32) -> u32 {
    moved(words, masks(last))
}

/// As [`truncate`], for one digest. Without a vector the compiler makes a branch of words that one bit
/// masks, and time would tell the bit: so it is not shown that the masks are made of one.
#[inline(always)]
pub(crate) fn truncate_one(words: [u32; 5], last: u32) -> u32 {
    moved(words, masks(last).map(core::hint::black_box))
}

/// Each bit of the offset, from the highest, in every bit of a word.
#[inline(always)]
const fn masks(last: u32) -> [u32; 4] {
    [
        0_u32.wrapping_sub((last >> 3) & 1),
        0_u32.wrapping_sub((last >> 2) & 1),
        0_u32.wrapping_sub((last >> 1) & 1),
        0_u32.wrapping_sub(last & 1),
    ]
}

/// All words are read: each mask moves them all or none, by 8, 4, 2 and 1 bytes.
#[inline(always)]
const fn moved([a, b, c, d, e]: [u32; 5], [by8, by4, by2, by1]: [u32; 4]) -> u32 {
    let (a, b, c) = (a ^ (by8 & (a ^ c)), b ^ (by8 & (b ^ d)), c ^ (by8 & (c ^ e)));
    let (a, b) = (a ^ (by4 & (a ^ b)), b ^ (by4 & (b ^ c)));
    let (a, b) = (a ^ (by2 & (a ^ (a << 16 | b >> 16))), b ^ (by2 & (b ^ (b << 16))));
    (a ^ (by1 & (a ^ (a << 8 | b >> 24)))) & 0x7fff_ffff
}

/// Each value's remainder, in steps that vectors have.
#[inline(always)]
pub(crate) fn remainders(values: &mut [u32], divisor: Divisor) {
    for value in values {
        *value = divisor.remainder(*value);
    }
}

/// The words of a block, which are big-endian in every one of these hashes.
macro_rules! block_words {
    ($block:expr, $word:ty) => {{
        let (chunks, _) = $block.as_chunks::<{ size_of::<$word>() }>();
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(chunks) {
            *word = <$word>::from_be_bytes(*bytes);
        }
        words
    }};
}

/// The high and the low half of a tail of 64 bits.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
pub(crate) const fn halves(tail: u64) -> [u32; 2] {
    [(tail >> 32) as u32, tail as u32]
}
