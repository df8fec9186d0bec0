//! An outside key management service: it wraps the ring, and is asked only when the ring loads or
//! turns.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// A key management service that encrypts the ring under a key which never leaves it.
///
/// It is handed the ring's whole text (a ring of the most keys is under 3 kB, below the 4 kB that
/// the usual services take), so that key, id and root stay bound together. `unwrap` must
/// authenticate what it opens. Both may block on the network:
/// call [`Ring::parse_wrapped`](crate::Ring::parse_wrapped) where blocking is allowed.
pub trait KeyWrap: fmt::Debug {
    /// Encrypts `secret`.
    ///
    /// # Errors
    /// The service's own, as a [`WrapError`].
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, WrapError>;

    /// Decrypts what [`wrap`](Self::wrap) made.
    ///
    /// # Errors
    /// The service's own, as a [`WrapError`]; in particular where `wrapped` is not authentic.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError>;
}

/// What the key management service said. It must not carry what was to be wrapped.
#[derive(Debug)]
pub struct WrapError(Box<dyn core::error::Error + Send + Sync>);

impl WrapError {
    /// The service's error.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for WrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key management service refused: {}", self.0)
    }
}

impl core::error::Error for WrapError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&*self.0)
    }
}
