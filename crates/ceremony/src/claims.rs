//! What our sealed tokens say. Only we read them; each kind opens as itself alone (B-03, B-07).

use serde::{Deserialize, Serialize};

use countersign_device::{
    ApplicationId, ChallengeId, EmailAddress, FactorKind, LoginId, SessionId, TenantId, UserKey,
};
use countersign_otp::UnixTime;
use countersign_token::{FamilyId, Kind};

use crate::assertion::{FirstFactor, Second, Subject};
use crate::record::{Class, CodePurpose, Epoch, LinkId, seconds};
use crate::rules::{LOGIN_SECS, SKEW_SECS};

/// The kind of a login's token: a first factor passed, the second awaited.
#[derive(Clone, Copy, Debug)]
pub enum LoginKind {}

impl Kind for LoginKind {
    const NAME: &'static str = "login";
    type Claims = Login;
}

/// The kind of a challenge's token: a code was sent.
#[derive(Clone, Copy, Debug)]
pub enum ChallengeKind {}

impl Kind for ChallengeKind {
    const NAME: &'static str = "challenge";
    type Claims = ChallengeClaims;
}

/// The kind of a passkey's challenge.
#[derive(Clone, Copy, Debug)]
pub enum PasskeyKind {}

impl Kind for PasskeyKind {
    const NAME: &'static str = "passkey";
    type Claims = PasskeyClaims;
}

/// The kind of a refresh token before its first use: generation 0, which needs no record.
#[derive(Clone, Copy, Debug)]
pub enum SessionKind {}

impl Kind for SessionKind {
    const NAME: &'static str = "session";
    type Claims = Session;
}

/// The kind of an opaque refresh token, from its first use on.
#[derive(Clone, Copy, Debug)]
pub enum RefreshKind {}

impl Kind for RefreshKind {
    const NAME: &'static str = "refresh";
    type Claims = ();
}

/// The kind of a link that refills the ledger.
#[derive(Clone, Copy, Debug)]
pub enum RefillKind {}

impl Kind for RefillKind {
    const NAME: &'static str = "refill";
    type Claims = RefillClaims;
}

/// What a link that refills the ledger says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RefillClaims {
    /// Whose ledger.
    pub user: UserKey,
    /// Which link.
    pub id: LinkId,
}

/// A login: it lives in its token, and costs no write until it is touched.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Which login.
    pub id: LoginId,
    /// Whose.
    pub user: UserKey,
    /// In which tenant.
    pub tenant: TenantId,
    /// For which application, where one was named.
    pub application: Option<ApplicationId>,
    /// The address of the directory, or of the service's own login call.
    pub email: Option<EmailAddress>,
    /// When its first factor passed.
    #[serde(with = "seconds")]
    pub issued: UnixTime,
    /// The first factor.
    pub first: FirstFactor,
    /// The user's epoch then.
    pub epoch: Epoch,
    /// What it is bound to: nobody else finishes it (B-01).
    pub binding: Option<Binding>,
    /// A code proved the mailbox of the directory, after a recovery.
    pub mailbox_proven: bool,
    /// The session whose step-up this is. It is completed for that session alone (B-04).
    pub session: Option<SessionId>,
}

/// What a login is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Binding {
    /// The known browser that it began in.
    Browser(FamilyId),
    /// The digest of a nonce that the client keeps.
    Nonce([u8; 32]),
}

impl Login {
    /// When it ends: at that second it is dead.
    #[must_use]
    pub const fn ends(&self) -> UnixTime {
        self.issued.saturating_add(LOGIN_SECS)
    }

    /// Is it too old, or from a clock too far ahead?
    #[must_use]
    pub fn is_over(&self, now: UnixTime) -> bool {
        now >= self.ends() || self.issued > now.saturating_add(SKEW_SECS)
    }

    /// Whose guesses it makes.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.binding {
            Some(Binding::Browser(_)) => Class::Known,
            Some(Binding::Nonce(_)) | None => Class::Stranger,
        }
    }
}

/// What the token of a challenge says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChallengeClaims {
    /// Whose.
    pub user: UserKey,
    /// Under which login.
    pub login: LoginId,
    /// Which challenge.
    pub id: ChallengeId,
    /// Over which factor.
    pub factor: FactorKind,
    /// For what.
    pub purpose: CodePurpose,
}

/// What the token of a passkey's challenge says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PasskeyClaims {
    /// Whose.
    pub user: UserKey,
    /// Under which login.
    pub login: LoginId,
    /// Which challenge.
    pub id: ChallengeId,
    /// What the relying party keeps of it.
    pub state: Vec<u8>,
}

/// What a refresh token of generation 0 says; a family keeps the same, and carries it unchanged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Who, in which session and epoch.
    pub subject: Subject,
    /// The first factor.
    pub first: FirstFactor,
    /// How the second step was answered.
    pub second: Second,
    /// When the user proved what this rests on.
    #[serde(with = "seconds")]
    pub auth_time: UnixTime,
    /// When the session ends, however often it is refreshed.
    #[serde(with = "seconds")]
    pub ends: UnixTime,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("tenant", &self.tenant)
            .field("issued", &self.issued)
            .field("first", &self.first)
            .field("epoch", &self.epoch)
            .field("binding", &self.binding)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
