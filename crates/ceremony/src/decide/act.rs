//! What a session asks for its own account, or the administrator for a user's: factors are added,
//! removed, listed and regenerated here.
//!
//! An act is decided as a step is, under a login of the session's own: so every judged code passes
//! `guess` (C-15), a code that was sent belongs to the session that asked for it, and a pending
//! enrolment to its opener. What is asked is a [`Deed`]; whether it may be done is `proof`'s to say.
//! That the session still lives is decided in the same settle (D-04): an access token that is valid
//! and of an epoch that has ended does nothing.
//!
//! Another factor adds its deeds to [`Deed`] and a line each to `Draft::done`. It asks
//! [`Draft::must_enrol`] before it shows or confirms anything, ends with `Draft::enrolled`, and
//! removes with `Draft::removal` and `Draft::removed`; all of them hold under a login as well.

use countersign_device::{
    ApplicationId, ClientId, DeviceId, EmailAddress, Label, LoginId, Opener, SessionId, TenantId,
};
use countersign_otp::{Code, UnixTime};

use super::draft::Draft;
use super::proof::Proof;
use super::{Cookie, FreshRecovery, Outcome, Refusal};
use crate::assertion::FirstFactor;
use crate::audit::What;
use crate::claims::{Binding, Login};
use crate::record::{Epoch, Standing};

/// Something is asked under a session, or by the administrator.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who asks.
    pub actor: Actor,
    /// In which tenant, whose policy decides.
    pub tenant: TenantId,
    /// The user's other tenants: where one of them enforces a second factor, the last one stays.
    pub also: Vec<TenantId>,
    /// For which application, where one was named.
    pub application: Option<ApplicationId>,
    /// The address of the session.
    pub email: Option<EmailAddress>,
    /// The browser's cookie.
    pub cookie: Cookie,
    /// What is to be done.
    pub deed: Deed,
}

/// Who asks for an act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// The user.
    Session(ActingSession),
    /// Whoever holds a vendor token. The administrator needs no fresh proof, and ends no session by
    /// adding a factor.
    Administrator(Administrator),
}

/// An administrator: a client of the management routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Administrator {
    /// Which client.
    pub client: ClientId,
    /// Is it one tenant's alone? Then it acts on no user who was seen in another: what it removes is
    /// removed in all of them (E-19).
    pub of_one_tenant: bool,
}

/// A session as its access token tells of it. The engine has verified the token; whether the session
/// still lives is decided with the act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActingSession {
    /// Which session.
    pub id: SessionId,
    /// The epoch that it began in.
    pub epoch: Epoch,
    /// The first factor that it rests on.
    pub first: FirstFactor,
    /// Was a second factor proved? A remembered browser proves none (D-16).
    pub proved: bool,
    /// When the user proved what it rests on.
    pub auth_time: UnixTime,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Show a pending authenticator, the same each time under the same session.
    PreEnrol,
    /// Confirm the pending authenticator by its first code.
    Confirm {
        /// The code.
        code: Code,
        /// What its owner calls it.
        label: Label,
        /// A fresh recovery code, where the engine has made one.
        recovery: Option<FreshRecovery>,
    },
    /// Remove one authenticator.
    RemoveAuthenticator {
        /// Which.
        device: DeviceId,
        /// What proves that the user wants it.
        proof: Proof,
    },
    /// Remove every factor, and the recovery code with them.
    RemoveAll {
        /// What proves that the user wants it.
        proof: Proof,
    },
}

impl Actor {
    /// Who alone may see and confirm what this actor began to enrol.
    #[must_use]
    pub const fn opener(&self) -> Opener {
        match self {
            Self::Session(session) => Opener::Session(session.id),
            Self::Administrator(_) => Opener::Administrator,
        }
    }

    /// The session that lives on where this actor ends the others.
    #[must_use]
    pub const fn survivor(&self) -> Option<SessionId> {
        match self {
            Self::Session(session) => Some(session.id),
            Self::Administrator(_) => None,
        }
    }

    /// The login that its guesses and challenges stand under. No token of it is ever sealed, and no
    /// drawn id is the administrator's.
    pub(crate) const fn login(&self) -> LoginId {
        match self {
            Self::Session(session) => LoginId::from_bytes(*session.id.as_bytes()),
            Self::Administrator(_) => LoginId::NONE,
        }
    }
}

impl Draft<'_> {
    pub(super) fn act(&mut self, act: Act) -> Outcome {
        let Act { actor, tenant, also: _, application, email, cookie, deed } = act;
        self.tenant = Some(tenant.clone());
        self.email.clone_from(&email);
        if let Err(refusal) = self.hear(&actor, &tenant) {
            return Outcome::Refused(refusal);
        }
        let met = self.meet(&cookie);
        let login = Login {
            id: actor.login(),
            user: self.given.user.clone(),
            tenant,
            application,
            email,
            issued: self.now,
            first: match &actor {
                Actor::Session(session) => session.first,
                Actor::Administrator(_) => FirstFactor::Password,
            },
            epoch: self.record.epoch,
            binding: met.map(|met| Binding::Browser(met.family)),
            mailbox_proven: false,
            session: None,
        };
        self.actor = Some(actor);
        self.done(&login, &cookie, deed).unwrap_or_else(Outcome::Refused)
    }

    /// Does the session still live? Is the user one of the administrator's tenant (E-19)?
    fn hear(&mut self, actor: &Actor, tenant: &TenantId) -> Result<(), Refusal> {
        match actor {
            Actor::Session(session) if self.record.honours(session.id, session.epoch) => Ok(()),
            Actor::Session(_) => Err(Refusal::SessionOver),
            Actor::Administrator(_) if self.record.standing == Standing::Erased => {
                Err(Refusal::UnknownUser)
            }
            Actor::Administrator(administrator) => {
                let mut seen = self.record.tenants.iter();
                let has = self.record.tenants.contains(tenant);
                if has && !(administrator.of_one_tenant && seen.any(|other| other != tenant)) {
                    return Ok(());
                }
                self.actor = Some(actor.clone());
                self.note(What::ForeignTenant);
                Err(Refusal::UnknownUser)
            }
        }
    }

    fn done(&mut self, login: &Login, cookie: &Cookie, deed: Deed) -> Result<Outcome, Refusal> {
        match deed {
            Deed::PreEnrol => self.pre_enrol(login).map(Box::new).map(Outcome::Enrolment),
            Deed::Confirm { code, label, recovery } => {
                self.confirm(login, &code, label, recovery, cookie, false)
            }
            Deed::RemoveAuthenticator { device, proof } => {
                self.remove_authenticator(login, device, proof)
            }
            Deed::RemoveAll { proof } => self.remove_all(login, proof),
        }
    }
}
