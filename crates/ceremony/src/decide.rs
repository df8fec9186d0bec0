//! decide: `(record, given, event, now, seed) -> (next record, audit events, outcome)`.
//!
//! A pure function: no I/O, no clock, no generator. All policy and all judgement of a user's
//! second factor is here, and constant work where a secret is judged. `given` holds the tenant's
//! policy and the vault, whose digests are functions of their arguments. Whoever calls it gets an
//! outcome that is [`Sealed`]: it opens for a [`Commit`] alone, and only the engine has those, once
//! the swap is won.
//!
//! One file a factor: `authenticator`, `email`, `passkey`, `phone`, `recovery`; `first` opens and admits, `grant`
//! grants; `act` is what a session or the administrator asks, and `proof` what that takes; `guess` is
//! the one choke point that every judged code passes (C-15), `delivered` the one that every code
//! passes that is sent, `refill` the link that is mailed when the ledger closes.

mod act;
mod authenticator;
mod browser;
mod codes;
mod delivered;
mod draft;
mod email;
mod enrol;
mod first;
mod grant;
mod guess;
mod import;
mod lifecycle;
mod passkey;
mod phone;
mod proof;
mod recovery;
mod refill;
mod step_up;

#[cfg(test)]
mod tests;

use countersign_device::{
    Address, ApplicationId, Attachment, DeviceId, EmailAddress, FactorKind, Label, SessionId,
    TenantId, UserKey,
};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_vault::Vault;

pub use act::{Act, ActingSession, Actor, Administrator, Deed, is_heard};
pub(crate) use browser::is_known;
pub use browser::{Cookie, FreshBrowser};
pub use codes::{FreshCode, FreshRecovery, RecoveryCodes};
pub use delivered::Target;
pub use draft::Seed;
pub use import::{Import, ImportedApp, ImportedPasskey, ImportedPhone};
pub use passkey::{PasskeyAsk, PasskeyBegun, PasskeyCeremony, PasskeyEvidence};
pub use proof::Proof;
pub use recovery::Evidence;
pub use refill::RefillOffer;

use crate::assertion::{Assertion, FirstFactor};
use crate::audit::Audit;
use crate::claims::{ChallengeClaims, Login};
use crate::destination::Pool;
use crate::env::To;
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::record::{Epoch, LinkId, Record};
use draft::Draft;

/// What decide is given beside the record: all of it constant during one decision.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Whose record it is.
    pub user: &'a UserKey,
    /// The policy of the tenant in question.
    pub policy: &'a Policy,
    /// For keyed digests of codes and secrets, which are pure functions.
    pub vault: &'a dyn Vault,
    /// The node that decides, as its audit events name it.
    pub node: &'a str,
}

/// What happened, for decide to judge.
#[derive(Clone, Debug)]
pub enum Event {
    /// A first factor passed: what next?
    Begin(Begin),
    /// Something is asked under an open login.
    Step(Box<Step>),
    /// Something is asked under a session, or by the administrator.
    Act(Box<Act>),
    /// A recovery code whose tag matched was hashed.
    Recover(Recover),
    /// The owner of the users reports.
    Report(Lifecycle),
    /// A user moves in with factors that were enrolled elsewhere.
    Import(Box<Import>),
    /// The owner opened the link that refills the ledger.
    Refill(LinkId),
}

/// A first factor passed.
#[derive(Clone, Debug)]
pub struct Begin {
    /// In which tenant.
    pub tenant: TenantId,
    /// The user's other tenants, whose enforcement counts as well.
    pub also: Vec<TenantId>,
    /// For which application.
    pub application: Option<ApplicationId>,
    /// The address of the directory, or of the service's own login call.
    pub email: Option<EmailAddress>,
    /// Which first factor.
    pub first: FirstFactor,
    /// The epoch that the first factor was checked under, where that took time.
    pub epoch: Option<Epoch>,
    /// The digest of a nonce that the client keeps, where it offers one.
    pub nonce: Option<[u8; 32]>,
    /// The browser's cookie.
    pub cookie: Cookie,
    /// What the browser says that it is.
    pub agent: Label,
}

/// Something is asked under an open login, whose token the engine has opened.
#[derive(Clone, Debug)]
pub struct Step {
    /// The login.
    pub login: Login,
    /// The browser's cookie.
    pub cookie: Cookie,
    /// What the browser says that it is.
    pub agent: Label,
    /// The digest of the nonce that the client presents.
    pub nonce: Option<[u8; 32]>,
    /// The session that the client presents beside the login, where it has one: a step-up is its own
    /// session's alone (B-04).
    pub session: Option<SessionId>,
    /// What is asked.
    pub ask: Ask,
    /// Should this browser be remembered, if the login is granted?
    pub remember: bool,
}

