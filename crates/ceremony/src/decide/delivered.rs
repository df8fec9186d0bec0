//! Delivered codes: the one place where codes are drawn that are sent, and judged when they return.
//!
//! A code is six uniform digits, lives ten minutes at most, and is kept as a keyed digest bound to
//! login, destination and purpose (B-07). One is live a login and factor; a resend replaces it and
//! adds no guess (C-07). It goes to an address that the record has bound, or to one that its own
//! answer binds, and `recipient` says which.

use countersign_codes::delivered::{self, CodeDigest};
use countersign_device::{
    Address, ChallengeId, DeviceId, FactorKind, LoginId, PhoneChannel, PhoneNumber,
};
use countersign_otp::{Code, CodeLength, UnixTime};
use countersign_vault::Purpose;

use super::draft::Draft;
use super::{Outcome, Refusal, Send};
use crate::audit::{Verdict, What};
use crate::claims::{ChallengeClaims, Login};
use crate::destination::Pool;
use crate::env::To;
use crate::record::{Challenge, CodePurpose, Gate, Price};

/// The digits of a delivered code.
const DIGITS: u8 = 6;
const LENGTH: CodeLength = CodeLength::SIX;

const CODE_KEY: Purpose = Purpose::new("delivered code");

/// Where a code is wanted, and so what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// In the mailbox that the login may be answered by.
    Mailbox,
    /// On a phone of the user, to answer the login.
    Phone(DeviceId, PhoneChannel),
    /// On a phone that is to be added.
    NewPhone(PhoneNumber, PhoneChannel),
    /// In the mailbox that is the user's, and not proven or locked: a session binds it.
    BoundMailbox,
    /// On a phone that a session removes.
    RemovedPhone(DeviceId, PhoneChannel),
}

/// What a code is bound to, beside its login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bound {
    /// What it is for.
    pub(super) purpose: CodePurpose,
    /// Where it goes.
    pub(super) to: Address,
    /// The phone, or the pending one.
    pub(super) device: Option<DeviceId>,
}

