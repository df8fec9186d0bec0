//! A vault whose ring is changed while it is in use.
//!
//! Keys turn under a running server: whoever reads the key file again hands the new ring to
//! [`Turning::turn`]. What is under way goes on with the ring that it began with.
//!
//! Refuses a ring that is another's: names and digests hang on the root, so under another one every
//! record is lost from sight; and a number that stands for another key opens nothing any more. The
//! ring in use stays.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use crate::{Digest, KeyId, OpenError, Purpose, Ring, SealError, Vault};

/// A [`Ring`] that turns while others hold it as their [`Vault`].
///
/// ```
/// # use countersign_vault::{Purpose, Ring, Turning, Vault};
/// # let mut n = 0u8;
/// # let mut fill = |buf: &mut [u8]| {
/// #     buf.iter_mut().for_each(|b| { n = n.wrapping_add(7); *b = n });
/// #     Ok::<_, core::fmt::Error>(())
/// # };
/// let ring = Ring::try_new(&mut fill)?; // `fill` is your system's generator
/// let next = Ring::parse(&ring.to_text())?.with_new_key(&mut fill)?;
///
/// let vault = Turning::new(ring);
/// let record = Purpose::new("record");
/// let sealed = vault.seal(record, &[b"ada"], [7; 24], b"devices")?;
/// assert!(vault.turn(next)?);
/// assert_eq!(vault.newest().number(), 2);
/// assert_eq!(*vault.open(record, &[b"ada"], &sealed)?, b"devices");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Turning(RwLock<Arc<Ring>>);

impl Turning {
    /// A vault that begins with this ring.
    #[must_use]
    pub fn new(ring: Ring) -> Self {
        Self(RwLock::new(Arc::new(ring)))
    }

    /// The ring as it is now.
    #[must_use]
    pub fn ring(&self) -> Arc<Ring> {
        // A ring is put there whole or not at all, so a thread that died holding it broke nothing.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on with another ring; false where it is the same in every part.
    ///
    /// # Errors
    /// [`TurnError`]: it is another's, and nothing has changed.
    pub fn turn(&self, next: Ring) -> Result<bool, TurnError> {
        let mut ring = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !ring.has_same_root(&next) {
            return Err(TurnError::OtherRoot);
        }
        if let Some(id) = ring.differing_key(&next) {
            return Err(TurnError::OtherKey(id));
        }
        if ring.newest() == next.newest() && ring.key_ids().eq(next.key_ids()) {
            return Ok(false);
        }
        *ring = Arc::new(next);
        Ok(true)
    }
}

impl Vault for Turning {
    fn seal(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        nonce: [u8; 24],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.ring().seal(purpose, context, nonce, plaintext)
    }

    fn open(
        &self,
        purpose: Purpose,
        context: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.ring().open(purpose, context, sealed)
    }

    fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest {
        self.ring().digest(purpose, parts)
    }

    fn key_of(&self, sealed: &[u8]) -> Result<KeyId, OpenError> {
        self.ring().key_of(sealed)
    }

    fn newest(&self) -> KeyId {
        self.ring().newest()
    }
}

impl fmt::Debug for Turning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turning").field(&self.ring()).finish()
    }
}

/// Why a ring was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnError {
    /// It has another root.
    OtherRoot,
    /// This number stands for another key in it.
    OtherKey(KeyId),
}

impl fmt::Display for TurnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRoot => f.write_str(
                "this ring has another root, under which no record is found: put the right one back",
            ),
            Self::OtherKey(id) => write!(
                f,
                "key {id} is another one in this ring, and would open nothing: give new keys new numbers"
            ),
        }
    }
}

impl std::error::Error for TurnError {}