/// What is asked under an open login.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A pending authenticator, the same each time under the same login.
    PreEnrol,
    /// Confirm the pending authenticator by its first code.
    Confirm {
        /// The code.
        code: Code,
        /// A fresh recovery code, where the engine has made one.
        recovery: Option<FreshRecovery>,
    },
    /// Judge a code of an authenticator app; without a device, against all of them.
    Code {
        /// Which device.
        device: Option<DeviceId>,
        /// The code.
        code: Code,
        /// A fresh recovery code, where the engine has made one: a forced enrolment may end here.
        recovery: Option<FreshRecovery>,
    },
    /// Send a code. The engine has burned the destination's budget before.
    Send(Target),
    /// Judge a code that was sent by email.
    EmailCode {
        /// What its token says. It may be another login's.
        challenge: ChallengeClaims,
        /// The code.
        code: Code,
    },
    /// Judge a code that was sent to a phone.
    PhoneCode {
        /// Which phone.
        device: DeviceId,
        /// What its token says. It may be another login's.
        challenge: ChallengeClaims,
        /// The code.
        code: Code,
    },
    /// Something of passkeys.
    Passkey(PasskeyAsk),
    /// Confirm the pending phone by the code that was sent to it.
    ConfirmPhone {
        /// What its token says. It may be another login's.
        challenge: ChallengeClaims,
        /// The code.
        code: Code,
        /// A fresh recovery code, where the engine has made one.
        recovery: Option<FreshRecovery>,
    },
}

/// A recovery code whose tag matched, hashed.
#[derive(Clone, Debug)]
pub struct Recover {
    /// What Argon2 said, bound to the hash that it was computed from.
    pub evidence: Evidence,
    /// The address of the directory, to notify.
    pub email: Option<EmailAddress>,
    /// The browser's cookie.
    pub cookie: Cookie,
    /// What the browser says that it is.
    pub agent: Label,
}

/// What was decided.
#[derive(Debug)]
#[must_use = "a decision counts only when its swap is won"]
pub struct Decision {
    /// The record afterwards.
    pub record: Record,
    /// Must it be settled? Where not, the outcome is answered from the look.
    pub changed: bool,
    /// What goes to the outbox in the same commit.
    pub audits: Vec<Audit>,
    /// What happened, and whom to tell, sealed until the swap is won.
    pub told: Sealed<Told>,
}

/// What is told once the swap is won.
#[derive(Clone, Debug)]
pub struct Told {
    /// To the client.
    pub outcome: Outcome,
    /// To the owner of the account, by mail.
    pub notices: Vec<Notice>,
    /// To the owner of the account, by mail: a link that refills the ledger.
    pub offer: Option<RefillOffer>,
}

/// Something that nobody may see before its swap is won.
#[derive(Debug)]
pub struct Sealed<T>(T);

/// The proof that a swap was won, or that there was nothing to swap. Only the engine has it.
#[derive(Debug)]
pub struct Commit(());

impl Commit {
    /// The engine's alone: after a won settle, or where the decision changed nothing.
    pub(crate) const fn proven() -> Self {
        Self(())
    }
}

impl<T> Sealed<T> {
    /// Opens it.
    pub fn open(self, _: &Commit) -> T {
        self.0
    }
}

/// What happened, for the client and for whoever sends mail.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The login is complete.
    Granted(Box<Granted>),
    /// A second factor is asked for.
    Challenged(Box<Challenged>),
    /// A pending authenticator, to be shown as a QR code.
    Enrolment(Box<Enrolment>),
    /// A code is to be sent.
    Send(Box<Send>),
    /// The ceremony of a passkey is to begin.
    Passkey(Box<PasskeyBegun>),
    /// The factors are removed. This browser may enrol again, for a quarter of an hour.
    Recovered(FreshBrowser),
    /// A factor was added under a session.
    Added {
        /// The recovery code, to be shown once.
        recovery: Option<RecoveryCodes>,
    },
    /// What a session or the administrator asked for is done.
    Done,
    /// The report took effect.
    Reported,
    /// Nothing is decided yet: a fresh recovery code has to be made first.
    NeedsRecovery,
    /// No.
    Refused(Refusal),
}

/// A completed login.
#[derive(Clone, Debug)]
pub struct Granted {
    /// What tokens are minted from.
    pub assertion: Assertion,
    /// What the browser's cookie is told.
    pub browser: Option<FreshBrowser>,
    /// The recovery code, to be shown once.
    pub recovery: Option<RecoveryCodes>,
    /// The session whose step-up this was: the new one takes its place.
    pub replaces: Option<SessionId>,
}

/// A second factor is asked for.
#[derive(Clone, Debug)]
pub struct Challenged {
    /// The login, to be sealed into its token.
    pub login: Login,
    /// Has the user a factor that this login takes?
    pub enrolled: bool,
    /// The authenticators that it may be answered with.
    pub authenticators: Vec<DeviceId>,
    /// The addresses that it may be answered with, masked.
    pub emails: Vec<String>,
    /// The phones that it may be answered with, their numbers masked.
    pub phones: Vec<(DeviceId, String)>,
    /// The passkeys that it may be answered with, where they are, and what they are called.
    pub passkeys: Vec<(DeviceId, Attachment, Label)>,
    /// The factors that could be enrolled, or are asked for, the strongest first.
    pub strategies: Vec<FactorKind>,
    /// The enrolment that it is forced to begin.
    pub enrolment: Option<Enrolment>,
    /// What the browser's cookie is told.
    pub forget_browser: Vec<countersign_token::FamilyId>,
}

