//! Access tokens: pinned to key, algorithm, type, issuer and audience (attacks B-03, B-08).

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_otp::UnixTime;
use countersign_token::access::{self, MintError, SameKeyTwice, SignError};
use countersign_token::{AccessClaims, AccessError, Ed25519, Keys, Sign, Verify};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        iss: "https://id.example".into(),
        aud: "5f2a".into(),
        sub: "alice".into(),
        sid: "s1".into(),
        tenant_id: "t1".into(),
        tenant_ids: vec!["t1".into(), "t2".into()],
        email: Some("alice@example.com".into()),
        email_verified: true,
        amr: vec!["pwd".into(), "mfa".into(), "otp".into()],
        acr: Some("http://schemas.openid.net/pape/policies/2007/06/multi-factor".into()),
        first_factor: "password".into(),
        auth_time: NOW.saturating_sub(5),
        iat: NOW,
        exp: NOW.saturating_add(900),
        jti: "j1".into(),
        roles: vec!["admin".into()],
        permissions: vec!["read".into(), "write".into()],
        epoch: 7,
    }
}

pub(crate) fn signer(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

fn keys(seed: u8) -> Keys {
    Keys::new("https://id.example", "5f2a", [signer(seed).verifier()]).unwrap()
}

fn token() -> String {
    access::mint(&signer(1), &claims()).unwrap()
}

/// `header.payload`, signed by the right key whatever they say.
fn signed(header: &Value, payload: &Value) -> String {
    let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = signer(1).sign(message.as_bytes()).unwrap();
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT", "kid": signer(1).key_id()})
}

fn payload() -> Value {
    let token = token();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
}

#[test]
fn says_what_was_minted_under_the_names_that_clients_read() {
    assert_eq!(keys(1).verify(&token(), NOW), Ok(claims()));
    assert_eq!(
        payload(),
        json!({
            "type": "userToken", "iss": "https://id.example", "aud": "5f2a", "sub": "alice", "sid": "s1",
            "tenantId": "t1", "tenantIds": ["t1", "t2"], "email": "alice@example.com", "email_verified": true,
            "amr": ["pwd", "mfa", "otp"], "acr": "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
            "firstFactor": "password", "auth_time": 1_799_999_995, "iat": 1_800_000_000, "exp": 1_800_000_900, "jti": "j1",
            "roles": ["admin"], "permissions": ["read", "write"], "epoch": 7,
        })
    );
    let (email, acr) = (None, None);
    let bare = AccessClaims { email, acr, ..claims() };
    let token = access::mint(&signer(1), &bare).unwrap();
    assert_eq!(keys(1).verify(&token, NOW), Ok(bare));
}

#[test]
fn expires_at_its_second() {
    let exp = claims().exp;
    assert_eq!(keys(1).verify(&token(), exp.saturating_sub(1)), Ok(claims()));
    assert_eq!(keys(1).verify(&token(), exp), Err(AccessError::Expired));
    assert_eq!(keys(1).verify(&token(), UnixTime::from_secs(u64::MAX)), Err(AccessError::Expired));
}

#[test]
fn every_flipped_bit_and_other_character_is_refused() {
    let (token, keys) = (token(), keys(1));
    for place in 0..token.len() {
        for byte in (0..128u8).filter(|byte| *byte != token.as_bytes()[place]) {
            // All of them at the joints and at the ends, where encodings are ambiguous; single bits
            // elsewhere.
            let near_dot =
                token.as_bytes()[place.saturating_sub(2)..].iter().take(5).any(|b| *b == b'.');
            let near_end = place + 3 > token.len();
            if near_dot || near_end || (byte ^ token.as_bytes()[place]).is_power_of_two() {
                let mut other = token.clone().into_bytes();
                other[place] = byte;
                let other = String::from_utf8(other).unwrap();
                assert!(keys.verify(&other, NOW).is_err(), "{place} {byte}");
            }
        }
    }
}

#[test]
fn only_our_own_header_is_taken() {
    let (kid, other) = (signer(1).key_id().to_owned(), signer(2).key_id().to_owned());
    assert_eq!(
        keys(1).verify(&signed(&header(), &payload()), NOW),
        Err(AccessError::UnknownHeader)
    );
    // That was the right header with its members in another order: even that is not ours. So are
    // these.
    for header in [
        json!({"alg": "none", "typ": "JWT", "kid": kid}),
        json!({"alg": "None", "typ": "JWT", "kid": kid}),
        json!({"alg": "HS256", "typ": "JWT", "kid": kid}),
        json!({"alg": "RS256", "typ": "JWT", "kid": kid}),
        json!({"alg": "EdDSA", "typ": "JWT", "kid": other}),
        json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}),
        json!({"alg": "EdDSA", "typ": "JWT"}),
        json!({"alg": "EdDSA", "typ": "JWT", "kid": kid, "crit": ["exp"]}),
        json!({"alg": "EdDSA", "typ": "JWT", "kid": kid, "jku": "https://mallory.example"}),
    ] {
        let refusal = keys(1).verify(&signed(&header, &payload()), NOW);
        assert_eq!(refusal, Err(AccessError::UnknownHeader), "{header}");
    }
}

#[test]
fn another_key_under_our_kid_is_refused() {
    let mine = token();
    let (message, _) = mine.rsplit_once('.').unwrap();
    let signature = signer(2).sign(message.as_bytes()).unwrap();
    let forged = format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature));
    assert_eq!(keys(1).verify(&forged, NOW), Err(AccessError::Forged));
    assert_eq!(keys(1).verify(&format!("{message}."), NOW), Err(AccessError::Forged));
    assert_eq!(keys(2).verify(&mine, NOW), Err(AccessError::UnknownHeader));
}

