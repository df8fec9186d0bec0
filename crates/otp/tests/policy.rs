//! What is accepted, where, and how often: the window exactly as the policy says, the replay floor,
//! drift, resynchronisation, and the ends of time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, Keyed, LookAhead, Period, Radius, Reach, Secret,
    Step, Totp, UnixTime, Window,
};
use proptest::prelude::*;

const TOTP: Totp = Totp::new(Algorithm::Sha1, Digits::Eight, Period::THIRTY);

fn key(seed: u8) -> Keyed {
    TOTP.key(&Secret::from_bytes(&[seed; 20]).unwrap())
}

fn at(step: u64) -> UnixTime {
    UnixTime::from_secs(step * 30 + 7)
}

fn windows() -> impl Iterator<Item = Window> {
    (0..=2).flat_map(|back| (0..=2).map(move |ahead| Window::new(back, ahead).unwrap()))
}

#[test]
fn exactly_the_policy_from_20_steps_back_to_20_ahead() {
    let (key, present) = (key(1), 50_000_000);
    let codes: Vec<(i8, Code)> = (-20..=20)
        .map(|offset| (offset, TOTP.code(&key, Step::new(present).checked_offset(offset).unwrap())))
        .collect();
    for window in windows() {
        for drift in -20..=20 {
            let known = Drift::new(drift).unwrap();
            for (offset, code) in &codes {
                let inside = i16::from(*offset) >= i16::from(drift) - i16::from(window.back())
                    && i16::from(*offset) <= i16::from(drift) + i16::from(window.ahead());
                match TOTP.find(&key, code, window, known, None, at(present)) {
                    Found::Fresh { step, drift: learned } => {
                        assert!(inside, "{offset} within {window:?} of {drift}");
                        assert_eq!(Some(step), Step::new(present).checked_offset(*offset));
                        // The present step is seven seconds old: the match's own offset, or the next.
                        let bound = drift.abs().max(2);
                        let expected = drift.clamp(*offset, offset + 1).clamp(-bound, bound);
                        assert_eq!(learned.steps(), expected);
                    }
                    Found::No => assert!(!inside, "{offset} within {window:?} of {drift}"),
                    Found::Replayed => panic!("nothing is spent"),
                }
            }
        }
    }
}

#[test]
fn what_is_spent_never_passes_again() {
    let (key, present) = (key(2), 1_000);
    let window = Window::new(2, 2).unwrap();
    for offset in -2_i8..=2 {
        let step = Step::new(present).checked_offset(offset).unwrap();
        let code = TOTP.code(&key, step);
        for spent in -5_i8..=5 {
            let floor = Step::new(present).checked_offset(spent);
            let found = TOTP.find(&key, &code, window, Drift::NONE, floor, at(present));
            if offset > spent {
                assert!(matches!(found, Found::Fresh { step: at, .. } if at == step));
            } else {
                assert_eq!(found, Found::Replayed);
            }
        }
    }
    let last = Some(Step::new(u64::MAX));
    let code = TOTP.code(&key, Step::new(present));
    assert_eq!(TOTP.find(&key, &code, window, Drift::NONE, last, at(present)), Found::Replayed);
}

/// A key, a step and two offsets within two steps of it at which one code is right.
fn collision() -> (Keyed, u64, i8, i8) {
    let totp = Totp::DEFAULT;
    for seed in 0..=u8::MAX {
        let key = key(seed);
        let codes: Vec<Code> = (0..4_000).map(|step| totp.code(&key, Step::new(step))).collect();
        for present in 2..codes.len() - 2 {
            for (a, b) in [(-2, -1), (-2, 0), (-2, 1), (-2, 2)] {
                let code = |o: isize| &codes[present.checked_add_signed(o).unwrap()];
                if code(a) == code(b) {
                    let offset = |o: isize| i8::try_from(o).unwrap();
                    return (key, u64::try_from(present).unwrap(), offset(a), offset(b));
                }
            }
        }
    }
    panic!("a million pairs of codes and no collision");
}

#[test]
fn the_latest_match_wins_and_spends_the_earlier() {
    let (key, present, earlier, later) = collision();
    let totp = Totp::DEFAULT;
    let step = |offset| Step::new(present).checked_offset(offset).unwrap();
    let code = totp.code(&key, step(earlier));
    let window = Window::new(2, 2).unwrap();
    let find = |spent| totp.find(&key, &code, window, Drift::NONE, spent, at(present));
    assert!(matches!(find(None), Found::Fresh { step: at, .. } if at == step(later)));
    // The earlier one is spent, the later one is not: fresh, not replayed.
    assert!(
        matches!(find(Some(step(earlier))), Found::Fresh { step: at, .. } if at == step(later))
    );
    assert_eq!(find(Some(step(later))), Found::Replayed);
}

