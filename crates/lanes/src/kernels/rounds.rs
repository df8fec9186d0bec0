//! The rounds (FIPS 180-4, section 6), once for every kind of register.
//!
//! A macro, since what differs between instruction sets are functions that only code compiled for the
//! set may call, and no trait method can be that. `$ops` is a value whose methods are the operations on
//! a register `V` of one or more lanes; `add_here` is an addition that stays where it is written. `$n`
//! registers go side by side through each round, so that one computes while another waits: a state is
//! `[[V; n]; 5]` or `[[V; n]; 8]`, a block `[[V; n]; 16]`. The rounds of a block that is
//! expanded as it is needed are written out, so that words are registers, and words known beforehand
//! (padding) fold away.

/// The word that a round adds: of a block, expanded as it is needed (`scheduled`), or of one block for
/// all lanes, expanded before with the constants added (`shared`, in `[Word; ROUNDS]`).
macro_rules! sha1_word {
    (scheduled, $ops:ident, $w:ident, $i:ident, $t:expr, $k:literal) => {{
        if $t >= 16 {
            let even = $ops.xor($w[($t + 2) & 15][$i], $w[$t & 15][$i]);
            let odd = $ops.xor($w[($t + 13) & 15][$i], $w[($t + 8) & 15][$i]);
            $w[$t & 15][$i] = $ops.rol1($ops.xor(odd, even));
        }
        $ops.add($w[$t & 15][$i], $ops.splat(crate::kernels::constants::K1[$k]))
    }};
    (shared, $ops:ident, $w:ident, $i:ident, $t:expr, $k:literal) => {
        $ops.splat($w[$t])
    };
}

/// Five rounds, after which each word of the state is in its place again.
macro_rules! five {
    ($round:ident, $f:ident, $k:literal, $t:expr; $a:ident $b:ident $c:ident $d:ident $e:ident) => {
        $round!($f, $k, $t, $a $b $c $d $e);
        $round!($f, $k, $t + 1, $e $a $b $c $d);
        $round!($f, $k, $t + 2, $d $e $a $b $c);
        $round!($f, $k, $t + 3, $c $d $e $a $b);
        $round!($f, $k, $t + 4, $b $c $d $e $a);
    };
}

/// Twenty rounds: written out where words are registers, else in a loop, out of which the compiler cannot
/// carry the rounds of one register, to do all of them before those of the next.
macro_rules! twenty {
    (shared, $round:ident, $f:ident, $k:literal, $t:literal; $($word:ident)+) => {
        for from in [$t, $t + 5, $t + 10, $t + 15] {
            five!($round, $f, $k, from; $($word)+);
        }
    };
    ($words:ident, $round:ident, $f:ident, $k:literal, $t:literal; $($word:ident)+) => {
        five!($round, $f, $k, $t; $($word)+);
        five!($round, $f, $k, $t + 5; $($word)+);
        five!($round, $f, $k, $t + 10; $($word)+);
        five!($round, $f, $k, $t + 15; $($word)+);
    };
}

/// SHA-1 (section 6.1.2) of one block: a state and its words, to the next state.
macro_rules! sha1 {
    ($words:ident, $ops:ident, $n:expr, $state:expr, $w:ident) => {{
        let start = $state;
        let [mut a, mut b, mut c, mut d, mut e] = start;
        macro_rules! round {
            ($f:ident, $k:literal, $t:expr, $a:ident $b:ident $c:ident $d:ident $e:ident) => {
                for i in 0..$n {
                    let word = sha1_word!($words, $ops, $w, i, $t, $k);
                    let chosen = $ops.$f($b[i], $c[i], $d[i]);
                    $b[i] = $ops.rol30($b[i]);
                    $e[i] = $ops.add_here($e[i], word);
                    $e[i] = $ops.add($e[i], chosen);
                    $e[i] = $ops.add($e[i], $ops.rol5($a[i]));
                }
            };
        }
        twenty!($words, round, choose, 0, 0; a b c d e);
        twenty!($words, round, parity, 1, 20; a b c d e);
        twenty!($words, round, majority, 2, 40; a b c d e);
        twenty!($words, round, parity, 3, 60; a b c d e);
        let mut next = [a, b, c, d, e];
        for (next, start) in next.iter_mut().zip(&start) {
            for i in 0..$n {
                next[i] = $ops.add(next[i], start[i]);
            }
        }
        next
    }};
}

