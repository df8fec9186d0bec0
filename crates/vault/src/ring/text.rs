//! The text of a key file, and the same wrapped by a key management service.
//!
//! ```text
//! countersign-keys 1
//! root 43 characters of base64url
//! key 1 43 characters of base64url
//! key 2 43 characters of base64url
//! newest 1
//! ```
//! `newest` names the key that seals, by default the one with the highest number. Empty lines and
//! lines that begin with `#` are skipped; everything else that is not of these forms is refused.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Write;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::{Ring, RingError};
use crate::key::{self, Key};
use crate::{KeyId, KeyWrap};

const PLAIN: &str = "countersign-keys 1";
const WRAPPED: &str = "countersign-wrapped-keys 1";
/// 32 bytes in base64url without padding.
const KEY_CHARS: usize = 43;

impl Ring {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`RingError`], with the number of the line, never its content.
    pub fn parse(text: &str) -> Result<Self, RingError> {
        let mut lines = text.lines().map(str::trim_end).zip(1..);
        if lines.next().is_none_or(|(first, _)| first != PLAIN) {
            return Err(RingError::Header);
        }
        let (mut root, mut keys, mut newest) = (None, BTreeMap::new(), None);
        for (content, line) in lines {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let mut words = content.split_ascii_whitespace();
            let duplicate = match (words.next(), words.next(), words.next(), words.next()) {
                (Some("root"), Some(key), None, None) => {
                    root.replace(read_key(key, line)?).is_some()
                }
                (Some("key"), Some(id), Some(key), None) => {
                    keys.insert(read_id(id, line)?, read_key(key, line)?).is_some()
                }
                (Some("newest"), Some(id), None, None) => {
                    newest.replace(read_id(id, line)?).is_some()
                }
                _ => return Err(RingError::UnknownLine { line }),
            };
            if duplicate {
                return Err(RingError::Duplicate { line });
            }
        }
        let root = root.ok_or(RingError::NoRoot)?;
        let highest = keys.keys().next_back().copied().ok_or(RingError::NoKey)?;
        Self::assemble(root, keys, newest.unwrap_or(highest))
    }

    /// The text of a key file: every secret in the clear. [`parse`](Self::parse) reads it back.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(128 + self.keys.len() * 64));
        let mut chars = Zeroizing::new([0; KEY_CHARS]);
        let _ = writeln!(text, "{PLAIN}\nroot {}", write_key(&self.root, &mut chars));
        for (id, key) in &self.keys {
            let _ = writeln!(text, "key {id} {}", write_key(key, &mut chars));
        }
        let _ = writeln!(text, "newest {}", self.newest);
        text
    }

    /// Whether a key file's text is a wrapped ring's, as its first line says.
    #[must_use]
    pub fn is_wrapped(text: &str) -> bool {
        text.lines().next().map(str::trim_end) == Some(WRAPPED)
    }

    /// Reads what [`to_wrapped_text`](Self::to_wrapped_text) wrote, asking the key management
    /// service once.
    ///
    /// # Errors
    /// [`RingError`]; [`RingError::Wrap`] is the service's own.
    pub fn parse_wrapped(text: &str, kms: &dyn KeyWrap) -> Result<Self, RingError> {
        let body = text.strip_prefix(WRAPPED).ok_or(RingError::Header)?;
        let body = body.strip_prefix('\r').unwrap_or(body);
        let body = body.strip_prefix('\n').ok_or(RingError::Header)?.trim_end();
        let wrapped =
            Base64UrlUnpadded::decode_vec(body).map_err(|_| RingError::BadKey { line: 2 })?;
        let text = kms.unwrap(&wrapped)?;
        Self::parse(core::str::from_utf8(&text).map_err(|_| RingError::Header)?)
    }

    /// The text of a wrapped key file: worth nothing without the service.
    ///
    /// # Errors
    /// [`RingError::Wrap`].
    pub fn to_wrapped_text(&self, kms: &dyn KeyWrap) -> Result<String, RingError> {
        let wrapped = kms.wrap(self.to_text().as_bytes())?;
        Ok(alloc::format!("{WRAPPED}\n{}\n", Base64UrlUnpadded::encode_string(&wrapped)))
    }
}

fn read_key(text: &str, line: usize) -> Result<Key, RingError> {
    let mut secret = Box::new(Zeroizing::new([0; key::LEN]));
    match Base64UrlUnpadded::decode(text, secret.as_mut_slice()) {
        Ok(bytes) if bytes.len() == key::LEN => Ok(Key::new(secret)),
        _ => Err(RingError::BadKey { line }),
    }
}

fn read_id(text: &str, line: usize) -> Result<KeyId, RingError> {
    let canonical =
        text == "0" || text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| canonical);
    number.map(KeyId::new).ok_or(RingError::BadId { line })
}

fn write_key<'a>(key: &Key, chars: &'a mut [u8; KEY_CHARS]) -> &'a str {
    // Fails only where the buffer is too small, and 43 characters hold 32 bytes; an empty key would
    // not parse.
    Base64UrlUnpadded::encode(key.secret(), chars).unwrap_or_default()
}
