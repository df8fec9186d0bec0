//! How records and events become bytes: the number of an encoding, then postcard, sealed whole by the vault.
//!
//! An [`Encoding`] is read one release before it is written, so that nodes of two releases serve side by side. A node
//! that meets one it cannot read refuses; it never drops anything.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use countersign_vault::{KeyId, Purpose, Vault};

use crate::audit::Audit;
use crate::port::{EventId, EventRow, Key};

const RECORD: Purpose = Purpose::new("record");
const EVENT: Purpose = Purpose::new("event");

/// How what a record holds is written. This release reads each of them, and writes the one that the operator names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Encoding {
    /// 1: postcard. What every release so far reads.
    #[default]
    Plain,
    /// 2: the same, padded (ISO/IEC 7816-4) to a multiple of [`PADDED_TO`](Self::PADDED_TO) bytes, so that the length of
    /// a row does not count a user's devices, logins and browsers for whoever reads the database.
    Padded,
}

impl Encoding {
    /// All, the oldest first.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Padded];

    /// Of how many bytes the padded length is a multiple.
    pub const PADDED_TO: usize = 256;

    /// Its number, which stands before everything that is written in it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Plain => 1,
            Self::Padded => 2,
        }
    }

    /// The encoding of a number; none for one that this release does not read.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.number() == number)
    }

    /// How many bytes follow a body of so many.
    fn padding(self, body: usize) -> usize {
        match self {
            Self::Plain => 0,
            // At least the mark; the number goes before.
            Self::Padded => {
                let least = body.saturating_add(2);
                least.next_multiple_of(Self::PADDED_TO).saturating_sub(body.saturating_add(1))
            }
        }
    }
}

/// What stands between a padded body and its zeros.
const PADDING: u8 = 0x80;

/// How long what a record holds is thought to be: what it outgrows is copied and wiped, and all of it is wiped at last.
const RECORDS: usize = 1024;

/// The same of an event.
const AUDITS: usize = 160;

/// Events have one encoding.
const EVENTS: Encoding = Encoding::Plain;

