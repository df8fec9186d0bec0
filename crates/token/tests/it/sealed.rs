//! Sealed tokens open as what they are, where they belong (attacks B-03, B-07, B-08).

use crate::kinds::{Challenge, Login, Session, ring};
use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_token::{Kind, Token, TokenError};
use countersign_vault::{OpenError, Purpose, Vault};
use proptest::prelude::*;

type Claims = (u64, String, Option<[u8; 16]>);

fn seal<K: Kind<Claims = Claims>>(claims: &Claims) -> Token<K> {
    Token::seal(&ring(1), &[b"realm"], [5; 24], claims).unwrap()
}

fn open<K: Kind<Claims = Claims>>(text: &str) -> Result<Claims, TokenError> {
    Token::<K>::open(&ring(1), &[b"realm"], text)
}

fn claims() -> impl Strategy<Value = Claims> {
    (any::<u64>(), "\\PC{0,40}", any::<Option<[u8; 16]>>())
}

proptest! {
    #[test]
    fn opens_as_what_was_sealed(claims in claims(), nonce: [u8; 24]) {
        let token = Token::<Login>::seal(&ring(1), &[b"realm"], nonce, &claims).unwrap();
        prop_assert!(token.as_str().len() <= Token::<Login>::MAX_CHARS);
        prop_assert!(token.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(open::<Login>(token.as_str()), Ok(claims));
    }

    #[test]
    fn no_kind_opens_as_another(claims in claims()) {
        let foreign = Err(TokenError::Foreign(OpenError::Forged));
        let (login, challenge, session) =
            (seal::<Login>(&claims), seal::<Challenge>(&claims), seal::<Session>(&claims));
        prop_assert_eq!(&open::<Challenge>(login.as_str()), &foreign);
        prop_assert_eq!(&open::<Session>(login.as_str()), &foreign);
        prop_assert_eq!(&open::<Login>(challenge.as_str()), &foreign);
        prop_assert_eq!(&open::<Session>(challenge.as_str()), &foreign);
        prop_assert_eq!(&open::<Login>(session.as_str()), &foreign);
        prop_assert_eq!(&open::<Challenge>(session.as_str()), &foreign);
    }

    #[test]
    fn foreign_text_is_refused(text in "\\PC{0,600}") {
        prop_assert!(open::<Login>(&text).is_err());
    }

    #[test]
    fn what_is_too_long_is_not_sealed(length in 0usize..700) {
        let claims = (1, "x".repeat(length), None);
        // One byte for the number, one for none, one or two for the length; 45 around them; 383 in all.
        let fits = length + 3 + usize::from(length > 127) + 45 <= 383;
        let token = Token::<Login>::seal(&ring(1), &[], [5; 24], &claims);
        prop_assert_eq!(token.as_ref().err(), (!fits).then_some(&TokenError::TooLong));
        if let Ok(token) = token {
            prop_assert!(token.as_str().len() < 512);
            prop_assert_eq!(Token::<Login>::open(&ring(1), &[], token.as_str()), Ok(claims));
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let text = seal::<Login>(&(1, "alice".into(), None)).into_string();
    let sealed = Base64UrlUnpadded::decode_vec(&text).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut forged = sealed.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let refusal = open::<Login>(&Base64UrlUnpadded::encode_string(&forged)).unwrap_err();
        assert!(matches!(refusal, TokenError::Foreign(_)), "bit {bit}");
    }
}

// The last character holds bits that no byte uses: they have to be zero, or one token has many
// texts.
#[test]
fn every_other_text_of_a_token_is_refused() {
    for name in ["a", "al", "ali"] {
        let text = seal::<Login>(&(1, name.into(), None)).into_string();
        for place in 0..text.len() {
            for byte in (0..128u8).filter(|byte| *byte != text.as_bytes()[place]) {
                let mut other = text.clone().into_bytes();
                other[place] = byte;
                let other = String::from_utf8(other).unwrap();
                assert!(open::<Login>(&other).is_err(), "{place} {byte}");
            }
        }
        for other in
            [format!("{text}="), format!("{text}A"), format!(" {text}"), format!("{text}\n")]
        {
            assert!(open::<Login>(&other).is_err());
        }
        for length in 0..text.len() {
            assert!(open::<Login>(&text[..length]).is_err());
        }
    }
}

#[test]
fn another_context_or_vault_is_refused() {
    let claims: Claims = (1, "alice".into(), None);
    let foreign = Err(TokenError::Foreign(OpenError::Forged));
    let token = seal::<Login>(&claims);
    assert_eq!(Token::<Login>::open(&ring(1), &[b"other"], token.as_str()), foreign);
    assert_eq!(Token::<Login>::open(&ring(1), &[b"real", b"m"], token.as_str()), foreign);
    assert_eq!(Token::<Login>::open(&ring(1), &[], token.as_str()), foreign);
    assert_eq!(Token::<Login>::open(&ring(2), &[b"realm"], token.as_str()), foreign);
}

#[test]
fn what_else_the_vault_seals_is_no_token() {
    let sealed = ring(1).seal(Purpose::new("login"), &[b"realm"], [5; 24], &[1, 0, 0]).unwrap();
    assert_eq!(
        open::<Login>(&Base64UrlUnpadded::encode_string(&sealed)),
        Err(TokenError::Foreign(OpenError::Forged))
    );
}

#[test]
fn claims_with_bytes_left_over_or_missing_are_refused() {
    for plaintext in [&[1, 0, 0, 0][..], &[1, 0], &[]] {
        let purpose = Purpose::scoped("token", Login::NAME);
        let sealed = ring(1).seal(purpose, &[b"realm"], [5; 24], plaintext).unwrap();
        let text = Base64UrlUnpadded::encode_string(&sealed);
        assert_eq!(open::<Login>(&text), Err(TokenError::Claims), "{plaintext:?}");
    }
}

#[test]
fn a_megabyte_is_refused_for_its_length() {
    assert_eq!(open::<Login>(&"A".repeat(1 << 20)), Err(TokenError::TooLong));
    assert_eq!(open::<Login>(&"A".repeat(512)), Err(TokenError::TooLong));
    assert!(matches!(
        open::<Login>(&"A".repeat(511)),
        Err(TokenError::Encoding | TokenError::Foreign(_))
    ));
}

#[test]
fn debug_shows_the_kind_alone() {
    let token = seal::<Login>(&(1, "alice".into(), None));
    assert_eq!(format!("{token:?}"), "Token<login>(..)");
}
