//! Base32 of secrets against a twin that reads bit by bit: strict, canonical, and back again.
//!
//! The first byte says how the rest is taken: as text, as places in the alphabet and the padding, or as
//! the bytes of a secret.
#![no_main]

use countersign_otp::Secret;
use libfuzzer_sys::fuzz_target;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The alphabet, with what stands where it should not.
const NEAR: &[u8; 40] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567===aZ0 -";

fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    let mut text = [0; 512];
    match mode % 4 {
        0 => {
            if let Ok(text) = core::str::from_utf8(rest) {
                judge(text);
            }
        }
        1 => judge(spelled(rest, NEAR, &mut text)),
        2 => judge(spelled(rest, ALPHABET, &mut text)),
        _ => {
            let Ok(secret) = Secret::import_short(rest) else {
                return assert!(rest.is_empty() || rest.len() > 256);
            };
            let base32 = secret.to_base32();
            assert_eq!(base32.as_str(), encoded(rest, &mut text));
            judge(base32.as_str());
            let again =
                Secret::import_short_base32(base32.as_str()).expect("what is written is read");
            assert_eq!(again.expose(), rest);
        }
    }
});

fn judge(text: &str) {
    let mut bytes = [0; 320];
    let expected = decoded(text, &mut bytes);
    let short = Secret::import_short_base32(text);
    assert_eq!(short.as_ref().ok().map(Secret::expose), expected);
    let long = Secret::from_base32(text);
    assert_eq!(long.ok().is_some(), expected.is_some_and(|bytes| bytes.len() >= 16));
    if let Ok(secret) = short {
        assert_eq!(secret.to_base32().as_str(), text.trim_end_matches('='));
    }
}

/// RFC 4648, section 6: whole groups if it is padded, no unused bit set, 1 to 256 bytes.
fn decoded<'a>(text: &str, bytes: &'a mut [u8; 320]) -> Option<&'a [u8]> {
    let symbols = text.trim_end_matches('=');
    let pads = text.len() - symbols.len();
    if pads > 0 && (text.len() % 8 != 0 || pads > 6) || symbols.len() > 410 {
        return None;
    }
    let (mut count, mut held, mut bits) = (0, 0_u32, 0_u32);
    for symbol in symbols.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'2'..=b'7' => symbol - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes[count] = ((bits >> held) & 0xff).to_le_bytes()[0];
            count += 1;
        }
    }
    let unused = bits & ((1 << held) - 1);
    (held < 5 && unused == 0 && (1..=256).contains(&count)).then_some(&bytes[..count])
}

fn encoded<'a>(bytes: &[u8], text: &'a mut [u8; 512]) -> &'a str {
    let count = (bytes.len() * 8).div_ceil(5);
    for (place, symbol) in text[..count].iter_mut().enumerate() {
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
        let value = (0..5).fold(0, |value, i| value << 1 | bit(5 * place + i));
        *symbol = ALPHABET[usize::from(value)];
    }
    core::str::from_utf8(&text[..count]).expect("ASCII")
}

fn spelled<'a>(places: &[u8], alphabet: &[u8], text: &'a mut [u8; 512]) -> &'a str {
    let count = places.len().min(text.len());
    for (symbol, place) in text.iter_mut().zip(places) {
        *symbol = alphabet[usize::from(*place) % alphabet.len()];
    }
    core::str::from_utf8(&text[..count]).expect("ASCII")
}
