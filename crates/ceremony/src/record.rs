//! The record: everything that Countersign knows of one user, about a kilobyte, under one key.
//!
//! Lists are bounded, so that the record is. Its encoding is [`codec`](crate::codec)'s; whoever
//! holds one has it opened from the vault, and it says nothing in `Debug` that is not an id, a
//! count or a time.

pub(crate) mod ledger;
mod login;
mod recovery;
mod refills;
pub(crate) mod seconds;
mod tally;

use serde::{Deserialize, Serialize};

use countersign_device::{
    Authenticator, ChallengeId, EmailAddress, EmailFactor, FactorKind, LoginId, Passkey, Pending,
    Phone, PhoneNumber, SessionId, TenantId, UserKey,
};
use countersign_otp::UnixTime;
use countersign_remember::Browsers;
use countersign_token::FamilyId;

pub use ledger::{Class, Gate, Ledger, Price};
pub use login::{Challenge, CodePurpose, PasskeyChallenge, PasskeyPurpose, Touched};
pub use recovery::{Recoveries, Recovery};
pub use refills::{LinkId, Refills};
pub use tally::{NotNow, Tally};

use crate::env::UserHandle;
use crate::incarnation::Incarnation;
use crate::port::WriteId;
use crate::rules::{
    DAY_SECS, LOGIN_SECS, MAILBOX_RESET_SECS, RECOVERY_GRANT_SECS, SKEW_SECS, TENANTS, WRITE_IDS,
};

/// Which life of the user this is: whatever carries another epoch is dead.
///
/// The upper half counts, so that an epoch never goes back; the lower half is drawn at random, so
/// that one that comes again after a store forgot its last writes is another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Default)]
pub struct Epoch(u64);

impl Epoch {
    /// The next epoch, with a random half.
    #[must_use]
    pub const fn next(self, random: u32) -> Self {
        let count = (self.0 >> 32).saturating_add(1);
        Self((count << 32) | random as u64)
    }

    /// The number that tokens carry.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The epoch of a number that a token carries.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// May the user log in at all?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Standing {
    /// Yes.
    #[default]
    Enabled,
    /// Not until it is enabled again.
    Disabled,
    /// Never again: the user is gone.
    Erased,
}

/// After a recovery: the first enrolment asks for more than a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gateway {
    /// The browser that recovered, which may enrol without further proof.
    pub browser: FamilyId,
    /// Until when it may. After that, and elsewhere, the mailbox must be proven first.
    #[serde(with = "seconds")]
    pub until: UnixTime,
}

/// A mailbox that reset the password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MailboxReset {
    /// The mailbox.
    pub address: EmailAddress,
    /// When.
    #[serde(with = "seconds")]
    pub at: UnixTime,
}

/// Everything that is known of one user.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Record {
    /// Whose it is: its name is a digest, and an export has to say. None once the user is erased.
    pub owner: Option<UserKey>,
    /// When it was last settled, by the clock of the node that did.
    #[serde(with = "seconds")]
    pub settled: UnixTime,
    /// The last writes, newest last.
    pub writes: Vec<WriteIdRow>,
    /// May the user log in?
    pub standing: Standing,
    /// Which life this is.
    pub epoch: Epoch,
    /// In which incarnation of the database that was said.
    pub incarnation: Incarnation,
    /// The session that made this epoch by removing or replacing a factor, and lives on.
    pub survivor: Option<SessionId>,
    /// Changes with every factor that is added or removed: a pending enrolment of another
    /// generation cannot be confirmed.
    pub factors: u32,
    /// What guesses have cost.
    pub ledger: Ledger,
    /// The links that refill it.
    pub refills: Refills,
    /// Logins of strangers issued at this time or before are dead.
    #[serde(with = "seconds")]
    pub strangers_floor: UnixTime,
    /// Logins of known browsers issued at this time or before are dead.
    #[serde(with = "seconds")]
    pub known_floor: UnixTime,
    /// The tenants that the user has logged in to, the latest last.
    pub tenants: Vec<TenantId>,
    /// The authenticators that work.
    pub authenticators: Vec<Authenticator>,
    /// Enrolments that wait to be confirmed.
    pub pending: Vec<Pending>,
    /// The email factor.
    pub email: Option<EmailFactor>,
    /// The phones, locked ones too.
    pub phones: Vec<Phone>,
    /// The passkeys, locked ones too.
    pub passkeys: Vec<Passkey>,
    /// Numbers that wait to be proven.
    pub pending_phones: Vec<Pending<PhoneNumber>>,
    /// What was sent to numbers that were not bound yet.
    pub unproven_sends: Tally,
    /// The mailbox that reset the password, for a day.
    pub mailbox_reset: Option<MailboxReset>,
    /// Logins with a failure, a challenge or a win, until they expire.
    pub logins: Vec<Touched>,
    /// The browsers that are known, remembered or not.
    pub browsers: Browsers,
    /// The recovery codes that are left.
    pub recovery: Recoveries,
    /// When recovery was tried with a matching tag, in the last day.
    #[serde(with = "seconds::list")]
    pub recoveries: Vec<UnixTime>,
    /// After a recovery, until the first enrolment.
    pub gateway: Option<Gateway>,
    /// The name that authenticators know the user by, where passkeys moved in from another system:
    /// theirs hold that one, and no other.
    pub handle: Option<UserHandle>,
}

