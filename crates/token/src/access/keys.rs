//! The keys that access tokens are verified with, and published.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_otp::UnixTime;

use super::claims::Payload;
use super::{AccessClaims, Jwks, MAX_CHARS, Verify, header};

/// Verifies the access tokens of one issuer for one audience.
#[derive(Clone, Debug)]
pub struct Keys {
    issuer: String,
    audience: String,
    keys: Vec<Key>,
}

/// A key, and the header of every token it signed.
#[derive(Clone, Debug)]
struct Key {
    header: String,
    key: Arc<dyn Verify>,
}

impl Keys {
    /// Tokens of `issuer` for `audience`, signed by one of `keys`: the present one first, then the
    /// retired ones whose tokens have not all expired.
    ///
    /// # Errors
    /// [`SameKeyTwice`] where two keys have one id and algorithm.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl IntoIterator<Item = Arc<dyn Verify>>,
    ) -> Result<Self, SameKeyTwice> {
        let mut known: Vec<Key> = Vec::new();
        for key in keys {
            let header = header(key.algorithm(), key.key_id()).ok_or(SameKeyTwice)?;
            if known.iter().any(|other| other.key.key_id() == key.key_id()) {
                return Err(SameKeyTwice);
            }
            known.push(Key { header, key });
        }
        Ok(Self { issuer: issuer.into(), audience: audience.into(), keys: known })
    }

    /// What `text` says, if it is a token of ours that has not expired at `now`.
    ///
    /// It may belong to a session that has ended since: compare its `epoch` with the user's.
    ///
    /// # Errors
    /// [`AccessError`]. Nothing is decoded before the signature is found right, and a text of any
    /// length costs no more than one of [`MAX_CHARS`].
    pub fn verify(&self, text: &str, now: UnixTime) -> Result<AccessClaims, AccessError> {
        if text.len() > MAX_CHARS {
            return Err(AccessError::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(AccessError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(AccessError::Malformed)?;
        let key = self.keys.iter().find(|key| key.header == header);
        let key = key.ok_or(AccessError::UnknownHeader)?;
        let signature =
            Base64UrlUnpadded::decode_vec(signature).map_err(|_| AccessError::Malformed)?;
        if !key.key.verify(message.as_bytes(), &signature) {
            return Err(AccessError::Forged);
        }
        let payload = Base64UrlUnpadded::decode_vec(payload).map_err(|_| AccessError::Malformed)?;
        let Payload { r#type: _, claims } =
            serde_json::from_slice::<Payload<AccessClaims>>(&payload)
                .map_err(|_| AccessError::Claims)?;
        if claims.iss != self.issuer || claims.aud != self.audience {
            return Err(AccessError::Foreign);
        }
        if now >= claims.exp {
            return Err(AccessError::Expired);
        }
        Ok(claims)
    }

    /// The keys, to be published.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.keys.iter().map(|key| key.key.jwk()).collect() }
    }
}

/// Why a text is no access token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// Longer than a token may be.
    TooLong,
    /// Not three parts in base64url without padding.
    Malformed,
    /// Not a header that one of our keys writes: another key, algorithm or type.
    UnknownHeader,
    /// Not signed by the key it names.
    Forged,
    /// Signed by us, and not an access token.
    Claims,
    /// Of another issuer, or for another audience.
    Foreign,
    /// It was one.
    Expired,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than an access token may be",
            Self::Malformed => "not three parts in base64url",
            Self::UnknownHeader => "not of a key and algorithm of ours: ask for a new token",
            Self::Forged => "not signed by the key it names",
            Self::Claims => "not an access token",
            Self::Foreign => "an access token of another issuer, or for another audience",
            Self::Expired => "expired: refresh it",
        })
    }
}

impl std::error::Error for AccessError {}

/// Two keys have the same id: a token could mean either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameKeyTwice;

impl fmt::Display for SameKeyTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two keys have the same id: give each key one of its own, once")
    }
}

impl std::error::Error for SameKeyTwice {}
