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
use countersign_token::FamilyId;

use super::draft::Draft;
use super::proof::Proof;
use super::{Cookie, FreshRecovery, Outcome, PasskeyAsk, Refusal, Target};
use crate::assertion::FirstFactor;
use crate::audit::What;
use crate::claims::{Binding, ChallengeClaims, Login};
use crate::lifecycle::LifecycleKind;
use crate::record::{Epoch, Record, Standing};
use crate::rules::SKEW_SECS;

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
    /// What the browser says that it is.
    pub agent: Label,
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
    /// Something of passkeys.
    Passkey(PasskeyAsk),
    /// Remove one authenticator.
    RemoveAuthenticator {
        /// Which.
        device: DeviceId,
        /// What proves that the user wants it.
        proof: Proof,
    },
    /// Send a code: to a number that is to be added, or to a phone that is to be removed. The engine
    /// has burned the destination's budget before.
    Send(Target),
    /// Confirm the pending phone by the code that was sent to it.
    ConfirmPhone {
        /// What its token says. It may be another session's.
        challenge: ChallengeClaims,
        /// The code.
        code: Code,
        /// What its owner calls it.
        label: Label,
        /// A fresh recovery code, where the engine has made one.
        recovery: Option<FreshRecovery>,
    },
    /// Bind the user's address by the code that was sent to it.
    ConfirmEmail {
        /// What its token says. It may be another session's.
        challenge: ChallengeClaims,
        /// The code.
        code: Code,
        /// A fresh recovery code, where the engine has made one.
        recovery: Option<FreshRecovery>,
    },
    /// Remove one phone.
    RemovePhone {
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
    /// Issue recovery codes anew.
    Regenerate {
        /// What proves that the user wants it.
        proof: Proof,
        /// The fresh codes, where the engine has made them.
        fresh: Option<FreshRecovery>,
    },
    /// Prove the user anew, unless a second factor was proved so many seconds ago at most.
    StepUp {
        /// How old the proof may be.
        max_age: u64,
        /// The digest of a nonce that the client keeps, where it offers one.
        nonce: Option<[u8; 32]>,
    },
    /// Forget one browser, or all of them: it is remembered no more, nor known.
    ForgetBrowsers {
        /// Which one alone.
        only: Option<FamilyId>,
    },
    /// End every session, this one too, and every browser and open login.
    SignOutEverywhere,
}

impl ActingSession {
    /// Is its proof at most so many seconds old, and not from a clock that was ahead?
    pub(super) const fn is_young(&self, max_age: u64, now: UnixTime) -> bool {
        now.since(self.auth_time) <= max_age && self.auth_time.since(now) <= SKEW_SECS
    }
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
        let login = self.heard(&act);
        login
            .and_then(|login| self.done(&login, &act.cookie, act.deed))
            .unwrap_or_else(Outcome::Refused)
    }

    /// The login that an act is decided under.
    ///
    /// # Errors
    /// The refusal for the client: whoever asks may ask for nothing here.
    pub(super) fn heard(&mut self, act: &Act) -> Result<Login, Refusal> {
        let Act { actor, tenant, also: _, application, email, cookie, agent, deed: _ } = act;
        self.agent.clone_from(agent);
        self.tenant = Some(tenant.clone());
        self.email.clone_from(email);
        self.hear(actor, tenant)?;
        let met = self.meet(cookie);
        self.actor = Some(actor.clone());
        Ok(Login {
            id: actor.login(),
            user: self.given.user.clone(),
            tenant: tenant.clone(),
            application: application.clone(),
            email: email.clone(),
            issued: self.now,
            first: match actor {
                Actor::Session(session) => session.first,
                Actor::Administrator(_) => FirstFactor::Password,
            },
            epoch: self.record.epoch,
            binding: met.map(|met| Binding::Browser(met.family)),
            mailbox_proven: false,
            session: None,
        })
    }

    /// Hears an actor, and writes down an administrator who is not.
    fn hear(&mut self, actor: &Actor, tenant: &TenantId) -> Result<(), Refusal> {
        let heard = is_heard(&self.record, actor, tenant);
        if heard == Err(Refusal::UnknownUser) && self.record.standing != Standing::Erased {
            self.actor = Some(actor.clone());
            self.note(What::ForeignTenant);
        }
        heard
    }

    fn done(&mut self, login: &Login, cookie: &Cookie, deed: Deed) -> Result<Outcome, Refusal> {
        match deed {
            Deed::PreEnrol => self.pre_enrol(login).map(Box::new).map(Outcome::Enrolment),
            Deed::Confirm { code, label, recovery } => {
                self.confirm(login, &code, label, recovery, cookie, false)
            }
            Deed::Passkey(ask) => self.passkey(login, ask, cookie, false),
            Deed::RemoveAuthenticator { device, proof } => {
                self.remove_authenticator(login, device, proof)
            }
            Deed::Send(
                target @ (Target::NewPhone(..) | Target::RemovedPhone(..) | Target::BoundMailbox),
            ) => self.send_code(login, target),
            // These answer a login, and there is none.
            Deed::Send(Target::Mailbox | Target::Phone(..)) => Err(Refusal::NoSuchFactor),
            Deed::ConfirmPhone { challenge, code, label, recovery } => {
                self.confirm_phone(login, &challenge, &code, label, recovery, cookie, false)
            }
            Deed::ConfirmEmail { challenge, code, recovery } => {
                self.confirm_email(login, &challenge, &code, recovery, cookie)
            }
            Deed::RemovePhone { device, proof } => self.remove_phone(login, device, proof),
            Deed::RemoveAll { proof } => self.remove_all(login, proof),
            Deed::Regenerate { proof, fresh } => self.regenerate(login, proof, fresh),
            Deed::StepUp { max_age, nonce } => self.step_up(login, max_age, nonce),
            Deed::ForgetBrowsers { only } => self.forget_browsers(only),
            Deed::SignOutEverywhere => {
                self.note(What::Lifecycle(LifecycleKind::SignOutEverywhere));
                self.new_epoch(None);
                Ok(Outcome::Done)
            }
        }
    }
}

