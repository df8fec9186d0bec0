//! Import from the plain exports of Aegis, andOTP and 2FAS.
//!
//! What it is: three small readers of JSON that end in the same judgement as an otpauth URI, so
//! that one key means the same wherever it comes from. There is no standard; the sources are the
//! apps' own documentation and exports.
//!
//! What it refuses: a file over 4 MiB or 10,000 keys, an encrypted export (the app exports a plain
//! one, and this crate asks for no password), a file of another shape. A key that means nothing
//! does not spoil the others: it is listed with its place and the reason.
//!
//! Which attack: the file is a stranger's. Depth and size are bounded before anything is built, and
//! a secret is decoded where it stands in the input, without a copy between. Wipe the input.
//!
//! ```
//! use countersign_provision::import;
//!
//! # fn main() -> Result<(), import::Error> {
//! let file = br#"[{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","issuer":"Example","label":"alice",
//!                  "type":"TOTP","algorithm":"SHA1","digits":6,"period":30},
//!                 {"secret":"MFRGG","label":"bob","type":"HOTP","algorithm":"SHA1","digits":6}]"#;
//! let import = import::andotp(file)?;
//! assert_eq!(import.keys[0].uri.account(), "alice");
//! assert_eq!(import.refused[0].to_string(), "entry 2 (bob): hotp needs its counter");
//! # Ok(())
//! # }
//! ```

mod aegis;
mod andotp;
mod json;
mod twofas;

use core::fmt;
use std::borrow::Cow;

pub use self::{aegis::aegis, andotp::andotp, twofas::twofas};
use crate::uri::{Parsed, Query, ReadError, base32, judged};

/// Bytes of a file; ten thousand keys with their icons left out take a quarter of it.
const MAX_LEN: usize = 4 << 20;

/// Keys in a file.
const MAX_KEYS: usize = 10_000;

/// What a file held.
#[derive(Debug, Default)]
#[must_use]
pub struct Import {
    /// The keys, in their order, each with what was forgiven.
    pub keys: Vec<Parsed>,
    /// The entries that were left out.
    pub refused: Vec<Refused>,
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the file, from 1.
    pub place: usize,
    /// What the file calls it, without control characters.
    pub name: String,
    /// Why.
    pub reason: ReadError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} ({}): {}", self.place, self.name, self.reason)
    }
}

/// Why a file was not read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// More than 4 MiB. Export without icons, or in parts.
    TooLarge,
    /// More than 10,000 keys.
    TooMany,
    /// Not JSON, or not an export of this app.
    Format,
    /// Encrypted. Export it again, in plain.
    Encrypted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the file is larger than 4 MiB; export without icons",
            Self::TooMany => "the file has more than 10000 keys",
            Self::Format => "the file is not an export of this app",
            Self::Encrypted => "the export is encrypted; export it again, in plain",
        })
    }
}

impl core::error::Error for Error {}

/// One entry of a file, in the words of the otpauth URI.
struct Entry<'a> {
    kind: String,
    label: String,
    /// Borrowed from the file, if it stands there without escapes, as base32 does.
    secret: Cow<'a, str>,
    query: Query,
}

fn checked(file: &[u8]) -> Result<&[u8], Error> {
    if file.len() > MAX_LEN { Err(Error::TooLarge) } else { Ok(file) }
}

impl Import {
    fn of<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Result<Self, Error> {
        let mut import = Self::default();
        for (place, entry) in (1..).zip(entries) {
            if place > MAX_KEYS {
                return Err(Error::TooMany);
            }
            match entry.judged() {
                Ok(key) => import.keys.push(key),
                Err(reason) => {
                    let name = entry.label.replace(char::is_control, "-");
                    import.refused.push(Refused { place, name, reason });
                }
            }
        }
        Ok(import)
    }
}

impl Entry<'_> {
    fn judged(&self) -> Result<Parsed, ReadError> {
        let (prefix, account) = split(&self.label, self.query.issuer.as_deref());
        judged(&self.kind, prefix, account, &self.query, |warnings| {
            base32(self.secret.as_bytes(), warnings)
        })
    }
}

/// Some apps keep the whole label as the name. The issuer before it is dropped where it says the
/// same as the issuer's own field, and taken where that field is empty.
pub(crate) fn split<'a>(label: &'a str, issuer: Option<&str>) -> (Option<&'a str>, &'a str) {
    match (label.split_once(':'), issuer.map(str::trim).filter(|issuer| !issuer.is_empty())) {
        (_, Some(issuer)) => {
            let after = label.strip_prefix(issuer).and_then(|rest| rest.strip_prefix(':'));
            (None, after.unwrap_or(label))
        }
        (Some((issuer, account)), None) => (Some(issuer), account),
        (None, None) => (None, label),
    }
}
