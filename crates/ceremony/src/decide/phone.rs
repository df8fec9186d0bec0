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

#[cfg(test)]
mod tests {
    use countersign_device::{EmailFactor, PhoneChannel};

    use super::super::tests::World;
    use super::super::{Ask, Challenged, Deed, Send, Target};
    use super::*;
    use crate::policy::Strategies;

    const HOME: &str = "+15555550100";

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    fn world() -> World {
        let mut world = World::new();
        world.policy.strategies = Strategies { sms: true, ..Strategies::default() };
        world
    }

    fn send(world: &mut World, login: &Login, target: Target) -> Send {
        match world.step(login, &Cookie::default(), Ask::Send(target), false) {
            Outcome::Send(send) => *send,
            other => panic!("{other:?}"),
        }
    }

    fn enrolled() -> (World, Challenged) {
        let mut world = world();
        let asked = world.login();
        let target = Target::NewPhone(number(HOME), PhoneChannel::Sms);
        let Send { challenge, code, .. } = send(&mut world, &asked.login, target);
        let recovery = Some(world.fresh_recovery());
        let ask = Ask::ConfirmPhone { challenge, code, recovery };
        let outcome = world.step(&asked.login, &Cookie::default(), ask, false);
        assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
        world.now = world.now.saturating_add(300);
        let asked = world.login();
        (world, asked)
    }

    fn answer(world: &mut World, login: &Login, device: DeviceId, sent: &Send) -> Outcome {
        let (challenge, code) = (sent.challenge.clone(), sent.code.clone());
        let ask = Ask::PhoneCode { device, challenge, code };
        world.step(login, &Cookie::default(), ask, false)
    }

    /// RULES: binding a factor again, by proof, refills the ledger. Binding a number that was not
    /// locked forgives nothing.
    #[test]
    fn a_locked_number_that_is_bound_again_refills_the_ledger() {
        for locked in [true, false] {
            let (mut world, asked) = enrolled();
            let (device, _) = asked.phones[0].clone();
            let sent = send(&mut world, &asked.login, Target::Phone(device, PhoneChannel::Sms));
            let wrong = Send { code: Code::parse("000000").unwrap(), ..sent };
            answer(&mut world, &asked.login, device, &wrong);
            assert!(world.record.ledger.units() > 0);
            let to = if locked {
                world.record.phones[0].lock();
                number(HOME)
            } else {
                number("+15555550199")
            };
            let sent = world.act(Deed::Send(Target::NewPhone(to, PhoneChannel::Sms)));
            let Outcome::Send(sent) = sent else { panic!("{sent:?}") };
            let outcome = world.act(Deed::ConfirmPhone {
                challenge: sent.challenge,
                code: sent.code,
                label: Label::default(),
                recovery: None,
            });
            assert!(matches!(outcome, Outcome::Added { .. }), "{outcome:?}");
            assert_eq!(world.record.ledger.units() == 0, locked);
        }
    }

    /// NIST SP 800-63B-4, 3.2.2: what is locked is bound, and answers nothing.
    #[test]
    fn a_phone_that_is_locked_while_its_code_is_on_the_way_answers_nothing() {
        let (mut world, asked) = enrolled();
        let (device, _) = asked.phones[0].clone();
        let sent = send(&mut world, &asked.login, Target::Phone(device, PhoneChannel::Sms));
        (0..99).for_each(|_| world.record.phones[0].fail());
        let mut before = world.record.clone();
        world.record.phones[0].fail();
        let outcome = answer(&mut world, &asked.login, device, &sent);
        assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
        let again = world.login();
        assert!(!again.enrolled && again.phones.is_empty());
        assert!(world.record.is_enrolled() && again.enrolment.is_none());
        // At 99 failures the same code is right, and forgives them.
        std::mem::swap(&mut world.record, &mut before);
        let outcome = answer(&mut world, &asked.login, device, &sent);
        assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
        assert_eq!(world.record.phones[0].failures(), 0);
        assert_eq!(world.record.phones[0].last_used(), Some(world.now));
    }

    #[test]
    fn a_code_ends_with_its_ten_minutes_and_with_its_login() {
        let (mut world, asked) = enrolled();
        world.policy.sms_secs = 60;
        let (device, _) = asked.phones[0].clone();
        let target = Target::Phone(device, PhoneChannel::Sms);
        let sent = send(&mut world, &asked.login, target);
        assert_eq!(sent.ends, world.now.saturating_add(60));
        world.now = sent.ends;
        let late = answer(&mut world, &asked.login, device, &sent);
        assert!(matches!(late, Outcome::Refused(Refusal::Code)), "{late:?}");
        world.policy.sms_secs = 600;
        let sent = send(&mut world, &asked.login, target);
        assert_eq!(sent.ends, asked.login.ends(), "no code outlives its login");
    }

