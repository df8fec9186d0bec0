//! What every enrolled factor goes through: made, used, failed at, locked.

use std::fmt;

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::seconds;

/// When a factor was made and used, and how often in a row it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Row", into = "Row")]
pub(crate) struct Life {
    created: UnixTime,
    last_used: Option<UnixTime>,
    failures: u8,
}

impl Life {
    /// How many failures in a row one factor takes at most: then it answers no more, and must be
    /// bound again (NIST SP 800-63B-4, 3.2.2; C-09).
    pub(crate) const FAILURES_IN_A_ROW: u8 = 100;

    pub(crate) const fn begin(now: UnixTime) -> Self {
        Self { created: now, last_used: None, failures: 0 }
    }

    pub(crate) const fn created(&self) -> UnixTime {
        self.created
    }

    pub(crate) const fn last_used(&self) -> Option<UnixTime> {
        self.last_used
    }

    pub(crate) const fn failures(&self) -> u8 {
        self.failures
    }

    pub(crate) const fn is_locked(&self) -> bool {
        self.failures >= Self::FAILURES_IN_A_ROW
    }

    pub(crate) const fn fail(&mut self) {
        if !self.is_locked() {
            self.failures += 1;
        }
    }

    /// A success forgives the failures before it. It does not unlock: what is locked is not judged.
    pub(crate) const fn succeed(&mut self, now: UnixTime) {
        if !self.is_locked() {
            self.failures = 0;
            self.last_used = Some(now);
        }
    }

    pub(crate) const fn lock(&mut self) {
        self.failures = Self::FAILURES_IN_A_ROW;
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(with = "seconds")]
    created: UnixTime,
    #[serde(with = "seconds::option")]
    last_used: Option<UnixTime>,
    failures: u8,
}

/// A stored count that no factor reaches.
#[derive(Debug)]
struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored factor has more failures than any can")
    }
}

impl From<Life> for Row {
    fn from(Life { created, last_used, failures }: Life) -> Self {
        Self { created, last_used, failures }
    }
}

impl TryFrom<Row> for Life {
    type Error = Corrupt;

    fn try_from(Row { created, last_used, failures }: Row) -> Result<Self, Corrupt> {
        if failures > Self::FAILURES_IN_A_ROW {
            return Err(Corrupt);
        }
        Ok(Self { created, last_used, failures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    #[test]
    fn a_hundred_failures_in_a_row_lock_for_good() {
        let mut life = Life::begin(NOW);
        (0..99).for_each(|_| life.fail());
        assert!(!life.is_locked());
        life.succeed(NOW);
        assert_eq!((life.failures(), life.last_used()), (0, Some(NOW)));
        (0..1000).for_each(|_| life.fail());
        assert!(life.is_locked());
        life.succeed(NOW.saturating_add(1));
        assert!(life.is_locked());
        assert_eq!((life.failures(), life.last_used()), (100, Some(NOW)));
    }

    #[test]
    fn a_count_that_none_reaches_is_refused() {
        let mut bytes = postcard::to_allocvec(&Life::begin(NOW)).unwrap();
        assert_eq!(postcard::from_bytes::<Life>(&bytes), Ok(Life::begin(NOW)));
        *bytes.last_mut().unwrap() = 100;
        assert!(postcard::from_bytes::<Life>(&bytes).unwrap().is_locked());
        *bytes.last_mut().unwrap() = 101;
        assert!(postcard::from_bytes::<Life>(&bytes).is_err());
        assert!(Corrupt.to_string().contains("more failures"));
    }
}
