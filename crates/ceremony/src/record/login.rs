//! Touched logins: those that the record must remember.
//!
//! A login lives in its sealed token and costs no write. Once it has a failure, a challenge or a
//! win it stands here until it expires; a win puts its id here, and so it is used once (B-02).

use serde::{Deserialize, Serialize};

use countersign_device::{Address, ChallengeId, DeviceId, FactorKind, LoginId};
use countersign_otp::UnixTime;

use super::{Class, seconds};
use crate::rules::GUESSES_A_LOGIN;

/// A login with a failure, a challenge or a win.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// Which login.
    pub id: LoginId,
    /// Whose it is: strangers have two thirds of the room.
    pub class: Class,
    /// When it ends, and is forgotten.
    #[serde(with = "seconds")]
    pub ends: UnixTime,
    /// It was completed: nothing is judged under it again.
    pub spent: bool,
    /// The failures of each factor, so that a success can forgive its own.
    failures: Vec<Failures>,
    /// The codes that were sent, one live a factor.
    challenges: Vec<Challenge>,
    /// What was asked of a passkey, one open a login.
    pub passkey: Option<PasskeyChallenge>,
}

/// What a delivered code is for: it is taken for nothing else (B-07).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CodePurpose {
    /// To answer a login.
    LogIn,
    /// To prove a phone that is to be added.
    Enrol,
    /// To remove a factor.
    Disable,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Failures {
    factor: FactorKind,
    /// All judged failures, charged or not: what bounds the login.
    count: u8,
    /// Those that were charged, which a success forgives.
    charged: u8,
    units: u32,
}

/// A delivered code that waits to be answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Which challenge; its token names it.
    pub id: ChallengeId,
    /// What the code is for.
    pub purpose: CodePurpose,
    /// Where the code went.
    pub to: Address,
    /// The phone, or the pending one; a mailbox has no id.
    pub device: Option<DeviceId>,
    /// The keyed digest of the code, bound to login, destination and purpose.
    pub digest: [u8; 32],
    /// When the code ends: at that second it is dead.
    #[serde(with = "seconds")]
    pub ends: UnixTime,
}

/// A passkey's challenge that waits for its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PasskeyChallenge {
    /// Which challenge; its token names it.
    pub id: ChallengeId,
    /// The passkey that is asked, or that is to be.
    pub device: DeviceId,
    /// What its answer is for: it is taken for nothing else (B-07).
    pub purpose: PasskeyPurpose,
}

/// What the answer of a passkey is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PasskeyPurpose {
    /// To prove the user.
    Prove,
    /// To add it, while the user's factors are of this generation.
    Enrol {
        /// The generation.
        generation: u32,
    },
    /// To remove it.
    Remove,
}

impl Touched {
    /// A login that is touched for the first time.
    #[must_use]
    pub const fn new(id: LoginId, class: Class, ends: UnixTime) -> Self {
        Self {
            id,
            class,
            ends,
            spent: false,
            failures: Vec::new(),
            challenges: Vec::new(),
            passkey: None,
        }
    }

    /// May nothing more be judged under it?
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        let count = self.failures.iter().map(|of| u32::from(of.count)).sum::<u32>();
        count >= u32::from(GUESSES_A_LOGIN)
    }

    /// The code that waits to be answered over a factor.
    #[must_use]
    pub fn challenge(&self, factor: FactorKind) -> Option<&Challenge> {
        self.challenges.iter().find(|challenge| challenge.to.factor() == factor)
    }

    /// A code was sent: it replaces the one that its factor had.
    pub(crate) fn challenge_by(&mut self, challenge: Challenge) {
        self.answer(challenge.to.factor());
        self.challenges.push(challenge);
    }

    /// The code of a factor is answered, or replaced.
    pub(crate) fn answer(&mut self, factor: FactorKind) {
        self.challenges.retain(|challenge| challenge.to.factor() != factor);
    }

    /// The login is complete: nothing is judged under it again.
    pub(crate) fn spend(&mut self) {
        self.spent = true;
        self.challenges.clear();
        self.passkey = None;
    }

    /// Counts a failure, with the units that it was charged; none where it was not.
    pub(crate) fn fail(&mut self, factor: FactorKind, units: u32) {
        let charged = u8::from(units > 0);
        match self.failures.iter_mut().find(|of| of.factor == factor) {
            Some(of) => {
                of.count = of.count.saturating_add(1);
                of.charged = of.charged.saturating_add(charged);
                of.units = of.units.saturating_add(units);
            }
            None => self.failures.push(Failures { factor, count: 1, charged, units }),
        }
    }

    /// What the failures of a factor were charged, in units and in guesses, to be forgiven.
    pub(crate) fn charged(&self, factor: FactorKind) -> (u32, u32) {
        let of = self.failures.iter().find(|of| of.factor == factor);
        of.map_or((0, 0), |of| (of.units, u32::from(of.charged)))
    }
}

impl std::fmt::Debug for Touched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, class, ends, spent, failures, challenges, passkey } = self;
        f.debug_struct("Touched")
            .field("id", id)
            .field("class", class)
            .field("ends", ends)
            .field("spent", spent)
            .field("failures", failures)
            .field("challenges", challenges)
            .field("passkey", passkey)
            .finish()
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, purpose, to: _, device, digest: _, ends } = self;
        f.debug_struct("Challenge")
            .field("id", id)
            .field("purpose", purpose)
            .field("device", device)
            .field("ends", ends)
            .finish_non_exhaustive()
    }
}
