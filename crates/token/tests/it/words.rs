//! What errors say, and where the bounds of texts lie.

use std::error::Error as _;

use countersign_token::access::{self, Ed25519Public, MintError, SameKeyTwice, SignError, WeakKey};
use countersign_token::password::{PasswordHash, PasswordHashError};
use countersign_token::{
    AccessError, HashError, Keys, OpaqueError, Params, ParamsError, RecoveryCode,
    RecoveryCodeError, Sign, Token, TokenError,
};
use countersign_vault::{OpenError, SealError};

use crate::access::{NOW, claims, signer};
use crate::kinds::{Login, ring};

#[test]
fn each_error_says_what_is_wrong() {
    for (said, part) in [
        (ParamsError.to_string(), "19456 KiB"),
        (HashError.to_string(), "too long"),
        (OpaqueError.to_string(), "this version"),
        (PasswordHashError.to_string(), "PHC"),
        (RecoveryCodeError.to_string(), "16 letters"),
        (TokenError::TooLong.to_string(), "longer than a token"),
        (TokenError::Encoding.to_string(), "base64url"),
        (WeakKey.to_string(), "Ed25519"),
        (AccessError::Expired.to_string(), "refresh it"),
        (AccessError::Forged.to_string(), "not signed"),
        (SameKeyTwice.to_string(), "same id"),
        (MintError::TooLong.to_string(), "fewer roles"),
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_caused_an_error_stands_behind_it() {
    let sign = SignError::new("no card");
    assert_eq!(sign.source().unwrap().to_string(), "no card");
    assert!(MintError::Sign(sign).source().unwrap().to_string().contains("no card"));
    assert!(MintError::Claims.source().is_none());
    let forged = TokenError::Foreign(OpenError::Forged);
    assert_eq!(forged.source().unwrap().to_string(), OpenError::Forged.to_string());
    let unsealed = TokenError::Seal(SealError::NoKey);
    assert_eq!(unsealed.source().unwrap().to_string(), SealError::NoKey.to_string());
    assert!(TokenError::Encoding.source().is_none());
}

#[test]
fn debug_names_what_is_public() {
    let public = Ed25519Public::from_bytes(&public_key()).unwrap();
    assert_eq!(format!("{public:?}"), format!("Ed25519Public({})", signer(7).key_id()));
    let hash = PasswordHash::of(b"password", &[7; 16], Params::INSECURE_FOR_TESTS).unwrap();
    let shown = format!("{hash:?}");
    assert!(shown.contains("PasswordHash") && !shown.contains("argon2id$"), "{shown}");
}

fn public_key() -> [u8; 32] {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let jwk = serde_json::to_value(signer(7).verifier().jwk()).unwrap();
    Base64UrlUnpadded::decode_vec(jwk["x"].as_str().unwrap()).unwrap().try_into().unwrap()
}

#[test]
fn an_access_token_may_be_as_long_as_it_may_be() {
    let keys = Keys::new("https://id.example", "5f2a", [signer(1).verifier()]).unwrap();
    let minted = |len: usize| {
        let mut claims = claims();
        claims.roles = vec!["r".repeat(len)];
        access::mint(&signer(1), &claims)
    };
    let shortest = minted(0).unwrap().len();
    let longest = (0..).map(|more| (access::MAX_CHARS - shortest) * 3 / 4 - 4 + more);
    let mut exact = 0;
    for len in longest.take(12) {
        match minted(len) {
            Ok(token) => {
                assert!(token.len() <= access::MAX_CHARS && keys.verify(&token, NOW).is_ok());
                exact = exact.max(token.len());
            }
            Err(error) => assert!(matches!(error, MintError::TooLong)),
        }
    }
    assert_eq!(exact, access::MAX_CHARS, "one of them is as long as any may be");
}

#[test]
fn a_recovery_code_may_be_spread_over_64_characters() {
    let code = RecoveryCode::parse("0123456789ABCDEF").unwrap();
    for (len, read) in [(64, true), (65, false), (66, false)] {
        let text = format!("{}0123456789ABCDEF", " ".repeat(len - 16));
        assert_eq!(RecoveryCode::parse(&text).is_ok(), read, "{len}");
    }
    assert_eq!(code, RecoveryCode::parse("0123-4567-89ab-cdef").unwrap());
    assert_ne!(code, RecoveryCode::parse("0123456789ABCDEG").unwrap());
}

#[test]
fn a_token_is_handed_out_as_it_is() {
    let token = Token::<Login>::seal(&ring(1), &[], [5; 24], &(7, String::new(), None)).unwrap();
    assert_eq!(token.as_str(), token.clone().into_string());
    assert!(!token.as_str().is_empty());
}
