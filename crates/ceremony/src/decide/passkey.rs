//! Passkeys: enrolled under a login or a session, answering a login, and removed.
//!
//! The signature was checked outside, once; what was found comes as evidence, bound to the
//! credential that it was checked against (B-11). A challenge belongs to one login and one purpose,
//! and is dropped at its first answer, right or wrong. A passkey is no guess: its answers are not
//! charged, work while the ledger is closed, and refill it (C-14). They count among the failures of
//! their login, so that nobody asks for ever.
//!
//! A counter that did not rise is refused and written down, and the owner is told: there may be a
//! copy (WebAuthn Level 3, 6.1.1). Synced passkeys count 0 for ever, which says nothing. The passkey
//! is not locked by it: that would let whoever has the copy take the owner's away.

use countersign_device::{
    ChallengeId, Credential, CredentialId, DeviceId, FactorKind, Label, LoginId, Passkey, Signed,
    UserKey,
};

use super::draft::Draft;
use super::{Cookie, FreshRecovery, NoticeOf, Outcome, Proof, Refusal};
use crate::assertion::Second;
use crate::audit::{Verdict, What};
use crate::claims::{Login, PasskeyClaims};
use crate::env::{Unproven, UserHandle};
use crate::record::{PasskeyChallenge, PasskeyPurpose};
use crate::rules::PASSKEYS;

/// What is asked of passkeys.
#[derive(Clone, Debug)]
pub enum PasskeyAsk {
    /// Begin the registration of one.
    Enrol,
    /// Add the one that was registered.
    Confirm {
        /// Which challenge it answers, as its token says. It may be another login's.
        challenge: PasskeyClaims,
        /// What the relying party found.
        found: Result<Credential, Unproven>,
        /// What its owner calls it.
        label: Label,
        /// A fresh recovery code, where the engine has made one.
        recovery: Option<FreshRecovery>,
    },
    /// Begin an authentication by this one: to answer the login, or, under a session, to remove it.
    Challenge {
        /// Which device.
        device: DeviceId,
    },
    /// Judge the signature of this one.
    Answer {
        /// Which device.
        device: DeviceId,
        /// Which challenge it answers, as its token says. It may be another login's.
        challenge: PasskeyClaims,
        /// What the relying party found.
        evidence: PasskeyEvidence,
    },
    /// Remove this one, under a session.
    Remove {
        /// Which device.
        device: DeviceId,
        /// Its own signature; none: the session has to be fresh.
        proof: Option<(PasskeyClaims, PasskeyEvidence)>,
    },
}

/// What the relying party found of a signature.
#[derive(Clone, Debug)]
#[must_use]
pub struct PasskeyEvidence {
    /// The credential that it was checked against; none where there was none to check against.
    pub of: Option<Credential>,
    /// The credential as its authenticator reports it, where the signature is right.
    pub found: Result<Credential, Unproven>,
}

/// A ceremony of a passkey, for the relying party to begin.
#[derive(Clone, Debug)]
pub struct PasskeyBegun {
    /// Whose.
    pub user: UserKey,
    /// Under which login.
    pub login: LoginId,
    /// Which challenge.
    pub id: ChallengeId,
    /// Of which kind.
    pub ceremony: PasskeyCeremony,
}

/// What the relying party is to begin.
#[derive(Clone, Debug)]
pub enum PasskeyCeremony {
    /// A registration.
    Registration {
        /// What the user reads at the authenticator.
        name: String,
        /// What the user has already.
        known: Vec<CredentialId>,
        /// The name that those know the user by, where it is another system's.
        handle: Option<UserHandle>,
    },
    /// An authentication by this credential.
    Authentication(Box<Credential>),
}

