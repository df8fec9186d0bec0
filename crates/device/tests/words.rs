//! What is said of ids, names and devices, how they compare, and where their bounds lie.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use countersign_device::{
    AdapterState, Authenticator, CredentialId, DeviceId, EmailAddress, EmailAddressError,
    EmailFactor, FactorKind, IdError, LabelError, NameError, PasskeyError, Phone, PhoneNumber,
    PhoneNumberError, TenantId,
};
use countersign_otp::{Secret, Totp, UnixTime};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn id(n: u8) -> DeviceId {
    DeviceId::from_random_bytes([n; 16])
}

#[test]
fn each_error_says_what_is_taken() {
    for (said, part) in [
        (EmailAddressError.to_string(), "local@domain"),
        (IdError.to_string(), "UUID"),
        (LabelError.to_string(), "64 bytes"),
        (NameError.to_string(), "1 to 64"),
        (PhoneNumberError.to_string(), "7 to 15 digits"),
        (PasskeyError::CredentialId.to_string(), "16 to 1023"),
        (PasskeyError::State.to_string(), "2048"),
        (PasskeyError::Backup.to_string(), "backed up"),
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn debug_tells_devices_apart_and_shows_no_secret() {
    let number = PhoneNumber::parse("+15555550142").unwrap();
    assert_eq!(format!("{number:?}"), "PhoneNumber(+***42)");
    assert_eq!(format!("{:?}", id(1)), id(1).to_string());
    let credential = CredentialId::from_bytes(&[0xab; 16]).unwrap();
    assert_eq!(format!("{credential:?}"), "CredentialId(abababab..)");
    let state = AdapterState::from_bytes(vec![7; 12]).unwrap();
    assert_eq!(format!("{state:?}"), "AdapterState(12 bytes)");
    let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
    let step = Totp::DEFAULT.step_at(NOW);
    let app = Authenticator::imported(id(1), secret, Totp::DEFAULT, step, NOW);
    let shown = format!("{app:?}");
    assert!(shown.contains("Totps") && shown.contains("AuthenticatorKey"), "{shown}");
    assert!(shown.contains("spent") && !shown.contains("1234567890"), "{shown}");
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn equal_ones_are_one_and_others_are_not() {
    let address = |text| EmailAddress::parse(text).unwrap();
    let addresses: HashSet<EmailAddress> =
        ["a@b.example", "A@B.example", "c@b.example"].into_iter().map(address).collect();
    assert_eq!(addresses.len(), 2);
    assert_ne!(hash(&address("a@b.example")), hash(&address("c@b.example")));
    assert_ne!(hash(&id(1)), hash(&id(2)));
    assert!(id(1) < id(2) && id(2) > id(1));
}

#[test]
fn bounds_are_where_they_are_said_to_be() {
    let labels = [60, 60, 60].map(|len| "d".repeat(len)).join(".");
    let address = |len: usize| {
        let local = "a".repeat(64);
        let last = "e".repeat(len - local.len() - labels.len() - 2);
        format!("{local}@{labels}.{last}")
    };
    for (len, good) in [(254, true), (255, false)] {
        assert_eq!(address(len).len(), len);
        assert_eq!(EmailAddress::parse(&address(len)).is_ok(), good, "{len}");
        let id = "x".repeat(len - 190);
        assert_eq!(TenantId::parse(&id).is_ok(), good, "{}", id.len());
    }
    let block = |text: &str| PhoneNumber::parse(text).unwrap().block();
    assert_eq!(block("+15555550142"), 1_555_555);
    assert_eq!(block("+15555559999"), block("+15555550000"));
    assert_ne!(block("+15555560000"), block("+15555559999"));
}

#[test]
fn failures_are_counted_and_a_success_forgives_them() {
    let mut phone = Phone::imported(id(1), PhoneNumber::parse("+15555550142").unwrap(), NOW);
    for count in 1..=3 {
        phone.fail();
        assert_eq!(phone.failures(), count);
    }
    let later = NOW.saturating_add(9);
    phone.succeed(later);
    assert_eq!((phone.failures(), phone.last_used()), (0, Some(later)));
    let mut factor = EmailFactor::active(EmailAddress::parse("a@b.c").unwrap(), NOW);
    factor.fail();
    factor.fail();
    assert_eq!(factor.failures(), 2);
    factor.lock();
    assert!(factor.is_locked() && !factor.is_active());
}

#[test]
fn what_is_typed_can_be_guessed_and_what_signs_cannot() {
    for kind in [FactorKind::Authenticator, FactorKind::Email, FactorKind::Sms] {
        assert!(kind.guessable(), "{kind:?}");
    }
    for kind in [
        FactorKind::PasskeyPlatform,
        FactorKind::PasskeyCrossPlatform,
        FactorKind::Recovery,
        FactorKind::Password,
    ] {
        assert!(!kind.guessable(), "{kind:?}");
    }
}
