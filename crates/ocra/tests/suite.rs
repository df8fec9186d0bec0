//! Suites, good and bad (RFC 6287, section 6).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use countersign_ocra::{Challenge, Format, Length, Suite, SuiteError};
use countersign_otp::Algorithm;
use proptest::prelude::*;

/// Every one is read and written as it was.
const GOOD: [&str; 34] = [
    // Appendix C and section 6.4.
    "OCRA-1:HOTP-SHA1-6:QN08",
    "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1",
    "OCRA-1:HOTP-SHA256-8:QN08-PSHA1",
    "OCRA-1:HOTP-SHA512-8:C-QN08",
    "OCRA-1:HOTP-SHA512-8:QN08-T1M",
    "OCRA-1:HOTP-SHA256-8:QA08",
    "OCRA-1:HOTP-SHA512-8:QA08",
    "OCRA-1:HOTP-SHA512-8:QA08-PSHA1",
    "OCRA-1:HOTP-SHA512-8:QA10-T1M",
    "OCRA-1:HOTP-SHA512-8:C-QN08-PSHA1",
    "OCRA-1:HOTP-SHA256-6:QA10-T1M",
    "OCRA-1:HOTP-SHA1-4:QH8-S512",
    // Every length.
    "OCRA-1:HOTP-SHA1-0:QN08",
    "OCRA-1:HOTP-SHA1-4:QN08",
    "OCRA-1:HOTP-SHA1-5:QN08",
    "OCRA-1:HOTP-SHA1-7:QN08",
    "OCRA-1:HOTP-SHA1-9:QN08",
    "OCRA-1:HOTP-SHA1-10:QN08",
    // The edges of the question.
    "OCRA-1:HOTP-SHA1-6:QN04",
    "OCRA-1:HOTP-SHA1-6:QN4",
    "OCRA-1:HOTP-SHA1-6:QA64",
    "OCRA-1:HOTP-SHA1-6:QH40",
    // The hashes of the PIN.
    "OCRA-1:HOTP-SHA1-6:QN08-PSHA256",
    "OCRA-1:HOTP-SHA1-6:QN08-PSHA512",
    // Sessions.
    "OCRA-1:HOTP-SHA1-6:QN08-S1",
    "OCRA-1:HOTP-SHA1-6:QN08-S064",
    "OCRA-1:HOTP-SHA1-6:QN08-S128",
    "OCRA-1:HOTP-SHA1-6:QN08-S256",
    // Times.
    "OCRA-1:HOTP-SHA1-6:QN08-T1S",
    "OCRA-1:HOTP-SHA1-6:QN08-T59S",
    "OCRA-1:HOTP-SHA1-6:QN08-T59M",
    "OCRA-1:HOTP-SHA1-6:QN08-T01H",
    "OCRA-1:HOTP-SHA1-6:QN08-T48H",
    // All of it.
    "OCRA-1:HOTP-SHA512-10:C-QA64-PSHA512-S512-T48H",
];

