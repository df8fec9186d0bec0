//! What one scope says of a policy: the environment, a tenant, or an application. What it leaves
//! out, the wider scope says.

use serde::{Deserialize, Serialize};

use countersign_device::{EmailAddress, FactorKind};
use countersign_otp::UnixTime;

use super::{Enforce, Policy};
use crate::record::seconds;
use crate::rules::GUESSES_A_WINDOW;

/// What one scope says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Layer {
    /// Whom it asks, and whether browsers are remembered.
    pub mfa: Option<MfaPolicy>,
    /// The factors that it turns on or off.
    pub strategies: Vec<(FactorKind, bool)>,
    /// What the service is called.
    pub issuer: Option<String>,
    /// Where mails come from.
    pub sender: Option<EmailAddress>,
    /// How long a mailed code lives, in seconds.
    pub delivered_secs: Option<u64>,
    /// The same for a code that goes to a phone.
    pub sms_secs: Option<u64>,
    /// How many failures a window takes.
    pub lockout: Option<Lockout>,
    /// The parts that an operator has changed: the configuration speaks for them no more.
    pub(super) by_hand: ByHand,
}

/// Whom a scope asks, and whether browsers are remembered, as one thing with an id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MfaPolicy {
    /// Its id.
    pub id: [u8; 16],
    /// Whom it asks.
    pub enforce: Enforce,
    /// May browsers be remembered, and how long?
    pub remember: countersign_remember::Policy,
    /// When it was made.
    #[serde(with = "seconds")]
    pub created: UnixTime,
    /// When it was last changed.
    #[serde(with = "seconds")]
    pub updated: UnixTime,
}

/// How many failures a window takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lockout {
    /// Does it hold?
    pub enabled: bool,
    /// How many, at least 1. Beyond the ten of [`rules`](crate::rules) it changes nothing.
    pub max_attempts: u32,
}

/// Which parts were changed by an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct ByHand {
    pub(super) mfa: bool,
    pub(super) strategies: bool,
}

impl Layer {
    /// A layer that says all that a policy says of enforcement and factors, and nothing else.
    #[must_use]
    pub fn of(policy: &Policy, id: [u8; 16], now: UnixTime) -> Self {
        Self {
            mfa: Some(MfaPolicy {
                id,
                enforce: policy.enforce,
                remember: policy.remember,
                created: now,
                updated: now,
            }),
            strategies: policy.strategies.all().to_vec(),
            ..Self::default()
        }
    }

    /// A layer that says everything that a policy does, so that no wider scope has a word in it.
    #[must_use]
    pub fn whole(policy: &Policy, id: [u8; 16], now: UnixTime) -> Self {
        let max_attempts = u32::from(policy.max_attempts);
        Self {
            issuer: Some(policy.issuer.clone()),
            sender: policy.sender.clone(),
            delivered_secs: Some(policy.delivered_secs),
            sms_secs: Some(policy.sms_secs),
            lockout: Some(Lockout { enabled: true, max_attempts }),
            ..Self::of(policy, id, now)
        }
    }

    /// Takes over what the configuration says, but for what an operator has changed since.
    pub(super) fn seed(&mut self, seed: Self) {
        if !self.by_hand.mfa {
            // The same words again are the same policy: its id and its times stay.
            let said = |of: &Option<MfaPolicy>| of.as_ref().map(|of| (of.enforce, of.remember));
            if said(&self.mfa) != said(&seed.mfa) {
                self.mfa = seed.mfa;
            }
        }
        if !self.by_hand.strategies {
            self.strategies = seed.strategies;
        }
    }

    /// Lays what it says over what the wider scope said.
    pub(super) fn apply(&self, policy: &mut Policy) {
        if let Some(MfaPolicy { enforce, remember, .. }) = &self.mfa {
            (policy.enforce, policy.remember) = (*enforce, *remember);
        }
        for (kind, on) in &self.strategies {
            policy.strategies.set(*kind, *on);
        }
        if let Some(issuer) = &self.issuer {
            policy.issuer.clone_from(issuer);
        }
        if self.sender.is_some() {
            policy.sender.clone_from(&self.sender);
        }
        policy.delivered_secs = self.delivered_secs.unwrap_or(policy.delivered_secs);
        policy.sms_secs = self.sms_secs.unwrap_or(policy.sms_secs);
        if let Some(lockout) = self.lockout {
            policy.max_attempts = lockout.judged();
        }
    }
}

impl Lockout {
    /// How many judged guesses a window takes under it: never more than the rules say.
    #[must_use]
    pub fn judged(&self) -> u8 {
        let most = u8::try_from(self.max_attempts).unwrap_or(GUESSES_A_WINDOW);
        if self.enabled { most.clamp(1, GUESSES_A_WINDOW) } else { GUESSES_A_WINDOW }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockout_lowers_the_ten_and_raises_nothing() {
        let judged = |enabled, max_attempts| Lockout { enabled, max_attempts }.judged();
        assert_eq!([judged(true, 1), judged(true, 3), judged(true, 10)], [1, 3, 10]);
        assert_eq!([judged(true, 11), judged(true, 1_000), judged(false, 3)], [10, 10, 10]);
    }

    #[test]
    fn the_configuration_never_overwrites_an_operator() {
        let now = UnixTime::from_secs(7);
        let file = |enforce| Layer::of(&Policy { enforce, ..Policy::default() }, [1; 16], now);
        let mut layer = Layer::default();
        layer.seed(file(Enforce::Force));
        layer.seed(file(Enforce::ForceExceptSaml));
        assert_eq!(layer.mfa.as_ref().unwrap().enforce, Enforce::ForceExceptSaml, "its own words");
        layer.by_hand.mfa = true;
        layer.strategies.clear();
        layer.seed(file(Enforce::DontForce));
        assert_eq!(layer.mfa.as_ref().unwrap().enforce, Enforce::ForceExceptSaml);
        assert!(!layer.strategies.is_empty(), "what was not changed by hand is still the file's");
    }

    #[test]
    fn the_same_seed_keeps_the_id() {
        let (one, two) = (UnixTime::from_secs(7), UnixTime::from_secs(8));
        let mut layer = Layer::default();
        layer.seed(Layer::of(&Policy::default(), [1; 16], one));
        layer.seed(Layer::of(&Policy::default(), [2; 16], two));
        let mfa = layer.mfa.unwrap();
        assert_eq!((mfa.id, mfa.created), ([1; 16], one));
    }
}