/// Signed by the right key under the right header.
fn with_payload(payload: &[u8]) -> String {
    let head = token().split('.').next().unwrap().to_owned();
    let message = format!("{head}.{}", Base64UrlUnpadded::encode_string(payload));
    let signature = signer(1).sign(message.as_bytes()).unwrap();
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature))
}

#[test]
fn what_else_this_key_signs_is_no_access_token() {
    let with = |name: &str, value: Value| {
        let mut payload = payload();
        payload[name] = value;
        keys(1).verify(&with_payload(payload.to_string().as_bytes()), NOW)
    };
    assert_eq!(with("epoch", json!(7)), Ok(claims()), "the control");
    assert_eq!(with("type", json!("tenantToken")), Err(AccessError::Claims));
    assert_eq!(with("type", Value::Null), Err(AccessError::Claims));
    assert_eq!(with("exp", json!("never")), Err(AccessError::Claims));
    assert_eq!(with("exp", json!(-1)), Err(AccessError::Claims));
    assert_eq!(with("exp", json!(1e300)), Err(AccessError::Claims));
    assert_eq!(with("epoch", Value::Null), Err(AccessError::Claims));
    assert_eq!(with("iss", json!("https://mallory.example")), Err(AccessError::Foreign));
    assert_eq!(with("aud", json!("another")), Err(AccessError::Foreign));
    assert_eq!(with("aud", json!(["5f2a"])), Err(AccessError::Claims));
    for payload in ["", "{}", "[]", "null", "\u{0}"] {
        assert_eq!(
            keys(1).verify(&with_payload(payload.as_bytes()), NOW),
            Err(AccessError::Claims)
        );
    }
}

#[test]
fn long_and_shapeless_texts_are_refused() {
    let keys = keys(1);
    assert_eq!(keys.verify(&"a".repeat(1 << 20), NOW), Err(AccessError::TooLong));
    assert_eq!(keys.verify(&"a".repeat(8193), NOW), Err(AccessError::TooLong));
    for text in ["", ".", "a", "a.b", "a b"] {
        assert_eq!(keys.verify(text, NOW), Err(AccessError::Malformed), "{text}");
    }
    for text in ["..", "a.b.c", "a.b.c.d", &format!(" {}", token())] {
        assert_eq!(keys.verify(text, NOW), Err(AccessError::UnknownHeader), "{text}");
    }
    for text in [format!("{}=", token()), format!("{}\n", token())] {
        assert_eq!(keys.verify(&text, NOW), Err(AccessError::Malformed), "{text}");
    }
    assert_eq!(keys.verify(&format!("{}.", token()), NOW), Err(AccessError::Forged));
}

#[test]
fn nothing_is_minted_that_would_be_refused() {
    let long = AccessClaims { permissions: vec!["p".repeat(64); 100], ..claims() };
    assert!(matches!(access::mint(&signer(1), &long), Err(MintError::TooLong)));
    let fits = AccessClaims { permissions: vec!["p".repeat(64); 80], ..claims() };
    let token = access::mint(&signer(1), &fits).unwrap();
    assert_eq!(keys(1).verify(&token, NOW), Ok(fits));
}

#[test]
fn retired_keys_verify_and_are_published_after_the_present_one() {
    let (present, retired) = (signer(2), signer(1));
    let keys =
        Keys::new("https://id.example", "5f2a", [present.verifier(), retired.verifier()]).unwrap();
    assert_eq!(keys.verify(&token(), NOW), Ok(claims()));
    assert_eq!(keys.verify(&access::mint(&present, &claims()).unwrap(), NOW), Ok(claims()));
    let published = serde_json::to_value(keys.jwks()).unwrap();
    assert_eq!(published["keys"][0]["kid"], present.key_id());
    assert_eq!(
        published["keys"][1],
        json!({
            "kid": retired.key_id(), "alg": "EdDSA", "use": "sig", "kty": "OKP", "crv": "Ed25519",
            "x": Base64UrlUnpadded::encode_string(&retired.public().to_bytes()),
        })
    );
    let twice = Keys::new("i", "a", [present.verifier(), present.verifier()]);
    assert_eq!(twice.unwrap_err(), SameKeyTwice);
}

/// A signer whose key is out of reach.
#[derive(Debug)]
struct Unreachable(Ed25519);

impl Sign for Unreachable {
    fn algorithm(&self) -> &'static str {
        self.0.algorithm()
    }

    fn key_id(&self) -> &str {
        self.0.key_id()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::new("no route to the key"))
    }

    fn verifier(&self) -> Arc<dyn Verify> {
        self.0.verifier()
    }
}

#[test]
fn a_signer_that_fails_mints_nothing() {
    let refusal = access::mint(&Unreachable(signer(1)), &claims()).unwrap_err();
    assert_eq!(refusal.to_string(), "the key does not sign: no route to the key");
}

#[test]
fn debug_shows_no_address() {
    let shown = format!("{:?}", claims());
    assert!(shown.contains("alice") && !shown.contains("alice@example.com"));
}

proptest! {
    #[test]
    fn any_claims_come_back(
        sub in "\\PC{0,40}", email in prop::option::of("\\PC{0,40}"), roles in prop::collection::vec("\\PC{0,9}", 0..9),
        epoch: u64, auth_time: u64,
    ) {
        let auth_time = UnixTime::from_secs(auth_time);
        let claims = AccessClaims { sub, email, roles, epoch, auth_time, ..claims() };
        let token = access::mint(&signer(1), &claims).unwrap();
        prop_assert_eq!(keys(1).verify(&token, NOW), Ok(claims));
    }

    #[test]
    fn any_text_is_refused(text in "\\PC{0,300}|[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert!(keys(1).verify(&text, NOW).is_err());
    }
}
