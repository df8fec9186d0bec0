use crate::decimal::*;
use proptest::prelude::*;
extern crate std;
use std::format;

const DIVISORS: [u64; 7] = [26, 100, 10_000, 1_000_000, 10_000_000, 11_881_376, 100_000_000];
const LAST: u64 = (1 << 31) - 1;

fn divisor(number: u64) -> Divisor {
    Divisor::new(u32::try_from(number).unwrap())
}

#[test]
fn quotients_are_exact_where_they_could_fail() {
    for number in DIVISORS {
        let divisor = divisor(number);
        // The reciprocal is too large, so that a quotient fails first at the last value before a
        // multiple, and at the last multiples of all.
        let multiples = (1..=LAST / number).rev().take(10_000).chain(0..10_000);
        for value in multiples.map(|n| n * number).flat_map(|m| [m.saturating_sub(1), m, m + 1]) {
            let value = value.min(LAST);
            assert_eq!(divisor.quotient(value), value / number, "{value} / {number}");
            assert_eq!(divisor.remainder(value), value % number, "{value} mod {number}");
        }
        assert_eq!(divisor.quotient(LAST), LAST / number);
    }
}

#[test]
fn reciprocals_meet_the_bound_that_makes_them_exact() {
    for number in DIVISORS {
        let Divisor { divisor, reciprocal, shift } = divisor(number);
        let error = u128::from(reciprocal) * u128::from(divisor) - (1 << shift);
        assert!(error <= 1 << (shift - 31), "{number}");
        assert!(reciprocal < 1 << 32, "{number}");
    }
}

#[test]
fn digits_at_the_edges() {
    let mut power = 1_u64;
    for _ in 0..=9 {
        for value in [power - 1, power, power + 1, LAST] {
            let written = format!("{:08}", value % 100_000_000);
            assert_eq!(last_eight(value), written.as_bytes(), "{value}");
            assert_eq!(value_of(last_eight(value)), value % 100_000_000);
        }
        power *= 10;
    }
}

#[test]
fn zero_bytes_are_zeros() {
    assert_eq!(value_of(*b"\0\x00123456"), 123_456);
    assert_eq!(value_of([0; 8]), 0);
}

proptest! {
    #[test]
    fn remainders(value in 0..=LAST, which in 0..DIVISORS.len()) {
        let divisor = divisor(DIVISORS[which]);
        prop_assert_eq!(divisor.remainder(value), value % DIVISORS[which]);
        prop_assert_eq!(divisor.quotient(value), value / DIVISORS[which]);
    }

    #[test]
    fn the_digits_that_fmt_writes(value in 0..=LAST) {
        let written = format!("{:08}", value % 100_000_000);
        prop_assert_eq!(&last_eight(value)[..], written.as_bytes());
        prop_assert_eq!(value_of(last_eight(value)), value % 100_000_000);
    }
}
