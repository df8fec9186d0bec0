//! Sealed tokens, which only we read: the vault's AEAD over compact claims, in base64url.
//!
//! A token's kind is a type, and is in the key it is sealed under and in the associated data: a
//! token of one kind never opens as another, in whatever place it is presented (attacks B-03,
//! B-07). Refuses what is long before it looks at it, every encoding but the canonical one, every
//! flipped bit, every byte too many (B-08).
//!
//! Whether a token has expired is in its claims, and its reader's to judge: there is no clock here.

use std::fmt;
use std::marker::PhantomData;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_vault::{OpenError, Purpose, SealError, Vault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// A kind of token: what it is for, and what it says.
///
/// ```
/// # use countersign_token::Kind;
/// /// The login that a password began.
/// enum Login {}
///
/// impl Kind for Login {
///     const NAME: &'static str = "login";
///     type Claims = (u64, String);
/// }
/// ```
pub trait Kind {
    /// The kind's name: unique, and for ever, because it goes into the key.
    const NAME: &'static str;

    /// What a token of this kind says. Its encoding has no field names: an older token is read by
    /// the order of the fields, so a kind whose claims change gets a new name.
    type Claims: Serialize + DeserializeOwned;
}

/// A sealed token of kind `K`, ready to be handed out.
pub struct Token<K>(String, PhantomData<fn() -> K>);

impl<K: Kind> Token<K> {
    /// The most characters of a token.
    pub const MAX_CHARS: usize = 511;

    const PURPOSE: Purpose = Purpose::scoped("token", K::NAME);

    /// Seals `claims` for `context` (a realm, say), which has to be given again to open it. `nonce`
    /// is drawn uniformly at random for each token.
    ///
    /// # Errors
    /// [`TokenError::TooLong`] where the token would be longer than [`MAX_CHARS`](Self::MAX_CHARS),
    /// [`TokenError::Claims`] where the claims do not encode.
    pub fn seal(
        vault: &dyn Vault,
        context: &[&[u8]],
        nonce: [u8; 24],
        claims: &K::Claims,
    ) -> Result<Self, TokenError> {
        let mut room = Zeroizing::new([0; MAX_BYTES]);
        let plaintext =
            postcard::to_slice(claims, room.as_mut_slice()).map_err(|error| match error {
                postcard::Error::SerializeBufferFull => TokenError::TooLong,
                _ => TokenError::Claims,
            })?;
        let sealed =
            vault.seal(Self::PURPOSE, context, nonce, plaintext).map_err(TokenError::Seal)?;
        if sealed.len() > MAX_BYTES {
            return Err(TokenError::TooLong);
        }
        Ok(Self(Base64UrlUnpadded::encode_string(&sealed), PhantomData))
    }

    /// Opens the text of a token of this kind and `context`.
    ///
    /// # Errors
    /// [`TokenError`]. A text of any length costs no more than one of
    /// [`MAX_CHARS`](Self::MAX_CHARS).
    pub fn open(vault: &dyn Vault, context: &[&[u8]], text: &str) -> Result<K::Claims, TokenError> {
        if text.len() > Self::MAX_CHARS {
            return Err(TokenError::TooLong);
        }
        let mut room = [0; MAX_BYTES];
        let sealed =
            Base64UrlUnpadded::decode(text, &mut room).map_err(|_| TokenError::Encoding)?;
        let plaintext = vault.open(Self::PURPOSE, context, sealed).map_err(TokenError::Foreign)?;
        match postcard::take_from_bytes(&plaintext) {
            Ok((claims, [])) => Ok(claims),
            Ok(_) | Err(_) => Err(TokenError::Claims),
        }
    }

    /// Its text: a secret of whoever holds the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its text, to be handed out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<K> Clone for Token<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<K: Kind> fmt::Debug for Token<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token<{}>(..)", K::NAME)
    }
}

/// Why there is no token, or why a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than a token may be.
    TooLong,
    /// Not base64url without padding, in its one canonical form.
    Encoding,
    /// Not sealed by this vault as this kind for this context.
    Foreign(OpenError),
    /// The claims do not encode, or what was sealed are not these claims.
    Claims,
    /// The vault does not seal.
    Seal(SealError),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("longer than a token may be: put less into its claims"),
            Self::Encoding => f.write_str("a token is base64url without padding"),
            Self::Foreign(error) => write!(f, "not a token of this kind and place: {error}"),
            Self::Claims => f.write_str("not the claims of this kind of token"),
            Self::Seal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Foreign(error) => Some(error),
            Self::Seal(error) => Some(error),
            _ => None,
        }
    }
}

/// What [`Token::MAX_CHARS`] characters of base64url hold.
const MAX_BYTES: usize = 383;
