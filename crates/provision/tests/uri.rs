//! Key URIs: the tolerance table, URIs of known apps and issuers, round trips.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use countersign_otp::{Algorithm, Digits, Hotp, Period, Secret, Totp};
use countersign_provision::{Kind, Parsed, Profile, ReadError, Uri, Warning};
use proptest::prelude::*;

/// 80 bits, the key of the Key URI format's own example: "Hello!" and `DE AD BE EF`.
const SHORT: &str = "JBSWY3DPEHPK3PXP";
/// 160 bits: `12345678901234567890`, the key of RFC 4226, appendix D.
const LONG: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn totp(algorithm: Algorithm, digits: Digits, seconds: u64) -> Kind {
    Kind::Totp(Totp::new(algorithm, digits, Period::new(seconds).unwrap()))
}

fn hotp(algorithm: Algorithm, digits: Digits, counter: u64) -> Kind {
    Kind::Hotp { algorithm, hotp: Hotp::new(digits), counter }
}

fn default_totp() -> Kind {
    totp(Algorithm::Sha1, Digits::Six, 30)
}

fn read(uri: &str) -> Parsed {
    Uri::parse(&fill(uri)).unwrap_or_else(|error| panic!("{uri}: {error}"))
}

fn refused(uri: &str) -> ReadError {
    Uri::parse(&fill(uri)).map(|_| ()).expect_err(uri)
}

fn fill(uri: &str) -> String {
    uri.replace("SHORT", SHORT).replace("LONG", LONG)
}

/// The 21 URIs on which the known readers disagree: lenient on encoding, strict on meaning.
#[test]
fn the_tolerance_table() {
    let short = vec![Warning::ShortSecret { bits: 80 }];
    let mismatch = vec![Warning::IssuerMismatch { label: "Contoso".into() }];
    let nameless = vec![Warning::AccountMissing];
    let hotp = hotp(Algorithm::Sha1, Digits::Six, 7);
    let sha256 = totp(Algorithm::Sha256, Digits::Six, 30);

    let accepted: Vec<(&str, Kind, Vec<Warning>)> = vec![
        ("otpauth://totp/A:b?secret=SHORT&issuer=A", default_totp(), short),
        (
            "otpauth://totp/A:b?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&issuer=A",
            default_totp(),
            vec![],
        ),
        (
            "otpauth://totp/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY======&issuer=A",
            default_totp(),
            vec![],
        ),
        (
            "otpauth://totp/A:b?secret=GEZD%20GNBV%20GY3T%20QOJQ%20GEZD%20GNBV%20GY3T%20QOJQ&issuer=A",
            default_totp(),
            vec![],
        ),
        (
            "otpauth://totp/A:b?secret=GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ&issuer=A",
            default_totp(),
            vec![],
        ),
        ("otpauth://totp/Contoso:b?secret=LONG&issuer=Microsoft", default_totp(), mismatch),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&algorithm=sha1", default_totp(), vec![]),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&algorithm=HmacSHA256", sha256, vec![]),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&algorithm=SHA-256", sha256, vec![]),
        ("otpauth://TOTP/A:b?secret=LONG&issuer=A", default_totp(), vec![]),
        ("otpauth://hotp/A:b?secret=LONG&issuer=A&counter=7", hotp, vec![]),
        ("otpauth://totp/?secret=LONG&issuer=A", default_totp(), nameless.clone()),
        ("otpauth://totp?secret=LONG&issuer=A", default_totp(), nameless),
        (
            "otpauth://totp/Steam:b?secret=LONG&issuer=Steam",
            default_totp(),
            vec![Warning::PerhapsSteam],
        ),
        ("otpauth://totp/A%3Ab?secret=LONG&issuer=A", default_totp(), vec![]),
        ("otpauth://totp/A%3A%20b?secret=LONG&issuer=A", default_totp(), vec![]),
    ];
    let refusals = [
        ("otpauth://hotp/A:b?secret=LONG&issuer=A", ReadError::CounterMissing),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&period=0", ReadError::Period),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&digits=10", ReadError::Digits),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&secret=LONG", ReadError::Duplicate("secret")),
        ("otpauth://totp/A:b?secret=LONG&issuer=A&issuer=B", ReadError::Duplicate("issuer")),
    ];
    assert_eq!(accepted.len() + refusals.len(), 21);

    for (uri, kind, warnings) in accepted {
        let parsed = read(uri);
        assert_eq!((parsed.uri.kind(), parsed.warnings), (kind, warnings), "{uri}");
    }
    for (uri, error) in refusals {
        assert_eq!(refused(uri), error, "{uri}");
    }
}

