//! The risk ledger: how often anybody may guess.
//!
//! Each judged guess is charged what it could win, over all guessable factors, routes and tenants
//! of one user. The ledger closes at [`LEDGER_UNITS`], so that the chance of ever guessing in is at
//! most 1e-4 for each refill, by addition. Waits and windows slow guessing down; they are not what
//! bounds it. Guesses from a known browser have a share and a window of their own: a stranger with
//! the password exhausts the stranger's share alone (C-01 to C-16).

use serde::{Deserialize, Serialize};

use countersign_otp::UnixTime;

use super::seconds;
use crate::rules::{
    FIRST_WAIT_AT, FIRST_WAIT_SECS, LEDGER_UNITS, LONGEST_WAIT_SECS, SKEW_SECS, STRANGER_UNITS,
    UNITS_PER_CERTAINTY, WINDOW_SECS,
};

/// Whose guess it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Class {
    /// The login came without a browser that this user is known by.
    Stranger,
    /// The login is bound to a known browser of this user.
    Known,
}

/// What one guess costs: its chance to be right, in units of 1e-8, rounded up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Price(u32);

impl Price {
    /// A guess that would win with any of `codes` codes of `digits` digits.
    #[must_use]
    pub fn of(codes: u64, digits: u8) -> Self {
        let space = 10_u64.saturating_pow(u32::from(digits)).max(1);
        let units = codes.saturating_mul(UNITS_PER_CERTAINTY).div_ceil(space);
        Self(u32::try_from(units).unwrap_or(u32::MAX))
    }

    /// A guess that is judged against both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The units.
    #[must_use]
    pub const fn units(self) -> u32 {
        self.0
    }
}

/// May one more guess be judged? Told before any judging, the same whether it is right or wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Gate {
    /// Yes.
    Open,
    /// Not for so many seconds.
    Wait(u64),
    /// Not until the ledger is refilled.
    Closed,
}

/// What a user's guesses have cost so far.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    strangers: Share,
    known: Share,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Share {
    units: u32,
    unforgiven: u32,
    #[serde(with = "seconds")]
    last: UnixTime,
    /// The times of the failures in the window, oldest first.
    #[serde(with = "seconds::list")]
    window: Vec<UnixTime>,
}

impl Ledger {
    /// May a guess of this class and price be judged now? `most` is how many failures a window
    /// takes (ten, or fewer where the tenant says so).
    pub fn gate(&self, class: Class, price: Price, most: u8, now: UnixTime) -> Gate {
        let share = self.share(class);
        let spent = self.strangers.units.saturating_add(self.known.units);
        let stranger_full = class == Class::Stranger
            && self.strangers.units.saturating_add(price.units()) > STRANGER_UNITS;
        if stranger_full || spent.saturating_add(price.units()) > LEDGER_UNITS {
            return Gate::Closed;
        }
        match share.wait(most, now) {
            0 => Gate::Open,
            secs => Gate::Wait(secs),
        }
    }

    /// Charges a failed guess; one that could win nothing has no price, and counts in the window
    /// alone. Tells whether it filled the window: the logins issued before die.
    #[must_use]
    pub fn charge(&mut self, class: Class, price: Price, most: u8, now: UnixTime) -> bool {
        let share = self.share_mut(class);
        if price.units() > 0 {
            share.units = share.units.saturating_add(price.units());
            share.unforgiven = share.unforgiven.saturating_add(1);
            share.last = now;
        }
        share.window.retain(|at| now.since(*at) < WINDOW_SECS);
        share.window.push(now);
        share.window.len() >= usize::from(most)
    }

    /// Forgives failures: those of one login on the factor that then succeeded, and nothing else.
    pub fn forgive(&mut self, class: Class, units: u32, guesses: u32) {
        let share = self.share_mut(class);
        share.units = share.units.saturating_sub(units);
        share.unforgiven = share.unforgiven.saturating_sub(guesses);
    }

    /// Starts afresh: the owner has proven more than a guess could.
    pub fn refill(&mut self) {
        *self = Self::default();
    }

    /// What both classes have been charged.
    #[must_use]
    pub const fn units(&self) -> u32 {
        self.strangers.units.saturating_add(self.known.units)
    }

    /// A clock was wrong: no time of the future keeps anybody waiting. Nothing is refilled.
    pub(crate) fn heal(&mut self, now: UnixTime) {
        for share in [&mut self.strangers, &mut self.known] {
            share.last = share.last.min(now);
            share.window.retain(|at| *at <= now);
        }
    }

    const fn share(&self, class: Class) -> &Share {
        match class {
            Class::Stranger => &self.strangers,
            Class::Known => &self.known,
        }
    }

    const fn share_mut(&mut self, class: Class) -> &mut Share {
        match class {
            Class::Stranger => &mut self.strangers,
            Class::Known => &mut self.known,
        }
    }
}

