//! The id of a family of rotating secrets.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which family an [`Opaque`](crate::Opaque) token belongs to: a session's refresh tokens, or the
/// secrets that one browser was given one after another. Random, unique, and no secret: it finds
/// the entry, the secret proves it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FamilyId([u8; Self::LEN]);

impl FamilyId {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// The family with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FamilyId({:032x})", u128::from_be_bytes(self.0))
    }
}
