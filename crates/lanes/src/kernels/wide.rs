//! What every vector kernel does with bundles, around the rounds of its hash.

/// The functions of one hash on one instruction set: `$ops` is a type of operations on a register of
/// `$wide` words, of which a bundle's row has `$parts`, and `$together` registers go side by side.
macro_rules! wide {
    ($nested:ident, $shared:ident, $compress:ident, $group:ident, $second:ident,
     $features:literal, $ops:ident, $v:ty, $hash:ident, $word:ty, $rounds:literal, lanes $lanes:literal,
     wide $wide:literal, parts $parts:literal, together $together:literal, state $words:literal,
     block $bytes:literal, $sha:ident $(, $k:ident)?; bits $tail_bits:literal $digest_bits:literal;
     tail $tail:ident, $ops_name:ident => $($t:literal: $tail_word:expr),+;
     digest $inner:ident => $($d:literal: $digest_word:expr),+;
     truncated $digest:ident, $lane:ident => $five:expr, $last:expr) => {
        /// Each chain of each bundle over its own tail.
        #[target_feature(enable = $features)]
        pub(crate) fn $nested(
            bundles: &[Bundle<$hash>],
            tails: &[[u64; $lanes]],
            out: &mut [[u32; $lanes]],
        ) {
            const APART: usize = $together / $parts;
            let length = bundles.len().min(tails.len()).min(out.len());
            let (bundles, last) = bundles[..length].as_chunks::<APART>();
            let (tails, last_tails) = tails[..length].as_chunks::<APART>();
            let (out, last_out) = out[..length].as_chunks_mut::<APART>();
            for ((bundles, tails), out) in bundles.iter().zip(tails).zip(out) {
                $group::<$together, false>(bundles, tails, &[0; $rounds], out);
            }
            for ((bundle, tails), out) in last.iter().zip(last_tails).zip(last_out) {
                $group::<$parts, false>(from_ref(bundle), from_ref(tails), &[0; $rounds], from_mut(out));
            }
        }

        /// Each chain of each bundle over the tail of a schedule.
        #[target_feature(enable = $features)]
        pub(crate) fn $shared(
            bundles: &[Bundle<$hash>],
            schedule: &Schedule<$hash>,
            out: &mut [[u32; $lanes]],
        ) {
            const APART: usize = $together / $parts;
            let length = bundles.len().min(out.len());
            let (bundles, last) = bundles[..length].as_chunks::<APART>();
            let (out, last_out) = out[..length].as_chunks_mut::<APART>();
            for (bundles, out) in bundles.iter().zip(out) {
                $group::<$together, true>(bundles, &[], &schedule.words, out);
            }
            for (bundle, out) in last.iter().zip(last_out) {
                $group::<$parts, true>(from_ref(bundle), &[], &schedule.words, from_mut(out));
            }
        }

        /// Compresses each block into the state beside it: as many at once as a register has lanes, the
        /// last ones beside lanes of zeros.
        #[target_feature(enable = $features)]
        pub(crate) fn $compress(states: &mut [[$word; $words]], blocks: &[[u8; $bytes]]) {
            let ops = $ops::new();
            let length = states.len().min(blocks.len());
            let (mut rows, mut words) = ([[0; $wide]; $words], [[0; $wide]; 16]);
            for (states, blocks) in
                states[..length].chunks_mut($wide).zip(blocks[..length].chunks($wide))
            {
                for (lane, (state, block)) in states.iter().zip(blocks).enumerate() {
                    for (row, word) in rows.iter_mut().zip(state) {
                        row[lane] = *word;
                    }
                    for (row, word) in words.iter_mut().zip(block_words!(block, $word)) {
                        row[lane] = word;
                    }
                }
                let mut block = [[ops.splat(0)]; 16];
                for (word, row) in block.iter_mut().zip(&words) {
                    *word = [ops.load(row)];
                }
                let mut start = [[ops.splat(0)]; $words];
                for (word, row) in start.iter_mut().zip(&rows) {
                    *word = [ops.load(row)];
                }
                let next = $sha!(scheduled, $($k,)? ops, 1, start, block);
                for (row, [word]) in rows.iter_mut().zip(next) {
                    *row = ops.store(word);
                }
                for (lane, state) in states.iter_mut().enumerate() {
                    for (word, row) in state.iter_mut().zip(&rows) {
                        *word = row[lane];
                    }
                }
            }
            rows.zeroize();
            words.zeroize();
        }

        /// `N` registers, which are so many bundles as their rows have parts: the first hash over a tail
        /// for each lane, or over one for all whose block is expanded, the second over the digests of the
        /// first, truncated.
        #[inline]
        #[target_feature(enable = $features)]
        fn $group<const N: usize, const SHARED: bool>(
            bundles: &[Bundle<$hash>],
            tails: &[[u64; $lanes]],
            expanded: &[$word; $rounds],
            out: &mut [[u32; $lanes]],
        ) {
            let ops = $ops::new();
            let mut start = [[ops.splat(0); N]; $words];
            for i in 0..N {
                for (word, row) in start.iter_mut().zip(&bundles[i / $parts].first.0) {
                    word[i] = ops.load(&row.as_chunks::<$wide>().0[i % $parts]);
                }
            }
            let inner = if SHARED {
                $sha!(shared, $($k,)? ops, N, start, expanded)
            } else {
                let $ops_name = ops;
                let mut $tail = [[0; $wide]; N];
                for i in 0..N {
                    $tail[i] = tails[i / $parts].as_chunks::<$wide>().0[i % $parts];
                }
                let mut words = last_block!(ops, N, $tail_bits; $($t: $tail_word),+);
                $sha!(scheduled, $($k,)? ops, N, start, words)
            };
            $second::<N>(bundles, inner, out);
        }

        /// The second hash over the digests of the first, truncated. Apart, or the compiler mixes its registers
        /// with those of the first.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn $second<const N: usize>(
            bundles: &[Bundle<$hash>],
            $inner: [[$v; N]; $words],
            out: &mut [[u32; $lanes]],
        ) {
            let ops = $ops::new();
            let mut start = [[ops.splat(0); N]; $words];
            for i in 0..N {
                for (word, row) in start.iter_mut().zip(&bundles[i / $parts].second.0) {
                    word[i] = ops.load(&row.as_chunks::<$wide>().0[i % $parts]);
                }
            }
            let $ops_name = ops;
            let mut words = last_block!(ops, N, $digest_bits; $($d: $digest_word),+);
            let digests = $sha!(scheduled, $($k,)? ops, N, start, words);
            for i in 0..N {
                let $digest = digests.map(|word| ops.store(word[i]));
                let out = &mut out[i / $parts].as_chunks_mut::<$wide>().0[i % $parts];
                for $lane in 0..$wide {
                    out[$lane] = truncate($five, $last);
                }
            }
        }
    };
}

