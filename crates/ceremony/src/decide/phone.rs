//! Phones: added by a code that came to the number, and answered by codes that are sent there.
//!
//! A number is proven before it answers anything (E-01), by the login or session that named it alone.
//! A session removes a phone by a code that was sent for that, or by what else proves a removal. SMS is
//! restricted (NIST SP 800-63B-4, 3.1.3.3): off unless the tenant takes it, bound to one number
//! each, and never a second factor after a first one over the same channel (B-12). A phone that took
//! a hundred failures in a row answers no more until its number is proven again.

use countersign_device::{Address, DeviceId, FactorKind, Label, Pending, Phone, PhoneNumber};
use countersign_otp::Code;

use super::delivered::Bound;
use super::draft::Draft;
use super::guess::Judged;
use super::proof::Proof;
use super::{Cookie, FreshRecovery, Outcome, Refusal};
use crate::assertion::Second;
use crate::audit::{Verdict, What};
use crate::claims::{ChallengeClaims, Login};
use crate::record::{CodePurpose, NotNow};
use crate::rules::{PHONES, UNPROVEN_SENDS_A_USER};

impl Draft<'_> {
    /// Confirms the pending phone of this login by the code that was sent to it.
    ///
    /// # Errors
    /// The refusal for the client.
    #[expect(clippy::too_many_arguments, reason = "what a login brings, and what is asked of it")]
    pub(super) fn confirm_phone(
        &mut self,
        login: &Login,
        challenge: &ChallengeClaims,
        code: &Code,
        label: Label,
        recovery: Option<FreshRecovery>,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
        // A guess would bind a number that nobody proved, so it is charged like any other.
        let price = Self::delivered_price(code).ok_or(Refusal::Code)?;
        let needs_recovery = self.record.recovery.is_none() && recovery.is_none();
        let mark = self.mark();
        self.guess(login, FactorKind::Sms, price, |draft| {
            draft.judge_new_phone(login, challenge, code, label)
        })?;
        if needs_recovery {
            // Nothing is decided yet: the engine hashes a recovery code and asks again.
            self.go_back(mark);
            return Ok(Outcome::NeedsRecovery);
        }
        Ok(self.enrolled(login, FactorKind::Sms, recovery, cookie, remember))
    }

    /// Judges a code that was sent to a phone of the user.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn phone_code(
        &mut self,
        login: &Login,
        device: DeviceId,
        challenge: &ChallengeClaims,
        code: &Code,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
        let price = Self::delivered_price(code).ok_or(Refusal::Code)?;
        self.guess(login, FactorKind::Sms, price, |draft| {
            let number = draft.usable_phone(login, device).map(Phone::number);
            draft.judge_phone(login, (device, number), CodePurpose::LogIn, challenge, code)
        })?;
        Ok(self.grant(login, Second::Proved(FactorKind::Sms), cookie, remember, None))
    }

    /// Removes a phone of the user, by proof.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn remove_phone(
        &mut self,
        login: &Login,
        device: DeviceId,
        proof: Proof,
    ) -> Result<Outcome, Refusal> {
        if !self.record.phones.iter().any(|phone| phone.id() == device) {
            return Err(Refusal::NoSuchFactor);
        }
        self.removal(login, self.is_last_phone(login, device), proof)?;
        self.record.phones.retain(|phone| phone.id() != device);
        Ok(self.removed(login, FactorKind::Sms, device))
    }

    /// Proves a removal by the code that was sent to the phone for that.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn prove_by_phone(
        &mut self,
        login: &Login,
        device: DeviceId,
        challenge: &ChallengeClaims,
        code: &Code,
    ) -> Result<(), Refusal> {
        let price = Self::delivered_price(code).ok_or(Refusal::Code)?;
        self.guess(login, FactorKind::Sms, price, |draft| {
            let phone = draft.record.phones.iter().find(|phone| phone.id() == device);
            let number = phone.filter(|phone| !phone.is_locked()).map(Phone::number);
            draft.judge_phone(login, (device, number), CodePurpose::Disable, challenge, code)
        })
    }

    /// The number of a phone that this session may have a code sent to, to remove it.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn removable_phone(
        &self,
        login: &Login,
        device: DeviceId,
    ) -> Result<PhoneNumber, Refusal> {
        let phone = self.record.phones.iter().find(|phone| phone.id() == device);
        let phone = phone.filter(|phone| self.actor.is_some() && !phone.is_locked());
        let number = phone.map(Phone::number).ok_or(Refusal::NoSuchFactor)?;
        if self.is_last_phone(login, device) {
            // Told before a message is sent for nothing.
            self.may_leave_none(login)?;
        }
        Ok(number)
    }

    /// Would no factor be left that answers a login, without this phone?
    fn is_last_phone(&self, login: &Login, device: DeviceId) -> bool {
        let mut without = self.record.clone();
        without.phones.retain(|phone| phone.id() != device);
        self.usable_of(&without, login).is_empty()
    }

    fn judge_phone(
        &mut self,
        login: &Login,
        (device, number): (DeviceId, Option<PhoneNumber>),
        purpose: CodePurpose,
        challenge: &ChallengeClaims,
        code: &Code,
    ) -> Judged<()> {
        let bound = number.map(|number| Bound {
            purpose,
            to: Address::Phone(number),
            device: Some(device),
        });
        let verdict = self.judge_delivered(login, challenge, code, bound.as_ref());
        if bound.is_none() {
            return Judged::lost(Verdict::UnknownDevice, Some(device));
        }
        let now = self.now;
        let phone = self.record.phones.iter_mut().find(|phone| phone.id() == device);
        match (verdict, phone) {
            (Verdict::Won, Some(phone)) => {
                phone.succeed(now);
                Judged::won(Some(device), ())
            }
            (Verdict::Wrong, Some(phone)) => {
                phone.fail();
                Judged::lost(Verdict::Wrong, Some(device))
            }
            (verdict, _) => Judged::lost(verdict, Some(device)),
        }
    }

    fn judge_new_phone(
        &mut self,
        login: &Login,
        challenge: &ChallengeClaims,
        code: &Code,
        label: Label,
    ) -> Judged<()> {
        let at = self.pending_phone_of(login);
        let pending = at.and_then(|at| self.record.pending_phones.get(at)).cloned();
        let pending =
            pending.filter(|pending| self.may_add_phone_now(login, pending.number()).is_ok());
        let bound = pending.as_ref().map(|pending| Bound {
            purpose: CodePurpose::Enrol,
            to: Address::Phone(pending.number()),
            device: Some(pending.id()),
        });
        let verdict = self.judge_delivered(login, challenge, code, bound.as_ref());
        let Some(pending) = pending else {
            return Judged::lost(Verdict::NoEnrolment, None);
        };
        let id = pending.id();
        if verdict != Verdict::Won {
            return Judged::lost(verdict, Some(id));
        }
        // A number that was locked is bound again, by proof: what was guessed at it is forgiven.
        if self.record.phones.iter().any(|phone| phone.number() == pending.number()) {
            self.record.refill();
        }
        self.record.phones.retain(|phone| phone.number() != pending.number());
        let mut phone = pending.confirm(self.now);
        phone.rename(label);
        self.record.phones.push(phone);
        self.note(What::FactorAdded { factor: FactorKind::Sms, device: Some(id) });
        Judged::won(Some(id), ())
    }

    /// The phones that this login may be answered with.
    pub(super) fn usable_phones(&self, login: &Login) -> impl Iterator<Item = &Phone> {
        let usable = self.usable(login).contains(&FactorKind::Sms);
        self.record.phones.iter().filter(move |phone| usable && !phone.is_locked())
    }

    pub(super) fn usable_phone(&self, login: &Login, device: DeviceId) -> Option<&Phone> {
        self.usable_phones(login).find(|phone| phone.id() == device)
    }

    /// May this login have a code sent to this number, to add it?
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn may_add_phone(&self, login: &Login, number: PhoneNumber) -> Result<(), Refusal> {
        self.may_add_phone_now(login, number)?;
        let mut tally = self.record.unproven_sends;
        let burned = tally.burn(UNPROVEN_SENDS_A_USER, self.now);
        burned.map_err(|NotNow(secs)| Refusal::TooMany(Some(secs)))
    }

    fn may_add_phone_now(&self, login: &Login, number: PhoneNumber) -> Result<(), Refusal> {
        if !self.given.policy.strategies.sms || !login.first.may_be_followed_by(FactorKind::Sms) {
            return Err(Refusal::NoSuchFactor);
        }
        let bound = |phone: &Phone| phone.number() == number && !phone.is_locked();
        let full = self.record.phones.iter().filter(|phone| phone.number() != number).count();
        self.must_enrol(login)?;
        if full >= PHONES || self.record.phones.iter().any(bound) {
            return Err(Refusal::AlreadyEnrolled);
        }
        Ok(())
    }

    /// A pending phone of this login, which has one at most: only the code that was sent last lives.
    pub(super) fn begin_phone(
        &mut self,
        login: &Login,
        number: PhoneNumber,
    ) -> Result<DeviceId, Refusal> {
        let burned = self.record.unproven_sends.burn(UNPROVEN_SENDS_A_USER, self.now);
        burned.map_err(|NotNow(secs)| Refusal::TooMany(Some(secs)))?;
        let (id, opener) = (DeviceId::from_random_bytes(self.seed.array()), self.opener(login));
        self.record.pending_phones.retain(|pending| pending.opener() != opener);
        self.make_room();
        let pending = Pending::of(id, number, opener, self.record.factors, self.now);
        self.record.pending_phones.push(pending);
        self.note(What::EnrolmentStarted { factor: FactorKind::Sms, device: id });
        Ok(id)
    }

    fn pending_phone_of(&self, login: &Login) -> Option<usize> {
        let (opener, generation) = (self.opener(login), self.record.factors);
        self.record
            .pending_phones
            .iter()
            .position(|pending| pending.is_open_to(opener, generation, self.now))
    }
}
