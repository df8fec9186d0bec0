//! The email factor: the address of the directory, as far as it is bound to this user.

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use super::EmailAddress;
use crate::life::Life;

/// An address of a user, which answers logins once it is proven. There is at most one a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailFactor {
    address: EmailAddress,
    state: State,
    life: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Unproven,
    Active,
}

impl EmailFactor {
    /// An address that answers logins from now on.
    #[must_use]
    pub const fn active(address: EmailAddress, now: UnixTime) -> Self {
        Self { address, state: State::Active, life: Life::begin(now) }
    }

    /// An address that answers none until it is proven: a changed one is a new binding.
    #[must_use]
    pub const fn unproven(address: EmailAddress, now: UnixTime) -> Self {
        Self { address, state: State::Unproven, life: Life::begin(now) }
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// Is it proven to be this user's? Then the user has a factor, even where it took too many
    /// failures to answer with it.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        matches!(self.state, State::Active)
    }

    /// Does it answer logins? Not before it is proven, and not once it is locked.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.is_bound() && !self.is_locked()
    }

    /// Did it take 100 failures in a row, or was it locked by hand? Then it answers no more, and
    /// must be bound again (NIST SP 800-63B-4, 3.2.2).
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.life.is_locked()
    }

    /// A code of it was wrong.
    pub const fn fail(&mut self) {
        self.life.fail();
    }

    /// A code of it was right. It proves nothing that was not: binding an address is
    /// [`active`](Self::active).
    pub const fn succeed(&mut self, now: UnixTime) {
        self.life.succeed(now);
    }

    /// Locks it: its owner reports a loss.
    pub const fn lock(&mut self) {
        self.life.lock();
    }

    /// When it was bound, in this state.
    #[must_use]
    pub const fn since(&self) -> UnixTime {
        self.life.created()
    }

    /// When a code of it was last right.
    #[must_use]
    pub const fn last_used(&self) -> Option<UnixTime> {
        self.life.last_used()
    }

    /// How often in a row a code of it was wrong, 0 to 100.
    #[must_use]
    pub const fn failures(&self) -> u8 {
        self.life.failures()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn address() -> EmailAddress {
        EmailAddress::parse("alice@example.com").unwrap()
    }

    #[test]
    fn a_hundred_failures_in_a_row_end_it_and_a_success_forgives_them() {
        let mut factor = EmailFactor::active(address(), NOW);
        assert_eq!((factor.since(), factor.last_used()), (NOW, None));
        (0..99).for_each(|_| factor.fail());
        assert!(factor.is_active());
        factor.succeed(NOW.saturating_add(1));
        assert_eq!((factor.failures(), factor.last_used()), (0, Some(NOW.saturating_add(1))));
        (0..100).for_each(|_| factor.fail());
        assert!(factor.is_locked() && !factor.is_active() && factor.is_bound());
    }

    #[test]
    fn an_unproven_one_answers_nothing_whatever_happens_to_it() {
        let mut factor = EmailFactor::unproven(address(), NOW);
        assert!(!factor.is_active());
        factor.succeed(NOW);
        assert!(!factor.is_active() && !factor.is_bound());
        let bytes = postcard::to_allocvec(&factor).unwrap();
        assert_eq!(postcard::from_bytes::<EmailFactor>(&bytes), Ok(factor));
    }

    #[test]
    fn debug_shows_no_address() {
        let shown = format!("{:?}", EmailFactor::active(address(), NOW));
        assert!(!shown.contains("alice") && !shown.contains("example"), "{shown}");
    }
}
