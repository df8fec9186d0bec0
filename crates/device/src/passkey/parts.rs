//! What a credential is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::FactorKind;

/// The id of a credential: 16 to 1023 bytes that its authenticator chose (WebAuthn, section 4).
/// It is no secret; it finds the credential, a signature proves it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct CredentialId(Box<[u8]>);

/// What the adapter keeps of a credential, at most 2048 bytes. Nobody else reads it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct AdapterState(Box<[u8]>);

/// Where the authenticator of a passkey is (WebAuthn, 5.4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Attachment {
    /// In the device itself.
    Platform,
    /// In a security key or another device.
    CrossPlatform,
}

/// The backup flags of a credential (WebAuthn, 6.1.3). "Backed up, and cannot be" is not one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Backup {
    /// It is on one device, for ever: BE = 0, BS = 0.
    Never,
    /// It may be backed up, and is not yet: BE = 1, BS = 0.
    Possible,
    /// It is backed up, as a synced passkey is: BE = 1, BS = 1.
    Done,
}

/// A part of a passkey that is out of its bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasskeyError {
    /// A credential id of fewer than 16 or more than 1023 bytes.
    CredentialId,
    /// A state of more than 2048 bytes.
    State,
    /// Flags that say "backed up" of what cannot be.
    Backup,
}

impl fmt::Display for PasskeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CredentialId => "a credential id has 16 to 1023 bytes",
            Self::State => "the state of a passkey has at most 2048 bytes",
            Self::Backup => "a credential is backed up that cannot be",
        })
    }
}

impl std::error::Error for PasskeyError {}

impl CredentialId {
    /// Checks an id.
    ///
    /// # Errors
    /// [`PasskeyError::CredentialId`]. An empty one names no credential (B-11).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PasskeyError> {
        if !(16..=1023).contains(&bytes.len()) {
            return Err(PasskeyError::CredentialId);
        }
        Ok(Self(bytes.into()))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AdapterState {
    /// How long it is at most, in bytes: the record is bounded, so its parts are.
    pub const MAX: usize = 2048;

    /// Takes a state.
    ///
    /// # Errors
    /// [`PasskeyError::State`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, PasskeyError> {
        if bytes.len() > Self::MAX {
            return Err(PasskeyError::State);
        }
        Ok(Self(bytes.into()))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Attachment {
    /// The kind of factor that a passkey of this attachment is.
    #[must_use]
    pub const fn kind(self) -> FactorKind {
        match self {
            Self::Platform => FactorKind::PasskeyPlatform,
            Self::CrossPlatform => FactorKind::PasskeyCrossPlatform,
        }
    }
}

impl Backup {
    /// Reads the flags BE and BS of the authenticator data.
    ///
    /// # Errors
    /// [`PasskeyError::Backup`] where BS stands without BE.
    pub const fn from_flags(eligible: bool, backed_up: bool) -> Result<Self, PasskeyError> {
        match (eligible, backed_up) {
            (false, false) => Ok(Self::Never),
            (true, false) => Ok(Self::Possible),
            (true, true) => Ok(Self::Done),
            (false, true) => Err(PasskeyError::Backup),
        }
    }

    /// May it be on more than one device? It never changes.
    #[must_use]
    pub const fn is_eligible(self) -> bool {
        matches!(self, Self::Possible | Self::Done)
    }
}

impl TryFrom<Vec<u8>> for CredentialId {
    type Error = PasskeyError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, PasskeyError> {
        Self::from_bytes(&bytes)
    }
}

impl From<CredentialId> for Vec<u8> {
    fn from(id: CredentialId) -> Self {
        id.0.into()
    }
}

impl TryFrom<Vec<u8>> for AdapterState {
    type Error = PasskeyError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, PasskeyError> {
        Self::from_bytes(bytes)
    }
}

impl From<AdapterState> for Vec<u8> {
    fn from(state: AdapterState) -> Self {
        state.0.into()
    }
}

impl fmt::Debug for CredentialId {
    /// Its first four bytes: enough to tell a user's few credentials apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialId(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

impl fmt::Debug for AdapterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdapterState({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_bounded_wherever_they_come_from() {
        for (len, good) in [(0, false), (15, false), (16, true), (1023, true), (1024, false)] {
            assert_eq!(CredentialId::from_bytes(&vec![1; len]).is_ok(), good, "{len}");
            let bytes = postcard::to_allocvec(&vec![1_u8; len]).unwrap();
            assert_eq!(postcard::from_bytes::<CredentialId>(&bytes).is_ok(), good, "{len}");
        }
        for (len, good) in [(0, true), (2048, true), (2049, false)] {
            assert_eq!(AdapterState::from_bytes(vec![1; len]).is_ok(), good, "{len}");
            let bytes = postcard::to_allocvec(&vec![1_u8; len]).unwrap();
            assert_eq!(postcard::from_bytes::<AdapterState>(&bytes).is_ok(), good, "{len}");
        }
    }

    #[test]
    fn the_flags_that_cannot_be_are_refused() {
        assert_eq!(Backup::from_flags(false, true), Err(PasskeyError::Backup));
        for backup in [Backup::Never, Backup::Possible, Backup::Done] {
            let flags = (backup.is_eligible(), backup == Backup::Done);
            assert_eq!(Backup::from_flags(flags.0, flags.1), Ok(backup));
        }
    }
}
