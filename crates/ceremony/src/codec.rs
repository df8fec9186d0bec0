//! How records and events become bytes: a version, then postcard, sealed whole by the vault.
//!
//! An encoding of the next version is read one release before it is written. A node that meets one
//! it cannot read refuses; it never drops anything.

use postcard::ser_flavors::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;

use countersign_vault::{KeyId, Purpose, Vault};

use crate::audit::Audit;
use crate::port::{EventId, EventRow, Key};

const RECORD: Purpose = Purpose::new("record");
const EVENT: Purpose = Purpose::new("event");

/// The encoding that this release writes, and the only one it reads.
const VERSION: u8 = 1;

/// In its place: the record has moved to another database, and nothing is left of it here.
const MOVED: u8 = 0;

/// Bytes that cannot be written or read: the engine fails closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// What is to be written does not fit its encoding.
    Unwritable,
    /// The vault does not open it: another key, another record's bytes, or a flipped bit.
    Sealed,
    /// It has an encoding that this release does not read.
    Version(u8),
    /// It is not what its encoding says.
    Malformed,
    /// It has moved to another database, which this node was not told of.
    Moved,
}

impl std::fmt::Display for CodecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unwritable => f.write_str("a record does not fit its encoding"),
            Self::Sealed => f.write_str("the vault does not open a record; are its keys complete?"),
            Self::Version(version) => {
                write!(f, "a record has encoding {version}, this release reads {VERSION}")
            }
            Self::Malformed => f.write_str("a record is not what its encoding says"),
            Self::Moved => f.write_str(
                "a record has moved to another database; name it to this node, or move on to it",
            ),
        }
    }
}

impl std::error::Error for CodecError {}

/// Seals a record under its key: swapped with another's, it does not open (E-22).
///
/// # Errors
/// [`CodecError::Unwritable`].
pub fn seal<T: Serialize>(
    vault: &dyn Vault,
    key: Key,
    nonce: [u8; 24],
    value: &T,
) -> Result<Vec<u8>, CodecError> {
    let plain = write(value)?;
    vault.seal(RECORD, &[key.as_bytes()], nonce, &plain).map_err(|_| CodecError::Unwritable)
}

/// Opens a record.
///
/// # Errors
/// Any [`CodecError`] but [`CodecError::Unwritable`].
pub fn open<T: DeserializeOwned>(
    vault: &dyn Vault,
    key: Key,
    sealed: &[u8],
) -> Result<T, CodecError> {
    let plain = vault.open(RECORD, &[key.as_bytes()], sealed).map_err(|_| CodecError::Sealed)?;
    read(&plain)
}

/// Seals the mark that a record has moved to another database.
///
/// # Errors
/// [`CodecError::Unwritable`].
pub fn seal_moved(vault: &dyn Vault, key: Key, nonce: [u8; 24]) -> Result<Vec<u8>, CodecError> {
    let sealed = vault.seal(RECORD, &[key.as_bytes()], nonce, &[MOVED]);
    sealed.map_err(|_| CodecError::Unwritable)
}

/// Whether these bytes are that mark.
#[must_use]
pub fn is_moved(vault: &dyn Vault, key: Key, sealed: &[u8]) -> bool {
    matches!(check(vault, key, sealed), Err(CodecError::Moved))
}

/// Whether the vault opens a record, and its encoding is one that this release reads.
///
/// # Errors
/// Any [`CodecError`] but [`CodecError::Unwritable`].
pub fn check(vault: &dyn Vault, key: Key, sealed: &[u8]) -> Result<(), CodecError> {
    let plain = vault.open(RECORD, &[key.as_bytes()], sealed).map_err(|_| CodecError::Sealed)?;
    body(&plain).map(|_| ())
}

/// Seals what a record holds, whatever it is, under the vault's newest key.
///
/// # Errors
/// [`CodecError::Sealed`], [`CodecError::Unwritable`].
pub fn reseal(
    vault: &dyn Vault,
    key: Key,
    nonce: [u8; 24],
    sealed: &[u8],
) -> Result<Vec<u8>, CodecError> {
    let plain = vault.open(RECORD, &[key.as_bytes()], sealed).map_err(|_| CodecError::Sealed)?;
    vault.seal(RECORD, &[key.as_bytes()], nonce, &plain).map_err(|_| CodecError::Unwritable)
}

/// The key that a record or an event was sealed under, as its header says.
///
/// # Errors
/// [`CodecError::Sealed`]: it was never sealed.
pub fn key_of(vault: &dyn Vault, sealed: &[u8]) -> Result<KeyId, CodecError> {
    vault.key_of(sealed).map_err(|_| CodecError::Sealed)
}

/// Seals an event under its id.
///
/// # Errors
/// [`CodecError::Unwritable`].
pub fn seal_event(
    vault: &dyn Vault,
    nonce: [u8; 24],
    audit: &Audit,
) -> Result<EventRow, CodecError> {
    let id = EventId::from(audit.id);
    let plain = write(audit)?;
    let bytes = vault.seal(EVENT, &[&id.0], nonce, &plain).map_err(|_| CodecError::Unwritable)?;
    Ok(EventRow { id, bytes })
}

/// Opens an event.
///
/// # Errors
/// Any [`CodecError`] but [`CodecError::Unwritable`].
pub fn open_event(vault: &dyn Vault, row: &EventRow) -> Result<Audit, CodecError> {
    let plain = vault.open(EVENT, &[&row.id.0], &row.bytes).map_err(|_| CodecError::Sealed)?;
    read(&plain)
}

fn write<T: Serialize>(value: &T) -> Result<zeroize::Zeroizing<Vec<u8>>, CodecError> {
    // Measured first: what grows leaves secrets behind in what it outgrew, and what is too large takes long to wipe.
    let length = postcard::serialize_with_flavor(value, Size::default());
    let length = length.map_err(|_| CodecError::Unwritable)?;
    let mut plain = Vec::with_capacity(length.saturating_add(1));
    plain.push(VERSION);
    postcard::to_extend(value, plain)
        .map(zeroize::Zeroizing::new)
        .map_err(|_| CodecError::Unwritable)
}

fn read<T: DeserializeOwned>(plain: &[u8]) -> Result<T, CodecError> {
    match postcard::take_from_bytes(body(plain)?) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(CodecError::Malformed),
    }
}

/// What follows the version.
const fn body(plain: &[u8]) -> Result<&[u8], CodecError> {
    match plain {
        [VERSION, body @ ..] => Ok(body),
        [MOVED] => Err(CodecError::Moved),
        [version, ..] => Err(CodecError::Version(*version)),
        [] => Err(CodecError::Malformed),
    }
}
