use crate::Invalid;
use crate::*;
use proptest::prelude::*;
extern crate std;
use std::format;

fn read(text: &str) -> Result<Secret, Invalid> {
    Secret::import_short_base32(text)
}

#[test]
fn rfc_4648_section_10() {
    let vectors = [
        ("f", "MY======"),
        ("fo", "MZXQ===="),
        ("foo", "MZXW6==="),
        ("foob", "MZXW6YQ="),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI======"),
    ];
    for (bytes, text) in vectors {
        let bare = text.trim_end_matches('=');
        assert_eq!(read(text).unwrap().expose(), bytes.as_bytes());
        assert_eq!(read(bare).unwrap().expose(), bytes.as_bytes());
        assert_eq!(Secret::import_short(bytes.as_bytes()).unwrap().to_base32().as_str(), bare);
    }
    assert_eq!(read("").unwrap_err(), Invalid::ShortSecret);
}

#[test]
fn foreign_characters_are_refused() {
    for byte in 0..=0x7f_u8 {
        let text = format!("MZXW6{}TB", char::from(byte));
        let known = byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
        assert_eq!(read(&text).is_ok(), known, "{byte:#x}");
    }
    assert_eq!(read("MZXW6YТB").unwrap_err(), Invalid::Base32); // a Cyrillic Te
}

#[test]
fn padding_is_whole_or_absent() {
    for wrong in ["MY=", "MY=====", "MY=======", "MZXQ===", "MZXW6====", "MZXW6YQ==", "MZXW6YTB="] {
        assert_eq!(read(wrong).unwrap_err(), Invalid::Base32, "{wrong}");
    }
    for wrong in ["=", "========", "MZXW6YTB========", "M=Y=====", "=MY====="] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn unused_bits_are_zero() {
    for wrong in ["MZ", "MZXR", "MZXW7", "MZXW6YR", "77"] {
        assert_eq!(read(wrong).unwrap_err(), Invalid::Base32, "{wrong}");
    }
    for partial in ["M", "MZX", "MZXW6Y", "MZXW6YTBO"] {
        assert_eq!(read(partial).unwrap_err(), Invalid::Base32, "{partial}");
    }
}

#[test]
fn the_longest_fits_and_says_nothing() {
    let secret = Secret::from_bytes(&[0xff; Secret::MAX]).unwrap();
    let text = secret.to_base32();
    assert_eq!(text.as_str().len(), 410);
    assert_eq!(Secret::from_base32(text.as_str()).unwrap().expose(), secret.expose());
    assert_eq!(format!("{text:?}"), "Base32(..)");
    assert_eq!(read(&"A".repeat(416)).unwrap_err(), Invalid::LongSecret);
    assert_eq!(read(&"A".repeat(1 << 16)).unwrap_err(), Invalid::LongSecret);
}

proptest! {
    #[test]
    fn decode_undoes_encode(bytes in proptest::collection::vec(any::<u8>(), 1..=256)) {
        let secret = Secret::import_short(&bytes).unwrap();
        let text = secret.to_base32();
        let again = read(text.as_str()).unwrap();
        prop_assert_eq!(again.expose(), &bytes);
    }

    #[test]
    fn encode_undoes_decode(text in "[A-Z2-7]{2,40}={0,6}") {
        if let Ok(secret) = read(&text) {
            let again = secret.to_base32();
            prop_assert_eq!(again.as_str(), text.trim_end_matches('='));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,64}") {
        let _ = read(&text);
    }
}
