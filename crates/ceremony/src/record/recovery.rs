//! The recovery codes, as far as they are kept.

use serde::{Deserialize, Serialize};

use countersign_token::{RecoveryHash, RecoveryTag};

/// A recovery code, as far as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recovery {
    /// 16 keyed bits: a try whose tag differs ends there, without Argon2 and without a write.
    pub tag: RecoveryTag,
    /// Argon2id, salted and peppered.
    pub hash: RecoveryHash,
}

impl Recovery {
    /// As an export carries it: worth nothing but under a vault of the same root.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(self).ok()
    }

    /// From an export; none where these bytes are not of one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty()).map(|(of, _)| of)
    }
}

/// The codes that are left of a set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recoveries(Vec<Recovery>);

impl Recoveries {
    /// Is none left?
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.0.len()
    }

    /// All that are left.
    pub fn iter(&self) -> impl Iterator<Item = &Recovery> {
        self.0.iter()
    }

    /// The one that has this tag.
    #[must_use]
    pub fn tagged(&self, tag: &RecoveryTag) -> Option<&Recovery> {
        self.0.iter().find(|of| of.tag == *tag)
    }

    /// Is this one still there?
    #[must_use]
    pub fn has(&self, hash: &RecoveryHash) -> bool {
        self.0.iter().any(|of| of.hash == *hash)
    }

    /// Spends one.
    pub(crate) fn spend(&mut self, hash: &RecoveryHash) {
        self.0.retain(|of| of.hash != *hash);
    }

    /// Spends all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl FromIterator<Recovery> for Recoveries {
    fn from_iter<I: IntoIterator<Item = Recovery>>(codes: I) -> Self {
        Self(codes.into_iter().collect())
    }
}
