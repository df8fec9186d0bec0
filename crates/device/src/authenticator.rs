//! Authenticator apps: pending until the first right code, then a device with a step of its own.
//!
//! They are two nouns. A [`Pending`] one has no way to answer a login (E-05), and an
//! [`Authenticator`] judges every code by its own last spent step.

use std::fmt;

use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Period, Secret, Step, Totp, UnixTime, Window,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::email::FAILURES_IN_A_ROW;
use crate::{DeviceId, LoginId, SessionId, seconds};

/// An authenticator app that is confirmed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Row", into = "Row")]
pub struct Authenticator {
    id: DeviceId,
    key: Key,
    created: UnixTime,
    last_used: UnixTime,
    spent: Step,
    drift: Drift,
    failures: u8,
}

/// A secret and how codes are made of it.
#[derive(Clone)]
struct Key {
    secret: Secret,
    totp: Totp,
}

impl Authenticator {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> DeviceId {
        self.id
    }

    /// How its codes are made.
    #[must_use]
    pub const fn totp(&self) -> Totp {
        self.key.totp
    }

    /// When it was confirmed.
    #[must_use]
    pub const fn created(&self) -> UnixTime {
        self.created
    }

    /// When its last right code was taken.
    #[must_use]
    pub const fn last_used(&self) -> UnixTime {
        self.last_used
    }

    /// The last step that was spent: nothing at or before it is taken again.
    #[must_use]
    pub const fn spent(&self) -> Step {
        self.spent
    }

    /// Did it take 100 failures in a row? Then it judges no more, and must be bound again
    /// (NIST SP 800-63B-4, 3.2.2).
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.failures >= FAILURES_IN_A_ROW
    }

    /// Judges a code, over the whole window, by the floor of this device. It spends nothing.
    pub fn judge(&self, code: &Code, window: Window, now: UnixTime) -> Found {
        let Key { secret, totp } = &self.key;
        totp.find_raw(secret, code, window, self.drift, Some(self.spent), now)
    }

    /// The work of [`judge`](Self::judge) where there is no device to judge by.
    pub fn judge_nothing(code: &Code, window: Window, now: UnixTime) -> Found {
        let nothing = Secret::from_bytes(&[0; 20]);
        nothing.map_or(Found::No, |secret| {
            let totp = Totp::DEFAULT;
            // Its verdict is for nobody: a code of the zero key is nobody's.
            let _ = totp.find_raw(&secret, code, window, Drift::NONE, None, now);
            Found::No
        })
    }

    /// Spends a step: a success forgives the failures before it.
    pub fn spend(&mut self, step: Step, drift: Drift, now: UnixTime) {
        self.spent = self.spent.max(step);
        self.drift = drift;
        self.failures = 0;
        self.last_used = now;
    }

    /// A code was wrong.
    pub const fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, key: _, created, last_used, spent, drift, failures } = self;
        f.debug_struct("Authenticator")
            .field("id", id)
            .field("created", created)
            .field("last_used", last_used)
            .field("spent", spent)
            .field("drift", drift)
            .field("failures", failures)
            .finish_non_exhaustive()
    }
}

/// Who began an enrolment, and alone may see and confirm it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Opener {
    /// A login that is forced to enrol.
    Login(LoginId),
    /// A session of a user who adds a factor.
    Session(SessionId),
}

/// An enrolment that waits for its first right code.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "PendingRow", into = "PendingRow")]
pub struct Pending {
    id: DeviceId,
    key: Key,
    opener: Opener,
    generation: u32,
    begun: UnixTime,
}

impl Pending {
    /// How long it may be confirmed, in seconds.
    pub const SECS: u64 = 10 * 60;

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
        Self { id, key: Key { secret, totp }, opener, generation, begun: now }
    }

    /// Its secret and parameters, to be shown to its opener.
    #[must_use]
    pub const fn show(&self) -> (&Secret, Totp) {
        (&self.key.secret, self.key.totp)
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

    /// Is it too old, or from a clock that was ahead?
    #[must_use]
    pub fn is_expired(&self, now: UnixTime) -> bool {
        now.since(self.begun) >= Self::SECS || self.begun.since(now) > 30
    }

    /// Judges the code that would confirm it.
    pub fn judge(&self, code: &Code, window: Window, now: UnixTime) -> Found {
        let Key { secret, totp } = &self.key;
        totp.find_raw(secret, code, window, Drift::NONE, None, now)
    }

    /// Confirms it, and spends the step of the code that did: it logs nobody in again.
    #[must_use]
    pub fn confirm(self, step: Step, drift: Drift, now: UnixTime) -> Authenticator {
        Authenticator {
            id: self.id,
            key: self.key,
            created: now,
            last_used: now,
            spent: step,
            drift,
            failures: 0,
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, key: _, opener, generation, begun } = self;
        f.debug_struct("Pending")
            .field("id", id)
            .field("opener", opener)
            .field("generation", generation)
            .field("begun", begun)
            .finish_non_exhaustive()
    }
}

/// What is stored of a key, inside a sealed record only. It passes the constructors again.
#[derive(Clone, Serialize, Deserialize)]
struct KeyRow {
    secret: Zeroizing<Vec<u8>>,
    algorithm: u8,
    digits: u8,
    period: u16,
}

impl From<Key> for KeyRow {
    fn from(Key { secret, totp }: Key) -> Self {
        Self {
            secret: Zeroizing::new(secret.expose().to_vec()),
            algorithm: match totp.algorithm() {
                Algorithm::Sha1 => 1,
                Algorithm::Sha256 => 2,
                Algorithm::Sha512 => 3,
            },
            digits: totp.digits().count(),
            period: u16::try_from(totp.period().secs()).unwrap_or(u16::MAX),
        }
    }
}

