//! What an act must prove, in one place: adding a factor, and removing one.
//!
//! Adding needs a session whose proof is at most five minutes old and of the user's highest level:
//! with a factor, a second one proved, and not skipped by a remembered browser (E-03, D-16).
//! Removing or regenerating needs that, or a right code beside it. What is missing is told by one
//! refusal, [`Refusal::StepUp`], which a client answers by a step-up. The administrator needs
//! neither. After a removal nothing lives on but the session that asked for it (D-04).

use countersign_device::{DeviceId, FactorKind};
use countersign_otp::Code;

use super::act::Actor;
use super::draft::Draft;
use super::{Evidence, NoticeOf, Outcome, Refusal};
use crate::audit::What;
use crate::claims::{Binding, ChallengeClaims, Login};
use crate::rules::FRESH_SECS;

/// What comes with a request to remove or to regenerate.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing: the session itself has to be fresh.
    Session,
    /// A code of one of the user's authenticator apps.
    Code(Code),
    /// The code that was sent to a phone, to remove it.
    Sent {
        /// Which phone.
        device: DeviceId,
        /// What its token says. It may be another session's.
        challenge: ChallengeClaims,
        /// The code.
        code: Code,
    },
    /// A recovery code whose tag matched, hashed.
    Recovery(Evidence),
}

impl Draft<'_> {
    /// May this login or act enrol a factor?
    ///
    /// # Errors
    /// [`Refusal::AlreadyEnrolled`] under a login, [`Refusal::StepUp`] under a session.
    pub(super) fn must_enrol(&self, login: &Login) -> Result<(), Refusal> {
        match &self.actor {
            None if self.may_enrol(login) => Ok(()),
            None => Err(Refusal::AlreadyEnrolled),
            Some(Actor::Administrator(_)) => Ok(()),
            // After a recovery a password alone inherits nothing, in a session no more than in a login.
            Some(actor) if self.is_fresh(actor) && self.gateway_lets(login) => Ok(()),
            Some(_) => Err(Refusal::StepUp),
        }
    }

    /// Is nothing in the way of a first enrolment after a recovery: another browser than the one
    /// that recovered, or another time?
    pub(super) fn gateway_lets(&self, login: &Login) -> bool {
        self.record.gateway.as_ref().is_none_or(|gateway| {
            self.now < gateway.until && login.binding == Some(Binding::Browser(gateway.browser))
        })
    }

    /// Proves a removal or a regeneration: by what comes with it, else by a fresh session. A code
    /// that is offered is judged, however fresh the session.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn prove(&mut self, login: &Login, proof: Proof) -> Result<(), Refusal> {
        match proof {
            Proof::Session => {
                let fresh = self.actor.as_ref().is_some_and(|actor| self.is_fresh(actor));
                if fresh { Ok(()) } else { Err(Refusal::StepUp) }
            }
            Proof::Code(code) => self.prove_by_app(login, None, &code),
            Proof::Sent { device, challenge, code } => {
                self.prove_by_phone(login, device, &challenge, &code)
            }
            Proof::Recovery(evidence) => {
                if self.spend_recovery(&evidence) {
                    Ok(())
                } else {
                    Err(Refusal::Code)
                }
            }
        }
    }

    /// Is what this actor rests on young enough, and of the user's highest level?
    fn is_fresh(&self, actor: &Actor) -> bool {
        let Actor::Session(session) = actor else { return true };
        session.is_young(FRESH_SECS, self.now) && (session.proved || !self.has_to_prove())
    }

    /// Has the user anything that a second step is answered with? A changed address is still a
    /// factor of whoever had one, to be proven again.
    pub(super) fn has_to_prove(&self) -> bool {
        self.record.is_enrolled() || (self.record.email.is_some() && self.record.factors > 0)
    }

    /// Removes every factor of a user, and all that hangs on them.
    pub(super) fn remove_all(&mut self, login: &Login, proof: Proof) -> Result<Outcome, Refusal> {
        // What a recovery left is the administrator's to lift, and no session's of a password alone.
        let administrator = matches!(self.actor, Some(Actor::Administrator(_)));
        let lifted = administrator && self.record.gateway.is_some();
        if !self.has_to_prove() && !lifted {
            return Err(Refusal::NotEnrolled);
        }
        self.may_leave_none(login)?;
        self.prove(login, proof)?;
        self.notice(NoticeOf::FactorsRemoved);
        self.note(What::FactorsRemoved);
        if administrator {
            // The lock that somebody's guesses put on the account is the administrator's to lift.
            self.record.refill();
        }
        self.forget_factors();
        self.end_others();
        Ok(Outcome::Done)
    }

    /// A user may not be left without a factor where the tenant demands one. The administrator may:
    /// the next login is then forced to enrol.
    pub(super) fn may_leave_none(&self, login: &Login) -> Result<(), Refusal> {
        let user = !matches!(self.actor, Some(Actor::Administrator(_)));
        let forced = user && self.given.policy.forces(login.first);
        if forced { Err(Refusal::Forced) } else { Ok(()) }
    }

    /// May a factor be removed, and is it proven? `last`: no other is left that answers a login.
    ///
    /// # Errors
    /// The refusal for the client. Nothing was removed.
    pub(super) fn removal(
        &mut self,
        login: &Login,
        last: bool,
        proof: Proof,
    ) -> Result<(), Refusal> {
        if last {
            self.may_leave_none(login)?;
        }
        self.prove(login, proof)
    }

    /// A factor was taken out of the record: what that ends, and whom to tell.
    pub(super) fn removed(
        &mut self,
        login: &Login,
        factor: FactorKind,
        device: DeviceId,
    ) -> Outcome {
        self.notice(NoticeOf::FactorRemoved(factor));
        self.note(What::FactorRemoved { factor, device });
        if self.usable(login).is_empty() {
            // The address was a factor beside the others, and where this tenant takes no code by
            // email it is none without them.
            self.forget_factors();
        } else {
            self.record.factors = self.record.factors.saturating_add(1);
        }
        self.end_others();
        Outcome::Done
    }

    /// Nothing is left that a second step is answered with, nor the code that recovers it.
    pub(super) fn forget_factors(&mut self) {
        self.record.authenticators.clear();
        self.record.phones.clear();
        self.record.passkeys.clear();
        self.record.email = None;
        self.record.handle = None;
        self.record.recovery.clear();
        self.record.gateway = None;
        self.record.factors = self.record.factors.saturating_add(1);
    }

    /// Everything that is open ends, but the session that asked for it.
    fn end_others(&mut self) {
        let survivor = self.actor.as_ref().and_then(Actor::survivor);
        self.new_epoch(survivor);
    }
}
