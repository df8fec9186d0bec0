//! The local vault: a permanent root for names and digests, and numbered sealing keys.
//!
//! Sealed: version (1 byte, 1) | key id (4, big-endian) | nonce (24) | ciphertext | tag (16), by
//! XChaCha20-Poly1305 (RFC 8439 over draft-irtf-cfrg-xchacha, section 2.3). Associated data:
//! version, key id, then purpose and context framed by length. Every purpose has its own subkey of
//! every key.
//!
//! The root never rotates, because what is found under a digest would be lost with it; the sealing
//! keys turn without downtime: give every node the ring with the new key while
//! [`Ring::sealing_with`] still names the old one, then let the new one seal, re-seal what
//! [`Vault::key_of`] says is old, and drop the old key when nothing is left under it.
//!
//! Refuses: unknown versions and keys, and, without telling which, another purpose, another
//! context, any flipped bit (attacks B-03, B-07, B-08, E-22).

mod error;
mod text;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, Tag};
use zeroize::{Zeroize, Zeroizing};

pub use self::error::RingError;
use crate::key::{self, Key};
use crate::{Digest, KeyId, OpenError, Purpose, SealError, Vault, frame};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Version and key id.
const HEAD: usize = 1 + 4;

/// A ring of keys held in this process. Wiped when dropped.
///
/// ```
/// # use countersign_vault::{Purpose, Ring, Vault};
/// # let mut n = 0u8;
/// # let mut fill = |buf: &mut [u8]| {
/// #     buf.iter_mut().for_each(|b| { n = n.wrapping_add(7); *b = n });
/// #     Ok::<_, core::fmt::Error>(())
/// # };
/// let ring = Ring::try_new(&mut fill)?.with_new_key(&mut fill)?; // of your system's generator
/// assert_eq!(ring.newest().number(), 2);
///
/// let again = Ring::parse(&ring.to_text())?;
/// let name = Purpose::new("name");
/// assert_eq!(again.digest(name, &[b"user"]), ring.digest(name, &[b"user"]));
/// # Ok::<_, countersign_vault::RingError>(())
/// ```
pub struct Ring {
    root: Key,
    keys: BTreeMap<KeyId, Key>,
    newest: KeyId,
}

impl Ring {
    /// The most sealing keys in a ring.
    pub const MAX_KEYS: usize = 32;

    /// A ring with a root and one key, number 1, filled by the caller's generator.
    ///
    /// # Errors
    /// [`RingError::Random`] where `fill` fails, [`RingError::Placeholder`] where it fills nothing.
    pub fn try_new<E>(mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, RingError> {
        let id = KeyId::new(1);
        let root = filled(&mut fill)?;
        Self::assemble(root, BTreeMap::from([(id, filled(&mut fill)?)]), id)
    }

    /// The same ring with one key more, numbered after the highest, which seals from now on. To let
    /// it seal later, when every node knows it, call [`sealing_with`](Self::sealing_with) on
    /// the result.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new), and [`RingError::TooManyKeys`].
    pub fn with_new_key<E>(
        mut self,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, RingError> {
        let highest = self.keys.keys().next_back().copied().unwrap_or(self.newest);
        let id = highest.number().checked_add(1).map(KeyId::new).ok_or(RingError::TooManyKeys)?;
        self.keys.insert(id, filled(&mut fill)?);
        Self::assemble(self.root, self.keys, id)
    }

    /// The same ring, sealing under `id`.
    ///
    /// # Errors
    /// [`RingError::NoSuchKey`].
    pub fn sealing_with(mut self, id: KeyId) -> Result<Self, RingError> {
        if !self.keys.contains_key(&id) {
            return Err(RingError::NoSuchKey(id));
        }
        self.newest = id;
        Ok(self)
    }

    /// The same ring without the key `id`: what is still sealed under it is lost.
    ///
    /// # Errors
    /// [`RingError::NoSuchKey`], also for the key that seals.
    pub fn without_key(mut self, id: KeyId) -> Result<Self, RingError> {
        if id == self.newest || self.keys.remove(&id).is_none() {
            return Err(RingError::NoSuchKey(id));
        }
        Ok(self)
    }

    /// The numbers of the sealing keys, ascending.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys.keys().copied()
    }

    /// Whether the other ring finds what this one named, compared in constant time.
    #[must_use]
    pub fn has_same_root(&self, other: &Self) -> bool {
        self.root.same_secret(&other.root)
    }

    /// A number that both rings have, for two keys that are not the same.
    #[must_use]
    pub fn differing_key(&self, other: &Self) -> Option<KeyId> {
        let differs = |(id, key): &(&KeyId, &Key)| {
            other.keys.get(*id).is_some_and(|theirs| !theirs.same_secret(key))
        };
        self.keys.iter().find(differs).map(|(id, _)| *id)
    }

    /// The one place where a ring comes into being, and so where its invariants are checked.
    fn assemble(root: Key, keys: BTreeMap<KeyId, Key>, newest: KeyId) -> Result<Self, RingError> {
        if keys.is_empty() {
            return Err(RingError::NoKey);
        }
        if keys.len() > Self::MAX_KEYS {
            return Err(RingError::TooManyKeys);
        }
        let all: Vec<&Key> = core::iter::once(&root).chain(keys.values()).collect();
        if all.iter().any(|key| key.is_placeholder()) {
            return Err(RingError::Placeholder);
        }
        if all.iter().enumerate().any(|(i, a)| all.iter().skip(i + 1).any(|b| a.same_secret(b))) {
            return Err(RingError::SameSecret);
        }
        Self { root, keys, newest }.sealing_with(newest)
    }
}

impl Vault for Ring {
    fn seal(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        nonce: [u8; NONCE],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        // `assemble` and `without_key` keep the newest key in the ring; without it nothing is
        // sealed.
        let key = self.keys.get(&self.newest).ok_or(SealError::NoKey)?;
        let head = head(self.newest);
        let start = HEAD + NONCE;
        let mut sealed = Vec::with_capacity(start + plaintext.len() + TAG);
        sealed.extend_from_slice(&head);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let (_, body) = sealed.split_at_mut(start);
        let data = associated_data(head, purpose, context);
        let body = InOutBuf::from(&mut *body);
        let tag = key.with_cipher(purpose, |cipher| {
            cipher.encrypt_inout_detached(&nonce.into(), &data, body)
        });
        match tag {
            Ok(tag) => {
                sealed.extend_from_slice(&tag);
                Ok(sealed)
            }
            Err(_) => {
                sealed.zeroize();
                Err(SealError::TooLong)
            }
        }
    }

