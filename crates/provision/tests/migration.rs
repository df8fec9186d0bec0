//! Google Authenticator's transfer, both ways.
#![cfg(feature = "import")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use base64ct::{Base64, Encoding as _};
use countersign_otp::{Algorithm, Digits, Hotp, Period, Secret, Totp};
use countersign_provision::{
    Kind, ReadError, Uri, Warning,
    migration::{self, Batch, Error},
};
use proptest::prelude::*;

/// One key with the key and names of the Key URI format's first example, and nothing but the type
/// beside; as the tool dim13/otpauth shows it in its documentation.
const EXAMPLE: &str = "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC";

fn offline(payload: &[u8]) -> String {
    format!(
        "otpauth-migration://offline?data={}",
        Base64::encode_string(payload).replace('+', "%2B")
    )
}

/// A payload of one key whose message is `fields`.
fn one(fields: &[u8]) -> String {
    let mut payload = vec![0x0a, u8::try_from(fields.len()).unwrap()];
    payload.extend_from_slice(fields);
    offline(&payload)
}

#[test]
fn the_example_is_read() {
    let payload = migration::read(EXAMPLE).unwrap();
    let [key] = payload.keys.as_slice() else { panic!("one key") };
    assert_eq!((key.uri.issuer(), key.uri.account()), (Some("Example"), "alice@google.com"));
    assert_eq!(key.uri.secret().expose(), b"Hello!\xde\xad\xbe\xef");
    assert_eq!(key.uri.kind(), Kind::Totp(Totp::DEFAULT));
    assert_eq!(key.warnings, [Warning::ShortSecret { bits: 80 }]);
    assert!(payload.refused.is_empty());
    assert_eq!(payload.batch, Batch::default());
}

#[test]
fn encoding_is_forgiven() {
    let keys = |uri: &str| migration::read(uri).unwrap().keys.len();
    assert_eq!(keys(&format!("  {EXAMPLE}\n")), 1);
    assert_eq!(keys(&EXAMPLE.replace("otpauth-migration", "OTPAUTH-Migration")), 1);
    // `+` as it is, as a space, percent-encoded, and in the alphabet for URLs.
    let payload = [&[0x0a, 0x12, 0x0a, 0x10][..], &[0xfb; 16]].concat();
    let base64 = Base64::encode_string(&payload);
    assert!(base64.contains("+/"));
    for form in [
        base64.clone(),
        base64.replace('+', " "),
        base64.replace('+', "%2b").replace('/', "%2F").replace('=', "%3D"),
        base64.replace('+', "-").replace('/', "_").replace('=', ""),
    ] {
        let payload = migration::read(&format!("otpauth-migration://offline?data={form}")).unwrap();
        assert_eq!(payload.keys[0].uri.secret().expose(), [0xfb; 16], "{form}");
        assert_eq!(payload.keys[0].warnings, [Warning::AccountMissing]);
    }
}

#[test]
fn what_is_no_payload_is_refused() {
    for (uri, error) in [
        ("otpauth://totp/A:b?secret=AAAA", Error::Uri),
        ("otpauth-migration://offline", Error::Uri),
        ("otpauth-migration://offline?", Error::Uri),
        ("otpauth-migration://offline?date=AA", Error::Uri),
        ("otpauth-migration://offline?data=AAAA&data=AAAA", Error::Uri),
        ("otpauth-migration://offline?data=%", Error::Base64),
        ("otpauth-migration://offline?data=A", Error::Base64),
        ("otpauth-migration://offline?data=CjEK", Error::Wire), // cut off
        ("otpauth-migration://offline?data=CAE=", Error::Wire), // field 1 is a number
    ] {
        assert_eq!(migration::read(uri).err(), Some(error), "{uri}");
    }
    assert_eq!(migration::read(&offline(&[0; 20_000])).err(), Some(Error::TooLarge));
    assert_eq!(migration::read(&offline(&[0x0a, 0].repeat(1001))).err(), Some(Error::TooMany));
    // Two secrets, two batch sizes.
    assert_eq!(migration::read(&one(&[0x0a, 1, 7, 0x0a, 1, 8])).err(), Some(Error::Wire));
    assert_eq!(migration::read(&offline(&[0x18, 1, 0x18, 1])).err(), Some(Error::Wire));
    assert_eq!(migration::read(&offline(&[])).unwrap().keys.len(), 0);
}

#[test]
fn a_key_that_means_nothing_is_listed() {
    let secret = [&[0x0a, 0x10][..], &[7; 16], &[0x12, 1, b'n']].concat();
    for (fields, reason) in [
        (&[0x20, 4][..], ReadError::Algorithm), // MD5
        (&[0x28, 3], ReadError::Digits),
        (&[0x30, 3], ReadError::Type),
        (&[0x30, 1, 0x38, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], ReadError::Counter),
    ] {
        let payload = migration::read(&one(&[&secret, fields].concat())).unwrap();
        assert!(payload.keys.is_empty());
        let refused = &payload.refused[0];
        assert_eq!((refused.place, refused.name.as_str(), &refused.reason), (1, "n", &reason));
    }
    let payload = migration::read(&one(&[0x12, 1, b'n'])).unwrap();
    assert_eq!(payload.refused[0].reason, ReadError::SecretLength);
}

