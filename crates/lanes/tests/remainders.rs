//! Remainders without a division are those of a division, on every kernel and for every length.

#![allow(clippy::unwrap_used, reason = "tests")]

use countersign_lanes::{Divisor, Hash, Kernel, Sha1, Sha512};
use proptest::prelude::*;

const DIVISORS: [(Divisor, u32); 3] = [
    (Divisor::MILLION, 1_000_000),
    (Divisor::TEN_MILLION, 10_000_000),
    (Divisor::HUNDRED_MILLION, 100_000_000),
];

#[test]
fn next_to_each_multiple() {
    for (divisor, number) in DIVISORS {
        for times in 0..=u32::MAX / number {
            let multiple = number * times;
            for value in [multiple.saturating_sub(1), multiple, multiple.saturating_add(1)] {
                assert_eq!(divisor.remainder(value), value % number, "{value} by {number}");
            }
        }
        assert_eq!(divisor.remainder(u32::MAX), u32::MAX % number);
    }
}

fn in_lanes<H: Hash>(values: &[u32], one: impl Fn(&[u32]) -> H::Lanes<u32>) {
    let lanes: Vec<_> = values.chunks_exact(H::LANES).map(one).collect();
    for (divisor, number) in DIVISORS {
        for kernel in Kernel::available() {
            for length in 0..=lanes.len() {
                let mut computed = lanes[..length].to_vec();
                kernel.remainders::<H>(&mut computed, divisor);
                let computed = computed.iter().flat_map(AsRef::as_ref);
                let expected = values.iter().take(length * H::LANES).map(|value| value % number);
                assert!(computed.copied().eq(expected), "{} by {number}", kernel.name());
            }
        }
    }
}

proptest! {
    #[test]
    fn of_any_values(values in prop::collection::vec(any::<u32>(), 80)) {
        in_lanes::<Sha1>(&values, |lanes| lanes.try_into().unwrap());
        in_lanes::<Sha512>(&values, |lanes| lanes.try_into().unwrap());
    }
}
