//! What each hash does on each kernel: intrinsics where there are some, else the plain loops, compiled
//! for the kernel's instruction set.

use crate::{
    Bundle, Divisor, Hash, Kernel, Schedule, Sha1, Sha256, Sha512,
    kernels::plain::{Word32, Word64, halves, remainders, truncate_one},
};

/// One lane of SHA-1.
mod sha1 {
    use super::{Word32, halves, truncate_one};

    #[inline(always)]
    pub(super) fn compress(state: [u32; 5], words: [u32; 16]) -> [u32; 5] {
        let ops = Word32;
        let mut words = words.map(|word| [word]);
        sha1!(scheduled, ops, 1, state.map(|word| [word]), words).map(|[word]| word)
    }

    #[inline(always)]
    pub(super) fn nested(first: [u32; 5], second: [u32; 5], tail: u64) -> u32 {
        let inner = compress(first, tail_block(tail));
        let ops = Word32;
        let block = last_block!(ops, 1, 672; 0: [inner[0]], 1: [inner[1]], 2: [inner[2]],
            3: [inner[3]], 4: [inner[4]], 5: [1 << 31]);
        let digest = compress(second, block.map(|[word]| word));
        truncate_one([digest[0], digest[1], digest[2], digest[3], digest[4]], digest[4])
    }

    #[inline(always)]
    pub(super) fn tail_block(tail: u64) -> [u32; 16] {
        let ops = Word32;
        let [high, low] = halves(tail);
        last_block!(ops, 1, 576; 0: [high], 1: [low], 2: [1 << 31]).map(|[word]| word)
    }

    /// The expanded words of a tail's block, the constants added.
    pub(super) fn expand(tail: u64) -> [u32; 80] {
        let mut words = [0_u32; 80];
        words[..16].copy_from_slice(&tail_block(tail));
        for t in 16..80 {
            words[t] = (words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]).rotate_left(1);
        }
        for (t, word) in words.iter_mut().enumerate() {
            *word = word.wrapping_add(crate::kernels::constants::K1[t / 20]);
        }
        words
    }
}

/// One lane of SHA-2, by the width of its words.
macro_rules! sha2_lane {
    ($module:ident, $word:ty, $ops:ident, $k:ident, $rounds:literal, bits $tail_bits:literal $digest_bits:literal,
     tail $tail:ident => $($i:literal: $tail_word:expr),+; truncated $digest:ident => $five:expr) => {
        mod $module {
            use super::{$ops, truncate_one};

            const TOP: $word = 1 << (<$word>::BITS - 1);

            #[inline(always)]
            pub(super) fn compress(state: [$word; 8], words: [$word; 16]) -> [$word; 8] {
                let ops = $ops;
                let mut words = words.map(|word| [word]);
                sha2!(scheduled, $k, ops, 1, state.map(|word| [word]), words).map(|[word]| word)
            }

            #[inline(always)]
            pub(super) fn nested(first: [$word; 8], second: [$word; 8], tail: u64) -> u32 {
                let inner = compress(first, tail_block(tail)).map(|word| [word]);
                let ops = $ops;
                let block = last_block!(ops, 1, $digest_bits; 0: inner[0], 1: inner[1], 2: inner[2],
                    3: inner[3], 4: inner[4], 5: inner[5], 6: inner[6], 7: inner[7], 8: [TOP]);
                let $digest = compress(second, block.map(|[word]| word));
                #[allow(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
                truncate_one($five, $digest[7] as u32)
            }

            #[inline(always)]
            pub(super) fn tail_block($tail: u64) -> [$word; 16] {
                let ops = $ops;
                last_block!(ops, 1, $tail_bits; $($i: [$tail_word]),+).map(|[word]| word)
            }

            /// The expanded words of a tail's block, the constants added.
            pub(super) fn expand(tail: u64) -> [$word; $rounds] {
                let ops = $ops;
                let mut words = [0; $rounds];
                words[..16].copy_from_slice(&tail_block(tail));
                for t in 16..$rounds {
                    words[t] = words[t - 16]
                        .wrapping_add(ops.small0(words[t - 15]))
                        .wrapping_add(words[t - 7])
                        .wrapping_add(ops.small1(words[t - 2]));
                }
                for (word, k) in words.iter_mut().zip(crate::kernels::constants::$k) {
                    *word = word.wrapping_add(k);
                }
                words
            }
        }
    };
}

sha2_lane!(sha256, u32, Word32, K256, 64, bits 576 768,
    tail tail => 0: super::halves(tail)[0], 1: super::halves(tail)[1], 2: TOP;
    truncated digest => [digest[0], digest[1], digest[2], digest[3], digest[4]]);
sha2_lane!(sha512, u64, Word64, K512, 80, bits 1088 1536,
tail tail => 0: tail, 1: TOP;
truncated digest => [
    (digest[0] >> 32) as u32, digest[0] as u32,
    (digest[1] >> 32) as u32, digest[1] as u32,
    (digest[2] >> 32) as u32,
]);

/// Returns what a kernel's own code computes, where it has some.
macro_rules! own {
    ({}, $chosen:ident, $arguments:tt) => {
        let _ = $chosen;
    };
    ({ $($kernel:ident: $function:ident),* }, $chosen:ident, $arguments:tt) => {
        $(
            #[cfg(target_arch = "x86_64")]
            if let Kernel::$kernel(kernel) = $chosen {
                return own!(@call kernel, $function, $arguments);
            }
        )*
    };
    (@call $kernel:ident, $function:ident, ($($argument:ident),+)) => {
        $kernel.$function($($argument),+)
    };
}