/// Does the session still live? Is the user one of the administrator's tenant (E-19)?
///
/// # Errors
/// The refusal for the client.
pub fn is_heard(record: &Record, actor: &Actor, tenant: &TenantId) -> Result<(), Refusal> {
    match actor {
        Actor::Session(session) if record.honours(session.id, session.epoch) => Ok(()),
        Actor::Session(_) => Err(Refusal::SessionOver),
        Actor::Administrator(administrator) => {
            let here = record.standing != Standing::Erased && record.tenants.contains(tenant);
            let elsewhere = record.tenants.iter().any(|other| other != tenant);
            if here && !(administrator.of_one_tenant && elsewhere) {
                Ok(())
            } else {
                Err(Refusal::UnknownUser)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::super::tests::World;
    use super::*;
    use crate::audit::What;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    fn administrator(of_one_tenant: bool) -> Actor {
        let client = ClientId::parse("console").unwrap();
        Actor::Administrator(Administrator { client, of_one_tenant })
    }

    /// E-19: the administrator of one tenant is heard about its own users, and about nobody else's.
    #[test]
    fn an_administrator_of_one_tenant_is_heard_about_its_own_users() {
        let acme = tenant("acme");
        for (tenants, of_one, heard) in [
            (&["acme"][..], true, true),
            (&["acme"], false, true),
            (&["acme", "globex"], true, false),
            (&["acme", "globex"], false, true),
            (&["globex"], true, false),
            (&["globex"], false, false),
        ] {
            let mut record = Record::default();
            tenants.iter().for_each(|name| record.note_tenant(&tenant(name)));
            let is_heard = is_heard(&record, &administrator(of_one), &acme);
            let meant = if heard { Ok(()) } else { Err(Refusal::UnknownUser) };
            assert_eq!(is_heard, meant, "{tenants:?}, of one tenant: {of_one}");
        }
    }

    /// A stranger's administrator is written down; a session that is over, and one who asks about a
    /// user who is gone, are not.
    #[test]
    fn only_an_administrator_of_another_tenant_is_written_down() {
        let session = Actor::Session(ActingSession {
            id: SessionId::from_random_bytes([5; 16]),
            epoch: Epoch::default().next(9),
            first: FirstFactor::Password,
            proved: true,
            auth_time: World::new().now,
        });
        for (actor, standing, written) in [
            (administrator(false), Standing::Enabled, true),
            (administrator(false), Standing::Erased, false),
            (session, Standing::Enabled, false),
        ] {
            let (mut world, _) = World::enrolled();
            world.record.standing = standing;
            let before = world.audits.len();
            let outcome = world.decide(Event::Act(Box::new(Act {
                actor,
                tenant: tenant("globex"),
                also: Vec::new(),
                application: None,
                email: None,
                cookie: Cookie::default(),
                agent: Label::default(),
                deed: Deed::SignOutEverywhere,
            })));
            assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
            let foreign = world.audits.iter().skip(before);
            let foreign = foreign.filter(|audit| matches!(audit.what, What::ForeignTenant));
            assert_eq!(foreign.count(), usize::from(written), "{standing:?}");
        }
    }
}
