//! What errors say: what was wrong and what to do, with what caused them behind it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::error::Error as _;
use std::path::PathBuf;

use countersign_vault::file::FileError;
use countersign_vault::{KeyId, OpenError, Ring, RingError, SealError, TurnError, WrapError};

#[test]
fn each_error_says_what_to_do() {
    let one = KeyId::new(1);
    for (said, part) in [
        (SealError::TooLong.to_string(), "seal it in pieces"),
        (SealError::NoKey.to_string(), "load the key ring"),
        (OpenError::Malformed.to_string(), "too short"),
        (OpenError::UnknownVersion(9).to_string(), "layout 9"),
        (OpenError::UnknownKey(one).to_string(), "put it back"),
        (OpenError::Forged.to_string(), "not sealed under this key"),
        (TurnError::OtherRoot.to_string(), "put the right one back"),
        (TurnError::OtherKey(one).to_string(), "give new keys new numbers"),
        (WrapError::new("it is down").to_string(), "it is down"),
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_caused_an_error_stands_behind_it() {
    let kms = WrapError::new("it is down");
    assert_eq!(kms.source().unwrap().to_string(), "it is down");
    let ring = RingError::from(kms);
    assert!(ring.source().unwrap().to_string().contains("it is down"));
    assert!(RingError::NoRoot.source().is_none());
    let io = FileError::Io(PathBuf::from("keys"), std::io::Error::other("no disk"));
    assert_eq!(io.source().unwrap().to_string(), "no disk");
    assert!(FileError::from(ring).source().unwrap().to_string().contains("it is down"));
    assert!(FileError::NotAKeyFile(PathBuf::from("keys")).source().is_none());
}

#[test]
fn a_wrapped_ring_says_so_in_its_first_line() {
    assert!(Ring::is_wrapped("countersign-wrapped-keys 1\nAAAA\n"));
    assert!(Ring::is_wrapped("countersign-wrapped-keys 1\r\nAAAA\r\n"));
    for plain in ["", "countersign-keys 1\n", "\ncountersign-wrapped-keys 1\n"] {
        assert!(!Ring::is_wrapped(plain), "{plain:?}");
    }
}