/// A hash over lanes: its shapes, its loops, and the kernels that have code of their own.
macro_rules! hash {
    ($hash:ident, $module:ident, $word:ty, state $words:literal, block $bytes:literal, rounds $rounds:literal,
     lanes $lanes:literal, rank [$best:ident, $second:ident, $third:ident],
     compress $compress:tt, masked $masked:tt, nested $nested:tt, shared $shared:tt, few $few:tt by_sha_ni $by_sha_ni:literal) => {
        impl Hash for $hash {
            type Word = $word;
            type State = [$word; $words];
            type Block = [u8; $bytes];
            type Lanes<T: Copy> = [T; $lanes];
            type Rows = [[$word; $lanes]; $words];
            type Expanded = [$word; $rounds];

            const LANES: usize = $lanes;
            const FEW_BY_SHA_NI: bool = $by_sha_ni;
            const NO_ROWS: Self::Rows = [[0; $lanes]; $words];

            fn splat<T: Copy>(value: T) -> [T; $lanes] {
                [value; $lanes]
            }

            #[inline]
            fn rank(kernel: Kernel) -> u8 {
                match kernel {
                    #[cfg(target_arch = "x86_64")]
                    Kernel::$best(_) => 3,
                    #[cfg(target_arch = "x86_64")]
                    Kernel::$second(_) => 2,
                    #[cfg(target_arch = "x86_64")]
                    Kernel::$third(_) => 1,
                    Kernel::Portable => 0,
                }
            }

            #[inline]
            fn put(rows: &mut Self::Rows, lane: usize, state: &Self::State) {
                if lane < $lanes {
                    for (row, word) in rows.iter_mut().zip(state) {
                        row[lane] = *word;
                    }
                }
            }

            fn expand(tail: u64) -> Self::Expanded {
                $module::expand(tail)
            }

            fn compress(kernel: Kernel, states: &mut [Self::State], blocks: &[Self::Block]) {
                own!($compress, kernel, (states, blocks));
                for (state, block) in states.iter_mut().zip(blocks) {
                    *state = $module::compress(*state, block_words!(block, $word));
                }
            }

            #[inline]
            fn compress_masked(
                kernel: Kernel,
                state: &Self::State,
                block: &Self::Block,
                masks: [u8; 2],
            ) -> [Self::State; 2] {
                own!($masked, kernel, (state, block, masks));
                masks.map(|mask| {
                    let block = block.map(|byte| byte ^ mask);
                    $module::compress(*state, block_words!(block, $word))
                })
            }

            fn nested(
                kernel: Kernel,
                bundles: &[Bundle<Self>],
                tails: &[[u64; $lanes]],
                out: &mut [[u32; $lanes]],
            ) {
                own!($nested, kernel, (bundles, tails, out));
                for ((bundle, tails), out) in bundles.iter().zip(tails).zip(out) {
                    let (first, second) = (&bundle.first.0, &bundle.second.0);
                    for lane in 0..$lanes {
                        let (first, second) =
                            (first.map(|row| row[lane]), second.map(|row| row[lane]));
                        out[lane] = $module::nested(first, second, tails[lane]);
                    }
                }
            }

            fn nested_shared(
                kernel: Kernel,
                bundles: &[Bundle<Self>],
                schedule: &Schedule<Self>,
                out: &mut [[u32; $lanes]],
            ) {
                own!($shared, kernel, (bundles, schedule, out));
                for (bundle, out) in bundles.iter().zip(out) {
                    let (first, second) = (&bundle.first.0, &bundle.second.0);
                    for lane in 0..$lanes {
                        let (first, second) =
                            (first.map(|row| row[lane]), second.map(|row| row[lane]));
                        out[lane] = $module::nested(first, second, schedule.tail);
                    }
                }
            }

            #[inline]
            fn nested_few<const N: usize>(
                kernel: Kernel,
                first: &Self::State,
                second: &Self::State,
                tails: [u64; N],
            ) -> [u32; N] {
                own!($few, kernel, (first, second, tails));
                tails.map(|tail| $module::nested(*first, *second, tail))
            }

            #[inline]
            fn remainders(kernel: Kernel, values: &mut [[u32; $lanes]], divisor: Divisor) {
                let values = values.as_flattened_mut();
                own!({ Avx512: remainders, Avx2: remainders }, kernel, (values, divisor));
                remainders(values, divisor);
            }
        }
    };
}

hash!(Sha1, sha1, u32, state 5, block 64, rounds 80, lanes 16,
    rank [Avx512, Avx2, ShaNi],
    compress { Avx512: sha1_compress, Avx2: sha1_compress, ShaNi: sha1_compress },
    masked { ShaNi: sha1_masked },
    nested { Avx512: sha1_nested, Avx2: sha1_nested, ShaNi: sha1_nested },
    shared { Avx512: sha1_nested_shared, Avx2: sha1_nested_shared },
    few { ShaNi: sha1_nested_few } by_sha_ni true);
hash!(Sha256, sha256, u32, state 8, block 64, rounds 64, lanes 16,
    rank [Avx512, ShaNi, Avx2],
    compress { Avx512: sha256_compress, Avx2: sha256_compress, ShaNi: sha256_compress },
    masked { ShaNi: sha256_masked },
    nested { Avx512: sha256_nested, Avx2: sha256_nested, ShaNi: sha256_nested },
    shared { Avx512: sha256_nested_shared, Avx2: sha256_nested_shared },
    few { ShaNi: sha256_nested_few } by_sha_ni true);
hash!(Sha512, sha512, u64, state 8, block 128, rounds 80, lanes 8,
    rank [Avx512, Avx2, ShaNi],
    compress { Avx512: sha512_compress, Avx2: sha512_compress },
    masked {},
    nested { Avx512: sha512_nested, Avx2: sha512_nested },
    shared { Avx512: sha512_nested_shared, Avx2: sha512_nested_shared },
    few {} by_sha_ni false);
