//! Another implementation, given our published keys, accepts our tokens and nothing that we refuse.

use countersign_token::{Ed25519, Keys, Sign, access};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

use crate::access::{NOW, claims, signer};

/// Finds the key by its `kid`, as every client does.
fn theirs(token: &str, signer: &Ed25519) -> Option<Value> {
    let keys = Keys::new("https://id.example", "5f2a", [signer.verifier()]).unwrap();
    let published = serde_json::to_string(&keys.jwks()).unwrap();
    let published: JwkSet = serde_json::from_str(&published).unwrap();
    let header = decode_header(token).ok()?;
    let key = DecodingKey::from_jwk(published.find(&header.kid?)?).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&["https://id.example"]);
    validation.set_audience(&["5f2a"]);
    // Their clock is the machine's, ours an argument.
    validation.validate_exp = false;
    decode(token, &key, &validation).ok().map(|token| token.claims)
}

#[test]
fn they_read_what_we_mint() {
    let token = access::mint(&signer(1), &claims()).unwrap();
    let read = theirs(&token, &signer(1)).unwrap();
    assert_eq!(read["sub"], "alice");
    assert_eq!(read["tenantId"], "t1");
    assert_eq!(read["exp"], NOW.secs() + 900);
    assert!(theirs(&token, &signer(2)).is_none());
    assert!(theirs(&token[..token.len() - 1], &signer(1)).is_none());
    let forged = token.replacen('.', ".A", 1);
    assert!(theirs(&forged, &signer(1)).is_none());
}
