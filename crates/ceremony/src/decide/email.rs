//! Codes by email.
//!
//! They go to one address alone: the one that the record has bound. A right one answers the login,
//! or, after a recovery, proves the mailbox, so that a factor may be enrolled. An address that was
//! changed, or that is locked, is bound again by a session, with a code that is for that alone.

use countersign_device::{Address, EmailAddress, EmailFactor, FactorKind, LoginId};
use countersign_otp::Code;

use super::delivered::Bound;
use super::draft::Draft;
use super::guess::Judged;
use super::{Cookie, FreshRecovery, Outcome, Refusal};
use crate::assertion::Second;
use crate::audit::{Verdict, What};
use crate::claims::{ChallengeClaims, Login};
use crate::record::CodePurpose;

/// What a right code is worth here.
enum Worth {
    /// The email factor answers the login.
    Factor,
    /// It proves this mailbox, so that a factor may be enrolled.
    Mailbox(EmailAddress),
}

impl Draft<'_> {
    /// Judges a code that was sent.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn email_code(
        &mut self,
        login: &Login,
        challenge: &ChallengeClaims,
        code: &Code,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
        let price = Self::delivered_price(code).ok_or(Refusal::Code)?;
        let worth = self.guess(login, FactorKind::Email, price, |draft| {
            draft.judge_email_code(login, challenge, code)
        })?;
        match worth {
            Worth::Factor => {
                let second = Second::Proved(FactorKind::Email);
                Ok(self.grant(login, second, cookie, remember, None))
            }
            Worth::Mailbox(mailbox) => {
                self.note(What::MailboxProven);
                self.touch(login)?.spend();
                let proven = Login {
                    id: LoginId::from_random_bytes(self.seed.array()),
                    issued: self.now,
                    // What is bound with the factor is what was proven.
                    email: Some(mailbox),
                    mailbox_proven: true,
                    ..login.clone()
                };
                Ok(self.challenge(proven))
            }
        }
    }

    /// The address that this session may bind: the user's, where it answers nothing.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn may_bind_mailbox(&self, login: &Login) -> Result<EmailAddress, Refusal> {
        let factor = self.record.email.as_ref().filter(|factor| !factor.is_active());
        let address = factor.map(EmailFactor::address);
        let address =
            address.filter(|_| self.actor.is_some() && self.given.policy.strategies.email);
        let address = address.ok_or(Refusal::NoSuchFactor)?.clone();
        self.must_enrol(login)?;
        // Whoever reads the mailbox has made the password: it is no second factor for a day.
        if self.record.mailbox_is_barred(&address, self.now) {
            return Err(Refusal::NoSuchFactor);
        }
        Ok(address)
    }

    /// Binds the user's address by the code that was sent to it.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn confirm_email(
        &mut self,
        login: &Login,
        challenge: &ChallengeClaims,
        code: &Code,
        recovery: Option<FreshRecovery>,
        cookie: &Cookie,
    ) -> Result<Outcome, Refusal> {
        let price = Self::delivered_price(code).ok_or(Refusal::Code)?;
        let needs_recovery = self.record.recovery.is_none() && recovery.is_none();
        let mark = self.mark();
        self.guess(login, FactorKind::Email, price, |draft| {
            draft.judge_bound_mailbox(login, challenge, code)
        })?;
        if needs_recovery {
            // Nothing is decided yet: the engine hashes a recovery code and asks again.
            self.go_back(mark);
            return Ok(Outcome::NeedsRecovery);
        }
        Ok(self.enrolled(login, FactorKind::Email, recovery, cookie, false))
    }

    fn judge_bound_mailbox(
        &mut self,
        login: &Login,
        claims: &ChallengeClaims,
        code: &Code,
    ) -> Judged<()> {
        let bound = self.may_bind_mailbox(login).ok().map(|to| Bound {
            purpose: CodePurpose::Enrol,
            to: Address::Mailbox(to),
            device: None,
        });
        let verdict = self.judge_delivered(login, claims, code, bound.as_ref());
        let (Verdict::Won, Some(Bound { to: Address::Mailbox(address), .. })) = (verdict, bound)
        else {
            return Judged::lost(verdict, None);
        };
        if self.record.email.as_ref().is_some_and(EmailFactor::is_locked) {
            self.record.refill();
        }
        self.record.email = Some(EmailFactor::active(address, self.now));
        self.note(What::FactorAdded { factor: FactorKind::Email, device: None });
        Judged::won(None, ())
    }

    fn judge_email_code(
        &mut self,
        login: &Login,
        claims: &ChallengeClaims,
        code: &Code,
    ) -> Judged<Worth> {
        let bound = self.email_target(login).map(|to| Bound {
            purpose: CodePurpose::LogIn,
            to: Address::Mailbox(to),
            device: None,
        });
        let verdict = self.judge_delivered(login, claims, code, bound.as_ref());
        match (verdict, bound) {
            (Verdict::Won, Some(Bound { to: Address::Mailbox(mailbox), .. })) => {
                Judged::won(None, self.worth(login, mailbox))
            }
            (verdict, _) => {
                if verdict == Verdict::Wrong
                    && let Some(factor) = &mut self.record.email
                {
                    factor.fail();
                }
                Judged::lost(verdict, None)
            }
        }
    }

    /// What the right code is worth, and what it makes of the email factor.
    fn worth(&mut self, login: &Login, proven: EmailAddress) -> Worth {
        let now = self.now;
        if self.usable(login).contains(&FactorKind::Email) {
            if let Some(factor) = &mut self.record.email {
                factor.succeed(now);
            }
            return Worth::Factor;
        }
        let bound = self.record.email.as_ref().is_some_and(|factor| *factor.address() == proven);
        if self.given.policy.email_only()
            || (bound && self.given.policy.strategies.email && !self.record.is_enrolled())
        {
            // The tenant's only strategy: its first right code is its enrolment. Likewise a changed
            // address of a user who has no other factor.
            self.record.email = Some(EmailFactor::active(proven, now));
            self.record.gateway = None;
            self.record.factors = self.record.factors.saturating_add(1);
            self.note(What::FactorAdded { factor: FactorKind::Email, device: None });
            return Worth::Factor;
        }
        Worth::Mailbox(proven)
    }
}
