//! Codes that people type, of digits, of letters and of Steam, against what their alphabets say.
//!
//! The first byte says how the rest is taken: as text, or as places in an alphabet and around it.
#![no_main]

use countersign_codes::{delivered::LetterCode, steam::SteamCode};
use countersign_otp::Code;
use libfuzzer_sys::fuzz_target;

const STEAM: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";

/// What people type, and what they should not.
const TYPED: [&[u8]; 5] = [
    b"0123456789",
    b"0123456789/:+- \t\0a",
    b"BCDFGHJKLMNPQRSTVWXZbcdfghjklmnpqrstvwxz- ",
    b"23456789BCDFGHJKMNPQRTVWXYbcdfghjkmnpqrtvwxy",
    b"AEIOUYaeiouy01-_ZzSs@[`{",
];

fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    let mut text = [0; 32];
    match TYPED.get(usize::from(*mode) % 6) {
        Some(alphabet) => {
            let count = rest.len().min(text.len());
            for (character, place) in text.iter_mut().zip(rest) {
                *character = alphabet[usize::from(*place) % alphabet.len()];
            }
            judge(core::str::from_utf8(&text[..count]).expect("ASCII"));
        }
        None => {
            if let Ok(text) = core::str::from_utf8(rest) {
                judge(text);
            }
        }
    }
});

fn judge(text: &str) {
    let digits = (6..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let code = Code::parse(text);
    assert_eq!(code.is_ok(), digits);
    if let Ok(code) = code {
        assert_eq!(code.as_str(), text);
        assert_eq!(usize::from(code.digits()), text.len());
    }

    let folded =
        || text.bytes().filter(|b| !matches!(b, b'-' | b' ')).map(|b| b.to_ascii_uppercase());
    let letters =
        (6..=10).contains(&folded().count()) && folded().all(|b| LetterCode::ALPHABET.contains(&b));
    let code = LetterCode::parse(text);
    assert_eq!(code.is_ok(), letters);
    if let Ok(code) = code {
        assert!(code.as_str().bytes().eq(folded()));
    }

    let upper = || text.bytes().map(|b| b.to_ascii_uppercase());
    let code = SteamCode::parse(text);
    assert_eq!(code.is_ok(), text.len() == 5 && upper().all(|b| STEAM.contains(&b)));
    if let Ok(code) = code {
        assert!(code.as_str().bytes().eq(upper()));
    }
}