/// A stored row that its constructors refuse.
#[derive(Debug)]
struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored authenticator is not one")
    }
}

impl TryFrom<KeyRow> for Key {
    type Error = Corrupt;

    fn try_from(row: KeyRow) -> Result<Self, Corrupt> {
        let algorithm = match row.algorithm {
            1 => Algorithm::Sha1,
            2 => Algorithm::Sha256,
            3 => Algorithm::Sha512,
            _ => return Err(Corrupt),
        };
        let digits = Digits::try_from(row.digits).map_err(|_| Corrupt)?;
        let period = Period::new(row.period.into()).map_err(|_| Corrupt)?;
        let secret = Secret::import_short(&row.secret).map_err(|_| Corrupt)?;
        Ok(Self { secret, totp: Totp::new(algorithm, digits, period) })
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Row {
    id: DeviceId,
    key: KeyRow,
    #[serde(with = "seconds")]
    created: UnixTime,
    #[serde(with = "seconds")]
    last_used: UnixTime,
    spent: u64,
    drift: i8,
    failures: u8,
}

impl From<Authenticator> for Row {
    fn from(of: Authenticator) -> Self {
        Self {
            id: of.id,
            key: of.key.into(),
            created: of.created,
            last_used: of.last_used,
            spent: of.spent.number(),
            drift: of.drift.steps(),
            failures: of.failures,
        }
    }
}

impl TryFrom<Row> for Authenticator {
    type Error = Corrupt;

    fn try_from(row: Row) -> Result<Self, Corrupt> {
        Ok(Self {
            id: row.id,
            key: row.key.try_into()?,
            created: row.created,
            last_used: row.last_used,
            spent: Step::new(row.spent),
            drift: Drift::new(row.drift).map_err(|_| Corrupt)?,
            failures: row.failures,
        })
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct PendingRow {
    id: DeviceId,
    key: KeyRow,
    opener: Opener,
    generation: u32,
    #[serde(with = "seconds")]
    begun: UnixTime,
}

impl From<Pending> for PendingRow {
    fn from(of: Pending) -> Self {
        let Pending { id, key, opener, generation, begun } = of;
        Self { id, key: key.into(), opener, generation, begun }
    }
}

impl TryFrom<PendingRow> for Pending {
    type Error = Corrupt;

    fn try_from(row: PendingRow) -> Result<Self, Corrupt> {
        let PendingRow { id, key, opener, generation, begun } = row;
        Ok(Self { id, key: key.try_into()?, opener, generation, begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn pending() -> Pending {
        let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
        let opener = Opener::Login(LoginId::from_random_bytes([2; 16]));
        Pending::begin(DeviceId::from_random_bytes([1; 16]), secret, Totp::DEFAULT, opener, 7, NOW)
    }

    fn code_at(pending: &Pending, now: UnixTime) -> (Code, Step) {
        let (secret, totp) = pending.show();
        (totp.code(&totp.key(secret), totp.step_at(now)), totp.step_at(now))
    }

    fn confirmed() -> (Authenticator, Code) {
        let pending = pending();
        let (code, _) = code_at(&pending, NOW);
        let Found::Fresh { step, drift } = pending.judge(&code, Window::DEFAULT, NOW) else {
            panic!("the right code confirms");
        };
        (pending.confirm(step, drift, NOW), code)
    }

    #[test]
    fn the_code_that_confirmed_is_spent() {
        let (device, code) = confirmed();
        assert_eq!(device.judge(&code, Window::DEFAULT, NOW), Found::Replayed);
        let later = NOW.saturating_add(30);
        let (next, _) = code_at(&pending(), later);
        assert!(matches!(device.judge(&next, Window::DEFAULT, later), Found::Fresh { .. }));
    }

    #[test]
    fn a_spent_step_never_goes_back() {
        let (mut device, _) = confirmed();
        let spent = device.spent();
        device.spend(Step::new(spent.number() - 5), Drift::NONE, NOW);
        assert_eq!(device.spent(), spent);
    }

    #[test]
    fn a_hundred_failures_in_a_row_lock_it() {
        let (mut device, _) = confirmed();
        (0..99).for_each(|_| device.fail());
        assert!(!device.is_locked());
        device.fail();
        assert!(device.is_locked());
    }

    #[test]
    fn a_pending_one_ends_after_ten_minutes_and_never_comes_from_the_future() {
        let pending = pending();
        assert!(!pending.is_expired(NOW.saturating_add(599)));
        assert!(pending.is_expired(NOW.saturating_add(600)));
        assert!(!pending.is_expired(NOW.saturating_sub(30)));
        assert!(pending.is_expired(NOW.saturating_sub(31)));
    }

    #[test]
    fn both_survive_their_encoding_and_a_corrupt_one_is_refused() {
        let (device, code) = confirmed();
        let bytes = postcard::to_allocvec(&device).unwrap();
        let back: Authenticator = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back.judge(&code, Window::DEFAULT, NOW), Found::Replayed);
        assert_eq!((back.id(), back.totp()), (device.id(), device.totp()));

        let mut row = PendingRow::from(pending());
        row.key.digits = 12;
        let bytes = postcard::to_allocvec(&row).unwrap();
        assert!(postcard::from_bytes::<Pending>(&bytes).is_err());
        row.key.digits = 6;
        row.key.period = 0;
        let bytes = postcard::to_allocvec(&row).unwrap();
        assert!(postcard::from_bytes::<Pending>(&bytes).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", pending(), confirmed().0);
        assert!(!shown.contains("49, 50") && !shown.contains("1234567890"), "{shown}");
    }
}
