//! Division by a constant, without a division.

/// A power of ten as a divisor of words of 32 bits, by its reciprocal of 31 bits: work that is the same for all values,
/// and that vectors can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divisor {
    divisor: u32,
    reciprocal: u32,
    shift: u32,
}

impl Divisor {
    /// 10^6.
    pub const MILLION: Self = Self { divisor: 1_000_000, reciprocal: 1_125_899_907, shift: 50 };
    /// 10^7.
    pub const TEN_MILLION: Self =
        Self { divisor: 10_000_000, reciprocal: 1_801_439_851, shift: 54 };
    /// 10^8.
    pub const HUNDRED_MILLION: Self =
        Self { divisor: 100_000_000, reciprocal: 1_441_151_881, shift: 57 };

    /// What is left of a value.
    #[inline(always)]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a quotient below 2^13")]
    pub const fn remainder(self, value: u32) -> u32 {
        let quotient = ((value as u64 * self.reciprocal as u64) >> self.shift) as u32;
        value - quotient * self.divisor
    }
}
