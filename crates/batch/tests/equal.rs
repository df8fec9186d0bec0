//! Batches compute what one code at a time does: on every input and every length.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    reason = "tests"
)]

use countersign_batch::{self as batch, Around, KeyedHash, Rack, Schedule, Sha1, Sha256, Sha512};
use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, Keyed, LookAhead, Period, Secret, Step, Totp,
    UnixTime, Window,
};
use proptest::prelude::*;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
const DIGITS: [Digits; 3] = [Digits::Six, Digits::Seven, Digits::Eight];

fn key(seed: u64, algorithm: Algorithm) -> Keyed {
    let length = 16 + usize::try_from(seed % 60).unwrap();
    let bytes: Vec<u8> = (0..length).map(|i| (seed.rotate_left(i as u32 * 7) >> 3) as u8).collect();
    Keyed::new(&Secret::from_bytes(&bytes).unwrap(), algorithm)
}

fn alone(key: &Keyed, counter: u64, digits: Digits) -> u32 {
    let hotp = Hotp::new(digits);
    let code = hotp.code_by_blocks(key, counter);
    assert_eq!(code, hotp.code(key, counter));
    code.as_str().parse().unwrap()
}

fn counter(seed: u64) -> u64 {
    const EDGES: [u64; 7] = [0, 1, 1 << 31, u32::MAX as u64, 1 << 32, 1 << 63, u64::MAX];
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    *EDGES.get((mixed >> 60) as usize).unwrap_or(&(mixed >> (mixed & 63)))
}

#[test]
fn pairs_of_every_length_and_of_mixed_hashes() {
    let keys: Vec<Keyed> =
        (0..90).map(|i| key(i * i + 7, ALGORITHMS[(i % 5 % 3) as usize])).collect();
    for digits in DIGITS {
        for length in 0..keys.len() {
            let pairs = || keys.iter().zip(0..).map(|(key, i)| (key, counter(i))).take(length);
            let mut numbers = vec![u32::MAX; length];
            batch::codes_of_each(pairs(), digits, &mut numbers);
            let expected: Vec<u32> = pairs().map(|(key, c)| alone(key, c, digits)).collect();
            assert_eq!(numbers, expected, "{length}");
        }
    }
}

#[test]
fn the_shorter_of_pairs_and_places_decides() {
    let key = key(5, Algorithm::Sha1);
    let mut numbers = [u32::MAX; 40];
    batch::codes_of_each((0..20).map(|c| (&key, c)), Digits::Six, &mut numbers);
    assert!(numbers[..20].iter().all(|n| *n < 1_000_000));
    assert_eq!(numbers[20..], [u32::MAX; 20]);
    batch::codes_of_each((0..200).map(|c| (&key, c)), Digits::Six, &mut numbers);
    assert_eq!(numbers[39], alone(&key, 39, Digits::Six));
}

#[test]
fn counters_of_one_key() {
    for algorithm in ALGORITHMS {
        let key = key(99, algorithm);
        for length in 0..45 {
            for first in [0, 12_345, u64::from(u32::MAX) - 3, u64::MAX - 20] {
                let mut numbers = vec![u32::MAX; length];
                batch::codes_from(&key, first, Digits::Eight, &mut numbers);
                for (ahead, number) in (0..).zip(numbers) {
                    assert_eq!(number, alone(&key, first.saturating_add(ahead), Digits::Eight));
                }
            }
        }
    }
}

#[test]
fn looking_ahead_finds_what_one_at_a_time_does() {
    let hotp = Hotp::new(Digits::Six);
    for algorithm in ALGORITHMS {
        let key = key(41, algorithm);
        for next in [0, 1000, u64::MAX - 16, u64::MAX - 7, u64::MAX - 1, u64::MAX] {
            for ahead in 0..=15 {
                let ahead = LookAhead::new(ahead).unwrap();
                for at in 0..18 {
                    let code = hotp.code(&key, next.saturating_add(at));
                    assert_eq!(
                        batch::look_ahead(&hotp, &key, &code, next, ahead),
                        hotp.find(&key, &code, next, ahead),
                        "{next} {ahead:?} {at}"
                    );
                }
                let code = Code::parse("12345678").unwrap();
                assert_eq!(batch::look_ahead(&hotp, &key, &code, next, ahead), None);
            }
        }
    }
}

fn rack<H: KeyedHash>(keys: &[Keyed]) -> Vec<Rack<H>> {
    keys.chunks(H::LANES)
        .map(|keys| {
            let mut rack = Rack::new();
            for (slot, key) in keys.iter().enumerate() {
                assert!(batch::put(&mut rack, slot, key));
            }
            rack
        })
        .collect()
}

fn racks_are_the_same<H: KeyedHash>(algorithm: Algorithm, seed: u64, length: u64) {
    let keys: Vec<Keyed> = (0..length).map(|i| key(seed ^ i, algorithm)).collect();
    let racks = rack::<H>(&keys);
    let mut counters = vec![H::splat(0); racks.len()];
    for (i, to) in counters.iter_mut().flat_map(|c| c.as_mut().iter_mut()).enumerate() {
        *to = counter(seed ^ i as u64);
    }
    let mut numbers = vec![H::splat(0); racks.len()];
    batch::codes(&racks, &counters, Digits::Seven, &mut numbers);
    let flat = |lanes: &[H::Lanes<u32>]| -> Vec<u32> {
        lanes.iter().flat_map(|lanes| lanes.as_ref().to_vec()).take(keys.len()).collect()
    };
    let expected: Vec<u32> = (0..)
        .zip(&keys)
        .map(|(i, key): (u64, _)| alone(key, counter(seed ^ i), Digits::Seven))
        .collect();
    assert_eq!(flat(&numbers), expected);
    let at = counter(seed);
    batch::codes_at(&racks, &Schedule::new(at), Digits::Six, &mut numbers);
    let expected: Vec<u32> = keys.iter().map(|key| alone(key, at, Digits::Six)).collect();
    assert_eq!(flat(&numbers), expected);
}

