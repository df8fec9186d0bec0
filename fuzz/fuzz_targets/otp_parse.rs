//! Everything that otp reads from outside: codes of digits, of letters, of Steam, and base32.
#![no_main]

use countersign_otp::{Code, Secret, delivered::LetterCode, steam::SteamCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let digits = (6..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match Code::parse(text) {
        Ok(code) => {
            assert!(digits);
            assert_eq!(code.as_str(), text);
        }
        Err(_) => assert!(!digits),
    }

    let folded: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let folded = folded.to_ascii_uppercase();
    let letters = (6..=10).contains(&folded.len())
        && folded.bytes().all(|b| LetterCode::ALPHABET.contains(&b));
    match LetterCode::parse(text) {
        Ok(code) => {
            assert!(letters);
            assert_eq!(code.as_str(), folded);
        }
        Err(_) => assert!(!letters),
    }

    let upper = text.to_ascii_uppercase();
    let steam =
        upper.len() == 5 && upper.bytes().all(|b| b"23456789BCDFGHJKMNPQRTVWXY".contains(&b));
    match SteamCode::parse(text) {
        Ok(code) => {
            assert!(steam);
            assert_eq!(code.as_str(), upper);
        }
        Err(_) => assert!(!steam),
    }

    let short = Secret::import_short_base32(text);
    if let Ok(secret) = &short {
        assert_eq!(secret.to_base32().as_str(), text.trim_end_matches('='));
        assert_eq!(secret.expose(), naive(text));
    } else if text.len() <= 410 {
        assert!(
            text.is_empty()
                || encode(&naive(text)) != text.trim_end_matches('=')
                || padded_wrongly(text)
        );
    }
    let long = Secret::from_base32(text);
    assert_eq!(long.is_ok(), short.is_ok_and(|secret| !secret.is_short()));
});

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The bytes of what may be base32, by bits.
fn naive(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let Some(value) = ALPHABET.iter().position(|symbol| *symbol == byte) else { break };
        bits = (bits << 5 | u32::try_from(value).expect("below 32")) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff).to_le_bytes()[0]);
        }
    }
    bytes
}

fn encode(bytes: &[u8]) -> String {
    let bits: Vec<bool> =
        bytes.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1 == 1)).collect();
    bits.chunks(5)
        .map(|five| {
            (0..5).fold(0, |v, i| v << 1 | usize::from(five.get(i).copied().unwrap_or(false)))
        })
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

fn padded_wrongly(text: &str) -> bool {
    text.ends_with('=')
        && (text.len() % 8 != 0 || text.len() - text.trim_end_matches('=').len() > 6)
}
