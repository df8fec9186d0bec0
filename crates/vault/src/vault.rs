//! What the rest of Countersign asks for: seal, open, digest. Object safe; passed as `Arc<dyn
//! Vault>`.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::{Digest, Purpose};

/// Sealing with key ids and rotation, and keyed digests.
///
/// Synchronous and local: an outside KMS wraps the ring's keys ([`KeyWrap`](crate::KeyWrap)) and is
/// not asked for each record. [`Ring`](crate::Ring) is the implementation.
pub trait Vault: Send + Sync + fmt::Debug {
    /// Seals `plaintext` under the key that [`newest`](Self::newest) names, bound to `purpose` and
    /// to every part of `context`.
    ///
    /// `context` says whose it is (a record's key, a token's kind): whoever moves a sealed value to
    /// another place moves it out of its context, and it no longer opens. `nonce` comes from
    /// the caller, who holds the generator; it must be drawn uniformly at random for each call
    /// (192 bits, so that chance never repeats one).
    ///
    /// # Errors
    /// [`SealError`] where `plaintext` is longer than the cipher takes (256 GiB).
    fn seal(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        nonce: [u8; 24],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError>;

    /// Opens what [`seal`](Self::seal) made for the same purpose and context. Work and memory are
    /// bounded by the length of `sealed`, and nothing is allocated before its key is known.
    ///
    /// # Errors
    /// [`OpenError`]: every refusal is final, nothing of the content is given out.
    fn open(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError>;

    /// HMAC-SHA256 of `parts`, framed by length, under a key derived for `purpose` from the root
    /// that never rotates: for the names of store keys, stored digests of tokens and codes,
    /// recovery tags.
    fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest;

    /// The key that `sealed` was sealed under, read from its header and not authenticated: what
    /// differs from [`newest`](Self::newest) is sealed afresh when it is next written.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] and [`OpenError::UnknownVersion`].
    fn key_of(&self, sealed: &[u8]) -> Result<KeyId, OpenError>;

    /// The key that new seals are made under.
    fn newest(&self) -> KeyId;
}

/// The number of a sealing key in its ring. Written in the clear before everything sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl KeyId {
    /// The key numbered `id`.
    #[must_use]
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The plaintext is longer than the cipher takes.
    TooLong,
    /// The vault holds no key to seal under.
    NoKey,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("too long to be sealed at once: seal it in pieces"),
            Self::NoKey => f.write_str("no key to seal under: load the key ring"),
        }
    }
}

impl core::error::Error for SealError {}

/// Why nothing was opened. The first three are read from the clear header alone; whatever depends
/// on a secret (another key under this id, another purpose or context, a changed bit) is one and
/// the same: [`Forged`](Self::Forged).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Shorter than an empty plaintext sealed.
    Malformed,
    /// Sealed by a layout that this version cannot read.
    UnknownVersion(u8),
    /// Sealed under a key that the ring does not hold.
    UnknownKey(KeyId),
    /// Not what was sealed here, for this purpose and context.
    Forged,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("too short to be a sealed value"),
            Self::UnknownVersion(version) => {
                write!(f, "sealed in layout {version}, which this version cannot read: update it")
            }
            Self::UnknownKey(id) => {
                write!(f, "sealed under key {id}, which the ring does not hold: put it back")
            }
            Self::Forged => f.write_str("not sealed under this key for this purpose and context"),
        }
    }
}

impl core::error::Error for OpenError {}