/// In place of an encoding: the record has moved to another database, and nothing is left of it here.
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
                let newest = Encoding::ALL.map(Encoding::number).into_iter().max().unwrap_or(0);
                write!(
                    f,
                    "a record has encoding {version}, this release reads those up to {newest}"
                )
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
    encoding: Encoding,
    key: Key,
    nonce: [u8; 24],
    value: &T,
) -> Result<Vec<u8>, CodecError> {
    let plain = write(encoding, RECORDS, value)?;
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

/// In which encoding a record is, where the vault opens it and this release reads it.
///
/// # Errors
/// Any [`CodecError`] but [`CodecError::Unwritable`].
pub fn check(vault: &dyn Vault, key: Key, sealed: &[u8]) -> Result<Encoding, CodecError> {
    let plain = vault.open(RECORD, &[key.as_bytes()], sealed).map_err(|_| CodecError::Sealed)?;
    body(&plain).map(|(encoding, _)| encoding)
}

/// Seals what a record holds, whatever it is, under the vault's newest key: in this encoding, or in its own. The mark of
/// what has moved stays one.
///
/// # Errors
/// [`CodecError::Sealed`], [`CodecError::Unwritable`]; and for another encoding what [`check`] says.
pub fn reseal(
    vault: &dyn Vault,
    encoding: Option<Encoding>,
    key: Key,
    nonce: [u8; 24],
    sealed: &[u8],
) -> Result<Vec<u8>, CodecError> {
    let plain = vault.open(RECORD, &[key.as_bytes()], sealed).map_err(|_| CodecError::Sealed)?;
    let plain = match (encoding, body(&plain)) {
        (None, _) | (_, Err(CodecError::Moved)) => plain,
        (Some(encoding), Ok((_, body))) => {
            let mut plain = begun(encoding, body.len());
            plain.extend_from_slice(body);
            pad(encoding, &mut plain, body.len());
            plain
        }
        (Some(_), Err(error)) => return Err(error),
    };
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
    let plain = write(EVENTS, AUDITS, audit)?;
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

fn write<T: Serialize>(
    encoding: Encoding,
    room: usize,
    value: &T,
) -> Result<Zeroizing<Vec<u8>>, CodecError> {
    let written = postcard::serialize_with_flavor(value, Written(begun(encoding, room)));
    let mut written = written.map_err(|_| CodecError::Unwritable)?;
    let body = written.0.len().saturating_sub(1);
    written.make_room(encoding.padding(body));
    let room = written.0.capacity();
    pad(encoding, &mut written.0, body);
    debug_assert_eq!(written.0.capacity(), room);
    Ok(written.0)
}

/// What is being written. It grows by moving into another buffer, and wipes the one that it leaves.
struct Written(Zeroizing<Vec<u8>>);

impl Written {
    /// Asked before whatever is appended, so that the vector never grows by itself: it would leave behind what it outgrew.
    #[inline]
    fn make_room(&mut self, more: usize) {
        if self.0.capacity().saturating_sub(self.0.len()) < more {
            self.move_on(more);
        }
    }

    #[cold]
    fn move_on(&mut self, more: usize) {
        let room = self.0.len().saturating_add(more).max(self.0.capacity().saturating_mul(2));
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(&self.0);
        self.0 = larger;
    }
}

impl Flavor for Written {
    type Output = Self;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.make_room(1);
        let room = self.0.capacity();
        self.0.push(byte);
        debug_assert_eq!(self.0.capacity(), room);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.make_room(bytes.len());
        let room = self.0.capacity();
        self.0.extend_from_slice(bytes);
        debug_assert_eq!(self.0.capacity(), room);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Self> {
        Ok(self)
    }
}

/// The number of an encoding, and room for a body of this length and what ends it.
fn begun(encoding: Encoding, body: usize) -> Zeroizing<Vec<u8>> {
    let room = body.saturating_add(encoding.padding(body)).saturating_add(1);
    let mut plain = Zeroizing::new(Vec::with_capacity(room));
    plain.push(encoding.number());
    plain
}

/// Ends a body of this length.
fn pad(encoding: Encoding, plain: &mut Vec<u8>, body: usize) {
    let padding = encoding.padding(body);
    if padding > 0 {
        let end = plain.len().saturating_add(padding);
        plain.push(PADDING);
        plain.resize(end, 0);
    }
}

fn read<T: DeserializeOwned>(plain: &[u8]) -> Result<T, CodecError> {
    match postcard::take_from_bytes(body(plain)?.1) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(CodecError::Malformed),
    }
}

/// Which encoding it is, and what is written in it.
fn body(plain: &[u8]) -> Result<(Encoding, &[u8]), CodecError> {
    let (number, rest) = match plain {
        [MOVED] => return Err(CodecError::Moved),
        [number, rest @ ..] => (*number, rest),
        [] => return Err(CodecError::Malformed),
    };
    let encoding = Encoding::from_number(number).ok_or(CodecError::Version(number))?;
    let body = match encoding {
        Encoding::Plain => rest,
        Encoding::Padded => {
            let end = rest.iter().rposition(|byte| *byte != 0);
            let end = end.filter(|end| rest.get(*end) == Some(&PADDING));
            end.and_then(|end| rest.get(..end)).ok_or(CodecError::Malformed)?
        }
    };
    Ok((encoding, body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn length(encoding: Encoding, value: &[u8]) -> usize {
        write(encoding, 8, &value).unwrap().len()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_in_every_encoding(value: Vec<u8>) {
            for encoding in Encoding::ALL {
                let plain = write(encoding, 8, &value).unwrap();
                // What is too large takes long to wipe.
                let least = begun(encoding, 8).capacity();
                prop_assert!(plain.capacity() <= plain.len().saturating_mul(2).max(least));
                prop_assert_eq!(&read::<Vec<u8>>(&plain).unwrap(), &value);
                prop_assert_eq!(body(&plain).unwrap().0, encoding);
            }
        }

        #[test]
        fn what_outgrows_its_room_is_moved_and_nothing_is_lost(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 0..12),
        ) {
            let expected = [vec![1], postcard::to_allocvec(&pieces).unwrap()].concat();
            prop_assert_eq!(&*write(Encoding::Plain, 40, &pieces).unwrap(), &expected);
        }

        #[test]
        fn padded_bytes_that_are_cut_or_lengthened_are_refused(value: Vec<u8>, cut in 1_usize..300) {
            let plain = write(Encoding::Padded, 8, &value).unwrap();
            let cut = plain.len().saturating_sub(cut);
            let unlike = |read: Result<Vec<u8>, _>| read.is_err() || read.unwrap() == value;
            prop_assert!(unlike(read(&plain[..cut])));
            prop_assert!(read::<Vec<u8>>(&[&plain[..], &[1]].concat()).is_err());
        }
    }

    #[test]
    fn a_padded_length_says_nothing_within_a_step() {
        // One byte for the number, one or two for postcard's length, one for the mark.
        assert_eq!(length(Encoding::Padded, &[]), 256);
        assert_eq!(length(Encoding::Padded, &[7; 252]), 256);
        assert_eq!(length(Encoding::Padded, &[0; 253]), 512);
        assert_eq!(length(Encoding::Padded, &[0; 508]), 512);
        assert_eq!(length(Encoding::Plain, &[7; 100]), 102);
    }

    #[test]
    fn encodings_that_are_not_known_are_named() {
        assert_eq!(body(&[3, 0]), Err(CodecError::Version(3)));
        assert_eq!(body(&[MOVED]), Err(CodecError::Moved));
        assert_eq!(body(&[]), Err(CodecError::Malformed));
        assert_eq!(body(&[2]), Err(CodecError::Malformed), "without a mark");
        assert_eq!(body(&[2, 5, 0, 0]), Err(CodecError::Malformed), "with another mark");
        assert!(CodecError::Version(3).to_string().contains("up to 2"));
    }
}