impl Draft<'_> {
    pub(super) fn passkey(
        &mut self,
        login: &Login,
        ask: PasskeyAsk,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
        match ask {
            PasskeyAsk::Enrol => self.begin_passkey(login),
            PasskeyAsk::Confirm { challenge, found, label, recovery } => {
                let mark = self.mark();
                let kind = self.judge_registration(login, &challenge, found, label)?;
                if self.record.recovery.is_none() && recovery.is_none() {
                    // Nothing is decided yet: the engine hashes a recovery code and asks again.
                    self.go_back(mark);
                    return Ok(Outcome::NeedsRecovery);
                }
                Ok(self.enrolled(login, kind, recovery, cookie, remember))
            }
            PasskeyAsk::Challenge { device } => self.challenge_passkey(login, device),
            PasskeyAsk::Answer { device, challenge, evidence } => {
                let purpose = PasskeyPurpose::Prove;
                let kind = self.prove_by_passkey(login, device, &challenge, &evidence, purpose)?;
                Ok(self.grant(login, Second::Proved(kind), cookie, remember, None))
            }
            PasskeyAsk::Remove { device, proof } => self.remove_passkey(login, device, proof),
        }
    }

    /// Begins a registration. It weakens nothing: what it makes must be confirmed by the same login,
    /// with the user's factors unchanged.
    fn begin_passkey(&mut self, login: &Login) -> Result<Outcome, Refusal> {
        self.must_enrol(login)?;
        let kinds = self.given.policy.strategies.list();
        let kind = kinds.into_iter().find(|kind| kind.phishing_resistant());
        let factor = kind.ok_or(Refusal::NoSuchFactor)?;
        let device = DeviceId::from_random_bytes(self.seed.array());
        let purpose = PasskeyPurpose::Enrol { generation: self.record.factors };
        let id = self.open_passkey(login, device, purpose)?;
        self.note(What::EnrolmentStarted { factor, device });
        let known = self.record.passkeys.iter().map(|passkey| passkey.credential().id.clone());
        let known = known.collect();
        let email = login.email.as_ref().map(|email| email.as_str().to_owned());
        let name = email.unwrap_or_else(|| login.user.user().to_string());
        let ceremony = PasskeyCeremony::Registration { name, known, handle: self.record.handle };
        Ok(begun(login, id, ceremony))
    }

    fn challenge_passkey(&mut self, login: &Login, device: DeviceId) -> Result<Outcome, Refusal> {
        let passkey = self.usable_passkeys(login).find(|passkey| passkey.id() == device);
        let credential = passkey.map(|passkey| passkey.credential().clone());
        let credential = Box::new(credential.ok_or(Refusal::NoSuchFactor)?);
        let purpose = match self.actor {
            None => PasskeyPurpose::Prove,
            Some(_) => PasskeyPurpose::Remove,
        };
        let id = self.open_passkey(login, device, purpose)?;
        let ceremony = PasskeyCeremony::Authentication(credential);
        Ok(begun(login, id, ceremony))
    }

    /// Opens a challenge. One is open a login: another takes its place.
    fn open_passkey(
        &mut self,
        login: &Login,
        device: DeviceId,
        purpose: PasskeyPurpose,
    ) -> Result<ChallengeId, Refusal> {
        let id = ChallengeId::from_random_bytes(self.seed.array());
        let now = self.now;
        let touched = self.touch(login)?;
        if touched.is_exhausted() {
            // A login is over by then; a session may try again once its entry is forgotten.
            return Err(Refusal::TooMany(Some(touched.ends.since(now))));
        }
        touched.passkey = Some(PasskeyChallenge { id, device, purpose });
        Ok(id)
    }

    /// The challenge that an answer names, where it is open for this login. It is dropped.
    fn close_passkey(
        &mut self,
        login: &Login,
        claims: &PasskeyClaims,
    ) -> Result<Option<PasskeyChallenge>, Refusal> {
        let touched = self.touch(login)?;
        let open = touched.passkey.filter(|open| {
            open.id == claims.id && claims.login == login.id && claims.user == login.user
        });
        if open.is_some() {
            touched.passkey = None;
        }
        Ok(open)
    }

    /// Judges a registration, and adds the passkey.
    fn judge_registration(
        &mut self,
        login: &Login,
        claims: &PasskeyClaims,
        found: Result<Credential, Unproven>,
        label: Label,
    ) -> Result<FactorKind, Refusal> {
        let open = self.close_passkey(login, claims)?;
        let generation = self.record.factors;
        let wanted = PasskeyPurpose::Enrol { generation };
        let full = self.record.passkeys.len() >= PASSKEYS;
        let may = !full && self.must_enrol(login).is_ok();
        let open = open.filter(|open| may && open.purpose == wanted);
        let kind =
            found.as_ref().map_or(FactorKind::PasskeyPlatform, |made| made.attachment.kind());
        let Some(PasskeyChallenge { device, .. }) = open else {
            return Err(self.passkey_lost(login, kind, None, Verdict::NoEnrolment));
        };
        let taken = self.given.policy.strategies.list();
        let right = found.ok().filter(|made| {
            let mut known = self.record.passkeys.iter().map(Passkey::credential);
            // Twice the same authenticator would be one factor that counts as two.
            taken.contains(&kind) && !known.any(|known| known.id == made.id)
        });
        let Some(made) = right else {
            return Err(self.passkey_lost(login, kind, None, Verdict::Wrong));
        };
        self.passkey_won(login, kind, device);
        let mut passkey = Passkey::registered(device, made, self.now);
        passkey.rename(label);
        self.record.passkeys.push(passkey);
        self.note(What::FactorAdded { factor: kind, device: Some(device) });
        Ok(kind)
    }

    /// Judges a signature, and takes over what it reports.
    ///
    /// # Errors
    /// The refusal for the client.
    fn prove_by_passkey(
        &mut self,
        login: &Login,
        device: DeviceId,
        claims: &PasskeyClaims,
        evidence: &PasskeyEvidence,
        purpose: PasskeyPurpose,
    ) -> Result<FactorKind, Refusal> {
        let open = self.close_passkey(login, claims)?;
        let open = open.filter(|open| open.purpose == purpose);
        let known = self.usable_passkeys(login).find(|passkey| passkey.id() == device);
        let kind = known.map_or(FactorKind::PasskeyPlatform, Passkey::kind);
        let verdict = match (open, known) {
            (None, _) => Verdict::DeadChallenge,
            (Some(open), _) if open.device != device => Verdict::UnknownDevice,
            (_, None) => Verdict::UnknownDevice,
            (_, Some(known)) => judged(known, evidence),
        };
        let named = known.map(Passkey::id);
        if verdict == Verdict::CountWentBack {
            self.notice(NoticeOf::PasskeyCopied);
        }
        let known = self.record.passkeys.iter_mut().find(|passkey| passkey.id() == device);
        if let (Verdict::Won, Some(known), Ok(found)) = (verdict, known, &evidence.found) {
            known.signed(found.clone(), self.now);
            self.passkey_won(login, kind, device);
            return Ok(kind);
        }
        Err(self.passkey_lost(login, kind, named, verdict))
    }

    /// Removes one, by its own signature or in a session that is fresh.
    ///
    /// # Errors
    /// The refusal for the client. Nothing was removed.
    fn remove_passkey(
        &mut self,
        login: &Login,
        device: DeviceId,
        proof: Option<(PasskeyClaims, PasskeyEvidence)>,
    ) -> Result<Outcome, Refusal> {
        let is_it = |of: &Passkey| of.id() == device;
        let found = self.record.passkeys.iter().find(|of| is_it(of)).map(Passkey::kind);
        let kind = found.ok_or(Refusal::NoSuchFactor)?;
        let mut without = self.record.clone();
        without.passkeys.retain(|of| !is_it(of));
        if self.usable_of(&without, login).is_empty() {
            self.may_leave_none(login)?;
        }
        match proof {
            None => self.prove(login, Proof::Session)?,
            Some((claims, evidence)) => {
                let purpose = PasskeyPurpose::Remove;
                self.prove_by_passkey(login, device, &claims, &evidence, purpose)?;
            }
        }
        self.record.passkeys.retain(|of| !is_it(of));
        Ok(self.removed(login, kind, device))
    }

    /// The passkeys that this login may be answered with.
    pub(super) fn usable_passkeys(&self, login: &Login) -> impl Iterator<Item = &Passkey> {
        let first = login.first;
        let passkeys = self.record.passkeys.iter().filter(|passkey| !passkey.is_locked());
        passkeys.filter(move |passkey| first.may_be_followed_by(passkey.kind()))
    }

    fn passkey_won(&mut self, login: &Login, factor: FactorKind, device: DeviceId) {
        let (device, verdict, class) = (Some(device), Verdict::Won, login.class());
        self.note(What::Judged { factor, device, verdict, class, units: 0 });
        // More than any guess could prove.
        self.record.refill();
    }

    fn passkey_lost(
        &mut self,
        login: &Login,
        factor: FactorKind,
        device: Option<DeviceId>,
        verdict: Verdict,
    ) -> Refusal {
        self.note(What::Judged { factor, device, verdict, class: login.class(), units: 0 });
        match self.touch(login) {
            Ok(touched) => {
                touched.fail(factor, 0);
                Refusal::Code
            }
            Err(refusal) => refusal,
        }
    }
}