impl Share {
    /// How many seconds until the next guess may be judged.
    fn wait(&self, most: u8, now: UnixTime) -> u64 {
        let inside: Vec<_> =
            self.window.iter().filter(|at| now.since(**at) < WINDOW_SECS).copied().collect();
        let full = inside.len().checked_sub(usize::from(most).max(1));
        // The window opens when its oldest failure but `excess` has left it.
        let window = full
            .and_then(|excess| inside.get(excess))
            .map_or(0, |at| at.saturating_add(WINDOW_SECS).since(now).min(WINDOW_SECS));
        let doublings = self.unforgiven.checked_sub(FIRST_WAIT_AT);
        let backoff = doublings.map_or(0, |n| {
            let wait = FIRST_WAIT_SECS.saturating_mul(1_u64.checked_shl(n.min(16)).unwrap_or(1));
            let wait = wait.min(LONGEST_WAIT_SECS);
            // A failure that lies ahead of now is another node's wrong clock: wait for nobody.
            if self.last > now.saturating_add(SKEW_SECS) {
                0
            } else {
                self.last.saturating_add(wait).since(now).min(wait)
            }
        });
        window.max(backoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn prices_are_those_of_the_rules() {
        assert_eq!(Price::of(3, 6).units(), 300);
        assert_eq!(Price::of(9, 6).units(), 900);
        assert_eq!(Price::of(3, 8).units(), 3);
        assert_eq!(Price::of(1, 6).units(), 100);
        assert_eq!(Price::of(41, 12).units(), 1);
    }

    /// Guesses as fast as the gate lets them: how many are judged until it closes?
    fn judged_until_closed(class: Class, price: Price) -> u32 {
        let mut ledger = Ledger::default();
        let mut now = at(1_000_000);
        let mut judged = 0;
        loop {
            loop {
                match ledger.gate(class, price, 10, now) {
                    Gate::Open => break,
                    Gate::Wait(secs) => now = now.saturating_add(secs),
                    Gate::Closed => return judged,
                }
            }
            let _ = ledger.charge(class, price, 10, now);
            judged += 1;
        }
    }

    #[test]
    fn the_ledger_closes_where_the_rules_say() {
        assert_eq!(judged_until_closed(Class::Known, Price::of(3, 6)), 33);
        assert_eq!(judged_until_closed(Class::Known, Price::of(9, 6)), 11);
        assert_eq!(judged_until_closed(Class::Known, Price::of(1, 6)), 100);
        assert_eq!(judged_until_closed(Class::Stranger, Price::of(3, 6)), 22);
    }

    #[test]
    fn a_stranger_leaves_the_owners_browser_its_third() {
        let mut ledger = Ledger::default();
        let price = Price::of(1, 6);
        let mut now = at(1_000_000);
        while ledger.gate(Class::Stranger, price, 10, now) != Gate::Closed {
            if ledger.gate(Class::Stranger, price, 10, now) == Gate::Open {
                let _ = ledger.charge(Class::Stranger, price, 10, now);
            }
            now = now.saturating_add(30);
        }
        assert_eq!(ledger.gate(Class::Known, Price::of(3, 6), 10, now), Gate::Open);
    }

    #[test]
    fn ten_in_a_window_then_the_oldest_must_leave_it() {
        let mut ledger = Ledger::default();
        for n in 0..10 {
            assert_eq!(ledger.gate(Class::Stranger, Price(1), 10, at(1000 + n)), Gate::Open);
            assert_eq!(ledger.charge(Class::Stranger, Price(1), 10, at(1000 + n)), n == 9);
        }
        assert_eq!(ledger.gate(Class::Stranger, Price(1), 10, at(1010)), Gate::Wait(890));
        assert_eq!(ledger.gate(Class::Known, Price(1), 10, at(1010)), Gate::Open);
        assert_eq!(ledger.gate(Class::Stranger, Price(1), 10, at(1899)), Gate::Wait(1));
        assert_eq!(ledger.gate(Class::Stranger, Price(1), 10, at(1900)), Gate::Open);
    }

    #[test]
    fn waits_double_from_the_eleventh_unforgiven_failure_up_to_an_hour() {
        let mut ledger = Ledger::default();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..20 {
            now = now.saturating_add(10_000);
            let _ = ledger.charge(Class::Known, Price(1), 100, now);
            waits.push(match ledger.gate(Class::Known, Price(1), 100, now) {
                Gate::Wait(secs) => secs,
                _ => 0,
            });
        }
        assert_eq!(&waits[..10], [0; 10]);
        assert_eq!(&waits[10..], [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    }

    proptest! {
        /// Whatever is charged, forgiven and waited for, judged units never pass the ledger.
        #[test]
        fn never_more_than_the_ledger(ops in prop::collection::vec((any::<bool>(), 1_u64..10, 6_u8..=8, 0_u64..4000), 1..200)) {
            let mut ledger = Ledger::default();
            let mut now = at(1_700_000_000);
            let mut charged = 0_u64;
            for (known, codes, digits, pause) in ops {
                now = now.saturating_add(pause);
                let class = if known { Class::Known } else { Class::Stranger };
                let price = Price::of(codes, digits);
                if ledger.gate(class, price, 10, now) == Gate::Open {
                    let _ = ledger.charge(class, price, 10, now);
                    charged += u64::from(price.units());
                }
            }
            prop_assert!(charged <= u64::from(LEDGER_UNITS));
            prop_assert_eq!(charged, u64::from(ledger.units()));
        }

        #[test]
        fn a_clock_that_goes_back_keeps_nobody_waiting_for_long(ahead in 0_u64..100_000_000, n in 1_u32..40) {
            let mut ledger = Ledger::default();
            let now = at(1_700_000_000);
            for _ in 0..n {
                let _ = ledger.charge(Class::Known, Price(1), 10, now.saturating_add(ahead));
            }
            ledger.heal(now);
            match ledger.gate(Class::Known, Price(1), 10, now) {
                Gate::Open => {}
                Gate::Wait(secs) => prop_assert!(secs <= LONGEST_WAIT_SECS),
                Gate::Closed => prop_assert!(false, "nothing was spent"),
            }
        }
    }
}
