//! A tally: how much was done in the running hour and day, in two counts.
//!
//! Hours and days are those of the clock, so a burst over their edge may take two budgets of an
//! hour; the budget of the day bounds it.

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::rules::DAY_SECS;

const HOUR_SECS: u64 = 60 * 60;

/// Not now: after so many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotNow(pub u64);

/// What was done in the running hour and day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    hour: Count,
    day: Count,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Count {
    /// Which hour or day since the epoch.
    period: u64,
    count: u32,
}

impl Tally {
    /// Counts one more.
    ///
    /// # Errors
    /// [`NotNow`]: so many were done in this hour, or in this day.
    pub const fn burn(&mut self, most: (u32, u32), now: UnixTime) -> Result<(), NotNow> {
        let (hour, day) = (self.hour.at(now, HOUR_SECS), self.day.at(now, DAY_SECS));
        if day.count >= most.1 {
            return Err(NotNow(DAY_SECS - now.secs() % DAY_SECS));
        }
        if hour.count >= most.0 {
            return Err(NotNow(HOUR_SECS - now.secs() % HOUR_SECS));
        }
        self.hour = Count { count: hour.count.saturating_add(1), ..hour };
        self.day = Count { count: day.count.saturating_add(1), ..day };
        Ok(())
    }
}

impl Count {
    /// The count of the period that runs now.
    const fn at(self, now: UnixTime, secs: u64) -> Self {
        let period = now.secs() / secs;
        // A node whose clock is ahead may have begun the next one: it is counted on. Beyond that a
        // clock was wrong, and bars nobody.
        if self.period == period || self.period == period.saturating_add(1) {
            return self;
        }
        Self { period, count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day begins here.
    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(20_000 * DAY_SECS + secs)
    }

    #[test]
    fn an_hour_and_a_day_have_their_ends() {
        let mut tally = Tally::default();
        let done = |tally: &mut Tally, secs| tally.burn((2, 3), at(secs));
        assert_eq!(done(&mut tally, 0), Ok(()));
        assert_eq!(done(&mut tally, 1), Ok(()));
        assert_eq!(done(&mut tally, 2), Err(NotNow(3_598)));
        assert_eq!(done(&mut tally, 3_600), Ok(()));
        assert_eq!(done(&mut tally, 7_200), Err(NotNow(DAY_SECS - 7_200)));
        assert_eq!(done(&mut tally, DAY_SECS), Ok(()));
    }

    #[test]
    fn a_clock_that_is_ahead_neither_renews_it_nor_bars_anybody_for_ever() {
        let mut tally = Tally::default();
        assert_eq!(tally.burn((1, 9), at(3_599)), Ok(()));
        assert_eq!(tally.burn((1, 9), at(3_601)), Ok(()), "the next hour, by a node that is ahead");
        assert!(tally.burn((1, 9), at(3_598)).is_err(), "no third one by going back and forth");
        let mut tally = Tally::default();
        assert_eq!(tally.burn((1, 1), at(9 * DAY_SECS)), Ok(()));
        assert_eq!(tally.burn((1, 1), at(0)), Ok(()));
    }
}
