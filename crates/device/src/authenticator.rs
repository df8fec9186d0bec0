//! Authenticator apps: TOTP (RFC 6238), each judged by a floor of its own.
//!
//! A code is judged over the whole window against the last step that *this* device spent, so that
//! none passes twice, none passes after a later one, and two apps that show the same
//! digits do not hinder each other.

mod row;

use std::fmt;

use countersign_otp::{Code, Drift, Found, Secret, Step, Totp, UnixTime, Window};
use serde::Deserialize;

use crate::{Device, DeviceId, Opener, Pending};

/// An authenticator app that is confirmed.
pub type Authenticator = Device<Totps>;

/// A secret, and how codes are made of it.
#[derive(Clone, Deserialize)]
#[serde(try_from = "row::Key")]
pub struct AuthenticatorKey {
    secret: Secret,
    totp: Totp,
}

/// The codes of one app: its key, how far it came, and how far its clock is off.
#[derive(Clone, Deserialize)]
#[serde(try_from = "row::Totps")]
pub struct Totps {
    key: AuthenticatorKey,
    spent: Step,
    drift: Drift,
}

impl Authenticator {
    /// One that was enrolled elsewhere: all up to `spent` is taken as spent there.
    #[must_use]
    pub fn imported(id: DeviceId, secret: Secret, totp: Totp, spent: Step, now: UnixTime) -> Self {
        let key = AuthenticatorKey { secret, totp };
        Self::new(id, Totps { key, spent, drift: Drift::NONE }, now)
    }

    /// Its secret, to move out with. **Whoever has it answers for the user.**
    #[must_use]
    pub const fn expose_secret(&self) -> &Secret {
        &self.factor.key.secret
    }

    /// How its codes are made.
    #[must_use]
    pub const fn totp(&self) -> Totp {
        self.factor.key.totp
    }

    /// The last step that was spent: nothing at or before it is taken again.
    #[must_use]
    pub const fn spent(&self) -> Step {
        self.factor.spent
    }

    /// How far its clock is off, as far as it is known.
    #[must_use]
    pub const fn drift(&self) -> Drift {
        self.factor.drift
    }

    /// Judges a code, over the whole window, by the floor of this device. It spends nothing. A
    /// locked one takes no code, for the same work.
    pub fn judge(&self, code: &Code, window: Window, now: UnixTime) -> Found {
        let found = self.factor.key.find(code, window, self.drift(), Some(self.spent()), now);
        if self.is_locked() { Found::No } else { found }
    }

    /// The work of [`judge`](Self::judge) where there is no device to judge by.
    pub fn judge_nothing(code: &Code, window: Window, now: UnixTime) -> Found {
        let nothing = Secret::from_bytes(&[0; 20]);
        nothing.map_or(Found::No, |secret| {
            let key = AuthenticatorKey { secret, totp: Totp::DEFAULT };
            // Its verdict is for nobody: a code of the zero key is nobody's.
            let _ = key.find(code, window, Drift::NONE, Some(Step::new(0)), now);
            Found::No
        })
    }

    /// Spends a step: a success forgives the failures before it.
    pub fn spend(&mut self, step: Step, drift: Drift, now: UnixTime) {
        // The floor rises and never falls, whatever a caller brings.
        self.factor.spent = self.factor.spent.max(step);
        self.factor.drift = drift;
        self.life.succeed(now);
    }
}

impl Pending<AuthenticatorKey> {
    /// Begins one, under the factor generation that the record has now.
    #[must_use]
    pub const fn begin(
        id: DeviceId,
        secret: Secret,
        totp: Totp,
        opener: Opener,
        generation: u32,
        now: UnixTime,
    ) -> Self {
        Self::of(id, AuthenticatorKey { secret, totp }, opener, generation, now)
    }

    /// Its secret and parameters, to be shown to its opener: the same each time.
    #[must_use]
    pub const fn show(&self) -> (&Secret, Totp) {
        (&self.candidate.secret, self.candidate.totp)
    }

    /// Judges the code that would confirm it.
    pub fn judge(&self, code: &Code, window: Window, now: UnixTime) -> Found {
        self.candidate.find(code, window, Drift::NONE, None, now)
    }

    /// Confirms it, and spends the step of the code that did: it logs nobody in again.
    #[must_use]
    pub fn confirm(self, step: Step, drift: Drift, now: UnixTime) -> Authenticator {
        let id = self.id();
        let factor = Totps { key: self.candidate, spent: step, drift };
        let mut device = Device::new(id, factor, now);
        device.life.succeed(now);
        device
    }
}

