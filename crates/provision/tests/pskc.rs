//! Key containers: the figures of RFC 6030, and everything that must be refused.
#![cfg(feature = "pskc")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufReader, Read};

use countersign_otp::{Algorithm, Digits, Hotp, Period, Totp, UnixTime};
use countersign_provision::{
    Kind, ReadError, Warning,
    pskc::{self, Error, Key, Policy, Reason, Token, Unlock},
};
use proptest::prelude::*;
use zeroize::Zeroizing;

/// 2006-05-15T00:00:00Z: when the keys of figure 10 may be used.
const MAY_2006: UnixTime = UnixTime::from_secs(1_147_651_200);
const KEY: &[u8] = b"12345678901234567890";

type Item = Result<Key, Error>;

fn open(xml: &str, unlock: Unlock) -> Vec<Item> {
    match pskc::read(xml.as_bytes(), unlock, MAY_2006) {
        Ok(keys) => keys.collect(),
        Err(error) => vec![Err(error)],
    }
}

fn figure(number: u8) -> String {
    let path = format!("{}/tests/rfc6030/figure{number}.xml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn hotp(digits: Digits, counter: u64) -> Kind {
    Kind::Hotp { algorithm: Algorithm::Sha1, hotp: Hotp::new(digits), counter }
}

fn pre_shared() -> Unlock {
    let mut key = [0; 16];
    for (byte, pair) in key.iter_mut().zip(b"12345678901234567890123456789012".chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
    Unlock::PreSharedKey(Zeroizing::new(key))
}

/// The only item, which is a key.
fn one(items: Vec<Item>) -> Key {
    let [Ok(key)] = <[Item; 1]>::try_from(items).unwrap_or_else(|items| panic!("{items:?}")) else {
        panic!("no key")
    };
    key
}

/// Why the only item is no key.
fn reason(items: Vec<Item>) -> Reason {
    match items.into_iter().next() {
        Some(Err(Error::Key { reason, .. })) => reason,
        other => panic!("{other:?}"),
    }
}

fn says(key: &Key) -> (Option<&str>, &str, Kind, &[u8]) {
    let uri = &key.key.uri;
    (uri.issuer(), uri.account(), uri.kind(), uri.secret().expose())
}

#[test]
fn figure_2_a_key_and_no_more() {
    let key = one(open(&figure(2), Unlock::Nothing));
    assert_eq!(says(&key), (Some("Issuer-A"), "12345678", hotp(Digits::Six, 0), &b"1234"[..]));
    let short = Warning::ShortSecret { bits: 32 };
    assert_eq!(key.key.warnings, [short, Warning::DigitsAssumed, Warning::CounterAssumed]);
}

#[test]
fn figure_3_a_token() {
    let key = one(open(&figure(3), Unlock::Nothing));
    let user = "UID=jsmith,DC=example-bank,DC=net";
    assert_eq!(says(&key), (Some("Issuer"), user, hotp(Digits::Eight, 0), KEY));
    assert!(key.key.warnings.is_empty());
    let token = Token {
        serial: Some("987654321".into()),
        manufacturer: Some("Manufacturer".into()),
        key_id: Some("12345678".into()),
    };
    assert_eq!((key.token, key.time, key.drift, key.uses), (token, None, None, None));
}

#[test]
fn figure_4_a_key_that_is_derived_elsewhere() {
    assert_eq!(reason(open(&figure(4), Unlock::Nothing)), Reason::NoSecret);
}

#[test]
fn figure_5_a_key_and_the_pin_before_it() {
    let items = open(&figure(5), Unlock::Nothing);
    let [Ok(key), Err(Error::Key { token, reason })] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(says(key).3, KEY);
    assert_eq!((token.key_id.as_deref(), reason), (Some("123456781"), &Reason::Algorithm));
}

#[test]
fn figure_6_a_pre_shared_key() {
    let key = one(open(&figure(6), pre_shared()));
    assert_eq!(says(&key), (Some("Issuer"), "987654321", hotp(Digits::Eight, 0), KEY));

    assert_eq!(reason(open(&figure(6), Unlock::Nothing)), Reason::Locked);
    let wrong = Unlock::PreSharedKey(Zeroizing::new([7; 16]));
    assert!(matches!(open(&figure(6), wrong)[0], Err(Error::Unlock | Error::Key { .. })));
    assert_eq!(
        open(&figure(6), Unlock::passphrase("qwerty"))[0].as_ref().err(),
        Some(&Error::Unlock)
    );
}

#[test]
fn figure_6_changed_by_somebody() {
    let mac = "Su+NvtQfmvfJzF6bmQiJqoLRExc=";
    let value = "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv";
    for (old, new) in [
        (mac, "Su+NvtQfmvfJzF6bmQiJqoLRExd="), // not canonical base64
        (mac, "Tu+NvtQfmvfJzF6bmQiJqoLRExc="),
        (mac, "Su+NvtQfmvfJzF6bmQ=="), // cut off
        (mac, ""),
        (value, "BAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv"),
        (value, "AAECAwQFBgcICQoLDA0ODw=="),
        (value, "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGu"),
    ] {
        let changed = figure(6).replace(old, new);
        let reason = reason(open(&changed, pre_shared()));
        assert!(matches!(reason, Reason::MacWrong | Reason::Value), "{new}: {reason:?}");
    }
    let (before, rest) =
        figure(6).split_once("<ValueMAC>").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (_, after) = rest.split_once("</ValueMAC>").unwrap();
    assert_eq!(reason(open(&format!("{before}{after}"), pre_shared())), Reason::MacMissing);

    let (before, rest) =
        figure(6).split_once("<MACMethod").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (_, after) = rest.split_once("</MACMethod>").unwrap();
    assert_eq!(reason(open(&format!("{before}{after}"), pre_shared())), Reason::MacMissing);
}

/// Found by fuzzing: a wrong passphrase can leave a MAC key of a byte or none, which is soon the right one. The values
/// are encrypted by openssl; each MAC is right under its key.
#[test]
fn figure_6_with_a_short_mac_key() {
    let with = |key: &str, mac: &str| {
        let figure = figure(6)
            .replace("ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX", key)
            .replace("Su+NvtQfmvfJzF6bmQiJqoLRExc=", mac);
        open(&figure, pre_shared())
    };
    let sixteen = "AAECAwQFBgcICQoLDA0OD2SAj0FOl36fI9OabeSdFtDXzovQw+kfkKbfrZBuxJib";
    let key = one(with(sixteen, "RUn2IT3IaR6LNjjDjF9iJHFa9kY="));
    assert_eq!(says(&key), (Some("Issuer"), "987654321", hotp(Digits::Eight, 0), KEY));
    for (shorter, mac) in [
        ("AAECAwQFBgcICQoLDA0OD6uT0FmoWPhlpnPxl7wdp/4=", "xyl7c5Lx/KX+jJqQ28QBB+wukfw="),
        ("AAECAwQFBgcICQoLDA0OD9X3odhVDQJ62HdEr5sdIjs=", "D4mq/i2ujoUMrTYEWqF/I/sLLGs="),
    ] {
        assert_eq!(with(shorter, mac)[0].as_ref().err(), Some(&Error::Unlock));
    }
}

/// The values are encrypted by openssl, under the keys of the figure.
#[test]
fn figure_6_with_an_encrypted_counter() {
    let plain = "<PlainValue>0</PlainValue>";
    let with = |value: &str, mac: &str| {
        let method =
            r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>"#;
        let data = format!(
            "<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>"
        );
        let sealed =
            format!("<EncryptedValue>{method}{data}</EncryptedValue><ValueMAC>{mac}</ValueMAC>");
        open(&figure(6).replace(plain, &sealed), pre_shared())
    };
    for (value, mac, counter) in [
        ("AAECAwQFBgcICQoLDA0OD2Q6nkZe/A1xiKQEbu8fH/E=", "Qmnrw+EwEDO3ZVTPhP+3qd4UymA=", 7),
        (
            "AAECAwQFBgcICQoLDA0ODy6+srK4Ob0h2z+Ta3d8Jxo=",
            "R0WHNSppoIbeCcgyoj1CJxOY8hU=",
            (1 << 32) + 7,
        ),
    ] {
        let key = one(with(value, mac));
        assert_eq!(says(&key), (Some("Issuer"), "987654321", hotp(Digits::Eight, counter), KEY));
    }
    let three =
        with("AAECAwQFBgcICQoLDA0OD6UHkr6v3cnwF0sUm80Qhbs=", "Vi+X0SjjGUy9YJHGCY50oSPIOGg=");
    assert_eq!(reason(three), Reason::Value);
}

#[test]
fn one_key_that_is_refused_does_not_hide_the_next() {
    let package = |inner: &str| {
        format!(
            r#"<KeyPackage><Key Id="k" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp"><Data>{inner}<TimeInterval><PlainValue>30</PlainValue></TimeInterval></Data></Key></KeyPackage>"#
        )
    };
    let container = |packages: &str| {
        let xmlns = "urn:ietf:params:xml:ns:keyprov:pskc";
        open(
            &format!(r#"<KeyContainer Version="1.0" xmlns="{xmlns}">{packages}</KeyContainer>"#),
            Unlock::Nothing,
        )
    };
    let (bad, good) = (package(""), package(SECRET));
    let items = container(&format!("{bad}{good}"));
    assert!(matches!(&items[..], [Err(Error::Key { .. }), Ok(_)]), "{items:?}");
    // What is wrong with the container ends it.
    let items = container(&format!("{good}<MACMethod/>{good}"));
    assert!(matches!(&items[..], [Ok(_), Err(Error::Container)]), "{items:?}");
}

#[test]
fn figure_7_a_passphrase() {
    let key = one(open(&figure(7), Unlock::passphrase("qwerty")));
    assert_eq!(says(&key), (Some("Example-Issuer"), "987654321", hotp(Digits::Eight, 0), KEY));
    assert_eq!(key.key.warnings, [Warning::CounterAssumed]);

    assert!(open(&figure(7), Unlock::passphrase("qwertz"))[0].is_err());
    assert_eq!(reason(open(&figure(7), Unlock::Nothing)), Reason::Locked);
    assert_eq!(open(&figure(7), pre_shared())[0].as_ref().err(), Some(&Error::Unlock));
}

/// The figure with other functions to derive by; derived by Python, encrypted by openssl.
#[test]
fn figure_7_with_other_hashes() {
    for (hash, mac_key, secret, mac) in [
        (
            "hmac-sha256",
            "AAECAwQFBgcICQoLDA0OD/F84zIUuzvKMLFRxN+2QCPuUXDbj4FPlc57txRxviZL",
            "AAECAwQFBgcICQoLDA0OD7D/aq1A5KCVpLmMHdTFoJZloLUGlvZka6LlGKaFj5g9",
            "LAkatEZY7gjmynb9901uZOPNYIY=",
        ),
        (
            "hmac-sha512",
            "AAECAwQFBgcICQoLDA0OD/Nudoa/bOZMKRGbBgxV2OIqajCi2XPPen6cvNQdtjIO",
            "AAECAwQFBgcICQoLDA0ODzFHJqr1ghdqj4o2aoXSY0blsnEA8fLh/d34uFAcuQen",
            "UGbercoatTnKsruUWVqcaD6TWXY=",
        ),
    ] {
        let prf = format!(r#"<PRF Algorithm="http://www.w3.org/2001/04/xmldsig-more#{hash}"/>"#);
        let figure = figure(7)
            .replace("<PRF/>", &prf)
            .replace("2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx", mac_key)
            .replace("oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f", secret)
            .replace("LP6xMvjtypbfT9PdkJhBZ+D6O4w=", mac);
        let key = one(open(&figure, Unlock::passphrase("qwerty")));
        assert_eq!(says(&key).3, KEY, "{hash}");
    }
}

#[test]
fn figure_7_asking_for_too_much() {
    let count = |text: &str| {
        figure(7).replace("<IterationCount>1000<", &format!("<IterationCount>{text}<"))
    };
    let open = |xml: &str| open(xml, Unlock::passphrase("qwerty"))[0].as_ref().err().cloned();
    assert_eq!(open(&count("4294967295")), Some(Error::Iterations(u32::MAX)));
    assert_eq!(open(&count("2000001")), Some(Error::Iterations(2_000_001)));
    for text in ["0", "-1", "4294967296", ""] {
        assert_eq!(open(&count(text)), Some(Error::Unlock), "{text}");
    }
    assert_eq!(open(&figure(7).replace(">16<", ">32<")), Some(Error::Unlock));
    let (before, rest) =
        figure(7).split_once("<Specified>").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (_, after) = rest.split_once("</Specified>").unwrap();
    assert_eq!(open(&format!("{before}<Specified></Specified>{after}")), Some(Error::Unlock));
    let bounded = |max_iterations| {
        let passphrase = Zeroizing::new("qwerty".to_owned());
        let unlock = Unlock::Passphrase { passphrase, max_iterations };
        pskc::read(figure(7).as_bytes(), unlock, MAY_2006).unwrap().next().unwrap().err()
    };
    assert_eq!(bounded(1000), None);
    assert_eq!(bounded(999), Some(Error::Iterations(1000)));
    assert_eq!(
        open(&figure(7).replace("<PRF/>", "<PRF Algorithm=\"x#hmac-md5\"/>")),
        Some(Error::Unlock)
    );
}

#[test]
fn figure_8_a_public_key_is_not_read() {
    assert_eq!(reason(open(&figure(8), Unlock::Nothing)), Reason::Cipher);
}

#[test]
fn figure_9_a_signature_is_reported_and_not_verified() {
    let xml = figure(9);
    let mut keys = pskc::read(xml.as_bytes(), Unlock::Nothing, MAY_2006).unwrap();
    assert_eq!(says(&keys.next().unwrap().unwrap()).3, KEY);
    assert!(!keys.is_signed());
    assert!(keys.next().is_none());
    assert!(keys.is_signed());
}

#[test]
fn figure_10_many_keys_each_in_its_time() {
    let items = open(&figure(10), Unlock::Nothing);
    let serials: Vec<_> = items
        .iter()
        .map(|item| match item {
            Ok(key) => (key.token.serial.as_deref().unwrap(), None),
            Err(Error::Key { token, reason }) => (token.serial.as_deref().unwrap(), Some(reason)),
            Err(error) => panic!("{error}"),
        })
        .collect();
    let expired = Reason::Policy(Policy::Expired);
    assert_eq!(
        serials,
        [
            ("654321", None),
            ("123456", None),
            ("9999999", Some(&expired)),
            ("9999999", Some(&expired))
        ]
    );
    let text = items[3].as_ref().err().map(ToString::to_string);
    assert_eq!(text.as_deref(), Some("serial 9999999, key 4: it has expired"));

    let early = UnixTime::from_secs(1_140_000_000);
    let xml = figure(10);
    let items = pskc::read(xml.as_bytes(), Unlock::Nothing, early).unwrap();
    for item in items {
        assert!(matches!(item, Err(Error::Key { reason: Reason::Policy(Policy::NotYet), .. })));
    }
}

/// A container of one package with this in its `Key`, beside what is needed.
fn with(algorithm: &str, inner: &str) -> String {
    format!(
        r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><KeyPackage>
        <DeviceInfo><SerialNo>S1</SerialNo></DeviceInfo>
        <Key Id="k" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:{algorithm}">{inner}</Key>
        </KeyPackage></KeyContainer>"#
    )
}

const SECRET: &str = "<Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>";

fn totp(inner: &str) -> String {
    with("totp", &format!("<Data>{SECRET}{inner}</Data>"))
}

fn policy(inner: &str) -> String {
    with("totp", &format!("<Data>{SECRET}</Data><Policy>{inner}</Policy>"))
}

#[test]
fn a_totp_key_has_a_clock() {
    let key = one(open(
        &with(
            "totp",
            &format!(
                "<AlgorithmParameters><Suite>HMAC-SHA256</Suite><ResponseFormat Length='7' \
                 Encoding='DECIMAL' CheckDigits='false'/></AlgorithmParameters><Data>{SECRET}\
                 <Time><PlainValue>9</PlainValue></Time><TimeInterval><PlainValue>60</PlainValue>\
                 </TimeInterval><TimeDrift><PlainValue>-4</PlainValue></TimeDrift></Data>"
            ),
        ),
        Unlock::Nothing,
    ));
    let totp = Totp::new(Algorithm::Sha256, Digits::Seven, Period::new(60).unwrap());
    assert_eq!(says(&key), (None, "S1", Kind::Totp(totp), KEY));
    assert_eq!((key.time, key.drift), (Some(9), Some(-4)));
}

#[test]
fn what_means_nothing_is_refused_with_its_serial_number() {
    let response = |attributes: &str| {
        with(
            "hotp",
            &format!(
                "<AlgorithmParameters><ResponseFormat {attributes}/></AlgorithmParameters><Data>{SECRET}</Data>"
            ),
        )
    };
    let plain = |text: &str| {
        with("hotp", &format!("<Data><Secret><PlainValue>{text}</PlainValue></Secret></Data>"))
    };
    for (xml, expected) in [
        (with("pin", ""), Reason::Algorithm),
        (with("hotp", ""), Reason::NoSecret),
        (with("hotp", "<Data/>"), Reason::NoSecret),
        (with("hotp", "<Data><Secret/></Data>"), Reason::NoSecret),
        (plain(""), Reason::Meaning(ReadError::SecretLength)),
        (plain("!"), Reason::Value),
        (plain("MTIz="), Reason::Value),
        (plain(&"AAAA".repeat(86)), Reason::Meaning(ReadError::SecretLength)),
        (with("hotp", &format!("<Data>{SECRET}{SECRET}</Data>")), Reason::Duplicate),
        (with("hotp", &format!("<Data>{SECRET}</Data><Data>{SECRET}</Data>")), Reason::Duplicate),
        (
            totp("<TimeInterval><PlainValue>0</PlainValue></TimeInterval>"),
            Reason::Meaning(ReadError::Period),
        ),
        (totp("<TimeInterval><PlainValue>x</PlainValue></TimeInterval>"), Reason::Value),
        (totp("<TimeInterval/>"), Reason::Value),
        (
            totp("<TimeDrift><PlainValue>99999999999999999999</PlainValue></TimeDrift>"),
            Reason::Value,
        ),
        (response("Length='6' Encoding='HEXADECIMAL'"), Reason::ResponseFormat),
        (response("Length='6' Encoding='ALPHANUMERIC'"), Reason::ResponseFormat),
        (response("Length='6'"), Reason::ResponseFormat),
        (response("Length='5' Encoding='DECIMAL'"), Reason::ResponseFormat),
        (response("Length='9' Encoding='DECIMAL'"), Reason::ResponseFormat),
        (response("Length='6' Encoding='DECIMAL' CheckDigits='true'"), Reason::ResponseFormat),
        (
            with(
                "totp",
                &format!(
                    "<AlgorithmParameters><Suite>HMAC-MD5</Suite></AlgorithmParameters><Data>{SECRET}</Data>"
                ),
            ),
            Reason::Meaning(ReadError::Algorithm),
        ),
    ] {
        match open(&xml, Unlock::Nothing).into_iter().next() {
            Some(Err(Error::Key { token, reason })) => {
                assert_eq!((token.serial.as_deref(), reason), (Some("S1"), expected), "{xml}");
            }
            other => panic!("{xml}: {other:?}"),
        }
    }
}

#[test]
fn a_policy_that_is_not_understood_forbids() {
    let may = |inner: &str| one(open(&policy(inner), Unlock::Nothing)).uses;
    assert_eq!(may(""), None);
    assert_eq!(may("<StartDate>2006-05-15T00:00:00Z</StartDate>"), None);
    assert_eq!(may("<ExpiryDate>2006-05-15T02:00:01+02:00</ExpiryDate>"), None);
    assert_eq!(may("<KeyUsage>CR</KeyUsage><KeyUsage>OTP</KeyUsage>"), None);
    assert_eq!(may("<NumberOfTransactions>4321</NumberOfTransactions>"), Some(4321));
    assert_eq!(may("<PINPolicy PINUsageMode='Local' MinLength='4' MaxFailedAttempts='8'/>"), None);

    for (inner, expected) in [
        ("<Foo/>", Policy::Unknown),
        ("<x:KeyUsage xmlns:x='urn:x'>OTP</x:KeyUsage>", Policy::Unknown),
        ("<PINPolicy PINUsageMode='Local' OnWeekDaysOnly='TRUE'/>", Policy::Unknown),
        ("<PINPolicy PINUsageMode='Local'><Foo/></PINPolicy>", Policy::Unknown),
        ("<PINPolicy PINUsageMode='Append'/>", Policy::Pin),
        ("<PINPolicy/>", Policy::Pin),
        ("<KeyUsage>Encrypt</KeyUsage>", Policy::Usage),
        ("<StartDate>2006-05-15T00:00:01Z</StartDate>", Policy::NotYet),
        ("<ExpiryDate>2006-05-15T00:00:00Z</ExpiryDate>", Policy::Expired),
        ("<ExpiryDate>1906-05-15T00:00:00Z</ExpiryDate>", Policy::Expired),
        ("<ExpiryDate>2036-05-15</ExpiryDate>", Policy::Date),
        ("<ExpiryDate>2036-05-15T00:00:00</ExpiryDate>", Policy::Date),
    ] {
        assert_eq!(
            reason(open(&policy(inner), Unlock::Nothing)),
            Reason::Policy(expected),
            "{inner}"
        );
    }
    let twice = "<ExpiryDate>2036-05-15T00:00:00Z</ExpiryDate>".repeat(2);
    assert_eq!(reason(open(&policy(&twice), Unlock::Nothing)), Reason::Duplicate);
}

#[test]
fn xml_is_not_trusted() {
    let container = |inner: &str| {
        format!(
            r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">{inner}</KeyContainer>"#
        )
    };
    let first = |xml: &str| open(xml, Unlock::Nothing).into_iter().next();
    let issuer =
        |text: &str| with("totp", &format!("<Issuer>{text}</Issuer><Data>{SECRET}</Data>"));

    // External entities, internal ones, and XML's own.
    let doctype = r#"<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>"#;
    assert_eq!(first(&format!("{doctype}{}", issuer("&a;"))).unwrap().err(), Some(Error::Entity));
    assert_eq!(first(&issuer("&a;")).unwrap().err(), Some(Error::Entity));
    assert_eq!(first(&issuer("&#x110000;")).unwrap().err(), Some(Error::Xml));
    let key = first(&issuer("A&amp;B &lt;&#x43;&#68;&gt;&quot;&apos;<!-- no --> <![CDATA[<E>]]>"))
        .unwrap()
        .unwrap();
    assert_eq!(key.key.uri.issuer(), Some("A&B <CD>\"' <E>"));

    for (xml, error) in [
        ("", Error::Xml),
        ("<", Error::Xml),
        ("text", Error::Xml),
        ("<KeyContainer/>", Error::Container),
        ("<a><b></a></b>", Error::Container),
        (r#"<?xml version="1.0" encoding="UTF-16"?><a/>"#, Error::Xml),
        (r#"<KeyContainer Version="1.0"/>"#, Error::Container),
        (
            r#"<KeyContainer Version="2.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"/>"#,
            Error::Container,
        ),
        (
            r#"<KeyContainer Version="1.0" Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"/>"#,
            Error::Xml,
        ),
        (r#"<p:KeyContainer Version="1.0"/>"#, Error::Xml),
        (&container("<KeyPackage>"), Error::Xml),
        (&format!("{}<a/>", container("")), Error::Xml),
        (&format!("{}text", container("")), Error::Xml),
        (&format!("text{}", container("")), Error::Xml),
        (&container(&"<a>".repeat(100)), Error::TooLarge),
        (&container(&format!("<a>{}</a>", "<b/>".repeat(600))), Error::TooLarge),
        (&container(&format!("<a b='{}'/>", "x".repeat(100_000))), Error::TooLarge),
        (&container(&format!("<a>{}</a>", "x".repeat(100_000))), Error::TooLarge),
        (&container(&format!("<!--{}-->", "x".repeat(100_000))), Error::TooLarge),
        (&container("<MACMethod Algorithm='x#hmac-sha1'/><EncryptionKey/>"), Error::Container),
        (&container("<EncryptionKey/><EncryptionKey/>"), Error::Container),
        (&container("<MACMethod Algorithm='x#hmac-md5'/>"), Error::Unlock),
    ] {
        assert_eq!(first(xml).unwrap().err(), Some(error), "{xml:.80}");
    }
    // Just within the bounds, and not for the container as a whole.
    let deep = format!("{}{}", "<a>".repeat(16), "</a>".repeat(16));
    let wide = format!("<a>{}</a>", "<b/>".repeat(511));
    let long = format!("<a>{}</a>", "x".repeat(65_000));
    assert!(first(&container(&[deep, wide, long.clone(), long].concat())).is_none());
    assert_eq!(first(&container(&"<a>".repeat(17))).unwrap().err(), Some(Error::TooLarge));
    let wide = format!("<a>{}</a>", "<b/>".repeat(512));
    assert_eq!(first(&container(&wide)).unwrap().err(), Some(Error::TooLarge));
    let long = format!("<a>{}</a>", "x".repeat(65_530));
    assert_eq!(first(&container(&long)).unwrap().err(), Some(Error::TooLarge));
    assert!(first(&container("")).is_none());
    assert!(first(&container("<Extensions><a/></Extensions> text")).is_none());
    let bytes = b"<KeyContainer Version='1.0' xmlns='\xff'/>";
    assert_eq!(pskc::read(&bytes[..], Unlock::Nothing, MAY_2006).err(), Some(Error::Xml));
}

/// A stream that never was in memory: `packages` key packages, the one at `bad` without a secret.
struct Endless {
    packages: u32,
    bad: u32,
    next: u32,
    rest: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            let text = match self.next {
                0 => r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">"#
                    .to_owned(),
                n if n <= self.packages => format!(
                    "<KeyPackage><DeviceInfo><SerialNo>{n}</SerialNo></DeviceInfo><Key \
                     Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\"><Data>{}</Data></Key>\
                     </KeyPackage>\n",
                    if n == self.bad { "" } else { SECRET }
                ),
                n if n == self.packages + 1 => "</KeyContainer>".to_owned(),
                _ => String::new(),
            };
            self.next += 1;
            self.rest = text.into_bytes();
        }
        let len = out.len().min(self.rest.len());
        out[..len].copy_from_slice(&self.rest[..len]);
        self.rest.drain(..len);
        Ok(len)
    }
}

#[test]
fn a_hundred_thousand_keys_are_streamed() {
    let input = Endless { packages: 100_000, bad: 77_777, next: 0, rest: Vec::new() };
    let mut read = 0;
    let mut refused = Vec::new();
    for item in pskc::read(BufReader::new(input), Unlock::Nothing, MAY_2006).unwrap() {
        match item {
            Ok(_) => read += 1,
            Err(error) => refused.push(error.to_string()),
        }
    }
    assert_eq!(read, 99_999);
    assert_eq!(refused, ["serial 77777, key unknown: it has no secret"]);
}

#[test]
fn nothing_secret_is_printed() {
    let printed = format!("{:?} {:?}", open(&figure(6), pre_shared()), pre_shared());
    for secret in ["12345678901234567890", "MTIz", "49, 50"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(format!("{:?}", Unlock::passphrase("qwerty")), "Passphrase(..)");
    let xml = figure(6);
    let keys = pskc::read(xml.as_bytes(), pre_shared(), MAY_2006).unwrap();
    assert_eq!(format!("{keys:?}"), "Keys { unlock: PreSharedKey(..), .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A container that was damaged anywhere ends in keys and errors, and once after a fatal one.
    #[test]
    fn nothing_panics(
        number in prop_oneof![Just(3_u8), Just(5), Just(6), Just(7), Just(10)],
        at in any::<prop::sample::Index>(),
        cut in 0_usize..40,
        put in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'<'), Just(b'>'), Just(b'&'), Just(b'"')], 0..8),
    ) {
        let mut xml = figure(number).into_bytes();
        let at = at.index(xml.len());
        let end = (at + cut).min(xml.len());
        xml.splice(at..end, put);
        for unlock in [Unlock::Nothing, pre_shared(), Unlock::passphrase("qwerty")] {
            let Ok(mut keys) = pskc::read(BufReader::with_capacity(7, &*xml), unlock, MAY_2006) else { continue };
            let fatal = keys.by_ref().find(|item| {
                matches!(item, Err(error) if !matches!(error, Error::Key { .. }))
            });
            prop_assert!(fatal.is_none() || keys.next().is_none());
        }
    }
}