    fn open(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let Sealed { id, nonce, body, tag } = Sealed::read(sealed)?;
        let key = self.keys.get(&id).ok_or(OpenError::UnknownKey(id))?;
        let mut plaintext = Zeroizing::new(body.to_vec());
        let data = associated_data(head(id), purpose, context);
        let body = InOutBuf::from(plaintext.as_mut_slice());
        // Verifies the tag before it decrypts.
        let opened = key.with_cipher(purpose, |cipher| {
            cipher.decrypt_inout_detached(&nonce.into(), &data, body, &Tag::from(tag))
        });
        opened.map_err(|_| OpenError::Forged)?;
        Ok(plaintext)
    }

    fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest {
        self.root.digest(purpose, parts)
    }

    fn key_of(&self, sealed: &[u8]) -> Result<KeyId, OpenError> {
        Sealed::read(sealed).map(|sealed| sealed.id)
    }

    fn newest(&self) -> KeyId {
        self.newest
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("keys", &self.keys.keys())
            .field("newest", &self.newest)
            .finish_non_exhaustive()
    }
}

/// A sealed value taken apart; nothing of it is authenticated yet.
struct Sealed<'a> {
    id: KeyId,
    nonce: [u8; NONCE],
    body: &'a [u8],
    tag: [u8; TAG],
}

impl<'a> Sealed<'a> {
    fn read(sealed: &'a [u8]) -> Result<Self, OpenError> {
        let (&version, rest) = sealed.split_first().ok_or(OpenError::Malformed)?;
        if version != VERSION {
            return Err(OpenError::UnknownVersion(version));
        }
        let (id, rest) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(OpenError::Malformed)?;
        let (body, tag) = rest.split_last_chunk().ok_or(OpenError::Malformed)?;
        Ok(Self { id: KeyId::new(u32::from_be_bytes(*id)), nonce: *nonce, body, tag: *tag })
    }
}

fn head(id: KeyId) -> [u8; HEAD] {
    let [a, b, c, d] = id.number().to_be_bytes();
    [VERSION, a, b, c, d]
}

fn associated_data(head: [u8; HEAD], purpose: Purpose, context: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::with_capacity(128);
    data.extend_from_slice(&head);
    frame::append(&mut data, &purpose.parts());
    frame::append(&mut data, context);
    data
}

fn filled<E>(fill: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Key, RingError> {
    let mut secret = Box::new(Zeroizing::new([0; key::LEN]));
    fill(secret.as_mut_slice()).map_err(|_| RingError::Random)?;
    Ok(Key::new(secret))
}