/// The operations on one register: each a function that only code compiled for the set may call.
macro_rules! operations_on {
    ($ops:ident, $features:literal, $v:ty, $word:ty, $wide:literal; load $load:expr; store $store:expr;
     splat $splat:expr; $($name:ident($($x:ident),+) = $one:expr;)+) => {
        impl $ops {
            $(
                #[inline]
                #[target_feature(enable = $features)]
                fn $name(self, $($x: $v),+) -> $v {
                    $one
                }
            )+

            #[inline]
            #[target_feature(enable = $features)]
            fn splat(self, word: $word) -> $v {
                $splat(word.cast_signed())
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn load(self, words: &[$word; $wide]) -> $v {
                $load(words.map(<$word>::cast_signed))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn store(self, x: $v) -> [$word; $wide] {
                $store(x).map(|word| word.cast_unsigned())
            }
        }
    };
}

/// The words of tails for hashes of 32 bits: the high or the low halves.
macro_rules! halves_of_tails {
    ($ops:ident, $features:literal, $v:ty, $wide:literal) => {
        impl $ops {
            #[inline]
            #[target_feature(enable = $features)]
            fn halves<const N: usize>(self, tails: [[u64; $wide]; N], low: bool) -> [$v; N] {
                let mut words = [self.splat(0); N];
                for i in 0..N {
                    words[i] = self.load(&tails[i].map(|tail| halves(tail)[usize::from(low)]));
                }
                words
            }
        }
    };
}

/// The same for hashes of 64 bits, for which a tail is a word.
macro_rules! whole_tails {
    ($ops:ident, $features:literal, $v:ty, $wide:literal) => {
        impl $ops {
            #[inline]
            #[target_feature(enable = $features)]
            fn whole<const N: usize>(self, tails: [[u64; $wide]; N]) -> [$v; N] {
                let mut words = [self.splat(0); N];
                for i in 0..N {
                    words[i] = self.load(&tails[i]);
                }
                words
            }
        }
    };
}

/// SHA-1, SHA-256 and SHA-512 on one instruction set, and remainders.
macro_rules! all_hashes {
    ($features:literal, $ops32:ident $wide32:literal, $ops64:ident $wide64:literal, parts $parts:literal,
     register $v:ty, together $sha1:literal $sha256:literal $sha512:literal) => {
        wide!(sha1_nested, sha1_nested_shared, sha1_compress, sha1_group, sha1_second,
            $features, $ops32, $v, Sha1, u32, 80, lanes 16, wide $wide32, parts $parts, together $sha1,
            state 5, block 64, sha1; bits 576 672;
            tail tails, o => 0: o.halves(tails, false), 1: o.halves(tails, true), 2: [o.splat(1 << 31); N];
            digest d => 0: d[0], 1: d[1], 2: d[2], 3: d[3], 4: d[4], 5: [o.splat(1 << 31); N];
            truncated d, i => [d[0][i], d[1][i], d[2][i], d[3][i], d[4][i]], d[4][i]);
        wide!(sha256_nested, sha256_nested_shared, sha256_compress, sha256_group, sha256_second,
            $features, $ops32, $v, Sha256, u32, 64, lanes 16, wide $wide32, parts $parts,
            together $sha256, state 8, block 64, sha2, K256; bits 576 768;
            tail tails, o => 0: o.halves(tails, false), 1: o.halves(tails, true), 2: [o.splat(1 << 31); N];
            digest d => 0: d[0], 1: d[1], 2: d[2], 3: d[3], 4: d[4], 5: d[5], 6: d[6], 7: d[7],
                8: [o.splat(1 << 31); N];
            truncated d, i => [d[0][i], d[1][i], d[2][i], d[3][i], d[4][i]], d[7][i]);
        wide!(sha512_nested, sha512_nested_shared, sha512_compress, sha512_group, sha512_second,
            $features, $ops64, $v, Sha512, u64, 80, lanes 8, wide $wide64, parts $parts,
            together $sha512, state 8, block 128, sha2, K512; bits 1088 1536;
            tail tails, o => 0: o.whole(tails), 1: [o.splat(1 << 63); N];
            digest d => 0: d[0], 1: d[1], 2: d[2], 3: d[3], 4: d[4], 5: d[5], 6: d[6], 7: d[7],
                8: [o.splat(1 << 63); N];
            truncated d, i => {
                let ([a, b], [c, d1]) = (halves(d[0][i]), halves(d[1][i]));
                [a, b, c, d1, halves(d[2][i])[0]]
            }, halves(d[7][i])[1]);

        /// The plain loop, compiled for the set.
        #[target_feature(enable = $features)]
        pub(crate) fn remainders(values: &mut [u32], divisor: Divisor) {
            plain::remainders(values, divisor);
        }
    };
}