impl AuthenticatorKey {
    fn find(
        &self,
        code: &Code,
        window: Window,
        drift: Drift,
        spent: Option<Step>,
        now: UnixTime,
    ) -> Found {
        self.totp.find_raw(&self.secret, code, window, drift, spent, now)
    }
}

impl fmt::Debug for AuthenticatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, totp } = self;
        f.debug_struct("AuthenticatorKey").field("totp", totp).finish_non_exhaustive()
    }
}

impl fmt::Debug for Totps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, spent, drift } = self;
        f.debug_struct("Totps")
            .field("key", key)
            .field("spent", spent)
            .field("drift", drift)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LoginId;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn pending() -> Pending {
        let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
        let opener = Opener::Login(LoginId::from_random_bytes([2; 16]));
        Pending::begin(DeviceId::from_random_bytes([1; 16]), secret, Totp::DEFAULT, opener, 7, NOW)
    }

    fn code_at(now: UnixTime) -> Code {
        let pending = pending();
        let (secret, totp) = pending.show();
        totp.code(&totp.key(secret), totp.step_at(now))
    }

    fn confirmed() -> (Authenticator, Code) {
        let code = code_at(NOW);
        let Found::Fresh { step, drift } = pending().judge(&code, Window::DEFAULT, NOW) else {
            panic!("the right code confirms");
        };
        (pending().confirm(step, drift, NOW), code)
    }

    /// the code that confirmed an enrolment logs nobody in.
    #[test]
    fn the_code_that_confirmed_is_spent() {
        let (device, code) = confirmed();
        assert_eq!(device.judge(&code, Window::DEFAULT, NOW), Found::Replayed);
        assert_eq!((device.created(), device.last_used()), (NOW, Some(NOW)));
        let later = NOW.saturating_add(30);
        assert!(matches!(
            device.judge(&code_at(later), Window::DEFAULT, later),
            Found::Fresh { .. }
        ));
    }

    /// what was spent stays spent, and so does all before it.
    #[test]
    fn a_spent_step_never_goes_back() {
        let (mut device, _) = confirmed();
        let spent = device.spent();
        device.spend(Step::new(spent.number() - 5), Drift::NONE, NOW);
        assert_eq!(device.spent(), spent);
        let before = NOW.saturating_sub(30);
        assert_eq!(device.judge(&code_at(before), Window::DEFAULT, NOW), Found::Replayed);
        assert_eq!(device.judge(&code_at(before), Window::DEFAULT, before), Found::Replayed);
    }

    /// two apps with one secret each have a floor of their own.
    #[test]
    fn one_device_spends_nothing_of_another() {
        let (mut one, _) = confirmed();
        let (other, _) = confirmed();
        let later = NOW.saturating_add(60);
        let code = code_at(later);
        let Found::Fresh { step, drift } = one.judge(&code, Window::DEFAULT, later) else {
            panic!("a fresh code");
        };
        one.spend(step, drift, later);
        assert_eq!(one.judge(&code, Window::DEFAULT, later), Found::Replayed);
        assert!(matches!(other.judge(&code, Window::DEFAULT, later), Found::Fresh { .. }));
    }

    /// C-09: after a hundred failures in a row not even the right code is taken.
    #[test]
    fn a_locked_one_takes_no_code() {
        let (mut device, _) = confirmed();
        let later = NOW.saturating_add(30);
        let code = code_at(later);
        (0..99).for_each(|_| device.fail());
        assert!(matches!(device.judge(&code, Window::DEFAULT, later), Found::Fresh { .. }));
        device.fail();
        assert!(device.is_locked());
        assert_eq!(device.judge(&code, Window::DEFAULT, later), Found::No);
        device.spend(Step::new(u64::MAX), Drift::NONE, later);
        assert!(device.is_locked(), "a success unlocks nothing");
    }

    #[test]
    fn judging_nothing_finds_nothing() {
        let secret = Secret::from_bytes(&[0; 20]).unwrap();
        let totp = Totp::DEFAULT;
        let code = totp.code(&totp.key(&secret), totp.step_at(NOW));
        assert_eq!(Authenticator::judge_nothing(&code, Window::DEFAULT, NOW), Found::No);
    }

    /// E-17.
    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", pending(), confirmed().0);
        for secret in ["49, 50", "1234567890", "GEZDGNBV", "31323334"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
