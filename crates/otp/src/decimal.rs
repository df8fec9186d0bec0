//! Arithmetic on truncated values without a division: the time that one takes depends on its operands
//! on many processors, and these operands are secret. Nothing here branches or indexes on them.

/// A divisor for values below 2^31, by multiplication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divisor {
    pub(crate) divisor: u64,
    pub(crate) reciprocal: u64,
    pub(crate) shift: u32,
}

impl Divisor {
    /// A divisor, of which 0 counts as 1.
    // With `shift = 31 + ceil(log2 divisor)` the reciprocal, rounded up, errs by less than
    // `divisor / 2^shift`, so that the quotient of every value below 2^31 is exact (Granlund and
    // Montgomery, "Division by invariant integers using multiplication", 1994, theorem 4.2); the
    // product stays below 2^63.
    pub const fn new(divisor: u32) -> Self {
        let divisor = if divisor == 0 { 1 } else { divisor as u64 };
        let log2 = u64::BITS.saturating_sub(divisor.saturating_sub(1).leading_zeros());
        let shift = log2.saturating_add(31);
        Self { divisor, reciprocal: 1_u64.wrapping_shl(shift).div_ceil(divisor), shift }
    }

    /// The value, below 2^31, divided.
    #[inline]
    pub const fn quotient(self, value: u64) -> u64 {
        value.wrapping_mul(self.reciprocal).wrapping_shr(self.shift)
    }

    /// What remains of the value, below 2^31.
    #[inline]
    pub const fn remainder(self, value: u64) -> u64 {
        value.wrapping_sub(self.quotient(value).wrapping_mul(self.divisor))
    }
}

/// The last eight decimal digits of a value below 2^31, in ASCII: four pairs at once in the lanes of a
/// word, then the tens and the ones of each.
#[inline]
pub(crate) const fn last_eight(value: u64) -> [u8; 8] {
    let by_2 = const { Divisor::new(100) }.quotient(value);
    let by_4 = const { Divisor::new(10_000) }.quotient(value);
    let by_6 = const { Divisor::new(1_000_000) }.quotient(value);
    let by_8 = const { Divisor::new(100_000_000) }.quotient(value);
    let pairs = by_6.wrapping_sub(by_8.wrapping_mul(100))
        | by_4.wrapping_sub(by_6.wrapping_mul(100)) << 16
        | by_2.wrapping_sub(by_4.wrapping_mul(100)) << 32
        | value.wrapping_sub(by_2.wrapping_mul(100)) << 48;
    let tens = (pairs.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    let ones = pairs.wrapping_sub(tens.wrapping_mul(10));
    (tens | ones << 8 | 0x3030_3030_3030_3030).to_le_bytes()
}

/// The value that eight ASCII digits write; a zero byte counts as the digit 0. Digits become pairs,
/// pairs fours, and fours the value, in the lanes of a word.
#[inline]
pub(crate) const fn value_of(ascii: [u8; 8]) -> u64 {
    let ones = u64::from_le_bytes(ascii) & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}