/// A write id as the record keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WriteIdRow([u8; 8]);

impl Record {
    /// The record as an incarnation of the database sees it: in one that it was not settled in, its
    /// epoch is another, the same at each look, and what was open before is dead.
    #[must_use]
    pub fn within(mut self, incarnation: Incarnation) -> Self {
        if self.incarnation != incarnation {
            self.incarnation = incarnation;
            self.begin(self.epoch.next(incarnation.number()), None);
            // It may have been opened since the backup was made.
            self.refills.end();
        }
        self
    }

    /// Begins an epoch: sessions, remembered browsers and open logins of before are dead with it.
    /// The session that removed or replaced a factor lives on.
    pub(crate) fn begin(&mut self, epoch: Epoch, survivor: Option<SessionId>) {
        self.epoch = epoch;
        self.survivor = survivor;
        self.logins.clear();
        self.pending.clear();
        self.pending_phones.clear();
        self.browsers.revoke_all();
    }

    /// The owner has proven more than a guess could: the ledger starts afresh, and the link that would
    /// do the same is dead.
    pub(crate) fn refill(&mut self) {
        self.ledger.refill();
        self.refills.end();
    }

    /// Has this write been made? True only of the last eight.
    #[must_use]
    pub fn has_write(&self, write: WriteId) -> bool {
        self.writes.contains(&WriteIdRow(write.0))
    }

    /// Notes the write that is about to be made.
    pub(crate) fn note_write(&mut self, write: WriteId) {
        let excess = self.writes.len().saturating_add(1).saturating_sub(WRITE_IDS);
        self.writes.drain(..excess.min(self.writes.len()));
        self.writes.push(WriteIdRow(write.0));
    }

    /// Notes that the user logged in to a tenant.
    pub(crate) fn note_tenant(&mut self, tenant: &TenantId) {
        self.tenants.retain(|other| other != tenant);
        let excess = self.tenants.len().saturating_add(1).saturating_sub(TENANTS);
        self.tenants.drain(..excess.min(self.tenants.len()));
        self.tenants.push(tenant.clone());
    }

