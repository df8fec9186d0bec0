use crate::delivered::*;
use core::convert::Infallible;
use countersign_otp::*;
use proptest::prelude::*;
extern crate std;
use std::{format, string::String, vec, vec::Vec};

const KEY: [u8; 32] = [3; 32];

/// Yields these words, then the last one for ever.
fn words(words: &[u64]) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> + '_ {
    let mut next = words.iter().copied();
    move |buf| {
        buf.copy_from_slice(&next.next().unwrap_or(words[words.len() - 1]).to_le_bytes());
        Ok(())
    }
}

/// A generator good enough for counting (Steele and others, "SplittableRandom", 2014).
fn splitmix(mut state: u64) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    move |buf| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        buf.copy_from_slice(&(z ^ z >> 31).to_le_bytes());
        Ok(())
    }
}

fn length(count: u8) -> CodeLength {
    CodeLength::new(count).unwrap()
}

#[test]
fn the_ends_of_the_range_are_reached() {
    for count in 6..=10 {
        let drawn = |word| try_uniform(length(count), words(&[word])).unwrap();
        let nines = "9".repeat(usize::from(count));
        assert_eq!(drawn(u64::MAX).as_str(), nines);
        // The low half of 0 falls into the surplus of 10^8, but not that of the next word.
        let zeros = try_uniform(length(count), words(&[1 << 33])).unwrap();
        assert_eq!(zeros.as_str(), "0".repeat(usize::from(count)));
        assert_eq!(drawn(u64::MAX).digits(), count);
    }
    let letters = LetterCode::try_uniform(length(10), words(&[u64::MAX])).unwrap();
    assert_eq!(letters.as_str(), "ZZZZZZZZZZ");
    let letters = LetterCode::try_uniform(length(6), words(&[1])).unwrap();
    assert_eq!(letters.as_str(), "BBBBBB");
}

#[test]
fn the_surplus_is_rejected() {
    // 2^64 mod 20 is 16: of the words whose product with 20 has a low half below 16, there is one.
    let surplus = (0..100_u64).filter(|word| word.wrapping_mul(20) < 16).count();
    assert_eq!(surplus, 1);
    assert_eq!(below(20, &mut words(&[0, u64::MAX])), Ok(19));
    assert_eq!(below(20, &mut words(&[1])), Ok(0));
    // A low half of exactly the surplus is kept: 2^64 mod 10 is 6, and that of 2^63 + 3 times 10 is 30.
    assert_eq!(below(5, &mut words(&[u64::MAX / 5 + 1])), Ok(1)); // low half 4, surplus 1
    assert_eq!(below(3, &mut words(&[u64::MAX / 3 * 2 + 1])), Ok(2)); // low half 1, surplus 1
}

#[test]
fn every_number_is_as_likely_as_every_other() {
    // Chi squared over the digits of 20,000 codes, per place: 9 degrees, 99.99 % below 33.7.
    let mut fill = splitmix(1);
    for count in 6..=10 {
        let mut seen = vec![[0_u32; 10]; usize::from(count)];
        for _ in 0..20_000 {
            let code = try_uniform(length(count), &mut fill).unwrap();
            for (place, digit) in code.as_str().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
        }
        for place in seen {
            let chi: f64 = place.map(|n| (f64::from(n) - 2000.0).powi(2) / 2000.0).iter().sum();
            assert!(chi < 33.7, "{chi}");
        }
    }
    let mut seen = [0_u32; 20];
    for _ in 0..20_000 {
        let code = LetterCode::try_uniform(length(10), &mut fill).unwrap();
        for letter in code.as_str().bytes() {
            seen[LetterCode::ALPHABET.iter().position(|l| *l == letter).unwrap()] += 1;
        }
    }
    let chi: f64 = seen.map(|n| (f64::from(n) - 10_000.0).powi(2) / 10_000.0).iter().sum();
    assert!(chi < 50.8, "{chi}"); // 19 degrees, 99.99 %
}

