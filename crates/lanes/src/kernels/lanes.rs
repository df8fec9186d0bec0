//! What each hash does on each kernel: intrinsics where there are some, else the plain loops, compiled
//! for the kernel's instruction set.

use zeroize::Zeroize;

use crate::{
    Bundle, Hash, Kernel, Schedule, Sha1, Sha256, Sha512,
    kernels::plain::{Word32, Word64, halves, truncate},
};

/// Plain code that is compiled once for each instruction set.
pub(crate) trait Op {
    /// Inlined into its caller always, so that it is compiled for the caller's set.
    fn call(self);
}

impl Kernel {
    /// Runs plain code compiled for this kernel's instruction set.
    #[inline]
    fn run(self, op: impl Op) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) => kernel.run(op),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernel) => kernel.run(op),
            #[cfg(target_arch = "x86_64")]
            Self::ShaNi(_) => op.call(),
            Self::Portable => op.call(),
        }
    }
}

struct Compress<'a, H: Hash>(&'a mut [H::State], &'a [H::Block]);
struct Nested<'a, H: Hash>(&'a [Bundle<H>], &'a [H::Lanes<u64>], &'a mut [H::Lanes<u32>]);
struct NestedShared<'a, H: Hash>(&'a [Bundle<H>], &'a Schedule<H>, &'a mut [H::Lanes<u32>]);

/// One lane of SHA-1.
mod sha1 {
    use super::{Word32, truncate};

    #[inline(always)]
    pub(super) fn compress(state: [u32; 5], mut w: [u32; 16]) -> [u32; 5] {
        let ops = Word32;
        sha1!(scheduled, ops, state, w)
    }

    #[inline(always)]
    pub(super) fn nested(first: [u32; 5], second: [u32; 5], [high, low]: [u32; 2]) -> u32 {
        let ops = Word32;
        finish(second, compress(first, last_block!(ops, 1 << 31, 576, high, low)))
    }

    #[inline(always)]
    pub(super) fn nested_shared(first: [u32; 5], second: [u32; 5], w: &[u32; 80]) -> u32 {
        let ops = Word32;
        finish(second, sha1!(shared, ops, first, w))
    }

    #[inline(always)]
    fn finish(second: [u32; 5], [a, b, c, d, e]: [u32; 5]) -> u32 {
        let ops = Word32;
        let digest = compress(second, last_block!(ops, 1 << 31, 672, a, b, c, d, e));
        truncate(digest, digest[4])
    }