    /// Has the user a factor? One that took too many failures counts: it answers no more, and a
    /// password alone does not take its place.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        !self.authenticators.is_empty()
            || !self.phones.is_empty()
            || !self.passkeys.is_empty()
            || self.email.as_ref().is_some_and(EmailFactor::is_bound)
    }

    /// Does this login wait for the answer to this challenge of a passkey?
    #[must_use]
    pub fn awaits_passkey(&self, login: LoginId, challenge: ChallengeId) -> bool {
        let open = self.logins.iter().find(|touched| touched.id == login);
        open.and_then(|touched| touched.passkey).is_some_and(|open| open.id == challenge)
    }

    /// The address of the email factor, where it is active.
    #[must_use]
    pub fn active_email(&self) -> Option<&EmailAddress> {
        self.email.as_ref().filter(|factor| factor.is_active()).map(EmailFactor::address)
    }

    /// Does a session of this id and epoch still live?
    #[must_use]
    pub fn honours(&self, session: SessionId, epoch: Epoch) -> bool {
        // A session was granted by a settle: where there was none, the store has forgotten it.
        self.settled != UnixTime::EPOCH
            && self.standing == Standing::Enabled
            && (self.epoch == epoch || self.survivor == Some(session))
    }

    /// Has this mailbox reset the password within a day?
    #[must_use]
    pub fn mailbox_is_barred(&self, address: &EmailAddress, now: UnixTime) -> bool {
        self.mailbox_reset.as_ref().is_some_and(|reset| {
            reset.address == *address && now.since(reset.at) < MAILBOX_RESET_SECS
        })
    }

    /// How many recoveries were tried in the last day.
    #[must_use]
    pub fn recoveries_today(&self, now: UnixTime) -> usize {
        self.recoveries.iter().filter(|at| now.since(**at) < DAY_SECS).count()
    }

    /// The floor of a class of logins.
    #[must_use]
    pub const fn floor(&self, class: Class) -> UnixTime {
        match class {
            Class::Stranger => self.strangers_floor,
            Class::Known => self.known_floor,
        }
    }

    /// The factors that a login could be answered with, as kinds.
    #[must_use]
    pub fn kinds(&self) -> Vec<FactorKind> {
        let mut passkeys: Vec<FactorKind> =
            self.passkeys.iter().filter(|of| !of.is_locked()).map(Passkey::kind).collect();
        passkeys.sort_unstable();
        passkeys.dedup();
        let authenticator = (!self.authenticators.is_empty()).then_some(FactorKind::Authenticator);
        let sms = self.phones.iter().any(|phone| !phone.is_locked()).then_some(FactorKind::Sms);
        let email = self.active_email().map(|_| FactorKind::Email);
        passkeys.into_iter().chain(authenticator).chain(sms).chain(email).collect()
    }

    /// Drops what has ended, so that the lists stay within their bounds.
    pub(crate) fn prune(&mut self, now: UnixTime) {
        self.logins.retain(|login| now < login.ends);
        self.pending.retain(|pending| !pending.is_expired(now));
        self.pending_phones.retain(|pending| !pending.is_expired(now));
        self.recoveries.retain(|at| now.since(*at) < DAY_SECS);
        self.mailbox_reset =
            self.mailbox_reset.take().filter(|reset| now.since(reset.at) < MAILBOX_RESET_SECS);
    }

    /// A clock was wrong: no time of the future keeps anybody out.
    pub(crate) fn heal(&mut self, now: UnixTime) {
        self.ledger.heal(now);
        self.refills.heal(now);
        self.strangers_floor = self.strangers_floor.min(now);
        self.known_floor = self.known_floor.min(now);
        self.recoveries.retain(|at| *at <= now);
        // No login lives longer than this: one that seems to would take a place for a year.
        let latest = now.saturating_add(LOGIN_SECS).saturating_add(SKEW_SECS);
        self.logins.retain(|login| login.ends <= latest);
        if let Some(reset) = &mut self.mailbox_reset {
            reset.at = reset.at.min(now);
        }
        if let Some(gateway) = &mut self.gateway {
            gateway.until = gateway.until.min(now.saturating_add(RECOVERY_GRANT_SECS));
        }
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("settled", &self.settled)
            .field("standing", &self.standing)
            .field("epoch", &self.epoch)
            .field("authenticators", &self.authenticators.len())
            .field("phones", &self.phones.len())
            .field("passkeys", &self.passkeys.len())
            .field("pending", &self.pending.len())
            .field("pending_phones", &self.pending_phones.len())
            .field("logins", &self.logins.len())
            .field("ledger_units", &self.ledger.units())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_never_comes_again_even_where_its_count_does() {
        let one = Epoch::default().next(7);
        assert_ne!(one, Epoch::default().next(8));
        assert!(one.next(0).number() > one.number());
        assert_eq!(Epoch::from_number(one.number()), one);
    }

    #[test]
    fn what_a_clock_a_year_ahead_left_behind_bars_nobody_for_a_year() {
        let now = UnixTime::from_secs(1_800_000_000);
        let ahead = now.saturating_add(365 * DAY_SECS);
        let mailbox = EmailAddress::parse("alice@example.com").unwrap();
        let mut record = Record {
            mailbox_reset: Some(MailboxReset { address: mailbox.clone(), at: ahead }),
            gateway: Some(Gateway { browser: FamilyId::from_bytes([1; 16]), until: ahead }),
            ..Record::default()
        };
        let login = |n| LoginId::from_random_bytes([n; 16]);
        let ends = [now.saturating_add(LOGIN_SECS), ahead.saturating_add(LOGIN_SECS)];
        for (n, ends) in (1..).zip(ends) {
            record.logins.push(Touched::new(login(n), Class::Stranger, ends));
        }
        record.heal(now);
        assert_eq!(record.logins.iter().map(|of| of.id).collect::<Vec<_>>(), [login(1)]);
        assert!(record.mailbox_is_barred(&mailbox, now));
        assert!(!record.mailbox_is_barred(&mailbox, now.saturating_add(MAILBOX_RESET_SECS)));
        let until = record.gateway.unwrap().until;
        assert_eq!(until, now.saturating_add(RECOVERY_GRANT_SECS));
    }

    #[test]
    fn the_last_eight_writes_are_known() {
        let mut record = Record::default();
        for n in 0..20 {
            record.note_write(WriteId([n; 8]));
        }
        assert_eq!(record.writes.len(), 8);
        assert!(!record.has_write(WriteId([11; 8])));
        assert!((12..20).all(|n| record.has_write(WriteId([n; 8]))));
    }
}