/// What known issuers and apps write, with other keys: (URI, issuer, account, kind, warned).
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn uris_in_the_wild() {
    let base = default_totp();
    let steam = Kind::Steam;
    let table: &[(&str, Option<&str>, &str, Kind, usize)] = &[
        // The Key URI format's own examples.
        (
            "otpauth://totp/Example:alice@google.com?secret=SHORT&issuer=Example",
            Some("Example"),
            "alice@google.com",
            base,
            1,
        ),
        (
            "otpauth://totp/ACME%20Co:john.doe@email.com?secret=LONG&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30",
            Some("ACME Co"),
            "john.doe@email.com",
            base,
            0,
        ),
        (
            "otpauth://totp/Provider1:Alice%20Smith?secret=LONG&issuer=Provider1",
            Some("Provider1"),
            "Alice Smith",
            base,
            0,
        ),
        (
            "otpauth://totp/Big%20Corporation%3A%20alice%40bigco.com?secret=LONG",
            Some("Big Corporation"),
            "alice@bigco.com",
            base,
            0,
        ),
        ("otpauth://totp/alice@gmail.com?secret=LONG", None, "alice@gmail.com", base, 0),
        // FreeOTP, URI.md: its own example, and its picture, which others ignore.
        (
            "otpauth://totp/Example:eve@redhat.com?secret=LONG&issuer=Example",
            Some("Example"),
            "eve@redhat.com",
            base,
            0,
        ),
        (
            "otpauth://totp/Example:eve?secret=LONG&issuer=Example&image=http%3A%2F%2Fexample.com%2Fi.png",
            Some("Example"),
            "eve",
            base,
            0,
        ),
        // Microsoft 365: the tenant in the label, the vendor in the parameter.
        (
            "otpauth://totp/Contoso%3Amona%40contoso.com?secret=LONG&issuer=Microsoft",
            Some("Microsoft"),
            "mona@contoso.com",
            base,
            1,
        ),
        // Amazon Web Services, 320 bits.
        (
            "otpauth://totp/Amazon%20Web%20Services:mona@123456789012?secret=LONGLONG&issuer=Amazon%20Web%20Services",
            Some("Amazon Web Services"),
            "mona@123456789012",
            base,
            0,
        ),
        // GitHub and Google.
        (
            "otpauth://totp/GitHub:octocat?secret=SHORT&issuer=GitHub",
            Some("GitHub"),
            "octocat",
            base,
            1,
        ),
        (
            "otpauth://totp/Google%3Auser%40gmail.com?secret=LONG&issuer=Google",
            Some("Google"),
            "user@gmail.com",
            base,
            0,
        ),
        // Facebook: digits and no label prefix (jsqrcode, issue 118).
        (
            "otpauth://totp/somebody?secret=LONG&digits=6&issuer=Facebook",
            Some("Facebook"),
            "somebody",
            base,
            0,
        ),
        // ownCloud: a slash in the account (nextcloud/twofactor_totp, pull request 44).
        (
            "otpauth://totp/admin%40fritz.box%2Foc%2Fcore?secret=SHORT&issuer=ownCloud",
            Some("ownCloud"),
            "admin@fritz.box/oc/core",
            base,
            1,
        ),
        ("otpauth://totp/a/b/c?secret=LONG", None, "a/b/c", base, 0),
        // Gitea: the issuer is an address (go-gitea/gitea, pull request 6634).
        (
            "otpauth://totp/%E5%96%B5%20%28https://old.example%29:user?algorithm=SHA1&digits=6&issuer=%E5%96%B5+%28https%3A%2F%2Fold.example%29&period=30&secret=SHORT",
            Some("喵 (https-//old.example)"),
            "user",
            base,
            2,
        ),
        // NotABug: a colon in the issuer, a form-encoded parameter (pass-otp, issue 194).
        (
            "otpauth://totp/NotABug.org:%20Free%20code%20hosting:no@mail.com?algorithm=SHA1&digits=6&issuer=NotABug.org%3A+Free+code+hosting&period=30&secret=LONG",
            Some("NotABug.org- Free code hosting"),
            "no@mail.com",
            base,
            1,
        ),
        // Secrets (GNOME): an encoded colon in the issuer (pyotp, issue 174), with and without parameter.
        (
            "otpauth://totp/Text%3A%20More%20Text:Secret?secret=LONG&issuer=Text%3A%20More%20Text",
            Some("Text- More Text"),
            "Secret",
            base,
            1,
        ),
        (
            "otpauth://totp/Text%3A%20More%20Text:Secret?secret=LONG",
            Some("Text- More Text"),
            "Secret",
            base,
            1,
        ),
        // Aegis: everything encoded (Aegis, issue 1701; 2FAuth, issue 160).
        (
            "otpauth://totp/Test%3A%20Foo%3AUser?period=30&digits=6&algorithm=SHA1&secret=LONG&issuer=Test%3A%20Foo",
            Some("Test- Foo"),
            "User",
            base,
            1,
        ),
        (
            "otpauth://steam/Steam%3Amyname?period=30&digits=5&algorithm=SHA1&secret=LONG&issuer=Steam",
            Some("Steam"),
            "myname",
            steam,
            0,
        ),
        // KeePassXC: the encoder (its TestTotp).
        (
            "otpauth://totp/test:test@example.com?secret=LONG&issuer=Valve&algorithm=SHA1&digits=5&period=30&encoder=steam",
            Some("Valve"),
            "test@example.com",
            steam,
            1,
        ),
        // Crossout: no account behind the colon (Sneezry/authenticator, issue 85).
        ("otpauth://totp/crossout:?secret=ghjktcfr&issuer=crossout", Some("crossout"), "", base, 2),
        // django-two-factor-auth: a port in the label (issue 768).
        (
            "otpauth://totp/localhost:8000:admin?secret=LONG&digits=6&issuer=localhost:8000",
            Some("localhost-8000"),
            "admin",
            base,
            1,
        ),
        // cotp: a parameter of its own.
        (
            "otpauth://totp/IssuerText:LabelText?secret=LONG&algorithm=SHA1&digits=6&period=30&lock=false",
            Some("IssuerText"),
            "LabelText",
            base,
            0,
        ),
        // WinAuth: eight digits (issue 465).
        (
            "otpauth://totp/Example:alice@google.com?secret=LONG&issuer=Example&digits=8",
            Some("Example"),
            "alice@google.com",
            totp(Algorithm::Sha1, Digits::Eight, 30),
            0,
        ),
        // Bitclub: SHA-256 before the issuer (google-authenticator-android, issue 29).
        (
            "otpauth://totp/BitclubPool:ckolivas?secret=SHORT&algorithm=SHA256&issuer=BitclubPool",
            Some("BitclubPool"),
            "ckolivas",
            totp(Algorithm::Sha256, Digits::Six, 30),
            1,
        ),
        // IconParc: SHA-512 (Authenticator-Extension, issue 380).
        (
            "otpauth://totp/IconParc:viktor@example.org?secret=LONG&algorithm=SHA512&digits=6",
            Some("IconParc"),
            "viktor@example.org",
            totp(Algorithm::Sha512, Digits::Six, 30),
            0,
        ),
        // vaultwarden, discussion 5723.
        (
            "otpauth://totp/ACME%20Co:john.doe@email.com?secret=LONG&issuer=ACME%20Co&algorithm=SHA256&digits=8&period=30",
            Some("ACME Co"),
            "john.doe@email.com",
            totp(Algorithm::Sha256, Digits::Eight, 30),
            0,
        ),
        // otplib: `@` encoded, and hotp.
        (
            "otpauth://totp/ACME%20Co:john%40example.com?secret=LONG&period=60",
            Some("ACME Co"),
            "john@example.com",
            totp(Algorithm::Sha1, Digits::Six, 60),
            0,
        ),
        (
            "otpauth://hotp/ACME%20Co:john%40example.com?secret=LONG&counter=5",
            Some("ACME Co"),
            "john@example.com",
            hotp(Algorithm::Sha1, Digits::Six, 5),
            0,
        ),
        // pyotp: hotp, everything encoded.
        (
            "otpauth://hotp/Secure%20App:alice%40google.com?secret=LONG&issuer=Secure%20App&counter=0",
            Some("Secure App"),
            "alice@google.com",
            hotp(Algorithm::Sha1, Digits::Six, 0),
            0,
        ),
        // Pasted by hand.
        (
            "  OTPAUTH://Totp/A:b?Secret=LONG&Issuer=A&Digits=8\n",
            Some("A"),
            "b",
            totp(Algorithm::Sha1, Digits::Eight, 30),
            0,
        ),
        (
            "otpauth://totp/A:alice+tag@example.com?secret=LONG&issuer=A",
            Some("A"),
            "alice+tag@example.com",
            base,
            0,
        ),
        ("otpauth://totp/alice?secret=LONG&issuer=ACME+Co", Some("ACME+Co"), "alice", base, 1),
        ("otpauth://totp/A:b?secret=LONG&issuer=#top", Some("A"), "b", base, 0),
    ];
    assert!(table.len() >= 30);
    for (uri, issuer, account, kind, warned) in table {
        let Parsed { uri: read, warnings } = read(uri);
        assert_eq!(
            (read.issuer(), read.account(), read.kind()),
            (*issuer, *account, *kind),
            "{uri}"
        );
        assert_eq!(warnings.len(), *warned, "{uri}: {warnings:?}");
    }
}

