//! The scanner finds a planted value in every spelling, and nothing where nothing is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use countersign_conformance::canary::Canaries;

/// Holds what each spelling has to escape.
const PASSWORD: &str = "canary \"pass\\word\"\n+/?&=é";
/// Neither text nor a multiple of a group's length.
const SECRET: [u8; 17] = [0, 255, 17, 3, 200, 91, 44, 1, 128, 250, 9, 62, 63, 251, 239, 190, 5];

fn canaries() -> Canaries {
    let mut canaries = Canaries::new();
    canaries.mark_text("password", PASSWORD);
    canaries.mark("secret", &SECRET);
    canaries.mark_code("code", "493026");
    canaries
}

#[track_caller]
fn shows(shown: impl AsRef<[u8]>, name: &str) {
    let mut text = b"2026-11-26T19:07:28.123456Z INFO around: ".to_vec();
    text.extend_from_slice(shown.as_ref());
    text.extend_from_slice(b" and on");
    let found = canaries().find(&text).unwrap();
    assert!(found.iter().any(|leak| leak.name == name), "{:?}", String::from_utf8_lossy(&text));
}

#[test]
fn a_planted_value_is_found_in_every_spelling() {
    let hex: String = SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    shows(SECRET, "secret");
    shows(&hex, "secret");
    shows(hex.to_uppercase(), "secret");
    shows(format!("{SECRET:?}"), "secret");
    shows(format!("{SECRET:#?}"), "secret");
    shows(format!("{SECRET:02x?}").replace(", ", ",0x").replace('[', "[0x"), "secret");
    shows(SECRET.escape_ascii().to_string(), "secret");
    shows(base32::encode(base32::Alphabet::Rfc4648 { padding: true }, &SECRET), "secret");
    shows(base32::encode(base32::Alphabet::Rfc4648Lower { padding: false }, &SECRET), "secret");
    shows(base32::encode(base32::Alphabet::Crockford, &SECRET), "secret");
    shows(SECRET.iter().map(|byte| format!("%{byte:02X}")).collect::<String>(), "secret");

    shows(PASSWORD, "password");
    shows(PASSWORD.to_ascii_uppercase(), "password");
    shows(format!("{:?}", PASSWORD.as_bytes()), "password");
    shows(serde_json::to_string(PASSWORD).unwrap(), "password");
    let escaped: String = PASSWORD.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    shows(escaped, "password");
    let percent =
        percent_encoding::utf8_percent_encode(PASSWORD, percent_encoding::NON_ALPHANUMERIC);
    shows(percent.to_string(), "password");
    let units = || PASSWORD.encode_utf16();
    shows(units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "password");
    shows(units().flat_map(u16::to_be_bytes).collect::<Vec<u8>>(), "password");
    shows("the code 493026.", "code");
    shows("code493026x", "code");
    // What has a part of an identifier's shape is none.
    shows("f493026e", "code");
    shows("00d493026a1b", "code");
    shows("f493026e-47a1-4c5e-9f93", "code");
    shows("f493026e-47a1-4c5e-9f93-00d493026a1bc", "code");
    shows("0af7651916cd493026eb211c80319c1", "code");
    shows("gaf7651916cd493026eb211c80319c1e", "code");
}

#[test]
fn a_value_inside_of_a_longer_text_is_found_at_each_place() {
    for before in 0..8_u8 {
        for after in 0..3_u8 {
            let mut longer: Vec<u8> = (0..before).collect();
            longer.extend_from_slice(&SECRET);
            longer.extend(0..after);
            shows(Base64::encode_string(&longer), "secret");
            shows(Base64UrlUnpadded::encode_string(&longer), "secret");
            let alphabet = base32::Alphabet::Rfc4648 { padding: false };
            shows(base32::encode(alphabet, &longer), "secret");
            // As MIME breaks lines.
            let text = Base64::encode_string(&longer);
            let (first, rest) = text.split_at(11);
            shows(format!("{first}\r\n{rest}"), "secret");
        }
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    let other: Vec<u8> = SECRET.iter().rev().copied().collect();
    let text =
        format!("canary password 1493026 4930260 {} {other:?}", Base64::encode_string(&other));
    assert_eq!(canaries().find(text.as_bytes()).unwrap().len(), 0);
    // A UUID, and a trace identifier.
    let identifiers = "f493026e-47a1-4c5e-9f93-00d493026a1b 0af7651916cd493026eb211c80319c1e";
    assert_eq!(canaries().find(identifiers.as_bytes()).unwrap().len(), 0);
    assert_eq!(Canaries::new().find(SECRET.as_slice()).unwrap().len(), 0);
    assert_eq!(format!("{:?}", canaries()).len(), "Canaries(6)".len());
}
