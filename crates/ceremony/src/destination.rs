//! How much is sent: budgets of a destination and of a tenant, each a record of its own kind.
//!
//! A send burns its budget before the user's record is settled and before anything is sent: a
//! crash between costs a send, and lets nobody in. One limiter owns the cool-down, so that of
//! parallel resends one is sent and none but that one is charged (C-22, C-24).

use serde::{Deserialize, Serialize};

use countersign_device::{Address, LoginId};
use countersign_otp::UnixTime;

pub use crate::record::NotNow;
use crate::record::seconds;
use crate::rules::{
    DAY_SECS, PROVEN_SENDS, RESEND_SECS, TENANT_MAILS_A_DAY, TENANT_SHARDS, TENANT_TEXTS_A_DAY,
    UNPROVEN_SENDS,
};

const HOUR_SECS: u64 = 60 * 60;

/// Who asks for a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pool {
    /// A user to whom the destination is bound.
    Proven,
    /// An enrolment: anybody can name any destination.
    Unproven,
}

/// What was sent to one destination in the last day.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Destination {
    proven: Vec<Sent>,
    unproven: Vec<Sent>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Sent {
    login: LoginId,
    #[serde(with = "seconds")]
    at: UnixTime,
}

impl Destination {
    /// Burns one send.
    ///
    /// # Errors
    /// [`NotNow`]: the login's cool-down runs, or the pool is empty for the hour or the day.
    pub fn burn(&mut self, pool: Pool, login: LoginId, now: UnixTime) -> Result<(), NotNow> {
        let ((an_hour, a_day), sends) = match pool {
            Pool::Proven => (PROVEN_SENDS, &mut self.proven),
            Pool::Unproven => (UNPROVEN_SENDS, &mut self.unproven),
        };
        // A send that lies ahead of now is another node's wrong clock: it counts as just made.
        sends.iter_mut().for_each(|sent| sent.at = sent.at.min(now));
        sends.retain(|sent| now.since(sent.at) < DAY_SECS);
        let last = sends.iter().rev().find(|sent| sent.login == login);
        let cooling = last.map_or(0, |sent| RESEND_SECS.saturating_sub(now.since(sent.at)));
        let wait = |secs: u64, most: usize| {
            let inside: Vec<_> = sends.iter().filter(|sent| now.since(sent.at) < secs).collect();
            let excess = inside.len().checked_sub(most);
            let oldest = excess.and_then(|excess| inside.get(excess));
            oldest.map_or(0, |sent| secs.saturating_sub(now.since(sent.at)))
        };
        let wait = cooling.max(wait(HOUR_SECS, an_hour)).max(wait(DAY_SECS, a_day));
        if wait > 0 {
            return Err(NotNow(wait));
        }
        sends.push(Sent { login, at: now });
        Ok(())
    }

    /// When nobody needs this record any more.
    #[must_use]
    pub fn ends(now: UnixTime) -> UnixTime {
        now.saturating_add(DAY_SECS)
    }
}

/// One shard of what a tenant sent on one day, by mail or to phones.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct TenantDay {
    sent: u32,
}

impl TenantDay {
    /// Burns one send.
    ///
    /// # Errors
    /// [`NotNow`]: this shard is empty until the day ends.
    pub fn burn(&mut self, to: &Address, now: UnixTime) -> Result<(), NotNow> {
        let most = match to {
            Address::Mailbox(_) => TENANT_MAILS_A_DAY,
            Address::Phone(_) => TENANT_TEXTS_A_DAY,
        };
        if self.sent >= most / u32::from(TENANT_SHARDS) {
            return Err(NotNow(DAY_SECS.saturating_sub(now.secs() % DAY_SECS)));
        }
        self.sent = self.sent.saturating_add(1);
        Ok(())
    }

    /// The day of a time, and the shard that a random byte picks.
    #[must_use]
    pub fn of(now: UnixTime, random: u8) -> (u64, u8) {
        (now.secs() / DAY_SECS, random % TENANT_SHARDS)
    }
}

#[cfg(test)]
mod tests {
    use countersign_device::{EmailAddress, PhoneNumber};

    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(1_700_000_000 + secs)
    }

    fn login(n: u8) -> LoginId {
        LoginId::from_random_bytes([n; 16])
    }

    #[test]
    fn a_resend_waits_for_its_own_cool_down_and_for_no_other() {
        let mut destination = Destination::default();
        assert_eq!(destination.burn(Pool::Proven, login(1), at(0)), Ok(()));
        assert_eq!(destination.burn(Pool::Proven, login(1), at(29)), Err(NotNow(1)));
        assert_eq!(destination.burn(Pool::Proven, login(2), at(29)), Ok(()));
        assert_eq!(destination.burn(Pool::Proven, login(1), at(30)), Ok(()));
    }

    #[test]
    fn six_an_hour_and_twenty_a_day_where_proven() {
        let mut destination = Destination::default();
        for n in 0..6 {
            assert_eq!(destination.burn(Pool::Proven, login(n), at(0)), Ok(()));
        }
        assert_eq!(destination.burn(Pool::Proven, login(9), at(10)), Err(NotNow(3590)));
        assert_eq!(destination.burn(Pool::Unproven, login(9), at(10)), Ok(()), "another pool");
        let sent = (1..24 * 60)
            .filter(|minute| destination.burn(Pool::Proven, login(9), at(minute * 60)).is_ok());
        assert_eq!(sent.count(), 20 - 6);
    }

    #[test]
    fn three_an_hour_and_five_a_day_where_not() {
        let mut destination = Destination::default();
        let sent = (0..24 * 60).filter(|minute| {
            let id = login(u8::try_from(minute % 250).unwrap());
            destination.burn(Pool::Unproven, id, at(minute * 60)).is_ok()
        });
        assert_eq!(sent.count(), 5);
    }

    #[test]
    fn a_clock_that_was_ahead_bars_nobody_for_ever() {
        let mut destination = Destination::default();
        let _ = destination.burn(Pool::Proven, login(1), at(1_000_000));
        assert_eq!(destination.burn(Pool::Proven, login(1), at(0)), Err(NotNow(30)));
        assert_eq!(destination.burn(Pool::Proven, login(1), at(30)), Ok(()));
    }

    #[test]
    fn a_shard_ends_with_its_day() {
        let mailbox = Address::Mailbox(EmailAddress::parse("a@b.example").unwrap());
        let phone = Address::Phone(PhoneNumber::parse("+15555550100").unwrap());
        for (to, most) in [(mailbox, TENANT_MAILS_A_DAY), (phone, TENANT_TEXTS_A_DAY)] {
            let mut shard = TenantDay::default();
            for _ in 0..most / u32::from(TENANT_SHARDS) {
                assert_eq!(shard.burn(&to, at(0)), Ok(()));
            }
            assert!(shard.burn(&to, at(0)).is_err());
        }
        assert_ne!(TenantDay::of(at(0), 3).0, TenantDay::of(at(DAY_SECS), 3).0);
    }
}
