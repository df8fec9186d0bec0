//! Audit events: what was judged, granted, changed or revoked, with its real reason.
//!
//! An event is written in the same commit as what it tells of, sealed. It carries ids, the factor,
//! the node and the time; no secret, no code, no token, no address.

use serde::{Deserialize, Serialize};

use countersign_device::{
    ApplicationId, ClientId, DeviceId, FactorKind, LoginId, SessionId, TenantId, UserKey,
};
use countersign_otp::UnixTime;

use crate::lifecycle::LifecycleKind;
use crate::policy::change::Part;
use crate::port::EventId;
use crate::record::{Class, CodePurpose, seconds};

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Audit {
    /// Its name, under which it is delivered at least once.
    pub id: Id,
    /// When it was decided.
    #[serde(with = "seconds")]
    pub at: UnixTime,
    /// The node that decided.
    pub node: String,
    /// Whom it is about; none where it is about no user.
    pub user: Option<UserKey>,
    /// In which tenant, where one was named.
    pub tenant: Option<TenantId>,
    /// In which login.
    pub login: Option<LoginId>,
    /// Who asked for it.
    pub by: By,
    /// What happened.
    pub what: What,
}

/// The name of an event, in hexadecimal where people read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Id(pub [u8; 16]);

impl From<Id> for EventId {
    fn from(id: Id) -> Self {
        Self(id.0)
    }
}

/// Who asked for what happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum By {
    /// Whoever had the login, the code or the link; the owner of the users, who reports; or whom the
    /// event itself names.
    Anybody,
    /// This session of the user.
    Session(SessionId),
    /// The administrator: the client whose vendor token it was.
    Administrator(ClientId),
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum What {
    /// A code or a recovery code was judged.
    Judged {
        /// Of which factor.
        factor: FactorKind,
        /// Against which device, where one was named or matched.
        device: Option<DeviceId>,
        /// How it ended, in truth; the client is told one thing for all that is not `Won`.
        verdict: Verdict,
        /// Whose guess it was.
        class: Class,
        /// What it was charged, in units of 1e-8.
        units: u32,
    },
    /// A login was completed.
    Granted {
        /// The session that began.
        session: SessionId,
        /// By which second factor; none where it was not asked or the browser was remembered.
        second: Option<FactorKind>,
        /// Did a remembered browser skip the second step?
        remembered: bool,
        /// The session whose step-up it was: the new one takes its place.
        replaces: Option<SessionId>,
    },
    /// The failures of a window killed the logins issued before.
    LoginsKilled {
        /// Of which class.
        class: Class,
    },
    /// An enrolment was begun; nothing is weakened by it.
    EnrolmentStarted {
        /// Of which factor.
        factor: FactorKind,
        /// The pending device.
        device: DeviceId,
    },
    /// A factor was added.
    FactorAdded {
        /// Of which kind.
        factor: FactorKind,
        /// The device, where it has an id.
        device: Option<DeviceId>,
    },
    /// A factor was removed, by its owner or by the administrator.
    FactorRemoved {
        /// Of which kind.
        factor: FactorKind,
        /// The device.
        device: DeviceId,
    },
    /// All factors were removed.
    FactorsRemoved,
    /// A recovery code was issued.
    RecoveryIssued,
    /// A code was sent.
    CodeSent {
        /// Over which factor.
        factor: FactorKind,
        /// What for.
        purpose: CodePurpose,
        /// To which phone, or which pending one; a mailbox has no id.
        device: Option<DeviceId>,
    },
    /// The mailbox of the directory was proven by a code, after a recovery.
    MailboxProven,
    /// Browsers were forgotten at their owner's wish.
    BrowsersForgotten {
        /// How many.
        count: u8,
    },
    /// A browser was remembered.
    BrowserRemembered,
    /// A remembered or known browser came with a secret that another had already replaced: both
    /// its family and its trust are gone (D-01).
    BrowserStolen,
    /// A browser came with the secret before the present one, which nobody ever presented: an
    /// answer was lost. Its family is gone, without alarm.
    BrowserAnswerLost,
    /// The owner of the users reported something, and it took effect.
    Lifecycle(LifecycleKind),
    /// A refresh token came twice: its session is gone.
    SessionReplayed {
        /// Which session.
        session: SessionId,
    },
    /// An administrator asked for a user who was never seen in the tenant that was named, or whose
    /// factors are another tenant's as well (E-19).
    ForeignTenant,
    /// The record was last settled ahead of now: a clock is wrong.
    ClockSkew {
        /// By how many seconds it was ahead.
        ahead: u64,
    },
    /// A part of a policy was changed: the environment's where no tenant is named.
    PolicyChanged {
        /// The client of the management routes that did.
        by: ClientId,
        /// Of which application.
        application: Option<ApplicationId>,
        /// Which part.
        part: Part,
    },
    /// Something became of a client of the management routes.
    Client {
        /// Which client.
        client: ClientId,
        /// What.
        change: ClientChange,
    },
    /// The owner was mailed a link that refills the ledger: half of it is spent, or it is closed.
    RefillOffered,
    /// The ledger was refilled by that link.
    LedgerRefilled,
}

/// What became of a client of the management routes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClientChange {
    /// A wrong secret was presented; written once an hour a client.
    Refused,
    /// One of its tokens was revoked.
    TokenRevoked,
    /// It was added.
    Added,
    /// It got a token.
    TokenBought,
    /// Its tokens are dead.
    Revoked,
}

/// How a judged code ended, in truth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    /// It was right, and it is spent now.
    Won,
    /// It was wrong.
    Wrong,
    /// It was right once, and spent.
    Replayed,
    /// Its challenge is dead: expired, replaced, answered, or another login's.
    DeadChallenge,
    /// No such device, or one that is locked.
    UnknownDevice,
    /// The enrolment it would confirm is not there, expired, or another opener's.
    NoEnrolment,
    /// The signature is right, and its counter did not rise: there may be a copy of the passkey.
    CountWentBack,
}