const BAD: [(&str, SuiteError); 56] = [
    ("", SuiteError::Version),
    ("OCRA-1", SuiteError::Version),
    ("OCRA-1:HOTP-SHA1-6", SuiteError::Version),
    ("OCRA-1:HOTP-SHA1-6:QN08:", SuiteError::Version),
    ("OCRA-1:HOTP-SHA1-6:QN08:QN08", SuiteError::Version),
    ("OCRA-2:HOTP-SHA1-6:QN08", SuiteError::Version),
    ("OCRA:HOTP-SHA1-6:QN08", SuiteError::Version),
    ("ocra-1:HOTP-SHA1-6:QN08", SuiteError::Version),
    (" OCRA-1:HOTP-SHA1-6:QN08", SuiteError::Version),
    ("OCRA-1::QN08", SuiteError::Function),
    ("OCRA-1:HOTP:QN08", SuiteError::Function),
    ("OCRA-1:HOTP-SHA1:QN08", SuiteError::Function),
    ("OCRA-1:HTOP-SHA1-6:QN08", SuiteError::Function),
    ("OCRA-1:TOTP-SHA1-6:QN08", SuiteError::Function),
    ("OCRA-1:HOTP-SHA-6:QN08", SuiteError::Function),
    ("OCRA-1:HOTP-SHA224-6:QN08", SuiteError::Function),
    ("OCRA-1:HOTP-sha1-6:QN08", SuiteError::Function),
    ("OCRA-1:HOTP-MD5-6:QN08", SuiteError::Function),
    ("OCRA-1:HOTP-SHA1-:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-1:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-3:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-11:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-06:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-00:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-+6:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-6-6:QN08", SuiteError::Length),
    ("OCRA-1:HOTP-SHA1-6:", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:C", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:C-", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:C-C-QN08", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN08-C", SuiteError::Part),
    ("OCRA-1:HOTP-SHA1-6:PSHA1", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:Q", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QX08", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:Qn08", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN03", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN65", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN008", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN٨", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:Qé8", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QA-08", SuiteError::Challenge),
    ("OCRA-1:HOTP-SHA1-6:QN08-P", SuiteError::Pin),
    ("OCRA-1:HOTP-SHA1-6:QN08-PMD5", SuiteError::Pin),
    ("OCRA-1:HOTP-SHA1-6:QN08-S", SuiteError::Session),
    ("OCRA-1:HOTP-SHA1-6:QN08-S000", SuiteError::Session),
    ("OCRA-1:HOTP-SHA1-6:QN08-S513", SuiteError::Session),
    ("OCRA-1:HOTP-SHA1-6:QN08-S0064", SuiteError::Session),
    ("OCRA-1:HOTP-SHA1-6:QN08-T", SuiteError::Time),
    ("OCRA-1:HOTP-SHA1-6:QN08-TM", SuiteError::Time),
    ("OCRA-1:HOTP-SHA1-6:QN08-T0M", SuiteError::Time),
    ("OCRA-1:HOTP-SHA1-6:QN08-T60M", SuiteError::Time),
    ("OCRA-1:HOTP-SHA1-6:QN08-T49H", SuiteError::Time),
    ("OCRA-1:HOTP-SHA1-6:QN08-T1D", SuiteError::Time),
    ("OCRA-1:HOTP-SHA1-6:QN08-T1M-PSHA1", SuiteError::Part),
    ("OCRA-1:HOTP-SHA1-6:QN08-PSHA1-PSHA1", SuiteError::Part),
];

#[test]
fn good_suites_keep_their_text() {
    for text in GOOD {
        let suite: Suite = text.parse().unwrap();
        assert_eq!((suite.to_string().as_str(), suite.as_str()), (text, text));
    }
}

#[test]
fn bad_suites_are_refused_for_the_part_that_is_bad() {
    for (text, error) in BAD {
        assert_eq!(text.parse::<Suite>(), Err(error), "{text}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn every_part_is_read() {
    let suite: Suite = "OCRA-1:HOTP-SHA256-10:C-QA64-PSHA512-S512-T48H".parse().unwrap();
    assert_eq!(suite.algorithm(), Algorithm::Sha256);
    assert_eq!(suite.length(), Length::Digits(10));
    assert!(suite.has_counter());
    assert_eq!(suite.challenge(), Challenge { format: Format::Alphanumeric, max: 64 });
    assert_eq!(suite.pin(), Some(Algorithm::Sha512));
    assert_eq!(suite.session(), Some(512));
    assert_eq!(suite.step(), Some(48 * 3600));

    let suite: Suite = "OCRA-1:HOTP-SHA1-0:QH8".parse().unwrap();
    assert_eq!((suite.length(), suite.has_counter()), (Length::Full, false));
    assert_eq!(suite.challenge(), Challenge { format: Format::Hexadecimal, max: 8 });
    assert_eq!((suite.pin(), suite.session(), suite.step()), (None, None, None));
}

proptest! {
    #[test]
    fn what_the_grammar_makes_is_read(
        text in "OCRA-1:HOTP-SHA(1|256|512)-([04-9]|10):(C-)?Q[ANH](0[4-9]|[1-5][0-9]|6[0-4])\
                 (-PSHA(1|256|512))?(-S([1-9]|0[1-9][0-9]|[1-4][0-9][0-9]|512))?(-T(([1-9]|[1-5][0-9])[SM]|([1-9]|[1-3][0-9]|4[0-8])H))?"
    ) {
        prop_assert_eq!(text.parse::<Suite>().unwrap().to_string(), text);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,60}", near in "OCRA-1:HOTP-SHA1-[0-9é]{0,2}:[CQNAHPST0-9é-]{0,20}") {
        let _ = text.parse::<Suite>();
        let _ = near.parse::<Suite>();
    }
}