/// As [`sha1_word`], for SHA-2, whose constants are one for each round.
macro_rules! sha2_word {
    (scheduled, $ops:ident, $w:ident, $i:ident, $t:literal, $k:ident) => {{
        if $t >= 16 {
            let early = $ops.add($w[$t & 15][$i], $ops.small0($w[($t + 1) & 15][$i]));
            let late = $ops.add($w[($t + 9) & 15][$i], $ops.small1($w[($t + 14) & 15][$i]));
            $w[$t & 15][$i] = $ops.add(early, late);
        }
        $ops.add($w[$t & 15][$i], $ops.splat(crate::kernels::constants::$k[$t]))
    }};
    (shared, $ops:ident, $w:ident, $i:ident, $t:literal, $k:ident) => {
        $ops.splat($w[$t])
    };
}

/// SHA-2 (sections 6.2.2 and 6.4.2) of one block: a state and its words, to the next state.
/// `$k` is [`K256`](crate::kernels::constants::K256), for 64 rounds, or `K512`, for 80.
macro_rules! sha2 {
    ($words:ident, $k:ident, $ops:ident, $n:expr, $state:expr, $w:ident) => {{
        let start = $state;
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = start;
        macro_rules! round {
            ($t:literal, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
                for i in 0..$n {
                    let word = sha2_word!($words, $ops, $w, i, $t, $k);
                    $h[i] = $ops.add_here($h[i], word);
                    $h[i] = $ops.add($h[i], $ops.choose($e[i], $f[i], $g[i]));
                    $h[i] = $ops.add($h[i], $ops.big1($e[i]));
                    $d[i] = $ops.add($d[i], $h[i]);
                    $h[i] = $ops.add($h[i], $ops.majority($a[i], $b[i], $c[i]));
                    $h[i] = $ops.add($h[i], $ops.big0($a[i]));
                }
            };
        }
        macro_rules! eight {
            ($p:literal $q:literal $r:literal $s:literal $t:literal $u:literal $v:literal $x:literal) => {
                round!($p, a b c d e f g h);
                round!($q, h a b c d e f g);
                round!($r, g h a b c d e f);
                round!($s, f g h a b c d e);
                round!($t, e f g h a b c d);
                round!($u, d e f g h a b c);
                round!($v, c d e f g h a b);
                round!($x, b c d e f g h a);
            };
        }
        eight!(0 1 2 3 4 5 6 7);
        eight!(8 9 10 11 12 13 14 15);
        eight!(16 17 18 19 20 21 22 23);
        eight!(24 25 26 27 28 29 30 31);
        eight!(32 33 34 35 36 37 38 39);
        eight!(40 41 42 43 44 45 46 47);
        eight!(48 49 50 51 52 53 54 55);
        eight!(56 57 58 59 60 61 62 63);
        sha2_after_64!($k, eight);
        let mut next = [a, b, c, d, e, f, g, h];
        for (next, start) in next.iter_mut().zip(&start) {
            for i in 0..$n {
                next[i] = $ops.add(next[i], start[i]);
            }
        }
        next
    }};
}

/// The sixteen rounds that SHA-512 has above SHA-256.
macro_rules! sha2_after_64 {
    (K256, $eight:ident) => {};
    (K512, $eight:ident) => {
        $eight!(64 65 66 67 68 69 70 71);
        $eight!(72 73 74 75 76 77 78 79);
    };
}

/// The last block of a message with one block before it (section 5.1): words, of which the caller gives
/// the last as the set bit, zeros, and the length in bits, here for messages that leave its high word
/// zero.
macro_rules! last_block {
    ($ops:ident, $n:expr, $bits:literal; $($i:literal: $word:expr),+) => {{
        let mut block = [[$ops.splat(0); $n]; 16];
        $(block[$i] = $word;)+
        block[15] = [$ops.splat($bits); $n];
        block
    }};
}
