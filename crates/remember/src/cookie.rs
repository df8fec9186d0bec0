//! The value of the device cookie: up to five entries of (family, secret), one a user.
//!
//! A browser that several people use carries an entry for each; a login touches its own user's and
//! keeps the others. What is malformed, of another version or too long is an empty cookie and never
//! an error: a cookie may cost a second factor, it may not break a login (D-09). Fields have fixed
//! lengths, so that no two cookies have one value, and no cookie two (D-10).

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_token::FamilyId;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The first byte of a value: its format.
const VERSION: u8 = 1;
const SECRET: usize = 32;
const ENTRY: usize = FamilyId::LEN + SECRET;
const MOST: usize = 5;
const BYTES: usize = 1 + MOST * ENTRY;
/// The characters of [`BYTES`] in base64url.
const CHARS: usize = BYTES.div_ceil(3) * 4;

/// The value of a device cookie.
#[derive(Clone, Default)]
pub struct Cookie(Vec<Entry>);

/// One user's entry.
#[derive(Clone)]
pub struct Entry {
    family: FamilyId,
    secret: [u8; SECRET],
}

impl Entry {
    /// Which browser this is, for one user.
    #[must_use]
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    /// What proves it.
    #[must_use]
    pub const fn secret(&self) -> &[u8; SECRET] {
        &self.secret
    }
}

impl Cookie {
    /// How many entries it has at most.
    pub const MOST: usize = MOST;

    /// Reads a value. Anything that no cookie is written as is an empty cookie.
    #[must_use]
    pub fn parse(value: &str) -> Self {
        let mut room = [0; BYTES];
        if value.len() > CHARS {
            return Self::default();
        }
        let cookie = match Base64UrlUnpadded::decode(value, &mut room) {
            Ok([VERSION, rest @ ..]) => Self::read(rest),
            _ => None,
        };
        room.zeroize();
        cookie.unwrap_or_default()
    }

    /// Its entry of this family.
    #[must_use]
    pub fn entry(&self, family: FamilyId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.family == family)
    }

    /// Its entries, newest last.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The same with this entry: it replaces one of its family, and beyond five the oldest go.
    #[must_use]
    pub fn with(self, family: FamilyId, secret: [u8; SECRET]) -> Self {
        let Self(mut entries) = self.without(family);
        entries.push(Entry { family, secret });
        let excess = entries.len().saturating_sub(MOST);
        entries.drain(..excess);
        Self(entries)
    }

    /// The same without an entry of this family.
    #[must_use]
    pub fn without(self, family: FamilyId) -> Self {
        let Self(mut entries) = self;
        entries.retain(|entry| entry.family != family);
        Self(entries)
    }

    /// Whole entries, one a family: two would be two guesses at it.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (entries, []) = bytes.as_chunks::<ENTRY>() else { return None };
        let mut cookie = Self::default();
        for entry in entries {
            let entry = Entry::read(entry)?;
            if cookie.entry(entry.family).is_some() {
                return None;
            }
            cookie.0.push(entry);
        }
        Some(cookie)
    }
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (family, secret) = bytes.split_first_chunk::<{ FamilyId::LEN }>()?;
        Some(Self { family: FamilyId::from_bytes(*family), secret: secret.try_into().ok()? })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl ZeroizeOnDrop for Entry {}