    #[test]
    fn pending_phones_and_apps_are_three_together_and_the_oldest_gives_way() {
        let mut world = world();
        world.policy.strategies.authenticator = true;
        let logins: Vec<_> = (0..4)
            .map(|n| {
                // Each begins with a pending app, and adds a pending phone.
                let asked = world.login();
                let to = number(&format!("+155555501{n:02}"));
                world.now = world.now.saturating_add(1);
                let target = Target::NewPhone(to, PhoneChannel::Sms);
                (asked.login.clone(), send(&mut world, &asked.login, target))
            })
            .collect();
        assert_eq!(world.record.pending.len() + world.record.pending_phones.len(), 3);
        let confirm = |world: &mut World, (login, sent): &(Login, Send)| {
            let (challenge, code) = (sent.challenge.clone(), sent.code.clone());
            let recovery = Some(world.fresh_recovery());
            let ask = Ask::ConfirmPhone { challenge, code, recovery };
            world.step(login, &Cookie::default(), ask, false)
        };
        let gone = confirm(&mut world, &logins[0]);
        assert!(matches!(gone, Outcome::Refused(Refusal::Code)), "{gone:?}");
        let won = confirm(&mut world, &logins[3]);
        assert!(matches!(won, Outcome::Granted(_)), "{won:?}");
        assert!(world.record.pending.is_empty() && world.record.pending_phones.is_empty());
    }

    #[test]
    fn a_right_code_needs_a_recovery_code_first_and_decides_nothing_before() {
        let mut world = world();
        let asked = world.login();
        let target = Target::NewPhone(number(HOME), PhoneChannel::Sms);
        let Send { challenge, code, .. } = send(&mut world, &asked.login, target);
        let audits = world.audits.len();
        let ask = |recovery| Ask::ConfirmPhone {
            challenge: challenge.clone(),
            code: code.clone(),
            recovery,
        };
        let outcome = world.step(&asked.login, &Cookie::default(), ask(None), false);
        assert!(matches!(outcome, Outcome::NeedsRecovery));
        assert_eq!((world.audits.len(), world.record.phones.len()), (audits, 0));
        let fresh = Some(world.fresh_recovery());
        let outcome = world.step(&asked.login, &Cookie::default(), ask(fresh), false);
        assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
    }

    /// Three may wait, apps and phones together: the oldest gives way, whichever it is.
    #[test]
    fn the_oldest_enrolment_gives_way() {
        for (phone_at, waiting) in [(0, (3, 0)), (1, (2, 1)), (3, (2, 1))] {
            let mut world = world();
            for at in 0..4 {
                world.now = world.now.saturating_add(1);
                // Where an app may be enrolled, a login begins with one.
                world.policy.strategies.authenticator = at != phone_at;
                let asked = world.login();
                assert_eq!(asked.enrolment.is_some(), at != phone_at);
                if at == phone_at {
                    let target = Target::NewPhone(number(HOME), PhoneChannel::Sms);
                    send(&mut world, &asked.login, target);
                }
            }
            let wait = (world.record.pending.len(), world.record.pending_phones.len());
            assert_eq!(wait, waiting, "a phone as number {phone_at}");
        }
    }

    /// An address is bound under a session: a login that has passed one factor binds none.
    #[test]
    fn a_login_binds_no_address() {
        let (mut world, asked) = enrolled();
        world.policy.strategies.email = true;
        let address = asked.login.email.clone().unwrap();
        world.record.email = Some(EmailFactor::unproven(address, world.now));
        let ask = Ask::Send(Target::BoundMailbox);
        let outcome = world.step(&asked.login, &Cookie::default(), ask, false);
        assert!(matches!(outcome, Outcome::Refused(Refusal::NoSuchFactor)), "{outcome:?}");
    }

    /// Only a session has a code sent to a phone in order to remove it, and only to one that still
    /// answers.
    #[test]
    fn a_locked_phone_is_sent_nothing_to_remove_it_by() {
        for locked in [false, true] {
            let (mut world, asked) = enrolled();
            world.policy.enforce = crate::policy::Enforce::DontForce;
            let target = Target::RemovedPhone(asked.phones[0].0, PhoneChannel::Sms);
            if locked {
                world.record.phones[0].lock();
            }
            let sent = world.act(Deed::Send(target));
            assert_eq!(matches!(sent, Outcome::Send(_)), !locked, "{sent:?}");
            let ask = Ask::Send(target);
            let by_login = world.step(&asked.login, &Cookie::default(), ask, false);
            assert!(matches!(by_login, Outcome::Refused(Refusal::NoSuchFactor)), "{by_login:?}");
        }
    }
}
