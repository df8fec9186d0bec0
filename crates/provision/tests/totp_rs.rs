//! What comes from totp-rs makes the same codes here.
#![cfg(feature = "totp-rs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use countersign_otp::{Step, UnixTime};
use countersign_provision::{Kind, Parsed, ReadError, Warning};
use totp_rs::{Algorithm, Builder};

fn builder(key: &[u8]) -> Builder {
    Builder::new().with_secret(key).with_account_name("alice").with_issuer(Some("Example"))
}

#[test]
fn the_codes_are_the_same() {
    for (algorithm, digits, step) in
        [(Algorithm::SHA1, 6, 30), (Algorithm::SHA256, 7, 60), (Algorithm::SHA512, 8, 15)]
    {
        let theirs = builder(b"12345678901234567890")
            .with_algorithm(algorithm)
            .with_digits(digits)
            .with_step_duration(step)
            .build()
            .unwrap();
        let Parsed { uri, warnings } = Parsed::try_from(&theirs).unwrap();
        assert!(warnings.is_empty());
        assert_eq!((uri.issuer(), uri.account()), (Some("Example"), "alice"));
        let Kind::Totp(totp) = uri.kind() else { panic!("{uri:?}") };
        let key = totp.key(uri.secret());
        for time in [0, 59, 1_111_111_109, 20_000_000_000] {
            let code = totp.code(&key, totp.step_at(UnixTime::from_secs(time)));
            assert_eq!(code.as_str(), theirs.generate(time).to_string());
        }
        assert_eq!(totp.step_at(UnixTime::from_secs(step)), Step::new(1));
    }
}

#[test]
fn what_makes_no_codes_is_refused() {
    let zero = builder(b"12345678901234567890").with_step_duration(0).build_noncompliant();
    assert_eq!(Parsed::try_from(&zero).err(), Some(ReadError::Period));
    let ten = builder(b"12345678901234567890").with_digits(10).build_noncompliant();
    assert_eq!(Parsed::try_from(&ten).err(), Some(ReadError::Digits));
    let short = builder(b"1234567890").build_noncompliant();
    assert_eq!(Parsed::try_from(&short).unwrap().warnings, [Warning::ShortSecret { bits: 80 }]);
}