#[test]
fn a_generator_that_is_stuck_is_an_error() {
    let mut draws = 0;
    let stuck = try_uniform(length(6), |buf| {
        draws += 1;
        buf.fill(0);
        Ok::<_, &str>(())
    });
    assert_eq!(stuck.unwrap_err(), FillError::Invalid(Invalid::NotRandom));
    assert_eq!(draws, 128);
    let failed = LetterCode::try_uniform(length(6), |_| Err("dry"));
    assert_eq!(failed.unwrap_err(), FillError::Source("dry"));
}

#[test]
fn letters_are_read_as_people_type_them() {
    for text in ["BCDF-GHJK", "bcdfghjk", " b c d f g h j k ", "BCdf--ghJK"] {
        assert_eq!(LetterCode::parse(text).unwrap().as_str(), "BCDFGHJK");
    }
    for text in ["BCDFGHJA", "BCDFGH0K", "BCDFGHJ\u{e9}", "BCDFGH_J", "\u{212a}BCDFGH"] {
        assert_eq!(LetterCode::parse(text).unwrap_err(), Invalid::CodeCharacters, "{text}");
    }
    for text in ["", "BCDFG", "-----------", "BCDFGHJKLMN"] {
        assert_eq!(LetterCode::parse(text).unwrap_err(), Invalid::CodeLength, "{text}");
    }
    for byte in 0..=0x7f_u8 {
        let known = LetterCode::ALPHABET.contains(&byte.to_ascii_uppercase());
        let text = format!("BCDFGH{}", char::from(byte));
        assert_eq!(LetterCode::parse(&text).is_ok(), known || matches!(byte, b' ' | b'-'));
    }
    let code = LetterCode::parse("BCDFGH").unwrap();
    assert_eq!(format!("{code:?}"), "LetterCode(..)");
    assert_eq!(code, code.clone());
    assert_ne!(code, LetterCode::parse("BCDFGJ").unwrap());
    assert_ne!(code, LetterCode::parse("BCDFGHB").unwrap());
}

#[test]
fn a_digest_is_bound_to_everything() {
    let code = Code::parse("123456").unwrap();
    let base = digest(&KEY, &[b"login", b"mail"], &code);
    assert_eq!(base, digest(&KEY, &[b"login", b"mail"], &code));
    assert_eq!(base, CodeDigest::from_bytes(*base.as_bytes()));
    let others = [
        digest(&[4; 32], &[b"login", b"mail"], &code),
        digest(&KEY, &[b"loginmail"], &code),
        digest(&KEY, &[b"loginm", b"ail"], &code),
        digest(&KEY, &[b"login", b"mail", b""], &code),
        digest(&KEY, &[b"mail", b"login"], &code),
        digest(&KEY, &[], &code),
        digest(&KEY, &[b"login", b"mail"], &Code::parse("123457").unwrap()),
        digest(&KEY, &[b"login", b"mail"], &Code::parse("0123456").unwrap()),
    ];
    for (place, other) in others.iter().enumerate() {
        assert_ne!(base, *other, "{place}");
    }
    assert_eq!(format!("{base:?}"), "CodeDigest(..)");
}

#[test]
fn a_digest_is_hmac_over_framed_parts() {
    // From Python's hmac module, over each part after its length in eight bytes.
    let code = Code::parse("123456").unwrap();
    let expected = "67b8a943ff14b34e4493b9b21562d779b4e1fc223a246f448792e5e8d095daca";
    assert_eq!(hex(&digest(&KEY, &[b"login", b"mail"], &code)), expected);
    let code = LetterCode::parse("bcdfgh").unwrap();
    assert_eq!(
        hex(&code.digest(&KEY, &[b"login", b"mail"])),
        "5f848fa44d9760f459c97dd77e49cd05f1776debe24b08f991ce02c373c48849"
    );
}

fn hex(digest: &CodeDigest) -> String {
    digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn different_contexts_have_different_digests(
        a in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..4),
        b in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..4),
    ) {
        let code = Code::parse("000000").unwrap();
        let digest = |parts: &[Vec<u8>]| {
            digest(&KEY, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>(), &code)
        };
        prop_assert_eq!(digest(&a) == digest(&b), a == b);
    }
}