/// A pending authenticator.
#[derive(Clone)]
pub struct Enrolment {
    /// Its secret.
    pub secret: Secret,
    /// Its parameters.
    pub totp: Totp,
    /// The issuer that the app shows.
    pub issuer: String,
    /// The account that the app shows.
    pub account: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

/// A code is to be sent.
#[derive(Clone, Debug)]
pub struct Send {
    /// Where to.
    pub to: To,
    /// What the client may show of that.
    pub shown: String,
    /// The code.
    pub code: Code,
    /// When it ends.
    pub ends: UnixTime,
    /// The challenge, to be sealed into its token.
    pub challenge: ChallengeClaims,
}

/// Somebody is to be told of something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Who.
    pub to: EmailAddress,
    /// Of what.
    pub of: NoticeOf,
}

/// What somebody is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeOf {
    /// A factor was added.
    FactorAdded(FactorKind),
    /// A factor was removed.
    FactorRemoved(FactorKind),
    /// Every factor was removed, by the user or by the administrator.
    FactorsRemoved,
    /// Recovery codes were issued anew.
    RecoveryIssued,
    /// The recovery code was used, and the factors are removed.
    RecoveryUsed,
    /// A browser's secret came twice: somebody may have copied it.
    BrowserStolen,
    /// A passkey's counter went back: somebody may have copied it.
    PasskeyCopied,
    /// A browser is remembered from now on.
    BrowserRemembered,
    /// The password is known to somebody who fails the second factor.
    GuessingStopped,
    /// The address of the directory changed.
    AddressChanged,
}

/// Why not. The client is told no more than this; the truth is in the audit event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A code was judged, and is not accepted: wrong, replayed, of a dead challenge or of an
    /// unknown device.
    Code,
    /// The login is over: expired, spent, exhausted, of another epoch or of another browser.
    LoginOver,
    /// The profile asks that each login be bound to its client, and this one offers nothing to bind to: neither a known
    /// browser's cookie nor a nonce.
    Unbound,
    /// Nothing was judged: too many tries. After so many seconds it may be tried again; none where
    /// only a refill of the ledger helps.
    TooMany(Option<u64>),
    /// Nothing was judged: this user or login has no such factor.
    NoSuchFactor,
    /// Nothing was judged: the user has a factor already, and a password alone adds none.
    AlreadyEnrolled,
    /// The user may not log in.
    Disabled,
    /// The session has ended.
    SessionOver,
    /// Nothing was judged: the session's proof is too old or too weak for this. A step-up mends it.
    StepUp,
    /// Nothing was judged: the tenant demands a factor, and this is the last one.
    Forced,
    /// Nothing was judged: the user has no factor to remove or to prove.
    NotEnrolled,
    /// The administrator's tenant has no such user, or not that user alone.
    UnknownUser,
    /// The link is over: opened, ended, replaced by another, or no longer needed.
    LinkOver,
}

/// May a code be sent for this login, and where to? It is asked of a look, before any budget is
/// burned; [`decide`] asks it again.
///
/// # Errors
/// The refusal for the client.
pub fn may_send(
    record: Record,
    given: &Given<'_>,
    step: &Step,
    target: Target,
    now: UnixTime,
) -> Result<(Address, Pool), Refusal> {
    // Nothing is drawn, so nothing has to be random.
    let mut draft = Draft::new(record, given, now, Seed::new([0; 32]));
    if draft.heal() || !draft.admits(&step.login, &step.cookie, step.nonce) {
        return Err(Refusal::LoginOver);
    }
    draft.recipient(&step.login, target)
}

/// The same for what a session sends, or the administrator.
///
/// # Errors
/// The refusal for the client.
pub fn may_send_for(
    record: Record,
    given: &Given<'_>,
    act: &Act,
    target: Target,
    now: UnixTime,
) -> Result<(Address, Pool), Refusal> {
    let mut draft = Draft::new(record, given, now, Seed::new([0; 32]));
    draft.heal();
    let login = draft.heard(act)?;
    draft.recipient(&login, target)
}

/// Decides.
pub fn decide(
    record: Record,
    given: &Given<'_>,
    event: Event,
    now: UnixTime,
    seed: [u8; 32],
) -> Decision {
    let mut draft = Draft::new(record, given, now, Seed::new(seed));
    let skewed = draft.heal();
    let outcome = match event {
        Event::Begin(begin) => draft.begin(begin),
        Event::Step(step) => draft.step(*step, skewed),
        Event::Act(act) => draft.act(*act),
        Event::Recover(recover) => draft.recover(recover),
        Event::Report(report) => draft.report(report),
        Event::Import(import) => draft.import(*import),
        Event::Refill(link) => draft.refill(link),
    };
    draft.finish(outcome)
}
