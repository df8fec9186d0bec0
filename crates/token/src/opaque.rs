//! Opaque tokens: a random secret of a family, of which only a keyed digest is stored.
//!
//! For what lives long and rotates: refresh tokens from their first use on, and the secrets of
//! known browsers. 256 bits (OWASP ASVS 7.2.3 asks for 128), so that a plain keyed digest is
//! enough. Refuses every text but the canonical one. The digest is bound to kind and family: one
//! kind's digest never matches another's token (attack B-07).

use std::fmt;
use std::marker::PhantomData;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_vault::{Digest, Purpose, Vault};
use zeroize::Zeroizing;

use crate::{FamilyId, Kind};

const SECRET: usize = 32;
const BYTES: usize = FamilyId::LEN + SECRET;
/// `BYTES` in base64url.
const CHARS: usize = BYTES / 3 * 4;
/// The version of the text, its first character.
const VERSION: &str = "1";

/// A token of kind `K` that says nothing: a family and a secret. Wiped when dropped.
///
/// ```
/// # use countersign_token::{Kind, Opaque};
/// # use countersign_vault::Ring;
/// # enum Refresh {}
/// # impl Kind for Refresh { const NAME: &'static str = "refresh"; type Claims = (); }
/// # let mut n = 0u8;
/// # let mut fill = |buf: &mut [u8]| {
/// #     buf.iter_mut().for_each(|b| { n = n.wrapping_add(7); *b = n });
/// #     Ok::<_, std::fmt::Error>(())
/// # };
/// # let vault = Ring::try_new(&mut fill)?;
/// let token = Opaque::<Refresh>::try_new(&mut fill)?;
/// let stored = token.digest(&vault);
///
/// let presented = Opaque::<Refresh>::parse(&token.to_text())?;
/// assert!(presented.matches(&vault, &stored));
///
/// let next = presented.try_next(&mut fill)?;
/// assert_eq!(next.family(), presented.family());
/// assert!(!next.matches(&vault, &stored));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Opaque<K> {
    family: FamilyId,
    secret: Zeroizing<[u8; SECRET]>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Opaque<K> {
    /// Characters of its text.
    pub const CHARS: usize = VERSION.len() + CHARS;

    const PURPOSE: Purpose = Purpose::scoped("opaque", K::NAME);

    /// The first token of a new family, filled by the caller's generator.
    ///
    /// # Errors
    /// The generator's.
    pub fn try_new<E>(mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut family = [0; FamilyId::LEN];
        fill(&mut family)?;
        Self::try_in(FamilyId::from_bytes(family), fill)
    }

    /// A token of a family that has its id from elsewhere.
    ///
    /// # Errors
    /// The generator's.
    pub fn try_in<E>(
        family: FamilyId,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut secret = Zeroizing::new([0; SECRET]);
        fill(secret.as_mut_slice())?;
        Ok(Self { family, secret, kind: PhantomData })
    }

    /// The token that takes this one's place when it rotates.
    ///
    /// # Errors
    /// The generator's.
    pub fn try_next<E>(&self, fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        Self::try_in(self.family, fill)
    }

    /// Reads a presented token.
    ///
    /// # Errors
    /// [`OpaqueError`]. A text of any length costs no more than the right one.
    pub fn parse(text: &str) -> Result<Self, OpaqueError> {
        let text =
            text.strip_prefix(VERSION).filter(|text| text.len() == CHARS).ok_or(OpaqueError)?;
        let mut bytes = Zeroizing::new([0; BYTES]);
        Base64UrlUnpadded::decode(text, bytes.as_mut_slice()).map_err(|_| OpaqueError)?;
        let (family, secret) = bytes.split_first_chunk().ok_or(OpaqueError)?;
        let mut token = Self {
            family: FamilyId::from_bytes(*family),
            secret: Zeroizing::default(),
            kind: PhantomData,
        };
        token.secret.copy_from_slice(secret);
        Ok(token)
    }

    /// Its text, to be handed out: [`CHARS`](Self::CHARS) characters that need no quoting in a
    /// cookie or a URL.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let (family, secret) = bytes.split_at_mut(FamilyId::LEN);
        family.copy_from_slice(self.family.as_bytes());
        secret.copy_from_slice(&*self.secret);
        let mut chars = Zeroizing::new([0; CHARS]);
        // Fails only where the buffer is too small; an empty text would not parse.
        let body =
            Base64UrlUnpadded::encode(bytes.as_slice(), chars.as_mut_slice()).unwrap_or_default();
        let mut text = Zeroizing::new(String::with_capacity(Self::CHARS));
        text.push_str(VERSION);
        text.push_str(body);
        text
    }

    /// Which family it belongs to, or says it belongs to.
    #[must_use]
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self, vault: &dyn Vault) -> Digest {
        vault.digest(Self::PURPOSE, &[self.family.as_bytes(), &*self.secret])
    }

    /// Is it the token that `stored` is the digest of? In constant time.
    #[must_use]
    pub fn matches(&self, vault: &dyn Vault, stored: &Digest) -> bool {
        self.digest(vault) == *stored
    }
}

impl<K> Clone for Opaque<K> {
    fn clone(&self) -> Self {
        Self { family: self.family, secret: self.secret.clone(), kind: PhantomData }
    }
}

impl<K: Kind> fmt::Debug for Opaque<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque<{}>({:?}, ..)", K::NAME, self.family)
    }
}

/// The text is not that of an opaque token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpaqueError;

impl fmt::Display for OpaqueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a token of this version")
    }
}

impl std::error::Error for OpaqueError {}
