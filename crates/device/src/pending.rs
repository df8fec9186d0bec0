//! An enrolment that waits for its proof, and who alone may give it.
//!
//! It belongs to the one login or session that began it, for ten minutes, under one generation of
//! the user's factors: whatever was added or removed meanwhile makes it void (A-12, C-16). It has no
//! method that judges a login, so starting one weakens nothing (E-01, E-05).

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::{AuthenticatorKey, DeviceId, LoginId, SessionId, seconds};

/// How far ahead of now an enrolment may have begun, in seconds. Beyond it a clock was wrong.
const SKEW_SECS: u64 = 30;

/// Who began an enrolment, and alone may see and confirm it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Opener {
    /// A login that is forced to enrol.
    Login(LoginId),
    /// A session of a user who adds a factor.
    Session(SessionId),
    /// The administrator, for the user.
    Administrator,
}

/// An enrolment of a candidate `C` that waits for its proof: the key of an authenticator app, or a
/// [`PhoneNumber`](crate::PhoneNumber).
///
/// Its encoding is for a sealed record alone: it holds secrets in the clear.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending<C = AuthenticatorKey> {
    id: DeviceId,
    pub(crate) candidate: C,
    opener: Opener,
    generation: u32,
    #[serde(with = "seconds")]
    begun: UnixTime,
}

impl<C> Pending<C> {
    /// How long it may be confirmed, in seconds.
    pub const SECS: u64 = 10 * 60;

    /// Begins one, under the factor generation that the record has now.
    #[must_use]
    pub const fn of(
        id: DeviceId,
        candidate: C,
        opener: Opener,
        generation: u32,
        now: UnixTime,
    ) -> Self {
        Self { id, candidate, opener, generation, begun: now }
    }

    /// The id that its device will have.
    #[must_use]
    pub const fn id(&self) -> DeviceId {
        self.id
    }

    /// Who began it.
    #[must_use]
    pub const fn opener(&self) -> Opener {
        self.opener
    }

    /// The factor generation under which it was begun.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// When it was begun: the oldest of too many gives way.
    #[must_use]
    pub const fn begun(&self) -> UnixTime {
        self.begun
    }

    /// Is it too old, or from a clock that was ahead?
    #[must_use]
    pub const fn is_expired(&self, now: UnixTime) -> bool {
        now.since(self.begun) >= Self::SECS || self.begun.since(now) > SKEW_SECS
    }

    /// May this opener confirm it now, with the factors of this generation?
    #[must_use]
    pub fn is_open_to(&self, opener: Opener, generation: u32, now: UnixTime) -> bool {
        self.opener == opener && self.generation == generation && !self.is_expired(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const LOGIN: Opener = Opener::Login(LoginId::from_random_bytes([2; 16]));

    fn pending() -> Pending<()> {
        Pending::of(DeviceId::from_random_bytes([1; 16]), (), LOGIN, 7, NOW)
    }

    #[test]
    fn it_ends_after_ten_minutes_and_never_comes_from_the_future() {
        let pending = pending();
        assert!(!pending.is_expired(NOW.saturating_add(599)));
        assert!(pending.is_expired(NOW.saturating_add(600)));
        assert!(!pending.is_expired(NOW.saturating_sub(30)));
        assert!(pending.is_expired(NOW.saturating_sub(31)));
        assert!(pending.is_expired(UnixTime::from_secs(u64::MAX)));
    }

    #[test]
    fn it_is_open_to_its_opener_and_its_generation_alone() {
        let pending = pending();
        let session = Opener::Session(SessionId::from_random_bytes([2; 16]));
        let other = Opener::Login(LoginId::from_random_bytes([3; 16]));
        assert!(pending.is_open_to(LOGIN, 7, NOW));
        assert!(!pending.is_open_to(other, 7, NOW));
        assert!(!pending.is_open_to(session, 7, NOW));
        assert!(!pending.is_open_to(LOGIN, 8, NOW));
        assert!(!pending.is_open_to(LOGIN, 6, NOW));
        assert!(!pending.is_open_to(LOGIN, 7, NOW.saturating_add(600)));
    }
}
