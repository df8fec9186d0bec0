use crate::decimal::Divisor;
use crate::*;
extern crate std;
use std::vec::Vec;

/// Few different codes, so that many counters have the same.
const FEW: Divisor = Divisor::new(3);

fn key() -> Keyed {
    Keyed::new(&Secret::from_bytes(b"12345678901234567890").unwrap(), Algorithm::Sha1)
}

/// RFC 4226, appendix D, by six digits.
#[test]
fn a_number_is_the_code_as_it_is_written() {
    let key = key();
    let codes = Codes::new(&key, Divisor::new(1_000_000));
    assert_eq!([0, 1, 2].map(|counter| codes.number(counter)), [755_224, 287_082, 359_152]);
}

#[test]
fn of_several_matches_the_latest_is_told() {
    let key = key();
    let codes = Codes::new(&key, FEW);
    for spent in [None, Some(3), Some(120), Some(199)] {
        let fresh = |counter: u64| spent.is_none_or(|spent| counter > spent);
        for candidate in 0..4 {
            let hits: Vec<u64> = (0..200_u64).filter(|at| codes.number(*at) == candidate).collect();
            let latest = hits.iter().rev().copied().find(|at| fresh(*at));
            let expected = (!hits.is_empty()).then_some(latest);
            assert_eq!(codes.latest(candidate, 0..200, spent), expected, "{candidate} {spent:?}");
        }
    }
    for (first, second) in [(0, 0), (0, 1), (1, 0), (2, 1), (2, 2), (0, 3)] {
        let pairs: Vec<u64> = (1..200_u64)
            .filter(|at| (codes.number(at - 1), codes.number(*at)) == (first, second))
            .collect();
        assert!(second == 3 || pairs.len() > 1, "the latest is one of several");
        assert_eq!(codes.latest_pair((first, second), 0..200, None), pairs.last().copied());
        let above = pairs.iter().copied().rfind(|at| at - 1 > 120);
        assert_eq!(codes.latest_pair((first, second), 0..200, Some(120)), above);
    }
}

/// A wrong code is no replay, whatever was spent within its window.
#[test]
fn a_wrong_code_beside_spent_steps_is_no_replay() {
    let (key, totp) = (key(), Totp::DEFAULT);
    let now = UnixTime::from_secs(59);
    let spent = Some(totp.step_at(now));
    let right = totp.code(&key, totp.step_at(now));
    let wrong = Code::parse("000000").unwrap();
    let find = |code: &Code| totp.find(&key, code, Window::DEFAULT, Drift::NONE, spent, now);
    assert_eq!(find(&right), Found::Replayed);
    assert_eq!(find(&wrong), Found::No);
}

/// The half of a step belongs to its second half: what is learned there is that of a clock behind.
#[test]
fn at_the_half_of_a_step_it_is_late() {
    let (key, totp) = (key(), Totp::DEFAULT);
    let learned = |secs| {
        let now = UnixTime::from_secs(secs);
        let next = totp.step_at(now).checked_offset(1).unwrap();
        let code = totp.code(&key, next);
        match totp.find(&key, &code, Window::DEFAULT, Drift::NONE, None, now) {
            Found::Fresh { drift, .. } => drift,
            other => std::panic!("{other:?}"),
        }
    };
    let begins = 30_000;
    assert_eq!(learned(begins + 15), learned(begins + 29));
    assert_eq!(learned(begins), learned(begins + 14));
    assert_ne!(learned(begins + 14), learned(begins + 15));
}