impl Draft<'_> {
    /// Where a code for this target goes, and who pays for it.
    ///
    /// # Errors
    /// The refusal for the client: this login may have none sent there.
    pub(super) fn recipient(
        &self,
        login: &Login,
        target: Target,
    ) -> Result<(Address, Pool), Refusal> {
        // A code that could not be judged is not sent: whoever closed the ledger fills no mailbox after it.
        let (price, most) = (Price::of(1, DIGITS), self.given.policy.max_attempts);
        if self.record.ledger.gate(login.class(), price, most, self.now) == Gate::Closed {
            return Err(Refusal::TooMany(None));
        }
        match target {
            Target::Mailbox => {
                let to = self.email_target(login).ok_or(Refusal::NoSuchFactor)?;
                let proven = self.record.active_email() == Some(&to);
                let pool = if proven { Pool::Proven } else { Pool::Unproven };
                Ok((Address::Mailbox(to), pool))
            }
            Target::BoundMailbox => {
                Ok((Address::Mailbox(self.may_bind_mailbox(login)?), Pool::Unproven))
            }
            Target::Phone(device, _) => {
                let phone = self.usable_phone(login, device).ok_or(Refusal::NoSuchFactor)?;
                Ok((Address::Phone(phone.number()), Pool::Proven))
            }
            Target::NewPhone(number, _) => {
                self.may_add_phone(login, number)?;
                Ok((Address::Phone(number), Pool::Unproven))
            }
            Target::RemovedPhone(device, _) => {
                let number = self.removable_phone(login, device)?;
                Ok((Address::Phone(number), Pool::Proven))
            }
        }
    }

    /// Draws a code for a target. The engine has burned the destination's budget before.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn send_code(&mut self, login: &Login, target: Target) -> Result<Outcome, Refusal> {
        let (to, _) = self.recipient(login, target)?;
        let (purpose, device, shown) = match target {
            Target::Mailbox => (CodePurpose::LogIn, None, to.mask()),
            Target::BoundMailbox => (CodePurpose::Enrol, None, to.mask()),
            Target::Phone(device, _) => (CodePurpose::LogIn, Some(device), to.mask()),
            Target::RemovedPhone(device, _) => (CodePurpose::Disable, Some(device), to.mask()),
            Target::NewPhone(number, _) => {
                let pending = self.begin_phone(login, number)?;
                // Whoever asks has typed it: the client shows what we made of it.
                (CodePurpose::Enrol, Some(pending), number.to_string())
            }
        };
        let (code, challenge) = self.draw(login, Bound { purpose, to: to.clone(), device })?;
        let to = match (to, target) {
            (Address::Mailbox(address), _) => To::Mailbox(address),
            (
                Address::Phone(number),
                Target::Phone(_, by) | Target::NewPhone(_, by) | Target::RemovedPhone(_, by),
            ) => To::Phone(number, by),
            (Address::Phone(number), Target::Mailbox | Target::BoundMailbox) => {
                To::Phone(number, PhoneChannel::Sms)
            }
        };
        let ends = self.code_ends(login, challenge.factor);
        Ok(Outcome::Send(Box::new(Send { to, shown, code, ends, challenge })))
    }

    fn draw(
        &mut self,
        login: &Login,
        Bound { purpose, to, device }: Bound,
    ) -> Result<(Code, ChallengeClaims), Refusal> {
        let drawn = delivered::try_uniform(LENGTH, |buf| {
            self.seed.fill(buf);
            Ok::<(), std::convert::Infallible>(())
        });
        // A generator that cannot fail draws a code.
        let code = drawn.map_err(|_| Refusal::NoSuchFactor)?;
        let id = ChallengeId::from_random_bytes(self.seed.array());
        let ends = self.code_ends(login, to.factor());
        let digest = self.code_digest(login.id, id, purpose, &to, &code);
        let factor = to.factor();
        let challenge = Challenge { id, purpose, to, device, digest, ends };
        let touched = self.touch(login)?;
        // A session's entry may have been made some minutes ago: its code lives as long as is told.
        touched.ends = touched.ends.max(ends);
        touched.challenge_by(challenge);
        self.note(What::CodeSent { factor, purpose, device });
        let user = self.given.user.clone();
        Ok((code, ChallengeClaims { user, login: login.id, id, factor, purpose }))
    }

    /// No code outlives its login.
    fn code_ends(&self, login: &Login, factor: FactorKind) -> UnixTime {
        let lives = match factor {
            FactorKind::Sms => self.given.policy.sms_secs,
            _ => self.given.policy.delivered_secs,
        };
        self.now.saturating_add(lives).min(login.ends())
    }

    /// What a guess at a delivered code may win: one is live a factor, and its token names it. None:
    /// it is no code of ours, and not judged.
    pub(super) fn delivered_price(code: &Code) -> Option<Price> {
        (code.digits() == DIGITS).then(|| Price::of(1, DIGITS))
    }

    /// Judges a code that was sent, against what it would have to be bound to here. A right one is
    /// spent.
    pub(super) fn judge_delivered(
        &mut self,
        login: &Login,
        claims: &ChallengeClaims,
        code: &Code,
        bound: Option<&Bound>,
    ) -> Verdict {
        let touched = self.record.logins.iter().find(|touched| touched.id == login.id);
        let living = bound
            .and_then(|bound| touched?.challenge(bound.to.factor()).zip(Some(bound)))
            .filter(|(living, bound)| {
                self.now < living.ends
                    && living.purpose == bound.purpose
                    && living.to == bound.to
                    && living.device == bound.device
                    && claims.id == living.id
                    && claims.login == login.id
                    && claims.user == login.user
                    && claims.factor == living.to.factor()
                    && claims.purpose == living.purpose
            })
            .map(|(living, _)| living.clone());
        // The digest is computed whether there is something to compare it with or not.
        let id = living.as_ref().map_or(ChallengeId::NONE, |living| living.id);
        let to = bound.map_or_else(nowhere, |bound| bound.to.clone());
        let offered = self.code_digest(login.id, id, claims.purpose, &to, code);
        let Some(living) = living else { return Verdict::DeadChallenge };
        // In constant time: it is how digests compare.
        if CodeDigest::from_bytes(offered) != CodeDigest::from_bytes(living.digest) {
            return Verdict::Wrong;
        }
        if let Some(touched) = self.record.logins.iter_mut().find(|of| of.id == login.id) {
            touched.answer(living.to.factor());
        }
        Verdict::Won
    }

    fn code_digest(
        &self,
        login: LoginId,
        challenge: ChallengeId,
        purpose: CodePurpose,
        to: &Address,
        code: &Code,
    ) -> [u8; 32] {
        let key = self.given.vault.digest(CODE_KEY, &[]);
        let purpose: &[u8] = match purpose {
            CodePurpose::LogIn => b"login",
            CodePurpose::Enrol => b"enrol",
            CodePurpose::Disable => b"disable",
        };
        let canonical = to.canonical();
        let context: [&[u8]; 4] =
            [purpose, login.as_bytes(), challenge.as_bytes(), canonical.as_bytes()];
        *delivered::digest(key.as_bytes(), &context, code).as_bytes()
    }
}

/// An address that is nobody's, for a digest that is compared with nothing.
const fn nowhere() -> Address {
    Address::Phone(PhoneNumber::NONE)
}
