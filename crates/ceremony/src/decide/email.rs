//! Codes by email.
//!
//! A code is six uniform digits, lives ten minutes at most, and is kept as a keyed digest bound to
//! login, destination and purpose (B-07). One is live a login; a resend replaces it and adds no
//! guess (C-07). It goes to one address alone: the one that the record has bound.

use countersign_device::{ChallengeId, EmailAddress, EmailFactor, FactorKind, LoginId};
use countersign_otp::delivered::{self, CodeDigest};
use countersign_otp::{Code, CodeLength};
use countersign_vault::Purpose;

use super::draft::Draft;
use super::guess::Judged;
use super::{Cookie, Outcome, Refusal, Send};
use crate::assertion::Second;
use crate::audit::{Verdict, What};
use crate::claims::{ChallengeClaims, Login};
use crate::record::{Challenge, Price};

/// The digits of a delivered code.
const DIGITS: u8 = 6;
const LENGTH: CodeLength = CodeLength::SIX;

const CODE_KEY: Purpose = Purpose::new("delivered code");

/// What a right code is worth here.
enum Worth {
    /// The email factor answers the login.
    Factor,
    /// It proves this mailbox, so that a factor may be enrolled.
    Mailbox(EmailAddress),
}

impl Draft<'_> {
    /// Draws a code for the one address that this login may be answered by.
    ///
    /// # Errors
    /// [`Refusal::NoSuchFactor`] where there is none, or too many logins are touched.
    pub(super) fn send_email(&mut self, login: &Login) -> Result<Outcome, Refusal> {
        let to = self.email_target(login).ok_or(Refusal::NoSuchFactor)?;
        let drawn = Code::try_uniform(LENGTH, |buf| {
            self.seed.fill(buf);
            Ok::<(), std::convert::Infallible>(())
        });
        let code = drawn.map_err(|_| Refusal::NoSuchFactor)?;
        let id = ChallengeId::from_random_bytes(self.seed.array());
        let ends = self.now.saturating_add(self.given.policy.delivered_secs).min(login.ends());
        let digest = self.code_digest(login.id, id, &to, &code);
        let challenge = Challenge { id, destination: to.clone(), digest, ends };
        self.touch(login)?.challenge = Some(challenge);
        self.note(What::CodeSent { factor: FactorKind::Email });
        let claims = ChallengeClaims {
            user: self.given.user.clone(),
            login: login.id,
            id,
            factor: FactorKind::Email,
        };
        Ok(Outcome::Send(Box::new(Send { to, code, ends, challenge: claims })))
    }

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
        if code.digits() != DIGITS {
            // No code of ours: it is not judged.
            return Err(Refusal::Code);
        }
        let price = Price::of(1, DIGITS);
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
                self.touch(login)?.spent = true;
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
        let target = self.email_target(login);
        let living = self
            .record
            .logins
            .iter()
            .find(|touched| touched.id == login.id)
            .and_then(|touched| touched.challenge.clone())
            .filter(|living| {
                self.now < living.ends
                    && target.as_ref() == Some(&living.destination)
                    && claims.id == living.id
                    && claims.login == login.id
                    && claims.user == login.user
                    && claims.factor == FactorKind::Email
            });
        // The digest is computed whether there is something to compare it with or not.
        let id = living.as_ref().map_or(ChallengeId::NONE, |living| living.id);
        let to = living.as_ref().map(|living| living.destination.clone()).or(target);
        let offered = to.map(|to| self.code_digest(login.id, id, &to, code));
        let Some(living) = living else {
            return Judged::lost(Verdict::DeadChallenge, None);
        };
        let right = offered.is_some_and(|offered| {
            // In constant time: it is how digests compare.
            CodeDigest::from_bytes(offered) == CodeDigest::from_bytes(living.digest)
        });
        if !right {
            if let Some(factor) = &mut self.record.email {
                factor.fail();
            }
            return Judged::lost(Verdict::Wrong, None);
        }
        if let Some(touched) = self.record.logins.iter_mut().find(|of| of.id == login.id) {
            touched.challenge = None;
        }
        Judged::won(None, self.worth(login, living.destination))
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

    fn code_digest(
        &self,
        login: LoginId,
        challenge: ChallengeId,
        to: &EmailAddress,
        code: &Code,
    ) -> [u8; 32] {
        let key = self.given.vault.digest(CODE_KEY, &[]);
        let canonical = to.canonical();
        let context: [&[u8]; 4] =
            [b"login", login.as_bytes(), challenge.as_bytes(), canonical.as_bytes()];
        *delivered::digest(key.as_bytes(), &context, code).as_bytes()
    }
}