#[test]
fn the_ends_of_time() {
    let key = key(3);
    for window in windows() {
        for present in [0, 1, 2, u64::MAX / 30 - 1, u64::MAX / 30] {
            let now = UnixTime::from_secs(present * 30);
            for drift in [-20, -2, -1, 0, 1, 2, 20] {
                let known = Drift::new(drift).unwrap();
                for offset in -4_i8..=4 {
                    let Some(step) = Step::new(present).checked_offset(offset) else { continue };
                    let code = TOTP.code(&key, step);
                    let inside = (drift - 2..=drift + 2).contains(&offset)
                        && offset >= drift - i8::try_from(window.back()).unwrap()
                        && offset <= drift + i8::try_from(window.ahead()).unwrap();
                    let found = TOTP.find(&key, &code, window, known, None, now);
                    assert_eq!(matches!(found, Found::Fresh { .. }), inside);
                    let _ = TOTP.resynchronise(&key, &code, &code, Radius::MAX, None, now);
                }
            }
        }
    }
    let totp = Totp::new(Algorithm::Sha512, Digits::Six, Period::new(15).unwrap());
    let key = totp.key(&Secret::from_bytes(&[9; 64]).unwrap());
    assert_eq!(totp.code(&key, Step::new(u64::MAX)).digits(), 6);
    assert_eq!(totp.remaining(UnixTime::from_secs(u64::MAX)), 15);
}

#[test]
fn a_code_of_another_length_is_wrong() {
    let key = key(4);
    let present = 77;
    for digits in [Digits::Six, Digits::Seven, Digits::Eight] {
        let totp = Totp::new(Algorithm::Sha1, digits, Period::THIRTY);
        let code = totp.code(&key, Step::new(present));
        for others in [Digits::Six, Digits::Seven, Digits::Eight] {
            let other = Totp::new(Algorithm::Sha1, others, Period::THIRTY);
            let found = other.find(&key, &code, Window::NONE, Drift::NONE, None, at(present));
            assert_eq!(matches!(found, Found::Fresh { .. }), digits == others);
        }
        let padded = Code::parse(&format!("00{}", code.as_str())).unwrap();
        let found = totp.find(&key, &padded, Window::NONE, Drift::NONE, None, at(present));
        assert_eq!(found, Found::No);
    }
}

#[test]
fn from_the_raw_secret_it_is_the_same() {
    let secret = Secret::from_bytes(&[5; 32]).unwrap();
    let key = TOTP.key(&secret);
    for (typed, spent) in [(99, None), (100, None), (100, Some(Step::new(100))), (150, None)] {
        let code = TOTP.code(&key, Step::new(typed));
        let window = Window::DEFAULT;
        assert_eq!(
            TOTP.find_raw(&secret, &code, window, Drift::NONE, spent, at(100)),
            TOTP.find(&key, &code, window, Drift::NONE, spent, at(100)),
        );
    }
}

#[test]
fn two_codes_in_a_row_find_a_lost_clock() {
    let (key, present) = (key(6), 5_000);
    let code = |offset: i8| TOTP.code(&key, Step::new(present).checked_offset(offset).unwrap());
    for radius in 1..=20_u8 {
        let reach = i8::try_from(radius).unwrap();
        for second in -23_i8..=23 {
            let found = TOTP.resynchronise(
                &key,
                &code(second - 1),
                &code(second),
                Radius::new(radius).unwrap(),
                None,
                at(present),
            );
            let expected = (-reach..=reach).contains(&second).then(|| {
                let step = Step::new(present).checked_offset(second).unwrap();
                (step, Drift::new(second).unwrap())
            });
            assert_eq!(found, expected, "{second} within {radius}");
        }
    }
}

#[test]
fn a_pair_must_be_in_a_row_in_order_and_unspent() {
    let (key, present) = (key(7), 5_000);
    let code = |step: u64| TOTP.code(&key, Step::new(step));
    let pair = |first: &Code, second: &Code, spent: Option<u64>| {
        TOTP.resynchronise(&key, first, second, Radius::MAX, spent.map(Step::new), at(present))
    };
    assert!(pair(&code(5_010), &code(5_011), None).is_some());
    for (first, second) in [(5_011, 5_010), (5_010, 5_012), (5_010, 5_010), (5_009, 5_011)] {
        assert_eq!(pair(&code(first), &code(second), None), None);
    }
    assert!(pair(&code(5_010), &code(5_011), Some(5_009)).is_some());
    assert_eq!(pair(&code(5_010), &code(5_011), Some(5_010)), None);
    assert_eq!(pair(&code(5_010), &code(5_011), Some(5_011)), None);
    let six = Totp::DEFAULT.code(&key, Step::new(5_010));
    assert_eq!(pair(&six, &code(5_011), None), None);
}

