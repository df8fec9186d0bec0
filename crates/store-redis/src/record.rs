//! A record as it stands in Redis: 16 bytes of version, 8 bytes of expiry, then its bytes.
//!
//! The expiry stands in the value, and is judged by the `TIME` that came with it: Redis drops the
//! key itself a while later. So a look never disagrees with the time that it tells.

use countersign_ceremony::port::{Entry, StoreError, Version};
use countersign_otp::UnixTime;

/// How many bytes stand before the record's own.
pub(crate) const HEAD: usize = 24;

/// What stands for no expiry.
const NEVER: u64 = u64::MAX;

/// How much later than its expiry Redis drops a record, in seconds.
const LATER: u64 = 60;

/// Year 9999: what ends after it is never dropped.
const LAST: u64 = 253_402_300_799;

/// What stands before the bytes that are written.
pub(crate) fn head(version: Version, expiry: Option<UnixTime>) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let (first, last) = head.split_at_mut(HEAD - 8);
    first.copy_from_slice(&version.to_bytes());
    last.copy_from_slice(&expiry.map_or(NEVER, UnixTime::secs).to_be_bytes());
    head
}

/// When Redis drops the key of a record that ends, in seconds of Unix time. None: never.
pub(crate) fn dropped(expiry: Option<UnixTime>) -> Option<u64> {
    let end = expiry?.secs().saturating_add(LATER);
    (end <= LAST).then_some(end)
}

/// What a value that was read says at this time.
pub(crate) fn read(
    mut value: Vec<u8>,
    now: UnixTime,
) -> Result<Option<(Entry, Option<UnixTime>)>, StoreError> {
    let (version, rest) = value.split_first_chunk::<16>().ok_or(StoreError::Corrupt)?;
    let (end, _) = rest.split_first_chunk::<8>().ok_or(StoreError::Corrupt)?;
    let version = Version::from_bytes(*version);
    let end = u64::from_be_bytes(*end);
    let expiry = (end != NEVER).then(|| UnixTime::from_secs(end));
    if expiry.is_some_and(|end| now >= end) {
        return Ok(None);
    }
    value.drain(..HEAD);
    Ok(Some((Entry { version, bytes: value }, expiry)))
}

#[cfg(test)]
mod tests {
    use countersign_ceremony::port::WriteId;

    use super::*;

    const fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn a_value_says_what_was_written_until_its_second() {
        let version = Version::ABSENT.next(WriteId([7; 8]));
        let written = [&head(version, Some(at(1000)))[..], b"sealed"].concat();
        let (entry, expiry) = read(written.clone(), at(999)).unwrap().unwrap();
        assert_eq!((entry.version, entry.bytes.as_slice()), (version, &b"sealed"[..]));
        assert_eq!(expiry, Some(at(1000)));
        assert_eq!(read(written, at(1000)), Ok(None));
        let forever = head(version, None).to_vec();
        assert_eq!(read(forever, at(u64::MAX)).unwrap().unwrap().1, None);
    }

    #[test]
    fn what_is_too_short_is_corrupt() {
        for length in [0, 15, 16, 23] {
            assert_eq!(read(vec![1; length], at(0)), Err(StoreError::Corrupt));
        }
        assert!(read(vec![1; HEAD], at(0)).unwrap().is_some());
    }

    #[test]
    fn redis_drops_later_than_the_end_and_never_beyond_what_it_can_count() {
        assert_eq!(dropped(Some(at(1000))), Some(1060));
        assert_eq!(dropped(Some(at(u64::MAX - 1))), None);
        assert_eq!(dropped(None), None);
    }
}
