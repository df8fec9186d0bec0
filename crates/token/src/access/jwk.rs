//! Public keys as they are published: JWK and JWK Set (RFC 7517).

use serde::Serialize;

/// A public key that verifies signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// Its id.
    pub kid: String,
    /// Its one algorithm.
    pub alg: &'static str,
    /// What it is for: always `sig`.
    pub r#use: &'static str,
    /// The key.
    #[serde(flatten)]
    pub key: PublicKey,
}

/// The key of a [`Jwk`]; numbers and points in base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub enum PublicKey {
    /// An octet key pair (RFC 8037, section 2).
    #[serde(rename = "OKP")]
    Okp {
        /// The curve: `Ed25519`.
        crv: &'static str,
        /// The point.
        x: String,
    },
    /// RSA (RFC 7518, section 6.3.1).
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
}

/// What is published at `/.well-known/jwks.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, the one that signs first.
    pub keys: Vec<Jwk>,
}