fn find_is_the_same<H: KeyedHash>(algorithm: Algorithm, seed: u64, length: u64) {
    let digits = DIGITS[(seed % 3) as usize];
    let totp = Totp::new(algorithm, digits, Period::THIRTY);
    let window = Window::new((seed % 3) as u8, (seed / 3 % 3) as u8).unwrap();
    let drift = Drift::new((seed % 7) as i8 - 3).unwrap();
    let seconds = [0, 31, 1_111_111_109, 1_111_111_124, u64::MAX][(seed % 5) as usize];
    let now = UnixTime::from_secs(seconds);
    let present = totp.step_at(now);
    let keys: Vec<Keyed> = (0..length).map(|i| key(seed ^ i, algorithm)).collect();
    let near = |i: u64| present.checked_offset((i % 11) as i8 - 5).unwrap_or(present);
    let codes: Vec<Code> = (0..)
        .zip(&keys)
        .map(|(i, key)| match i % 7 {
            6 => Code::parse("1234567890").unwrap(),
            5 => Code::parse("000000").unwrap(),
            _ => totp.code(key, near(seed ^ i)),
        })
        .collect();
    let spent: Vec<Option<Step>> = (0..length)
        .map(|i| match (seed ^ i) % 5 {
            0 | 1 => None,
            2 => Some(Step::new(u64::MAX)),
            3 => Some(near((seed ^ i) / 5)),
            _ => Some(Step::new(0)),
        })
        .collect();

    let racks = rack::<H>(&keys);
    let mut numbers = vec![H::splat(0); racks.len()];
    let mut floors = vec![H::splat(None); racks.len()];
    let mut found = vec![H::splat(Found::No); racks.len()];
    for (to, code) in numbers.iter_mut().flat_map(|n| n.as_mut().iter_mut()).zip(&codes) {
        *to = batch::number(code, digits);
    }
    for (to, spent) in floors.iter_mut().flat_map(|n| n.as_mut().iter_mut()).zip(&spent) {
        *to = *spent;
    }
    let around = Around::<H>::new(&totp, window, drift, now);
    batch::find(&racks, &numbers, &floors, &around, &mut found);
    let found: Vec<Found> =
        found.iter().flat_map(|f| f.as_ref().to_vec()).take(keys.len()).collect();
    let expected: Vec<Found> = (0..keys.len())
        .map(|i| totp.find(&keys[i], &codes[i], window, drift, spent[i], now))
        .collect();
    assert_eq!(found, expected, "{seed}");
}

#[test]
fn racks_of_every_length() {
    for length in 0..=50 {
        racks_are_the_same::<Sha1>(Algorithm::Sha1, length, length);
        racks_are_the_same::<Sha256>(Algorithm::Sha256, length, length);
        racks_are_the_same::<Sha512>(Algorithm::Sha512, length, length);
    }
}

#[test]
fn find_tells_what_one_at_a_time_does() {
    for seed in 0..200 {
        find_is_the_same::<Sha1>(Algorithm::Sha1, seed, seed % 50);
        find_is_the_same::<Sha256>(Algorithm::Sha256, seed, seed % 40);
        find_is_the_same::<Sha512>(Algorithm::Sha512, seed, seed % 30);
    }
}

#[test]
fn a_key_of_another_hash_or_beyond_the_last_slot_is_not_put() {
    let mut rack = Rack::<Sha1>::new();
    assert!(!batch::put(&mut rack, 0, &key(1, Algorithm::Sha256)));
    assert!(!batch::put(&mut rack, 16, &key(1, Algorithm::Sha1)));
    assert!(batch::put(&mut rack, 15, &key(1, Algorithm::Sha1)));
    assert!(!batch::put(&mut Rack::<Sha512>::new(), 8, &key(1, Algorithm::Sha512)));
}

#[test]
fn numbers_and_codes_lead_to_each_other() {
    for digits in DIGITS {
        let code = batch::code(42, digits);
        assert_eq!(code.digits(), digits.count());
        assert_eq!(batch::number(&code, digits), 42);
    }
    assert_eq!(batch::number(&batch::code(42, Digits::Six), Digits::Eight), u32::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_racks_and_any_search(seed: u64, length in 0..60_u64) {
        racks_are_the_same::<Sha1>(Algorithm::Sha1, seed, length);
        racks_are_the_same::<Sha256>(Algorithm::Sha256, seed, length);
        racks_are_the_same::<Sha512>(Algorithm::Sha512, seed, length);
        find_is_the_same::<Sha1>(Algorithm::Sha1, seed, length);
        find_is_the_same::<Sha256>(Algorithm::Sha256, seed, length);
        find_is_the_same::<Sha512>(Algorithm::Sha512, seed, length);
    }
}