#[test]
fn strict_on_meaning() {
    for (uri, error) in [
        ("", ReadError::Scheme),
        ("https://totp/A:b?secret=LONG", ReadError::Scheme),
        ("otpauth:totp/A:b?secret=LONG", ReadError::Scheme),
        ("otpauth-migration://offline?data=AA", ReadError::Migration),
        ("otpauth://", ReadError::Type),
        ("otpauth://motp/A:b?secret=LONG", ReadError::Type),
        ("otpauth://totp/A:b", ReadError::SecretMissing),
        ("otpauth://totp/A #1:b?secret=LONG", ReadError::SecretMissing),
        ("otpauth://totp/A:b?secret=", ReadError::SecretLength),
        ("otpauth://totp/A:b?secret=A", ReadError::SecretEncoding),
        ("otpauth://totp/A:b?secret=LON0", ReadError::SecretEncoding),
        ("otpauth://totp/A:b?secret=LONG&algorithm=", ReadError::Algorithm),
        ("otpauth://totp/A:b?secret=LONG&algorithm=MD5", ReadError::Algorithm),
        ("otpauth://totp/A:b?secret=LONG&digits=", ReadError::Digits),
        ("otpauth://totp/A:b?secret=LONG&digits=0", ReadError::Digits),
        ("otpauth://totp/A:b?secret=LONG&digits=5", ReadError::Digits),
        ("otpauth://totp/A:b?secret=LONG&digits=262", ReadError::Digits),
        ("otpauth://totp/A:b?secret=LONG&digits=%2B6", ReadError::Digits),
        ("otpauth://totp/A:b?secret=LONG&period=", ReadError::Period),
        ("otpauth://totp/A:b?secret=LONG&period=14", ReadError::Period),
        ("otpauth://totp/A:b?secret=LONG&period=121", ReadError::Period),
        ("otpauth://totp/A:b?secret=LONG&period=30.0", ReadError::Period),
        ("otpauth://totp/A:b?secret=LONG&period=99999999999999999999", ReadError::Period),
        ("otpauth://hotp/A:b?secret=LONG&counter=", ReadError::Counter),
        ("otpauth://hotp/A:b?secret=LONG&counter=-1", ReadError::Counter),
        ("otpauth://hotp/A:b?secret=LONG&counter=18446744073709551616", ReadError::Counter),
        ("otpauth://totp/A:b?secret=LONG&encoder=yandex", ReadError::Encoder),
        ("otpauth://hotp/A:b?secret=LONG&counter=1&encoder=steam", ReadError::Encoder),
        ("otpauth://steam/A:b?secret=LONG&digits=6", ReadError::Digits),
        ("otpauth://steam/A:b?secret=LONG&period=60", ReadError::Period),
        ("otpauth://steam/A:b?secret=LONG&algorithm=SHA256", ReadError::Algorithm),
    ] {
        assert_eq!(refused(uri), error, "{uri}");
    }
    let long = "n".repeat(256);
    assert_eq!(refused(&format!("otpauth://totp/{long}?secret=LONG")), ReadError::NameTooLong);
    let longest = "n".repeat(255);
    assert_eq!(
        read(&fill(&format!("otpauth://totp/{longest}?secret=LONG"))).uri.account(),
        longest
    );
    let uri = fill("otpauth://totp/A:b?secret=LONG&x=");
    let longest = format!("{uri}{}", "n".repeat(4096 - uri.len()));
    assert!(Uri::parse(&longest).is_ok(), "4096 bytes");
    let long = "n".repeat(4096);
    assert_eq!(refused(&format!("otpauth://totp/A:b?secret=LONG&x={long}")), ReadError::TooLong);
    assert!(
        Uri::parse(&fill("otpauth://hotp/A:b?secret=LONG&counter=18446744073709551615")).is_ok()
    );
}

