//! Enrolment of an authenticator app, under a login or a session.
//!
//! A pending enrolment belongs to its opener, is shown to no other, and is the same secret each
//! time it is shown. It weakens nothing: it cannot answer a login (E-01, E-05). Confirming it needs
//! the same opener and the factor generation unchanged, spends its step, and kills
//! the other pending ones.

use countersign_device::{
    Authenticator, DeviceId, EmailFactor, FactorKind, Label, Opener, Pending,
};
use countersign_otp::{Algorithm, Code, Drift, Found, Secret, Totp, Window};

use super::draft::Draft;
use super::guess::Judged;
use super::{Actor, Cookie, Enrolment, FreshRecovery, NoticeOf, Outcome, Refusal};
use crate::assertion::Second;
use crate::audit::{Verdict, What};
use crate::claims::Login;
use crate::record::Price;
use crate::rules::{AUTHENTICATORS, PENDING};

impl Draft<'_> {
    /// The pending authenticator of this login or session, made where there is none.
    ///
    /// # Errors
    /// [`Draft::must_enrol`]'s, where a factor must be proven first.
    pub(super) fn pre_enrol(&mut self, login: &Login) -> Result<Enrolment, Refusal> {
        self.must_enrol(login)?;
        if !self.given.policy.strategies.authenticator {
            return Err(Refusal::NoSuchFactor);
        }
        if let Some(at) = self.pending_of(login) {
            let pending = self.record.pending.get(at).map(Pending::show);
            let (secret, totp) = pending.ok_or(Refusal::NoSuchFactor)?;
            return Ok(self.enrolment(login, secret.clone(), totp));
        }
        let totp = Totp::DEFAULT;
        let secret = Secret::try_fill(Algorithm::Sha1.secret_len(), |buf| {
            self.seed.fill(buf);
            Ok::<(), std::convert::Infallible>(())
        });
        // Twenty bytes from a generator that cannot fail are a secret.
        let secret = secret.map_err(|_| Refusal::NoSuchFactor)?;
        let id = DeviceId::from_random_bytes(self.seed.array());
        let opener = self.opener(login);
        let generation = self.record.factors;
        let pending = Pending::begin(id, secret.clone(), totp, opener, generation, self.now);
        self.make_room();
        self.record.pending.push(pending);
        self.note(What::EnrolmentStarted { factor: FactorKind::Authenticator, device: id });
        Ok(self.enrolment(login, secret, totp))
    }

    /// Confirms the pending authenticator of this login or session by its first code.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn confirm(
        &mut self,
        login: &Login,
        code: &Code,
        label: Label,
        recovery: Option<FreshRecovery>,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
        if self.actor.is_some() {
            // Told before any judging; under a login it is no different from a wrong code.
            self.must_enrol(login)?;
        }
        let digits = self.pending_of(login).and_then(|at| self.record.pending.get(at));
        let digits = digits.map_or(Totp::DEFAULT, |pending| pending.show().1).digits();
        if code.digits() != digits.count() {
            // No code of this app: it is not judged.
            return Err(Refusal::Code);
        }
        // Whoever confirms has seen the secret: a guess wins nothing, so it costs nothing.
        let price = Price::default();
        let needs_recovery = self.record.recovery.is_none() && recovery.is_none();
        let mark = self.mark();
        self.guess(login, FactorKind::Authenticator, price, |draft| {
            draft.judge_confirmation(login, code, label)
        })?;
        if needs_recovery {
            // Nothing is decided yet: the engine hashes a recovery code and asks again.
            self.go_back(mark);
            return Ok(Outcome::NeedsRecovery);
        }
        Ok(self.enrolled(login, FactorKind::Authenticator, recovery, cookie, remember))
    }

    /// A factor was confirmed: what follows from it. Under a login that login is complete; under a
    /// session nothing but the factor generation changes, and no session ends.
    pub(super) fn enrolled(
        &mut self,
        login: &Login,
        factor: FactorKind,
        recovery: Option<FreshRecovery>,
        cookie: &Cookie,
        remember: bool,
    ) -> Outcome {
        self.record.factors = self.record.factors.saturating_add(1);
        self.record.pending.clear();
        self.record.pending_phones.clear();
        self.record.gateway = None;
        self.notice(NoticeOf::FactorAdded(factor));
        if let Some(email) = &login.email
            && self.record.email.as_ref().is_none_or(|factor| factor.address() == email)
            && self.record.active_email().is_none()
        {
            self.record.email = Some(EmailFactor::active(email.clone(), self.now));
        }
        let recovery = recovery.filter(|_| self.record.recovery.is_none());
        let shown = recovery.map(|fresh| self.issue(fresh));
        match self.actor {
            Some(_) => Outcome::Added { recovery: shown },
            None => self.grant(login, Second::Proved(factor), cookie, remember, shown),
        }
    }

    /// Makes room for one more pending enrolment. The oldest gives way, whatever it would add: a
    /// login is never refused for it.
    pub(super) fn make_room(&mut self) {
        let record = &mut self.record;
        record.pending.retain(|pending| !pending.is_expired(self.now));
        record.pending_phones.retain(|pending| !pending.is_expired(self.now));
        while record.pending.len().saturating_add(record.pending_phones.len()) >= PENDING {
            let app = record.pending.first().map(Pending::begun);
            let phone = record.pending_phones.first().map(Pending::begun);
            // Each list is in the order of time.
            if phone.is_none_or(|phone| app.is_some_and(|app| app <= phone)) {
                record.pending.remove(0);
            } else {
                record.pending_phones.remove(0);
            }
        }
    }

    fn judge_confirmation(&mut self, login: &Login, code: &Code, label: Label) -> Judged<()> {
        let (window, now) = (self.given.policy.window, self.now);
        // A strict window learns nothing later: what the clock of the device is wrong by is set here.
        let sets_drift = window == Window::NONE;
        let window = if sets_drift { Window::DEFAULT } else { window };
        let full = self.record.authenticators.len() >= AUTHENTICATORS;
        let at = self.pending_of(login).filter(|_| self.must_enrol(login).is_ok() && !full);
        let Some(at) = at else {
            let _ = Authenticator::judge_nothing(code, window, now);
            return Judged::lost(Verdict::NoEnrolment, None);
        };
        let found = self.record.pending.get(at).map(|pending| pending.judge(code, window, now));
        let Some(Found::Fresh { step, drift }) = found else {
            return Judged::lost(Verdict::Wrong, None);
        };
        let pending = self.record.pending.remove(at);
        let offset = step.offset_from(pending.show().1.step_at(now));
        let drift = if sets_drift { Drift::new(offset).unwrap_or(drift) } else { drift };
        let mut device = pending.confirm(step, drift, now);
        device.rename(label);
        let id = device.id();
        self.record.authenticators.push(device);
        self.note(What::FactorAdded { factor: FactorKind::Authenticator, device: Some(id) });
        Judged::won(Some(id), ())
    }

    /// Who alone may see and confirm what is begun now.
    pub(super) fn opener(&self, login: &Login) -> Opener {
        self.actor.as_ref().map_or(Opener::Login(login.id), Actor::opener)
    }

    /// Where the living pending enrolment of this login or session stands.
    fn pending_of(&self, login: &Login) -> Option<usize> {
        let (opener, generation) = (self.opener(login), self.record.factors);
        let is_ours = |pending: &Pending| pending.is_open_to(opener, generation, self.now);
        self.record.pending.iter().position(is_ours)
    }

    fn enrolment(&self, login: &Login, secret: Secret, totp: Totp) -> Enrolment {
        let account = login
            .email
            .as_ref()
            .map_or_else(|| login.user.user().to_string(), |email| email.as_str().to_owned());
        Enrolment { secret, totp, issuer: self.given.policy.issuer.clone(), account }
    }
}