#[test]
fn limits_are_reached_and_not_passed() {
    // Empty messages: keys that mean nothing, but keys.
    let keys = |count: usize| migration::read(&offline(&[0x0a, 0].repeat(count)));
    assert_eq!(keys(1000).unwrap().refused.len(), 1000);
    assert_eq!(keys(1001).err(), Some(Error::TooMany));

    // An unknown field of so many bytes, with three before it.
    let unknown = |len: u16| {
        let [low, high] = (len - 3).to_le_bytes();
        let mut payload = vec![0x7a, low | 0x80, high << 1 | low >> 7];
        payload.resize(usize::from(len), 0);
        payload
    };
    assert!(migration::read(&offline(&unknown(16 << 10))).is_ok());
    assert_eq!(migration::read(&offline(&unknown((16 << 10) + 1))).err(), Some(Error::TooLarge));

    // Three letters for one, and what pads it: 64 KiB, and one more.
    let letters = Base64::encode_string(&unknown((16 << 10) - 1));
    let encoded: String = letters.bytes().map(|letter| format!("%{letter:02X}")).collect();
    let padded = |len: usize| {
        let padding = "=".repeat(len - encoded.len());
        migration::read(&format!("otpauth-migration://offline?data={encoded}{padding}"))
    };
    assert!(padded(64 << 10).is_ok());
    assert_eq!(padded((64 << 10) + 1).err(), Some(Error::TooLarge));

    let key = || Uri::totp("A", "b", Secret::from_bytes(&[7; 16]).unwrap(), Totp::DEFAULT).unwrap();
    let mut keys: Vec<Uri> = std::iter::repeat_with(key).take(1000).collect();
    assert_eq!(migration::write(&keys, 1).unwrap().len(), 100);
    keys.push(key());
    assert_eq!(migration::write(&keys, 1).err(), Some(Error::TooMany));
}

#[test]
fn a_field_of_another_type_is_refused() {
    for number in 1..=3 {
        assert_eq!(migration::read(&one(&[number << 3, 1])).err(), Some(Error::Wire), "{number}");
    }
    for number in 4..=7 {
        let field = [number << 3 | 2, 1, 1];
        assert_eq!(migration::read(&one(&field)).err(), Some(Error::Wire), "{number}");
    }
    assert!(Error::Wire.to_string().len() > 20, "it says what is wrong");
}

#[test]
fn what_the_format_cannot_say_is_not_written() {
    let key = |kind| Uri::new("A", "b", Secret::from_bytes(&[7; 16]).unwrap(), kind).unwrap();
    let totp = |digits, period| Kind::Totp(Totp::new(Algorithm::Sha1, digits, period));
    for kind in [
        totp(Digits::Seven, Period::THIRTY),
        totp(Digits::Six, Period::new(60).unwrap()),
        Kind::Steam,
        Kind::Hotp { algorithm: Algorithm::Sha1, hotp: Hotp::new(Digits::Six), counter: 1 << 63 },
    ] {
        let keys = [key(Kind::Totp(Totp::DEFAULT)), key(kind)];
        assert_eq!(migration::write(&keys, 1).err(), Some(Error::Unsayable { place: 2 }));
    }
    assert!(migration::write(&[], 1).unwrap().is_empty());
}

#[test]
fn many_keys_are_spread_over_qr_codes() {
    let key = |n: usize| {
        let secret = Secret::from_bytes(&[u8::try_from(n).unwrap(); 20]).unwrap();
        Uri::totp("Issuer", &format!("account{n}"), secret, Totp::DEFAULT).unwrap()
    };
    let keys: Vec<Uri> = (0..25).map(key).collect();
    let uris = migration::write(&keys, 77).unwrap();
    let payloads: Vec<_> = uris.iter().map(|uri| migration::read(uri).unwrap()).collect();
    assert_eq!(payloads.iter().map(|p| p.keys.len()).collect::<Vec<_>>(), [10, 10, 5]);
    for (index, payload) in (0..).zip(&payloads) {
        assert_eq!(payload.batch, Batch { size: 3, index, id: 77 });
    }
    let read = payloads.iter().flat_map(|p| &p.keys);
    assert!(read.zip(&keys).all(|(read, key)| read.uri.expose() == key.expose()));
}

prop_compose! {
    fn keys()(
        issuer in "[a-zA-Z0-9 é.]{1,20}",
        account in "[a-z+@. é]{1,20}",
        secret in proptest::collection::vec(any::<u8>(), 16..=256),
        algorithm in prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)],
        digits in prop_oneof![Just(Digits::Six), Just(Digits::Eight)],
        counter in proptest::option::of(0..=i64::MAX.unsigned_abs()),
    ) -> Option<Uri> {
        let kind = match counter {
            None => Kind::Totp(Totp::new(algorithm, digits, Period::THIRTY)),
            Some(counter) => Kind::Hotp { algorithm, hotp: Hotp::new(digits), counter },
        };
        Uri::new(&issuer, &account, Secret::from_bytes(&secret).unwrap(), kind).ok()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(keys in proptest::collection::vec(keys(), 0..30), id in any::<u32>()) {
        let keys: Vec<Uri> = keys.into_iter().flatten().collect();
        let uris = migration::write(&keys, id).unwrap();
        let mut read = Vec::new();
        for uri in &uris {
            prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()));
            let payload = migration::read(uri).unwrap();
            prop_assert!(payload.refused.is_empty());
            read.extend(payload.keys);
        }
        prop_assert_eq!(read.len(), keys.len());
        for (read, key) in read.iter().zip(&keys) {
            prop_assert_eq!(read.uri.expose(), key.expose());
        }
    }

    #[test]
    fn nothing_panics(payload in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = migration::read(&offline(&payload));
        if payload.len() < 60 {
            let _ = migration::read(&one(&payload));
        }
    }
}