#[test]
fn one_form_is_written() {
    let secret = || Secret::from_bytes(b"12345678901234567890").unwrap();
    let totp = Profile::MaxCompat.totp();
    let uri = Uri::totp("Example Ltd", "al+ice@example.com", secret(), totp).unwrap();
    assert_eq!(
        uri.expose().as_str(),
        "otpauth://totp/Example%20Ltd:al%2Bice@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
         &issuer=Example%20Ltd&algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(uri.secret().to_base32().as_str(), LONG);
    assert!(Profile::MaxCompat.admits(&uri));

    let hotp = hotp(Algorithm::Sha512, Digits::Eight, u64::MAX);
    let uri = Uri::new("é&=?#/%", "b", secret(), hotp).unwrap();
    assert_eq!(
        uri.expose().as_str(),
        "otpauth://hotp/%C3%A9%26%3D%3F%23%2F%25:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
         &issuer=%C3%A9%26%3D%3F%23%2F%25&algorithm=SHA512&digits=8&counter=18446744073709551615"
    );
    assert!(!Profile::MaxCompat.admits(&uri));

    let uri = Uri::new("Steam", "b", secret(), Kind::Steam).unwrap();
    assert_eq!(
        uri.expose().as_str(),
        "otpauth://steam/Steam:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Steam\
         &algorithm=SHA1&digits=5&period=30&encoder=steam"
    );
    // 20 bytes make 32 letters, 16 make 26 and would be padded by six.
    let uri = Uri::totp("A", "b", Secret::from_bytes(&[0; 16]).unwrap(), totp).unwrap();
    assert!(uri.expose().contains("?secret=AAAAAAAAAAAAAAAAAAAAAAAAAA&issuer"));
}

#[test]
fn what_is_odd_or_wrong_is_told_in_words() {
    let odd = read("otpauth://totp/Other:b%0ac?secret=MFRGG&issuer=Issuer");
    let said: Vec<String> = odd.warnings.iter().map(ToString::to_string).collect();
    for words in ["24 bits", "\"Other\"", "may not have were replaced"] {
        assert!(said.iter().any(|said| said.contains(words)), "{words}: {said:?}");
    }
    let secret = || Secret::from_bytes(&[7; 16]).unwrap();
    let error = Uri::totp("", "b", secret(), Totp::DEFAULT).unwrap_err();
    assert_eq!(error.to_string(), "a name is empty");
    let error = Uri::totp("A:B", "b", secret(), Totp::DEFAULT).unwrap_err();
    assert!(error.to_string().contains("colon"), "{error}");
}

#[test]
fn nothing_secret_is_printed() {
    let parsed = read("otpauth://totp/Issuer:account?secret=LONG&issuer=Issuer");
    let printed = format!("{parsed:?}").to_lowercase();
    for secret in ["gezd", "12345", "49, 50", "issuer", "account"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("totp"), "what kind it is: {printed}");
}

fn kinds() -> impl Strategy<Value = Kind> {
    let algorithm =
        || prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)];
    let digits = || prop_oneof![Just(Digits::Six), Just(Digits::Seven), Just(Digits::Eight)];
    prop_oneof![
        (algorithm(), digits(), 15_u64..=120).prop_map(|(a, d, p)| totp(a, d, p)),
        (algorithm(), digits(), any::<u64>()).prop_map(|(a, d, c)| hotp(a, d, c)),
        Just(Kind::Steam),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        issuer in "\\PC{1,40}",
        account in "\\PC{1,40}",
        key in proptest::collection::vec(any::<u8>(), 16..=256),
        kind in kinds(),
    ) {
        let secret = Secret::from_bytes(&key).unwrap();
        let Ok(uri) = Uri::new(&issuer, &account, secret, kind) else {
            // Only for what the type says.
            let misfit = |name: &str| name.trim().is_empty() || name.contains(':') || name.contains(|c: char| c.is_control() || c == '\u{fffd}');
            prop_assert!(misfit(&issuer) || misfit(&account) || issuer.len() > 255 || account.len() > 255);
            return Ok(());
        };
        let written = uri.expose();
        prop_assert!(written.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+'));
        let Parsed { uri: read, warnings } = Uri::parse(&written).unwrap();
        prop_assert_eq!(read.issuer(), Some(issuer.trim()));
        prop_assert_eq!(read.account(), account.trim());
        prop_assert_eq!(read.secret().expose(), &key[..]);
        prop_assert_eq!(read.kind(), kind);
        let steam = issuer.trim().eq_ignore_ascii_case("steam");
        prop_assert_eq!(warnings.is_empty(), !steam || kind == Kind::Steam);
        prop_assert_eq!(read.expose(), written);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,200}") {
        let _ = Uri::parse(&text);
        let _ = Uri::parse(&format!("otpauth://totp/{text}"));
        let _ = Uri::parse(&format!("otpauth://hotp/A:b?{text}&secret={LONG}&counter={text}"));
    }

    /// What is read once is written in the one form, and that is read as the same.
    #[test]
    fn reading_is_stable(
        label in "([A-Za-z:%20 /]|%3A|%3a){0,20}",
        query in "(&?(issuer|digits|period|algorithm|image|counter)=[a-zA-Z0-9+%]{0,6}){0,4}",
    ) {
        let text = format!("otpauth://totp/{label}?secret={LONG}&{query}");
        if let Ok(Parsed { uri, .. }) = Uri::parse(&text) {
            let again = Uri::parse(&uri.expose()).unwrap().uri;
            prop_assert_eq!(again.issuer(), uri.issuer());
            prop_assert_eq!(again.account(), uri.account());
            prop_assert_eq!(again.kind(), uri.kind());
        }
    }
}
