//! Plain exports of other apps. The shapes are the apps' own, the keys and names are ours.
#![cfg(feature = "import")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use countersign_otp::{Algorithm, Digits, Hotp, Period, Totp};
use countersign_provision::{
    Kind, ReadError, Warning,
    import::{self, Error, Import},
};

/// "12345678901234567890".
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn summary(import: &Import) -> Vec<(Option<&str>, &str, Kind, usize)> {
    import
        .keys
        .iter()
        .map(|key| (key.uri.issuer(), key.uri.account(), key.uri.kind(), key.warnings.len()))
        .collect()
}

fn totp(algorithm: Algorithm, digits: Digits, seconds: u64) -> Kind {
    Kind::Totp(Totp::new(algorithm, digits, Period::new(seconds).unwrap()))
}

fn hotp(algorithm: Algorithm, digits: Digits, counter: u64) -> Kind {
    Kind::Hotp { algorithm, hotp: Hotp::new(digits), counter }
}

#[test]
fn aegis() {
    let file = r#"{"version":1,"header":{"slots":null,"params":null},"db":{"version":3,"entries":[
        {"type":"totp","uuid":"u","name":"Mason","issuer":"Deno","note":"","icon":null,
         "info":{"secret":"KEY","algo":"SHA1","digits":6,"period":30},"groups":[]},
        {"type":"hotp","uuid":"u","name":"Benjamin","issuer":"Air","icon":null,
         "info":{"secret":"KEY","algo":"SHA256","digits":7,"counter":50}},
        {"type":"steam","uuid":"u","name":"Sophia","issuer":"Steam","icon":null,
         "info":{"secret":"KEY","algo":"SHA1","digits":5,"period":30}},
        {"type":"totp","uuid":"u","name":"example.com:simon@example.com","issuer":"example.com",
         "info":{"secret":"KEY","algo":"SHA1","digits":6,"period":30}},
        {"type":"motp","uuid":"u","name":"M","issuer":"X",
         "info":{"secret":"KEY","algo":"MD5","digits":6,"period":10,"pin":"1234"}},
        {"type":"totp","uuid":"u","name":"zero\u0007","issuer":"X",
         "info":{"secret":"KEY","algo":"SHA1","digits":6,"period":0}}
    ],"groups":[]}}"#
        .replace("KEY", KEY);
    let read = import::aegis(file.as_bytes()).unwrap();
    assert_eq!(
        summary(&read),
        [
            (Some("Deno"), "Mason", Kind::Totp(Totp::DEFAULT), 0),
            (Some("Air"), "Benjamin", hotp(Algorithm::Sha256, Digits::Seven, 50), 0),
            (Some("Steam"), "Sophia", Kind::Steam, 0),
            (Some("example.com"), "simon@example.com", Kind::Totp(Totp::DEFAULT), 0),
        ]
    );
    assert!(read.keys.iter().all(|key| key.uri.secret().expose() == b"12345678901234567890"));
    let refused: Vec<_> =
        read.refused.iter().map(|r| (r.place, r.name.as_str(), &r.reason)).collect();
    assert_eq!(refused, [(5, "M", &ReadError::Type), (6, "zero-", &ReadError::Period)]);
    assert_eq!(
        read.refused[0].to_string(),
        "entry 5 (M): the type is neither totp nor hotp nor steam"
    );

    let sealed = br#"{"version":1,"header":{"slots":[],"params":{}},"db":"AAAA"}"#;
    assert_eq!(import::aegis(sealed).err(), Some(Error::Encrypted));
}

#[test]
fn andotp() {
    let file = r#"[
        {"secret":"KEY","issuer":"Deno","label":"Mason","digits":6,"type":"TOTP","algorithm":"SHA1",
         "thumbnail":"Default","last_used":1596139664181,"used_frequency":0,"period":30,"tags":[]},
        {"secret":"key","issuer":"Air","label":"Benjamin","digits":8,"type":"HOTP",
         "algorithm":"SHA512","thumbnail":"Default","last_used":0,"counter":50,"tags":["a"]},
        {"secret":"KEY","issuer":"Steam","label":"Sophia","digits":5,"type":"STEAM",
         "algorithm":"SHA1","period":30},
        {"secret":"KEY","label":"Old:James","digits":6,"type":"TOTP","algorithm":"SHA256","period":60},
        {"secret":"KEY","issuer":"No","label":"counter","digits":6,"type":"HOTP","algorithm":"SHA1"}
    ]"#
        .replace("KEY", KEY)
        .replace("key", &KEY.to_lowercase());
    let read = import::andotp(file.as_bytes()).unwrap();
    assert_eq!(
        summary(&read),
        [
            (Some("Deno"), "Mason", Kind::Totp(Totp::DEFAULT), 0),
            (Some("Air"), "Benjamin", hotp(Algorithm::Sha512, Digits::Eight, 50), 0),
            (Some("Steam"), "Sophia", Kind::Steam, 0),
            (Some("Old"), "James", totp(Algorithm::Sha256, Digits::Six, 60), 0),
        ]
    );
    assert_eq!(read.refused[0].reason, ReadError::CounterMissing);
}

