//! Access tokens: JWTs (RFC 7519) as compact JWS (RFC 7515), behind a signer, and their
//! verification.
//!
//! The algorithm is pinned to the key: verification compares a token's header, octet by octet, with
//! the headers that this crate writes for the keys it knows, and so never parses one. `alg: none`,
//! another algorithm, another `kid`, `crit`, `jku`, an embedded key, all of RFC 8725, section 2.1,
//! end there (attack B-08). Refuses more than 8 KiB before looking at it, every encoding but the
//! canonical one, an expired token, another `typ`, `type`, issuer or audience (B-03).

mod claims;
mod ed25519;
mod jwk;
mod keys;

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;

pub use self::claims::AccessClaims;
use self::claims::{Payload, Type};
pub use self::ed25519::{Ed25519, Ed25519Public, WeakKey};
pub use self::jwk::{Jwk, Jwks, PublicKey};
pub use self::keys::{AccessError, Keys, SameKeyTwice};

/// The most characters of an access token: what a server takes as the line of a header.
pub const MAX_CHARS: usize = 8192;

/// Signs access tokens. Ed25519 is here; another algorithm, or a key that lives elsewhere, is
/// another implementation.
pub trait Sign: Send + Sync + fmt::Debug {
    /// The `alg` of RFC 7518, section 3.1, or RFC 8037, section 3.1: `EdDSA`.
    fn algorithm(&self) -> &'static str;

    /// The `kid` of what this signs, that of its [`verifier`](Self::verifier).
    fn key_id(&self) -> &str;

    /// The signature over `message`, as RFC 7518 lays it out for the algorithm.
    ///
    /// # Errors
    /// [`SignError`] where the key is out of reach.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// The public half.
    fn verifier(&self) -> Arc<dyn Verify>;

    /// The public half as it is published.
    fn public_jwk(&self) -> Jwk {
        self.verifier().jwk()
    }
}

/// Verifies what a [`Sign`] signed: one key, one algorithm.
pub trait Verify: Send + Sync + fmt::Debug {
    /// As [`Sign::algorithm`].
    fn algorithm(&self) -> &'static str;

    /// As [`Sign::key_id`].
    fn key_id(&self) -> &str;

    /// Is `signature` that of `message`?
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;

    /// The key as it is published.
    fn jwk(&self) -> Jwk;
}

/// Signs `claims` into a token.
///
/// ```
/// # use countersign_otp::UnixTime;
/// # use countersign_token::{AccessClaims, Ed25519, Keys, Sign, access};
/// # let claims = AccessClaims {
/// #     iss: "https://id.example".into(), aud: "app".into(), sub: "alice".into(),
/// #     sid: "s1".into(), tenant_id: "t1".into(), tenant_ids: vec!["t1".into()],
/// #     email: None, email_verified: false, amr: vec!["pwd".into(), "mfa".into()], acr: None,
/// #     first_factor: "password".into(),
/// #     auth_time: UnixTime::from_secs(1000), iat: UnixTime::from_secs(1000),
/// #     exp: UnixTime::from_secs(1900),
/// #     jti: "j1".into(), roles: vec![], permissions: vec![], epoch: 0,
/// # };
/// let signer = Ed25519::from_seed(&[7; 32]); // yours is random
/// let token = access::mint(&signer, &claims)?;
///
/// let keys = Keys::new("https://id.example", "app", [signer.verifier()])?;
/// assert_eq!(keys.verify(&token, UnixTime::from_secs(1899))?, claims);
/// assert!(keys.verify(&token, UnixTime::from_secs(1900)).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`MintError`].
pub fn mint(signer: &dyn Sign, claims: &AccessClaims) -> Result<String, MintError> {
    let payload = Payload { r#type: Type::User, claims };
    let payload = serde_json::to_vec(&payload).map_err(|_| MintError::Claims)?;
    let mut token = header(signer.algorithm(), signer.key_id()).ok_or(MintError::Claims)?;
    token.push('.');
    token.push_str(&Base64UrlUnpadded::encode_string(&payload));
    let signature = signer.sign(token.as_bytes()).map_err(MintError::Sign)?;
    token.push('.');
    token.push_str(&Base64UrlUnpadded::encode_string(&signature));
    if token.len() > MAX_CHARS { Err(MintError::TooLong) } else { Ok(token) }
}

/// Why no token was made.
#[derive(Debug)]
#[non_exhaustive]
pub enum MintError {
    /// Longer than [`MAX_CHARS`]: no server would take it.
    TooLong,
    /// The claims do not encode.
    Claims,
    /// The signer's.
    Sign(SignError),
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(
                f,
                "an access token takes {MAX_CHARS} characters: give the user fewer roles, \
                 permissions or tenants"
            ),
            Self::Claims => f.write_str("the claims are not JSON"),
            Self::Sign(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for MintError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sign(error) => Some(error),
            Self::TooLong | Self::Claims => None,
        }
    }
}

/// What a signer said. It must not carry its key.
#[derive(Debug)]
pub struct SignError(Box<dyn std::error::Error + Send + Sync>);

impl SignError {
    /// The signer's error.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key does not sign: {}", self.0)
    }
}

impl std::error::Error for SignError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// The one header that tokens of this key have, encoded.
fn header(algorithm: &str, key_id: &str) -> Option<String> {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: &'a str,
        typ: &'a str,
        kid: &'a str,
    }
    let header = Header { alg: algorithm, typ: "JWT", kid: key_id };
    Some(Base64UrlUnpadded::encode_string(&serde_json::to_vec(&header).ok()?))
}
