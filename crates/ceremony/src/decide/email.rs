//! Codes by email.
//!
//! They go to one address alone: the one that the record has bound. A right one answers the login,
//! or, after a recovery, proves the mailbox, so that a factor may be enrolled.

use countersign_device::{Address, EmailAddress, EmailFactor, FactorKind, LoginId};
use countersign_otp::Code;

use super::delivered::Bound;
use super::draft::Draft;
use super::guess::Judged;
use super::{Cookie, Outcome, Refusal};
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
