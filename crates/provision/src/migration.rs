//! Google Authenticator's transfer, `otpauth-migration://offline?data=...`: several keys in one QR
//! code, as base64 of a protocol buffer.
//!
//! There is no published schema; what is here is what the app writes and what others read. It knows
//! six and eight digits and the period of 30 seconds alone.
//!
//! What it refuses: a payload over 16 KiB or 1,000 keys, groups, a field that is there twice or has
//! another wire type than it should, anything cut off. A key that means nothing (MD5, a negative
//! counter) does not spoil the others.
//!
//! The reader and the writer of protocol buffers are our own, because a generated one
//! would leave copies of the keys behind, take the last of two secrets, and bring more code than
//! the two messages need.
//!
//! ```
//! use countersign_provision::migration;
//!
//! # fn main() -> Result<(), migration::Error> {
//! let scanned = "otpauth-migration://offline?data=\
//!                CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC";
//! let payload = migration::read(scanned)?;
//! assert_eq!(payload.keys[0].uri.account(), "alice@google.com");
//!
//! let keys: Vec<_> = payload.keys.into_iter().map(|key| key.uri).collect();
//! assert_eq!(migration::write(&keys, 7)?.len(), 1); // one QR code
//! # Ok(())
//! # }
//! ```

mod read;
mod wire;
mod write;

use core::fmt;

pub use self::{read::read, write::write};
use crate::{import::Refused, uri::Parsed};

/// Bytes of a payload, decoded. One QR code holds under 3,000.
const MAX_LEN: usize = 16 << 10;

/// What one QR code of a transfer held.
#[derive(Debug)]
#[must_use]
pub struct Payload {
    /// The keys, in their order.
    pub keys: Vec<Parsed>,
    /// The keys that were left out.
    pub refused: Vec<Refused>,
    /// Which QR code of the transfer it was.
    pub batch: Batch,
}

/// The place of a payload in its transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Batch {
    /// How many QR codes there are; 0 if it was not said.
    pub size: u32,
    /// Which one this is, from 0.
    pub index: u32,
    /// What all of one transfer have in common.
    pub id: u32,
}

/// Why a payload was not read, or not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin with `otpauth-migration://offline?`, or has no `data`, or has two.
    Uri,
    /// The data is not base64.
    Base64,
    /// More than 16 KiB.
    TooLarge,
    /// More than 1,000 keys.
    TooMany,
    /// The protocol buffer is cut off or otherwise not one of this message.
    Wire,
    /// The key at this place, from 1, cannot be said in this format: seven digits, another period
    /// than 30 s, or a Steam key. Give that one an otpauth URI of its own.
    Unsayable {
        /// Its place among the keys given.
        place: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uri => "not an otpauth-migration:// URI with one `data`",
            Self::Base64 => "the data is not base64",
            Self::TooLarge => "the payload is larger than 16 KiB",
            Self::TooMany => "the payload has more than 1000 keys",
            Self::Wire => "the payload is cut off or no transfer of keys",
            Self::Unsayable { place } => {
                return write!(f, "key {place} cannot be said in this format; use its otpauth URI");
            }
        })
    }
}

impl core::error::Error for Error {}
