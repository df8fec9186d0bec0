//! Why a ring was refused, where, and how to mend it. Never what stood there.

use core::fmt;

use crate::{KeyId, Ring, WrapError};

/// Why there is no ring. Lines are counted from 1.
#[derive(Debug)]
#[non_exhaustive]
pub enum RingError {
    /// The first line is not that of a key file, or of a version this one cannot read.
    Header,
    /// A line that is neither root, key, newest nor comment.
    UnknownLine {
        /// Its number.
        line: usize,
    },
    /// A key that is not 32 bytes in base64url.
    BadKey {
        /// The number of its line.
        line: usize,
    },
    /// A key id that is not a plain number below 2^32.
    BadId {
        /// The number of its line.
        line: usize,
    },
    /// A root, a key id or a `newest` that an earlier line had already.
    Duplicate {
        /// The number of the later line.
        line: usize,
    },
    /// No root.
    NoRoot,
    /// No sealing key.
    NoKey,
    /// More than [`Ring::MAX_KEYS`] keys, or no number left.
    TooManyKeys,
    /// A key whose bytes are all the same.
    Placeholder,
    /// Two keys, or a key and the root, with one secret.
    SameSecret,
    /// The key named is not in the ring, or is the one that seals and cannot be taken out.
    NoSuchKey(KeyId),
    /// The generator failed.
    Random,
    /// The key management service refused.
    Wrap(WrapError),
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str(
                "not a key file of this version: its first line must be `countersign-keys 1`, or \
                 `countersign-wrapped-keys 1` where a key management service unwraps it",
            ),
            Self::UnknownLine { line } => write!(
                f,
                "line {line}: expected `root <key>`, `key <number> <key>`, `newest <number>` or \
                 `# comment`"
            ),
            Self::BadKey { line } => write!(
                f,
                "line {line}: a key is 32 random bytes in base64url without padding, 43 characters"
            ),
            Self::BadId { line } => {
                write!(f, "line {line}: a key's number is 0 to 4294967295, without leading zeros")
            }
            Self::Duplicate { line } => {
                write!(f, "line {line}: given before; remove one of the two lines")
            }
            Self::NoRoot => {
                f.write_str("no `root` line: restore the root this database began with")
            }
            Self::NoKey => f.write_str("no `key` line: add one"),
            Self::TooManyKeys => {
                write!(f, "more than {} keys: re-seal, then remove the oldest", Ring::MAX_KEYS)
            }
            Self::Placeholder => f.write_str(
                "a key whose bytes are all the same is a placeholder: generate the ring afresh",
            ),
            Self::SameSecret => {
                f.write_str("two lines hold the same secret: each key needs one of its own")
            }
            Self::NoSuchKey(id) => {
                write!(f, "key {id} is not in the ring, or is the one that seals: name another")
            }
            Self::Random => f.write_str("the generator failed: no key was made"),
            Self::Wrap(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RingError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Wrap(error) => Some(error),
            _ => None,
        }
    }
}

impl From<WrapError> for RingError {
    fn from(error: WrapError) -> Self {
        Self::Wrap(error)
    }
}
