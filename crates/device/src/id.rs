//! Ids that we draw ourselves: 16 random bytes, shown as a UUID (RFC 9562, version 4).
//!
//! One type a kind, so that the id of a login is never taken for that of a device (B-07).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An id of a kind `K`.
pub struct Id<K>([u8; 16], PhantomData<fn() -> K>);

/// The kinds of ids.
pub mod kind {
    /// An enrolled factor.
    #[derive(Debug)]
    pub enum Device {}
    /// A login: a first factor passed, the second awaited.
    #[derive(Debug)]
    pub enum Login {}
    /// A session, and the family of its refresh tokens.
    #[derive(Debug)]
    pub enum Session {}
    /// A challenge: a code that was sent.
    #[derive(Debug)]
    pub enum Challenge {}
}

/// The id of a device.
pub type DeviceId = Id<kind::Device>;
/// The id of a login.
pub type LoginId = Id<kind::Login>;
/// The id of a session.
pub type SessionId = Id<kind::Session>;
/// The id of a challenge.
pub type ChallengeId = Id<kind::Challenge>;

/// A text that is no id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 32 lower-case hexadecimal digits in the groups of a UUID")
    }
}

impl std::error::Error for IdError {}

impl<K> Id<K> {
    /// The id that nothing has: never drawn, because a drawn one carries its UUID version.
    pub const NONE: Self = Self([0; 16], PhantomData);

    /// Where the dashes of a UUID stand.
    const DASHES: [usize; 4] = [8, 13, 18, 23];

    /// An id of random bytes, of which 122 bits stay random.
    #[must_use]
    pub const fn from_random_bytes(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes, PhantomData)
    }

    /// The id of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes, PhantomData)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the form that [`Display`](fmt::Display) writes, and no other.
    ///
    /// # Errors
    /// [`IdError`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != 36 {
            return Err(IdError);
        }
        let mut bytes = [0; 16];
        let mut nibbles = 0_usize;
        for (at, byte) in text.bytes().enumerate() {
            if Self::DASHES.contains(&at) {
                if byte != b'-' {
                    return Err(IdError);
                }
                continue;
            }
            let nibble = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(IdError),
            };
            let place = bytes.get_mut(nibbles / 2).ok_or(IdError)?;
            *place = (*place << 4) | nibble;
            nibbles += 1;
        }
        Ok(Self(bytes, PhantomData))
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// 16 bytes in a compact encoding; the UUID form where people read it.
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let text = std::borrow::Cow::<str>::deserialize(from)?;
            return Self::parse(&text).map_err(serde::de::Error::custom);
        }
        <[u8; 16]>::deserialize(from).map(Self::from_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: [u8; 16]) {
            let id = DeviceId::from_random_bytes(bytes);
            prop_assert_eq!(DeviceId::parse(&id.to_string()), Ok(id));
            prop_assert_ne!(id, DeviceId::NONE);
        }

        #[test]
        fn nothing_else_is_read(text in ".{0,40}") {
            if let Ok(id) = DeviceId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn it_looks_like_a_uuid() {
        let id = LoginId::from_random_bytes([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(LoginId::parse("ffffffff-ffff-4fff-bfff-fffffffffffF").is_err());
        assert!(LoginId::parse("ffffffff_ffff-4fff-bfff-ffffffffffff").is_err());
    }
}