#[test]
fn twofas() {
    let file = r#"{"services":[
        {"name":"Deno","secret":"KEY","updatedAt":1,"otp":{"label":"l","account":"Mason",
         "issuer":"Deno","digits":6,"period":30,"algorithm":"SHA1","tokenType":"TOTP","source":"Link"},
         "order":{"position":0},"icon":{"selected":"Label"}},
        {"name":"Slow","secret":"KEY","otp":{"account":"Olivia","digits":6,"period":60,"tokenType":"TOTP"}},
        {"name":"Air","secret":"KEY","otp":{"account":"","label":"Benjamin","digits":7,
         "algorithm":"SHA256","counter":50,"tokenType":"HOTP"}},
        {"name":"Steam","secret":"KEY","otp":{"account":"Sophia","tokenType":"STEAM","digits":5,
         "period":30,"algorithm":"SHA1"}},
        {"name":"bare","secret":"MFRGG"},
        {"name":"bad","secret":"1","otp":{"tokenType":"TOTP"}}
    ],"updatedAt":1,"schemaVersion":4,"appVersionCode":50000,"appOrigin":"ios","groups":[]}"#
        .replace("KEY", KEY);
    let read = import::twofas(file.as_bytes()).unwrap();
    assert_eq!(
        summary(&read),
        [
            (Some("Deno"), "Mason", Kind::Totp(Totp::DEFAULT), 0),
            (Some("Slow"), "Olivia", totp(Algorithm::Sha1, Digits::Six, 60), 0),
            (Some("Air"), "Benjamin", hotp(Algorithm::Sha256, Digits::Seven, 50), 0),
            (Some("Steam"), "Sophia", Kind::Steam, 0),
            (Some("bare"), "", Kind::Totp(Totp::DEFAULT), 2),
        ]
    );
    assert_eq!(read.keys[4].warnings, [Warning::AccountMissing, Warning::ShortSecret { bits: 24 }]);
    assert_eq!(read.refused[0].reason, ReadError::SecretEncoding);

    let sealed = br#"{"services":[],"servicesEncrypted":"a:b:c","schemaVersion":4}"#;
    assert_eq!(import::twofas(sealed).err(), Some(Error::Encrypted));
}

#[test]
fn numbers_may_be_text() {
    let file = format!(
        r#"[{{"secret":"{KEY}","label":"b","issuer":"A","type":"totp","digits":"8","period":"60"}},
            {{"secret":"{KEY}","label":"b","issuer":"A","type":"totp","digits":6.5}},
            {{"secret":"{KEY}","label":"b","issuer":"A","type":"totp","digits":-6}},
            {{"secret":"{KEY}","label":"b","issuer":"A","type":"totp","digits":null}}]"#
    );
    let read = import::andotp(file.as_bytes()).unwrap();
    assert_eq!(read.keys.len(), 2);
    assert_eq!(read.keys[0].uri.kind(), totp(Algorithm::Sha1, Digits::Eight, 60));
    assert!(read.refused.iter().all(|refused| refused.reason == ReadError::Digits));
}

#[test]
fn other_files_are_refused() {
    type Reader = fn(&[u8]) -> Result<Import, Error>;
    let readers: [Reader; 3] = [import::aegis, import::andotp, import::twofas];
    for read in readers {
        for file in [&b""[..], b"null", b"{}", b"[1]", b"{\"db\":3}", b"\xff", b"otpauth://totp/A"]
        {
            assert_eq!(read(file).err(), Some(Error::Format), "{file:?}");
        }
        assert_eq!(read("[".repeat(100_000).as_bytes()).err(), Some(Error::Format));
        assert_eq!(read(&vec![b' '; (4 << 20) + 1]).err(), Some(Error::TooLarge));
    }
    let item = r#"{"secret":"A","type":"totp"}"#;
    let many = |count| format!("[{}]", vec![item; count].join(","));
    assert_eq!(import::andotp(many(10_001).as_bytes()).err(), Some(Error::TooMany));
    assert_eq!(import::andotp(many(10_000).as_bytes()).unwrap().refused.len(), 10_000);
    let mut largest = many(1).into_bytes();
    largest.resize(4 << 20, b' ');
    assert_eq!(import::andotp(&largest).unwrap().refused.len(), 1);

    let said = [Error::TooLarge, Error::TooMany, Error::Format, Error::Encrypted];
    assert!(said.iter().all(|error| error.to_string().len() > 20), "each says what to do");
}

#[test]
fn an_issuer_in_the_label_counts_where_there_is_no_other() {
    for (issuer, label, expected) in [
        ("", "Old:James", (Some("Old"), "James")),
        (" ", "Old:James", (Some("Old"), "James")),
        ("New", "New:James", (Some("New"), "James")),
        ("New", "James", (Some("New"), "James")),
        // Another issuer than the field's is part of the name, which has no colon.
        ("New", "Old:James", (Some("New"), "Old-James")),
    ] {
        let file = format!(
            r#"[{{"secret":"{KEY}","label":"{label}","issuer":"{issuer}","type":"totp"}}]"#
        );
        let read = import::andotp(file.as_bytes()).unwrap();
        let uri = &read.keys[0].uri;
        assert_eq!((uri.issuer(), uri.account()), expected, "{issuer:?}, {label:?}");
    }
}
