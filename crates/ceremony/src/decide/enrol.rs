//! Enrolment of an authenticator app under a login.
//!
//! A pending enrolment belongs to its opener, is shown to no other, and is the same secret each
//! time it is shown. It weakens nothing: it cannot answer a login (E-01, E-05). Confirming it needs
//! the same opener and the factor generation unchanged, spends its step, and kills
//! the other pending ones.

use countersign_device::{Authenticator, DeviceId, EmailFactor, FactorKind, Pending};
use countersign_otp::{Algorithm, Code, Found, Secret, Totp};

use super::draft::Draft;
use super::guess::Judged;
use super::{Cookie, Enrolment, FreshRecovery, NoticeOf, Outcome, Refusal};
use crate::assertion::Second;
use crate::audit::{Verdict, What};
use crate::claims::Login;
use crate::record::{Price, Recovery};
use crate::rules::{AUTHENTICATORS, PENDING};
use countersign_token::RecoveryCode;

impl Draft<'_> {
    /// The pending authenticator of this login, made where there is none.
    ///
    /// # Errors
    /// [`Refusal::AlreadyEnrolled`] where a factor must be proven first.
    pub(super) fn pre_enrol(&mut self, login: &Login) -> Result<Enrolment, Refusal> {
        if !self.may_enrol(login) {
            return Err(Refusal::AlreadyEnrolled);
        }
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
        let pending =
            Pending::begin(id, secret.clone(), totp, login.opener(), self.record.factors, self.now);
        self.make_room();
        self.record.pending.push(pending);
        self.note(What::EnrolmentStarted { factor: FactorKind::Authenticator, device: id });
        Ok(self.enrolment(login, secret, totp))
    }

    /// Confirms the pending authenticator of this login by its first code.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn confirm(
        &mut self,
        login: &Login,
        code: &Code,
        recovery: Option<FreshRecovery>,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
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
            draft.judge_confirmation(login, code)
        })?;
        if needs_recovery {
            // Nothing is decided yet: the engine hashes a recovery code and asks again.
            self.go_back(mark);
            return Ok(Outcome::NeedsRecovery);
        }
        let shown = self.added(login, FactorKind::Authenticator, recovery);
        let second = Second::Proved(FactorKind::Authenticator);
        Ok(self.grant(login, second, cookie, remember, shown))
    }

    /// A factor was added: the other pending ones are void, and the address of the login is proven
    /// with it. The recovery code to show, where the user had none.
    pub(super) fn added(
        &mut self,
        login: &Login,
        factor: FactorKind,
        recovery: Option<FreshRecovery>,
    ) -> Option<RecoveryCode> {
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
        recovery.map(|FreshRecovery { code, tag, hash }| {
            self.record.recovery = Some(Recovery { tag, hash });
            self.note(What::RecoveryIssued);
            code
        })
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

    fn judge_confirmation(&mut self, login: &Login, code: &Code) -> Judged<()> {
        let (window, now) = (self.given.policy.window, self.now);
        let full = self.record.authenticators.len() >= AUTHENTICATORS;
        let at = self.pending_of(login).filter(|_| self.may_enrol(login) && !full);
        let Some(at) = at else {
            let _ = Authenticator::judge_nothing(code, window, now);
            return Judged::lost(Verdict::NoEnrolment, None);
        };
        let found = self.record.pending.get(at).map(|pending| pending.judge(code, window, now));
        let Some(Found::Fresh { step, drift }) = found else {
            return Judged::lost(Verdict::Wrong, None);
        };
        let device = self.record.pending.remove(at).confirm(step, drift, now);
        let id = device.id();
        self.record.authenticators.push(device);
        self.note(What::FactorAdded { factor: FactorKind::Authenticator, device: Some(id) });
        Judged::won(Some(id), ())
    }

    /// Where the living pending enrolment of this login stands.
    fn pending_of(&self, login: &Login) -> Option<usize> {
        self.record.pending.iter().position(|pending| {
            pending.opener() == login.opener()
                && pending.generation() == self.record.factors
                && !pending.is_expired(self.now)
        })
    }

    fn enrolment(&self, login: &Login, secret: Secret, totp: Totp) -> Enrolment {
        let account = login
            .email
            .as_ref()
            .map_or_else(|| login.user.user().to_string(), |email| email.as_str().to_owned());
        Enrolment { secret, totp, issuer: self.given.policy.issuer.clone(), account }
    }
}
