//! What is measured of others: the same work through their own doors.

use std::{ffi::CStr, hint::black_box};

use hmac::{Hmac, KeyInit, Mac};

use crate::{
    oath::Oath,
    ours::{NOW, SECRET, WRONG},
    sampling::Case,
};

/// totp-rs: `generate` with SHA-1 and with SHA-512, and `check` of a wrong code within one step.
#[must_use]
pub fn totp_rs() -> [Case; 3] {
    let totp = |algorithm| {
        totp_rs::Builder::new()
            .with_algorithm(algorithm)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(SECRET.to_vec())
            .build_noncompliant()
    };
    let (sha1, sha512) = (totp(totp_rs::Algorithm::SHA1), totp(totp_rs::Algorithm::SHA512));
    let check = sha1.clone();
    [
        Case::new("totp-rs generate", 1, move || black_box(&sha1).generate(black_box(NOW))),
        Case::new("totp-rs check", 1, move || {
            let step = black_box(&check).check(black_box(WRONG), black_box(NOW));
            assert_eq!(step, None);
        }),
        Case::new("totp-rs generate sha512", 1, move || {
            black_box(&sha512).generate(black_box(NOW))
        }),
    ]
}

/// totp-rfc: `generate`, and `verify_window` of a wrong code within one step.
#[must_use]
#[allow(clippy::missing_panics_doc, clippy::expect_used, reason = "the inputs are constants")]
pub fn totp_rfc() -> [Case; 2] {
    use totp_rfc::{Algorithm, Digits, Secret, Totp, ValidationWindow};
    let digits = Digits::new(6).expect("six digits");
    let totp = Totp::new(Algorithm::Sha1, digits, 30, 0).expect("thirty seconds");
    let secret = || Secret::new(black_box(&SECRET)).expect("20 bytes");
    [
        Case::new("totp-rfc generate", 1, move || totp.generate(&secret(), black_box(NOW)).is_ok()),
        Case::new("totp-rfc verify_window", 1, move || {
            let window = ValidationWindow::new(1, 1);
            let found = totp.verify_window(&secret(), black_box(NOW), window, black_box(WRONG));
            assert_eq!(found.expect("a code"), None);
        }),
    ]
}

/// hmac with a kept key: what a service writes that looks for speed with what there is.
#[must_use]
#[allow(clippy::missing_panics_doc, clippy::expect_used, reason = "the inputs are constants")]
pub fn hmac_kept() -> Case {
    let keyed = Hmac::<sha1::Sha1>::new_from_slice(&SECRET).expect("any length");
    Case::new("hmac (kept key)", 1, move || {
        let mut mac = black_box(&keyed).clone();
        mac.update(&(black_box(NOW) / 30).to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 15);
        let word = u32::from_be_bytes(std::array::from_fn(|i| digest[offset + i]));
        (word & 0x7fff_ffff) % 1_000_000
    })
}

/// liboath, where it is installed: a code, and a wrong one within one step.
#[must_use]
pub fn liboath() -> Option<[Case; 2]> {
    const CODE: &CStr = c"000000";
    let (generate, validate) = (Oath::open()?, Oath::open()?);
    let now = i64::try_from(NOW).ok()?;
    Some([
        Case::new("liboath generate", 1, move || generate.generate(&SECRET, black_box(now))),
        Case::new("liboath validate", 1, move || {
            assert!(validate.validate(&SECRET, black_box(now), CODE) < 0);
        }),
    ])
}
