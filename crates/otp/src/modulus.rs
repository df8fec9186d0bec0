//! Arithmetic on truncated values without a division: the time that one takes depends on its operands
//! on many processors, and these operands are secret. Nothing here branches or indexes on them.

/// What a truncated value is reduced by: 10^digits (RFC 4226, section 5.3), or 26^5 for Steam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modulus {
    divisor: u64,
    reciprocal: u64,
    shift: u32,
}

impl Modulus {
    /// The modulus `divisor`, of 2 to 31 bits, with its reciprocal for values of 31 bits, rounded up.
    ///
    /// With `shift = 31 + ceil(log2 divisor)` the reciprocal errs by less than `divisor / 2^shift`,
    /// so that the quotient of every value below 2^31 is exact (Granlund and Montgomery, "Division by
    /// invariant integers using multiplication", 1994, theorem 4.2); the product stays below 2^63.
    pub(crate) const fn new(divisor: u64) -> Self {
        let log2 = u64::BITS.saturating_sub(divisor.saturating_sub(1).leading_zeros());
        let shift = log2.saturating_add(31);
        Self { divisor, reciprocal: 1_u64.wrapping_shl(shift).div_ceil(divisor), shift }
    }

    /// `value mod divisor`, for a value below 2^31.
    #[inline]
    pub(crate) const fn reduce(self, value: u64) -> u64 {
        value.wrapping_sub(self.quotient(value).wrapping_mul(self.divisor))
    }

    /// `value / divisor`, for a value below 2^31.
    #[inline]
    pub(crate) const fn quotient(self, value: u64) -> u64 {
        value.wrapping_mul(self.reciprocal).wrapping_shr(self.shift)
    }
}

const TEN_TO_8: u64 = 100_000_000;

/// The ten decimal digits of a value below 10^10, in ASCII.
#[inline]
pub(crate) fn decimal(value: u64) -> [u8; 10] {
    // 2^90 / 10^8, rounded up: exact below 2^34.
    let high = u128::from(value).wrapping_mul((1_u128 << 90).div_ceil(100_000_000)) >> 90;
    let [high, ..] = high.to_le_bytes();
    let low = value.wrapping_sub(u64::from(high).wrapping_mul(TEN_TO_8));
    let tens = u16::from(high).wrapping_mul(103) >> 10;
    let [tens, _] = tens.to_le_bytes();
    let units = high.wrapping_sub(tens.wrapping_mul(10));
    let [c, d, e, f, g, h, i, j] = decimal8(low);
    [tens | b'0', units | b'0', c, d, e, f, g, h, i, j]
}

/// The eight decimal digits of a value below 10^8, in ASCII: the value is halved into lanes of four
/// digits, of two and of one, all lanes of a word at once.
#[inline]
const fn decimal8(value: u64) -> [u8; 8] {
    let fours = value.wrapping_mul(109_951_163) >> 40; // value / 10^4
    let lanes = fours | value.wrapping_sub(fours.wrapping_mul(10_000)) << 32;
    let twos = (lanes.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f; // each / 100
    let lanes = twos | lanes.wrapping_sub(twos.wrapping_mul(100)) << 16;
    let ones = (lanes.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f; // each / 10
    let lanes = ones | lanes.wrapping_sub(ones.wrapping_mul(10)) << 8;
    (lanes | 0x3030_3030_3030_3030).to_le_bytes()
}

/// The number that ten ASCII digits write; a zero byte counts as the digit 0.
#[inline]
pub(crate) const fn value_of(ascii: [u8; 10]) -> u64 {
    let [a, b, c, d, e, f, g, h, i, j] = ascii;
    let ones = u64::from_le_bytes([c, d, e, f, g, h, i, j]) & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = (ones.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    let low = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
    let high = ((a & 15) as u64).wrapping_mul(10).wrapping_add((b & 15) as u64);
    high.wrapping_mul(TEN_TO_8).wrapping_add(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    extern crate std;
    use std::format;

    const MODULI: [u64; 5] = [1_000_000, 10_000_000, 100_000_000, 11_881_376, 26];

    #[test]
    fn the_reciprocals_are_exact_where_they_could_fail() {
        for divisor in MODULI {
            let modulus = Modulus::new(divisor);
            // The error only grows with the value, so the multiples and their neighbours decide.
            let multiples = (0..1_u64 << 31).step_by(usize::try_from(divisor).unwrap());
            // Most of 26's are left out in between, for the test's time.
            let near_the_end = (1_u64 << 31) - 3000 * divisor.min(700_000);
            for multiple in multiples.filter(|m| *m < 100_000 || divisor > 26 || *m > near_the_end)
            {
                for value in [multiple.saturating_sub(1), multiple, multiple + 1] {
                    assert_eq!(modulus.reduce(value), value % divisor, "{value} mod {divisor}");
                }
            }
            let last = (1 << 31) - 1;
            assert_eq!(modulus.reduce(last), last % divisor);
        }
    }

    #[test]
    fn digits_at_the_edges() {
        let mut power = 1_u64;
        for _ in 0..=10 {
            for value in [power - 1, power, power + 1] {
                let value = value % 10_000_000_000;
                assert_eq!(decimal(value), format!("{value:010}").as_bytes(), "{value}");
                assert_eq!(value_of(decimal(value)), value);
            }
            power *= 10;
        }
    }

    #[test]
    fn zero_bytes_are_zeros() {
        assert_eq!(value_of(*b"\0\0\0\x00123456"), 123_456);
        assert_eq!(value_of([0; 10]), 0);
    }

    proptest! {
        #[test]
        fn reduce_is_the_remainder(value in 0..1_u64 << 31, which in 0..5_usize) {
            let divisor = MODULI[which];
            prop_assert_eq!(Modulus::new(divisor).reduce(value), value % divisor);
        }

        #[test]
        fn decimal_is_what_fmt_writes(value in 0..10_000_000_000_u64) {
            let written = format!("{value:010}");
            prop_assert_eq!(&decimal(value)[..], written.as_bytes());
            prop_assert_eq!(value_of(decimal(value)), value);
        }
    }
}