impl fmt::Display for Cookie {
    /// The value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        for Entry { family, secret } in &self.0 {
            bytes.extend_from_slice(family.as_bytes());
            bytes.extend_from_slice(secret);
        }
        let mut text = [0; CHARS];
        let written = Base64UrlUnpadded::encode(&bytes, &mut text).map_err(|_| fmt::Error)?;
        let written = f.write_str(written);
        bytes.zeroize();
        text.zeroize();
        written
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, secret: _ } = self;
        f.debug_struct("Entry").field("family", family).finish_non_exhaustive()
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn family(n: u8) -> FamilyId {
        FamilyId::from_bytes([n; 16])
    }

    fn pairs(cookie: &Cookie) -> Vec<(FamilyId, [u8; 32])> {
        cookie.entries().iter().map(|entry| (entry.family(), *entry.secret())).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entries in prop::collection::vec((any::<[u8; 16]>(), any::<[u8; 32]>()), 0..9)) {
            let mut cookie = Cookie::default();
            for (id, secret) in &entries {
                cookie = cookie.with(FamilyId::from_bytes(*id), *secret);
            }
            let value = cookie.to_string();
            prop_assert!(value.len() <= CHARS && value.len() < 1024);
            prop_assert_eq!(pairs(&Cookie::parse(&value)), pairs(&cookie));
            prop_assert!(cookie.entries().len() <= Cookie::MOST);
        }

        /// D-10: what is read as a cookie is the one value of it.
        #[test]
        fn no_cookie_has_two_values(bytes in prop::collection::vec(any::<u8>(), 0..260), version in 0..3_u8) {
            let value = Base64UrlUnpadded::encode_string(&[&[version], &bytes[..]].concat());
            let cookie = Cookie::parse(&value);
            if !cookie.entries().is_empty() {
                prop_assert_eq!(cookie.to_string(), value);
            }
        }

        #[test]
        fn nothing_breaks_it(value in "\\PC{0,600}") {
            prop_assert!(Cookie::parse(&value).entries().len() <= Cookie::MOST);
        }
    }

    #[test]
    fn one_entry_a_family_and_the_oldest_gives_way() {
        let mut cookie = Cookie::default();
        for n in 0..6 {
            cookie = cookie.with(family(n), [n; 32]);
        }
        cookie = cookie.with(family(3), [9; 32]);
        let kept: Vec<_> = pairs(&cookie);
        assert_eq!(kept.iter().map(|pair| pair.0).collect::<Vec<_>>(), [1, 2, 4, 5, 3].map(family));
        assert_eq!(kept.last(), Some(&(family(3), [9; 32])));
        assert_eq!(cookie.without(family(3)).entries().len(), 4);
    }

    /// D-09: an older or a newer format is no cookie.
    #[test]
    fn another_version_is_empty() {
        let written =
            |version| Base64UrlUnpadded::encode_string(&[&[version], &[1; ENTRY][..]].concat());
        assert_eq!(Cookie::parse(&written(VERSION)).entries().len(), 1);
        for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
            assert!(Cookie::parse(&written(version)).entries().is_empty(), "{version}");
        }
    }

    #[test]
    fn a_cut_a_padded_a_doubled_and_a_huge_one_are_empty() {
        let value = Cookie::default().with(family(1), [1; 32]).to_string();
        let bytes = [&[1; 16][..], &[1; 32], &[1; 16], &[2; 32]].concat();
        let twice = Base64UrlUnpadded::encode_string(&[&[VERSION], &bytes[..]].concat());
        let six = Base64UrlUnpadded::encode_string(&[&[VERSION], &[0; 6 * ENTRY][..]].concat());
        let padded = format!("{value}==");
        let huge = "A".repeat(1_000_000);
        for bad in ["", "!", &value[..value.len() - 4], &padded, &twice, &six, &huge] {
            assert!(Cookie::parse(bad).entries().is_empty());
        }
    }

    /// D-10: ids that join to the same bytes are other cookies.
    #[test]
    fn entries_are_told_apart_by_their_places() {
        let one = Cookie::default().with(family(1), [2; 32]).with(family(3), [4; 32]);
        let other = Cookie::default().with(family(3), [4; 32]).with(family(1), [2; 32]);
        assert_ne!(one.to_string(), other.to_string());
        assert_eq!(one.entry(family(3)).map(Entry::secret), Some(&[4; 32]));
        assert!(one.entry(family(2)).is_none());
    }

    /// E-17.
    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Cookie::default().with(family(1), [77; 32]));
        assert!(!shown.contains("77") && !shown.contains("4d4d"), "{shown}");
    }
}