#[test]
fn after_a_resynchronisation_the_device_is_verified() {
    let (key, present) = (key(8), 5_000);
    for lost in [-20_i8, -9, 13, 20] {
        let step = |offset: i8| Step::new(present).checked_offset(lost + offset).unwrap();
        let (first, second) = (TOTP.code(&key, step(-1)), TOTP.code(&key, step(0)));
        let (spent, drift) =
            TOTP.resynchronise(&key, &first, &second, Radius::MAX, None, at(present)).unwrap();
        let next = TOTP.code(&key, step(1));
        let found = TOTP.find(&key, &next, Window::DEFAULT, drift, Some(spent), at(present + 1));
        assert_eq!(found, Found::Fresh { step: step(1), drift });
        let again = TOTP.find(&key, &second, Window::DEFAULT, drift, Some(spent), at(present));
        assert_eq!(again, Found::Replayed);
    }
}

#[test]
fn hotp_looks_ahead_and_never_back() {
    let (hotp, key) = (Hotp::new(Digits::Eight), key(9));
    for ahead in 0..=15_u8 {
        for counter in 80..140_u64 {
            let code = hotp.code(&key, counter);
            let found = hotp.find(&key, &code, 100, LookAhead::new(ahead).unwrap());
            let inside = (100..=100 + u64::from(ahead)).contains(&counter);
            assert_eq!(found, inside.then_some(counter + 1), "{counter} ahead of 100 by {ahead}");
        }
    }
}

#[test]
fn hotp_resynchronises_forwards_only() {
    let (hotp, key) = (Hotp::new(Digits::Eight), key(10));
    for reach in [1, 20, 100_u8] {
        for counter in 95..210_u64 {
            let (first, second) = (hotp.code(&key, counter), hotp.code(&key, counter + 1));
            let reach = Reach::new(reach).unwrap();
            let found = hotp.resynchronise(&key, &first, &second, 100, reach);
            let inside = (100..=100 + u64::from(reach.counters())).contains(&counter);
            assert_eq!(found, inside.then_some(counter + 2));
            assert_eq!(hotp.resynchronise(&key, &second, &first, 100, reach), None);
            let six = Hotp::new(Digits::Six).code(&key, counter);
            assert_eq!(hotp.resynchronise(&key, &six, &second, 100, reach), None);
        }
    }
}

#[test]
fn the_last_counter_is_never_accepted() {
    let (hotp, key) = (Hotp::default(), key(11));
    let code = |counter| hotp.code(&key, counter);
    let last = u64::MAX;
    assert_eq!(hotp.find(&key, &code(last), last, LookAhead::MAX), None);
    assert_eq!(hotp.find(&key, &code(last - 1), last - 1, LookAhead::MAX), Some(last));
    let pair = hotp.resynchronise(&key, &code(last - 1), &code(last), last - 1, Reach::MAX);
    assert_eq!(pair, None);
    assert_eq!(hotp.digits(), Digits::Six);
}

#[test]
fn what_was_agreed_on_is_told() {
    let totp = Totp::new(Algorithm::Sha256, Digits::Seven, Period::new(60).unwrap());
    assert_eq!((totp.algorithm(), totp.digits()), (Algorithm::Sha256, Digits::Seven));
    assert_eq!(totp.period().secs(), 60);
    assert_eq!(totp.step_at(UnixTime::from_secs(119)), Step::new(1));
    assert_eq!(totp.remaining(UnixTime::from_secs(119)), 1);
}

proptest! {
    #[test]
    fn a_wrong_code_is_wrong(seed: u8, present in 3..1_u64 << 58, value in 0..100_000_000_u32) {
        let key = key(seed);
        let text = format!("{value:08}");
        let right: Vec<Step> = (-1..=1)
            .filter_map(|offset| Step::new(present).checked_offset(offset))
            .filter(|step| TOTP.code(&key, *step).as_str() == text)
            .collect();
        let code = Code::parse(&text).unwrap();
        match TOTP.find(&key, &code, Window::DEFAULT, Drift::NONE, None, at(present)) {
            Found::Fresh { step, .. } => prop_assert_eq!(right.last(), Some(&step)),
            Found::No => prop_assert!(right.is_empty()),
            Found::Replayed => prop_assert!(false, "nothing is spent"),
        }
    }

    #[test]
    fn a_code_passes_once(seed: u8, present in 3..1_u64 << 58, offset in -1..=1_i8, later in 0..3_u64) {
        let key = key(seed);
        let typed = Step::new(present).checked_offset(offset).unwrap();
        let code = TOTP.code(&key, typed);
        let first = TOTP.find(&key, &code, Window::DEFAULT, Drift::NONE, None, at(present));
        let Found::Fresh { step, drift } = first else { panic!("it is right") };
        let again = TOTP.find(&key, &code, Window::DEFAULT, drift, Some(step), at(present + later));
        prop_assert!(matches!(again, Found::Replayed | Found::No));
    }
}
