//! The issuer's published keys (RFC 7517), as they are fetched.
//!
//! Ed25519 (RFC 8037) is read; a key of another type is passed over, and a set without any that is
//! read is refused. For another algorithm implement [`Verify`] and build [`Keys`] of it.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_token::access::Ed25519Public;
use countersign_token::{Keys, Verify};
use serde::Deserialize;

/// Why a JWK Set gives no keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JwksError {
    /// It is no JWK Set.
    Malformed,
    /// It has no key that is read here.
    NoKey,
    /// It has one key twice.
    SameKeyTwice,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a JWK Set: is it the answer of /.well-known/jwks.json?",
            Self::NoKey => "no Ed25519 key in the JWK Set",
            Self::SameKeyTwice => "one key twice in the JWK Set",
        })
    }
}

impl std::error::Error for JwksError {}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
}

/// The keys of a JWK Set, for the tokens of this issuer and audience.
///
/// # Errors
/// [`JwksError`].
pub fn keys(jwks: &str, issuer: &str, audience: &str) -> Result<Keys, JwksError> {
    let set: Set = serde_json::from_str(jwks).map_err(|_| JwksError::Malformed)?;
    let read: Vec<Arc<dyn Verify>> = set.keys.iter().filter_map(ed25519).collect();
    if read.is_empty() {
        return Err(JwksError::NoKey);
    }
    Keys::new(issuer, audience, read).map_err(|_| JwksError::SameKeyTwice)
}

fn ed25519(key: &Key) -> Option<Arc<dyn Verify>> {
    if key.kty != "OKP" || key.crv != "Ed25519" {
        return None;
    }
    let mut point = [0; 32];
    let point: &[u8; 32] = Base64UrlUnpadded::decode(&key.x, &mut point).ok()?.try_into().ok()?;
    Some(Arc::new(Ed25519Public::from_bytes(point).ok()?))
}
