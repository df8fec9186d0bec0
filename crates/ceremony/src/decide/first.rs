//! A first factor passed: is the second one asked for, and which?
//!
//! The answer is computed from the factors that live now (B-13), and costs no write, but where a
//! remembered browser skips the step, a browser was stolen, or a forced enrolment begins.

use countersign_device::{Authenticator, EmailAddress, EmailFactor, FactorKind, Label, LoginId};
use countersign_vault::Digest;

use super::draft::Draft;
use super::{Ask, Begin, Challenged, Outcome, Refusal, Step};
use crate::assertion::{FirstFactor, Second};
use crate::claims::{Binding, Login};
use crate::record::{Record, Standing};

impl Draft<'_> {
    pub(super) fn begin(&mut self, begin: Begin) -> Outcome {
        let Begin { tenant, also: _, application, email, first, epoch, nonce, cookie, agent } =
            begin;
        self.agent = agent;
        self.tenant = Some(tenant.clone());
        self.email.clone_from(&email);
        if self.record.standing != Standing::Enabled {
            return Outcome::Refused(Refusal::Disabled);
        }
        if epoch.is_some_and(|epoch| epoch != self.record.epoch) {
            // What was checked, a password say, may have been changed meanwhile.
            return Outcome::Refused(Refusal::LoginOver);
        }
        let met = self.meet(&cookie);
        let bound = met.as_ref().map(|met| Binding::Browser(met.family));
        let binding = bound.or(nonce.map(Binding::Nonce));
        if binding.is_none() && self.given.policy.profile.is_strict() {
            return Outcome::Refused(Refusal::Unbound);
        }
        let login = Login {
            id: LoginId::from_random_bytes(self.seed.array()),
            user: self.given.user.clone(),
            tenant,
            application,
            email,
            issued: self.now,
            first,
            epoch: self.record.epoch,
            binding,
            mailbox_proven: first == FirstFactor::Email,
            session: None,
        };
        self.login = Some(login.id);
        if self.has_to_prove() {
            if met.is_some_and(|met| met.remembered) {
                return self.grant(&login, Second::Remembered, &cookie, false, None);
            }
            return self.challenge(login);
        }
        if self.given.policy.forces(first) {
            return self.challenge(login);
        }
        self.grant(&login, Second::NotAsked, &cookie, false, None)
    }

    /// Asks for the second factor; where the user has none, begins an enrolment.
    pub(super) fn challenge(&mut self, login: Login) -> Outcome {
        let usable = self.usable(&login);
        let enrolled = !usable.is_empty();
        let mut challenged = Challenged {
            enrolled,
            authenticators: Vec::new(),
            emails: Vec::new(),
            phones: Vec::new(),
            passkeys: Vec::new(),
            strategies: usable.clone(),
            enrolment: None,
            forget_browser: self.take_forgotten(),
            login,
        };
        if usable.contains(&FactorKind::Authenticator) {
            let ids = self.record.authenticators.iter().map(Authenticator::id);
            challenged.authenticators = ids.collect();
        }
        if let Some(to) = self.email_target(&challenged.login) {
            challenged.emails = vec![to.mask()];
        }
        let passkeys = self.usable_passkeys(&challenged.login).map(|passkey| {
            (passkey.id(), passkey.credential().attachment, passkey.label().clone())
        });
        challenged.passkeys = passkeys.collect();
        let phones = self.usable_phones(&challenged.login);
        challenged.phones = phones.map(|phone| (phone.id(), phone.number().mask())).collect();
        if !enrolled {
            challenged.strategies = self.enrollable(&challenged.login);
            // Refused where it may not, or where apps are not on offer.
            challenged.enrolment = self.pre_enrol(&challenged.login).ok();
        }
        Outcome::Challenged(Box::new(challenged))
    }

    /// Something is asked under an open login.
    pub(super) fn step(&mut self, step: Step, skewed: bool) -> Outcome {
        let Step { login, cookie, agent, nonce, session, ask, remember } = step;
        self.agent = agent;
        self.tenant = Some(login.tenant.clone());
        self.login = Some(login.id);
        self.email.clone_from(&login.email);
        // A step-up is finished in its own session, where the client says in which it is (B-04).
        let foreign = session.is_some() && login.session.is_some() && session != login.session;
        if skewed || foreign || !self.admits(&login, &cookie, nonce) {
            return Outcome::Refused(Refusal::LoginOver);
        }
        let outcome = match ask {
            Ask::PreEnrol => self.pre_enrol(&login).map(Box::new).map(Outcome::Enrolment),
            Ask::Confirm { code, recovery } => {
                self.confirm(&login, &code, Label::default(), recovery, &cookie, remember)
            }
            Ask::Code { device, code, recovery } => {
                if self.record.authenticators.is_empty() && device.is_none() {
                    // The older path of a forced enrolment ends here as well.
                    self.confirm(&login, &code, Label::default(), recovery, &cookie, remember)
                } else {
                    self.authenticator_code(&login, device, &code, &cookie, remember)
                }
            }
            Ask::Passkey(ask) => self.passkey(&login, ask, &cookie, remember),
            Ask::Send(target) => self.send_code(&login, target),
            Ask::EmailCode { challenge, code } => {
                self.email_code(&login, &challenge, &code, &cookie, remember)
            }
            Ask::PhoneCode { device, challenge, code } => {
                self.phone_code(&login, device, &challenge, &code, &cookie, remember)
            }
            Ask::ConfirmPhone { challenge, code, recovery } => {
                let label = Label::default();
                self.confirm_phone(&login, &challenge, &code, label, recovery, &cookie, remember)
            }
        };
        outcome.unwrap_or_else(Outcome::Refused)
    }

    /// Is the login still open, and is it this client's?
    pub(super) fn admits(
        &mut self,
        login: &Login,
        cookie: &super::Cookie,
        nonce: Option<[u8; 32]>,
    ) -> bool {
        let record = &self.record;
        let touched = record.logins.iter().find(|touched| touched.id == login.id);
        let open = login.user == *self.given.user
            && record.standing == Standing::Enabled
            && login.epoch == record.epoch
            && !login.is_over(self.now)
            // The floor kills logins issued before the window was full; at time zero there is none.
            && (login.issued > record.floor(login.class()) || record.floor(login.class()).secs() == 0)
            && !touched.is_some_and(|touched| touched.spent || touched.is_exhausted());
        if !open {
            return false;
        }
        match login.binding {
            None => true,
            Some(Binding::Nonce(bound)) => {
                let bound = Digest::from_bytes(bound);
                nonce.is_some_and(|nonce| Digest::from_bytes(nonce) == bound)
            }
            Some(Binding::Browser(family)) => {
                self.meet(cookie).is_some_and(|met| met.family == family)
            }
        }
    }

    /// The factors that this login can be answered with, the strongest first.
    pub(super) fn usable(&self, login: &Login) -> Vec<FactorKind> {
        self.usable_of(&self.record, login)
    }

    /// The same of a record as it would be.
    pub(super) fn usable_of(&self, record: &Record, login: &Login) -> Vec<FactorKind> {
        let strategies = self.given.policy.strategies;
        let takes = |kind: &FactorKind| match kind {
            FactorKind::Email => {
                strategies.email
                    && record
                        .active_email()
                        .is_some_and(|to| !record.mailbox_is_barred(to, self.now))
            }
            FactorKind::Sms => strategies.sms,
            _ => true,
        };
        let kinds = record.kinds().into_iter();
        kinds.filter(takes).filter(|kind| login.first.may_be_followed_by(*kind)).collect()
    }

    /// The factors that a user without any could enrol.
    fn enrollable(&self, login: &Login) -> Vec<FactorKind> {
        let policy = self.given.policy;
        let mut kinds = policy.strategies.list();
        kinds.retain(|kind| *kind != FactorKind::Email || policy.email_only());
        kinds.retain(|kind| login.first.may_be_followed_by(*kind));
        kinds
    }

    /// May this login enrol a factor? A password alone adds none to an account that has one, and
    /// inherits none after a recovery or a change of address.
    pub(super) fn may_enrol(&self, login: &Login) -> bool {
        if login.mailbox_proven {
            // A user whose factors work for this login answers with those.
            return self.usable(login).is_empty();
        }
        if self.record.is_enrolled() || self.record.email.is_some() {
            return false;
        }
        self.gateway_lets(login)
    }

    /// Where a code may be sent for this login, and only there.
    pub(super) fn email_target(&self, login: &Login) -> Option<EmailAddress> {
        if !login.first.may_be_followed_by(FactorKind::Email) {
            return None;
        }
        let target = if self.usable(login).contains(&FactorKind::Email) {
            self.record.active_email().cloned()
        } else if self.given.policy.email_only() && self.usable(login).is_empty() {
            self.bound_email(login)
        } else if self.usable(login).is_empty() && !self.may_enrol(login) {
            // After a recovery, or where the user's factors are none of this tenant's: the mailbox
            // of the directory must be proven before a factor is enrolled.
            self.bound_email(login)
        } else {
            None
        };
        target.filter(|to| !self.record.mailbox_is_barred(to, self.now))
    }

    /// The address that the record has bound, or else the one of the login.
    fn bound_email(&self, login: &Login) -> Option<EmailAddress> {
        let bound = self.record.email.as_ref().map(EmailFactor::address);
        bound.or(login.email.as_ref()).cloned()
    }
}
