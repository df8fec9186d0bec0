//! What is counted by address: malformed codes, failed recoveries and failed first factors.
//!
//! They cost no user's ledger and lock nobody out, and nobody needs many of them. Well-formed codes
//! do not pass here: the user's ledger counts those, wherever they come from.
//! Bounded in memory: when it is full, addresses of an earlier minute give way first.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use countersign_otp::UnixTime;

const ADDRESSES: usize = 65_536;
const MINUTE: u64 = 60;

/// Counts by address and minute.
#[derive(Debug)]
pub struct Limiter {
    per_minute: Option<u32>,
    counts: Mutex<HashMap<IpAddr, Count>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    minute: u64,
    seen: u32,
}

impl Limiter {
    /// At most so many in a minute; none: no limit.
    #[must_use]
    pub fn new(per_minute: Option<u32>) -> Self {
        Self { per_minute, counts: Mutex::default() }
    }

    /// May this address go on? It counts nothing.
    ///
    /// # Errors
    /// Seconds until it may.
    pub fn check(&self, address: IpAddr, now: UnixTime) -> Result<(), u64> {
        let Some(limit) = self.per_minute else { return Ok(()) };
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = counts.get(&network(address)).filter(|of| of.minute == now.secs() / MINUTE);
        if seen.is_some_and(|count| count.seen >= limit) { Err(wait(now)) } else { Ok(()) }
    }

    /// Counts one.
    ///
    /// # Errors
    /// Seconds until there may be another.
    pub fn count(&self, address: IpAddr, now: UnixTime) -> Result<(), u64> {
        let Some(limit) = self.per_minute else { return Ok(()) };
        let minute = now.secs() / MINUTE;
        let address = network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ADDRESSES && !counts.contains_key(&address) {
            counts.retain(|_, count| count.minute == minute);
            if counts.len() >= ADDRESSES {
                return Err(wait(now));
            }
        }
        let count = counts.entry(address).or_insert(Count { minute, seen: 0 });
        if count.minute != minute {
            *count = Count { minute, seen: 0 };
        }
        count.seen = count.seen.saturating_add(1);
        if count.seen > limit { Err(wait(now)) } else { Ok(()) }
    }
}

fn wait(now: UnixTime) -> u64 {
    MINUTE.saturating_sub(now.secs() % MINUTE)
}

/// One subscriber has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(std::net::Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(6_000_000 + secs)
    }

    #[test]
    fn so_many_a_minute_and_address() {
        let limiter = Limiter::new(Some(2));
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(limiter.count(one, at(0)), Ok(()));
        assert_eq!(limiter.count(one, at(1)), Ok(()));
        assert_eq!(limiter.count(one, at(50)), Err(10));
        assert_eq!(limiter.count("192.0.2.2".parse().unwrap(), at(50)), Ok(()));
        assert_eq!(limiter.count(one, at(60)), Ok(()));
    }

    #[test]
    fn a_slash_64_is_one_address() {
        let limiter = Limiter::new(Some(1));
        assert_eq!(limiter.count("2001:db8::1".parse().unwrap(), at(0)), Ok(()));
        assert!(limiter.count("2001:db8::ffff:2".parse().unwrap(), at(0)).is_err());
        assert_eq!(limiter.count("2001:db8:0:1::1".parse().unwrap(), at(0)), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::new(Some(1));
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        let most = u32::try_from(ADDRESSES).unwrap();
        for n in 0..most {
            assert_eq!(limiter.count(address(n), at(0)), Ok(()));
        }
        assert!(limiter.count(address(most), at(0)).is_err(), "full");
        assert_eq!(limiter.count(address(most), at(60)), Ok(()), "an earlier minute gives way");
        assert_eq!(limiter.counts.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_address_is_asked_to_wait_before_anything_is_counted() {
        let limiter = Limiter::new(Some(2));
        let (address, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let now = UnixTime::from_secs(60 * 1000 + 10);
        for _ in 0..2 {
            assert_eq!(limiter.check(address, now), Ok(()));
            let _ = limiter.count(address, now);
        }
        assert_eq!(limiter.check(address, now), Err(50));
        assert_eq!(limiter.check(other, now), Ok(()));
        assert_eq!(limiter.check(address, now.saturating_add(50)), Ok(()));
    }
}