fn begun(login: &Login, id: ChallengeId, ceremony: PasskeyCeremony) -> Outcome {
    let (user, login) = (login.user.clone(), login.id);
    Outcome::Passkey(Box::new(PasskeyBegun { user, login, id, ceremony }))
}

/// The evidence counts for the key that it was computed from; the counter and the backup flags are
/// judged against what the record knows now, which another answer may have raised since.
fn judged(known: &Passkey, evidence: &PasskeyEvidence) -> Verdict {
    let credential = known.credential();
    let same = evidence
        .of
        .as_ref()
        .is_some_and(|of| of.id == credential.id && of.state == credential.state);
    match (&evidence.found, same) {
        (Ok(found), true) => match known.judge(found) {
            Signed::Fresh => Verdict::Won,
            Signed::CountWentBack => Verdict::CountWentBack,
            Signed::BackupChanged | Signed::Refused => Verdict::Wrong,
        },
        _ => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use countersign_device::{AdapterState, Attachment, Backup};

    use super::super::tests::World;
    use super::super::{Ask, Event, Import, ImportedPasskey};
    use super::*;

    fn credential(n: u8) -> Credential {
        Credential {
            id: CredentialId::from_bytes(&[n; 32]).unwrap(),
            attachment: Attachment::Platform,
            sign_count: 5,
            backup: Backup::Never,
            state: AdapterState::from_bytes(vec![n; 90]).unwrap(),
        }
    }

    /// Somebody with two passkeys, and a login that asks for one.
    fn world() -> (World, Login) {
        let mut world = World::new();
        let passkeys = [1, 2].map(|n| ImportedPasskey {
            credential: credential(n),
            label: Label::default(),
            is_locked: false,
        });
        let import = Import { passkeys: passkeys.into(), ..Import::default() };
        world.decide(Event::Import(Box::new(import)));
        let login = world.login().login;
        (world, login)
    }

    fn device(world: &World, at: usize) -> DeviceId {
        world.record.passkeys[at].id()
    }

    fn step(world: &mut World, login: &Login, ask: PasskeyAsk) -> Outcome {
        world.step(login, &Cookie::default(), Ask::Passkey(ask), false)
    }

    fn challenge(world: &mut World, login: &Login, at: usize) -> PasskeyClaims {
        let device = device(world, at);
        let begun = step(world, login, PasskeyAsk::Challenge { device });
        let Outcome::Passkey(begun) = begun else { panic!("{begun:?}") };
        PasskeyClaims { user: begun.user, login: begun.login, id: begun.id, state: Vec::new() }
    }

    /// A challenge is answered by the passkey that it was drawn for, and by no other.
    #[test]
    fn a_challenge_is_for_one_passkey() {
        for (at, wins) in [(0, true), (1, false)] {
            let (mut world, login) = world();
            let challenge = challenge(&mut world, &login, 0);
            let of = world.record.passkeys[at].credential().clone();
            let found = Ok(Credential { sign_count: 6, ..of.clone() });
            let evidence = PasskeyEvidence { of: Some(of), found };
            let device = device(&world, at);
            let answer = PasskeyAsk::Answer { device, challenge, evidence };
            let outcome = step(&mut world, &login, answer);
            assert_eq!(matches!(outcome, Outcome::Granted(_)), wins, "{outcome:?}");
        }
    }

    /// B-11: what was checked against another key than the one that stands there now is worth
    /// nothing. A counter that did not rise is told to the owner, and nothing else is.
    #[test]
    fn a_signature_counts_for_the_key_that_it_was_checked_against() {
        let same = credential(1);
        let other_key = Credential { state: credential(2).state, ..same.clone() };
        let other_id = Credential { id: credential(2).id, ..same.clone() };
        for (of, count, wins, told) in [
            (Some(same.clone()), 6, true, false),
            (Some(same.clone()), 5, false, true),
            (Some(other_key), 6, false, false),
            (Some(other_id), 6, false, false),
            (None, 6, false, false),
        ] {
            let (mut world, login) = world();
            let challenge = challenge(&mut world, &login, 0);
            let found = Ok(Credential { sign_count: count, ..same.clone() });
            let case = format!("{of:?}, {count}");
            let evidence = PasskeyEvidence { of, found };
            let device = device(&world, 0);
            let answer = PasskeyAsk::Answer { device, challenge, evidence };
            let outcome = step(&mut world, &login, answer);
            assert_eq!(matches!(outcome, Outcome::Granted(_)), wins, "{case}: {outcome:?}");
            let copied = world.notices.iter().any(|of| matches!(of.of, NoticeOf::PasskeyCopied));
            assert_eq!(copied, told, "{case}");
        }
    }
}