    /// The expanded words of a tail's block, the constants added.
    pub(super) fn expand([high, low]: [u32; 2]) -> [u32; 80] {
        let ops = Word32;
        let mut words = [0; 80];
        let block: [u32; 16] = last_block!(ops, 1 << 31, 576, high, low);
        words[..16].copy_from_slice(&block);
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
    ($module:ident, $word:ty, $ops:ident, $k:ident, $rounds:literal, $tail_bits:literal, $digest_bits:literal,
     tail $tail:ident => $($tail_word:expr),+; truncated $digest:ident => $five:expr) => {
        mod $module {
            use super::{$ops, truncate};

            const TOP: $word = 1 << (<$word>::BITS - 1);

            #[inline(always)]
            pub(super) fn compress(state: [$word; 8], mut w: [$word; 16]) -> [$word; 8] {
                let ops = $ops;
                sha2!(scheduled, $k, ops, state, w)
            }

            #[inline(always)]
            pub(super) fn nested(first: [$word; 8], second: [$word; 8], $tail: [u32; 2]) -> u32 {
                let ops = $ops;
                finish(second, compress(first, last_block!(ops, TOP, $tail_bits, $($tail_word),+)))
            }

            #[inline(always)]
            pub(super) fn nested_shared(
                first: [$word; 8],
                second: [$word; 8],
                w: &[$word; $rounds],
            ) -> u32 {
                let ops = $ops;
                finish(second, sha2!(shared, $k, ops, first, w))
            }

            #[inline(always)]
            fn finish(second: [$word; 8], [a, b, c, d, e, f, g, h]: [$word; 8]) -> u32 {
                let ops = $ops;
                let block = last_block!(ops, TOP, $digest_bits, a, b, c, d, e, f, g, h);
                let $digest = compress(second, block);
                #[allow(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
                truncate($five, $digest[7] as u32)
            }

            /// The expanded words of a tail's block, the constants added.
            pub(super) fn expand($tail: [u32; 2]) -> [$word; $rounds] {
                let ops = $ops;
                let mut words = [0; $rounds];
                let block: [$word; 16] = last_block!(ops, TOP, $tail_bits, $($tail_word),+);
                words[..16].copy_from_slice(&block);
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

sha2_lane!(sha256, u32, Word32, K256, 64, 576, 768,
    tail tail => tail[0], tail[1];
    truncated digest => [digest[0], digest[1], digest[2], digest[3], digest[4]]);
sha2_lane!(sha512, u64, Word64, K512, 80, 1088, 1536,
tail tail => (u64::from(tail[0]) << 32) | u64::from(tail[1]);
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
     compress $compress:tt, nested $nested:tt, shared $shared:tt, few $few:tt) => {
        impl Hash for $hash {
            type Word = $word;
            type State = [$word; $words];
            type Block = [u8; $bytes];
            type Lanes<T: Copy> = [T; $lanes];
            type Rows = [[$word; $lanes]; $words];
            type Expanded = [$word; $rounds];

            const LANES: usize = $lanes;
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
                $module::expand(halves(tail))
            }

            fn compress(kernel: Kernel, states: &mut [Self::State], blocks: &[Self::Block]) {
                own!($compress, kernel, (states, blocks));
                kernel.run(Compress::<Self>(states, blocks));
            }

            fn nested(
                kernel: Kernel,
                bundles: &[Bundle<Self>],
                tails: &[[u64; $lanes]],
                out: &mut [[u32; $lanes]],
            ) {
                own!($nested, kernel, (bundles, tails, out));
                kernel.run(Nested::<Self>(bundles, tails, out));
            }

            fn nested_shared(
                kernel: Kernel,
                bundles: &[Bundle<Self>],
                schedule: &Schedule<Self>,
                out: &mut [[u32; $lanes]],
            ) {
                own!($shared, kernel, (bundles, schedule, out));
                kernel.run(NestedShared::<Self>(bundles, schedule, out));
            }

            #[inline]
            fn nested_few<const N: usize>(
                kernel: Kernel,
                first: &Self::State,
                second: &Self::State,
                tails: [u64; N],
            ) -> [u32; N] {
                own!($few, kernel, (first, second, tails));
                tails.map(|tail| $module::nested(*first, *second, halves(tail)))
            }
        }

        impl Op for Compress<'_, $hash> {
            /// Full bundles are moved into lane order, for loops that vectorise; the rest goes one by one.
            #[inline(always)]
            fn call(self) {
                let Self(states, blocks) = self;
                let length = states.len().min(blocks.len());
                let (states, rest) = states[..length].as_chunks_mut::<$lanes>();
                let (blocks, rest_blocks) = blocks[..length].as_chunks::<$lanes>();
                let mut rows = [[0; $lanes]; $words];
                for (states, blocks) in states.iter_mut().zip(blocks) {
                    let mut words = [[0; $lanes]; 16];
                    for lane in 0..$lanes {
                        Self::put(&mut rows, lane, &states[lane]);
                        for (row, word) in words.iter_mut().zip(block_words!(blocks[lane], $word)) {
                            row[lane] = word;
                        }
                    }
                    for lane in 0..$lanes {
                        let state = rows.map(|row| row[lane]);
                        let next = $module::compress(state, words.map(|row| row[lane]));
                        for (row, word) in rows.iter_mut().zip(next) {
                            row[lane] = word;
                        }
                    }
                    for (lane, state) in states.iter_mut().enumerate() {
                        *state = rows.map(|row| row[lane]);
                    }
                    words.zeroize();
                }
                rows.zeroize();
                for (state, block) in rest.iter_mut().zip(rest_blocks) {
                    *state = $module::compress(*state, block_words!(block, $word));
                }
            }
        }

        impl Compress<'_, $hash> {
            #[inline(always)]
            fn put(rows: &mut [[$word; $lanes]; $words], lane: usize, state: &[$word; $words]) {
                for (row, word) in rows.iter_mut().zip(state) {
                    row[lane] = *word;
                }
            }
        }

        impl Op for Nested<'_, $hash> {
            #[inline(always)]
            fn call(self) {
                for ((bundle, tails), out) in self.0.iter().zip(self.1).zip(self.2) {
                    let (first, second) = (&bundle.first.0, &bundle.second.0);
                    for lane in 0..$lanes {
                        out[lane] = $module::nested(
                            first.map(|row| row[lane]),
                            second.map(|row| row[lane]),
                            halves(tails[lane]),
                        );
                    }
                }
            }
        }

        impl Op for NestedShared<'_, $hash> {
            #[inline(always)]
            fn call(self) {
                for (bundle, out) in self.0.iter().zip(self.2) {
                    let (first, second) = (&bundle.first.0, &bundle.second.0);
                    for lane in 0..$lanes {
                        out[lane] = $module::nested_shared(
                            first.map(|row| row[lane]),
                            second.map(|row| row[lane]),
                            &self.1.0,
                        );
                    }
                }
            }
        }
    };
}

hash!(Sha1, sha1, u32, state 5, block 64, rounds 80, lanes 16,
    rank [Avx512, Avx2, ShaNi],
    compress { ShaNi: sha1_compress }, nested { Avx512: sha1_nested, ShaNi: sha1_nested },
    shared { Avx512: sha1_nested_shared }, few { ShaNi: sha1_nested_few });
hash!(Sha256, sha256, u32, state 8, block 64, rounds 64, lanes 16,
    rank [Avx512, ShaNi, Avx2],
    compress { ShaNi: sha256_compress }, nested { ShaNi: sha256_nested },
    shared {}, few { ShaNi: sha256_nested_few });
hash!(Sha512, sha512, u64, state 8, block 128, rounds 80, lanes 8,
    rank [Avx512, Avx2, ShaNi],
    compress {}, nested {}, shared {}, few {});
