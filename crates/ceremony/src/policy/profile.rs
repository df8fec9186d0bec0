//! Compliance profiles: what a standard asks of a policy beyond the [rules](crate::rules), and what a policy becomes
//! under one.
//!
//! A policy that [contradicts](Profile::contradictions) its profile is refused where it is written: in a configuration,
//! or by an operator. What stands in the store all the same, written under another profile, is held
//! [within](Profile::within) it at each look, so that nothing laxer is ever decided by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Enforce, Policy};
use countersign_otp::Window;

/// Which standard a deployment answers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Profile {
    /// The rules alone, which every profile keeps.
    #[default]
    Compatible,
    /// OWASP ASVS 5.0, level 2.
    AsvsL2,
    /// OWASP ASVS 5.0, level 3.
    AsvsL3,
    /// NIST SP 800-63B-4, authenticator assurance level 2.
    NistAal2,
}

/// What a profile asks of a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requirement {
    /// Everybody has a second factor.
    Enforced,
    /// No code by email.
    NoEmail,
    /// No code to a phone.
    NoPhone,
    /// Where codes go to phones, another factor is offered beside them.
    PhoneNotAlone,
    /// A factor that resists phishing is offered: a passkey.
    PhishingResistant,
    /// No browser stands in for the second factor.
    NothingRemembered,
}

/// A policy does not hold under its profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contradiction {
    /// The profile.
    pub profile: Profile,
    /// What it asks and does not get.
    pub requirement: Requirement,
}

impl Requirement {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Enforced,
        Self::NoEmail,
        Self::NoPhone,
        Self::PhoneNotAlone,
        Self::PhishingResistant,
        Self::NothingRemembered,
    ];

    /// Where a profile's standard asks for it. None: it does not.
    #[must_use]
    pub const fn section(self, profile: Profile) -> Option<&'static str> {
        match (profile, self) {
            (Profile::AsvsL2 | Profile::AsvsL3, Self::Enforced) => Some("ASVS 5.0, 6.3.3"),
            (Profile::NistAal2, Self::Enforced) => Some("NIST SP 800-63B-4, 2.2.1"),
            (Profile::AsvsL3, Self::NoEmail) => Some("ASVS 5.0, 6.3.6"),
            (Profile::NistAal2, Self::NoEmail) => Some("NIST SP 800-63B-4, 3.1.3.1"),
            (Profile::AsvsL3, Self::NoPhone) | (Profile::AsvsL2, Self::PhoneNotAlone) => {
                Some("ASVS 5.0, 6.6.1")
            }
            (Profile::NistAal2, Self::PhoneNotAlone) => Some("NIST SP 800-63B-4, 3.1.3.3"),
            (Profile::AsvsL3, Self::PhishingResistant) => Some("ASVS 5.0, 6.3.3"),
            (Profile::NistAal2, Self::PhishingResistant) => Some("NIST SP 800-63B-4, 2.2.2"),
            (Profile::AsvsL3, Self::NothingRemembered) => Some("ASVS 5.0, 6.3.3"),
            (Profile::NistAal2, Self::NothingRemembered) => Some("NIST SP 800-63B-4, 5.1"),
            _ => None,
        }
    }

    /// What is asked.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Enforced => "everybody logs in with two factors",
            Self::NoEmail => "no code goes by email",
            Self::NoPhone => "no code goes to a phone",
            Self::PhoneNotAlone => {
                "where codes go to phones, another factor is offered beside them"
            }
            Self::PhishingResistant => "a factor that resists phishing is offered",
            Self::NothingRemembered => "no browser stands in for the second factor",
        }
    }

    /// How a policy comes to meet it.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        match self {
            Self::Enforced => "enforce \"Force\"",
            Self::NoEmail => "take \"EmailCode\" out of the strategies",
            Self::NoPhone => "take \"SMS\" out of the strategies",
            Self::PhoneNotAlone => {
                "add \"AuthenticatorApp\" or a passkey to the strategies, or take \"SMS\" out"
            }
            Self::PhishingResistant => {
                "add \"WebAuthnPlatform\" or \"WebAuthnCrossPlatform\" to the strategies"
            }
            Self::NothingRemembered => "do not allow to remember devices",
        }
    }

    fn is_met_by(self, policy: &Policy, profile: Profile) -> bool {
        let strategies = policy.strategies;
        let passkeys = strategies.passkey_platform || strategies.passkey_cross_platform;
        match self {
            Self::Enforced => policy.enforce >= profile.least(),
            Self::NoEmail => !strategies.email,
            Self::NoPhone => !strategies.sms,
            Self::PhoneNotAlone => !strategies.sms || strategies.authenticator || passkeys,
            Self::PhishingResistant => passkeys,
            Self::NothingRemembered => !policy.remember.allows(),
        }
    }
}

impl Profile {
    /// Its name, as configurations write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compatible => "Compatible",
            Self::AsvsL2 => "AsvsL2",
            Self::AsvsL3 => "AsvsL3",
            Self::NistAal2 => "NistAal2",
        }
    }

    /// Is it more than the rules? Then a code of an app is taken in its own step alone, drift allowed for (ASVS 5.0,
    /// 6.5.5), and every login is bound to the client that began it.
    #[must_use]
    pub const fn is_strict(self) -> bool {
        !matches!(self, Self::Compatible)
    }

    /// How long a session lives at most, in seconds, if the profile says so (NIST SP 800-63B-4, 2.2.3).
    #[must_use]
    pub const fn session_secs(self) -> Option<u64> {
        match self {
            Self::NistAal2 => Some(24 * 60 * 60),
            _ => None,
        }
    }

    /// How long a session may lie idle, in seconds, if the profile says so (NIST SP 800-63B-4, 2.2.3).
    #[must_use]
    pub const fn idle_secs(self) -> Option<u64> {
        match self {
            Self::NistAal2 => Some(60 * 60),
            _ => None,
        }
    }

    /// The laxest enforcement that it takes. An identity provider may answer for those who come by SAML at ASVS level 2;
    /// what it saw is not known here, so not beyond.
    const fn least(self) -> Enforce {
        match self {
            Self::Compatible => Enforce::DontForce,
            Self::AsvsL2 => Enforce::ForceExceptSaml,
            Self::AsvsL3 | Self::NistAal2 => Enforce::Force,
        }
    }

    /// What it asks of a policy and does not get.
    pub fn contradictions(self, policy: &Policy) -> impl Iterator<Item = Contradiction> {
        Requirement::ALL
            .into_iter()
            .filter(move |asked| asked.section(self).is_some() && !asked.is_met_by(policy, self))
            .map(move |requirement| Contradiction { profile: self, requirement })
    }

    /// The policy, held within the profile: whatever contradicts it is decided by no more.
    #[must_use]
    pub fn within(self, mut policy: Policy) -> Policy {
        let unmet: Vec<Contradiction> = self.contradictions(&policy).collect();
        for Contradiction { requirement, .. } in unmet {
            let strategies = &mut policy.strategies;
            match requirement {
                Requirement::Enforced => policy.enforce = self.least(),
                Requirement::NoEmail => strategies.email = false,
                Requirement::NoPhone | Requirement::PhoneNotAlone => strategies.sms = false,
                Requirement::PhishingResistant => {
                    strategies.passkey_platform = true;
                    strategies.passkey_cross_platform = true;
                }
                Requirement::NothingRemembered => {
                    policy.remember = countersign_remember::Policy::default();
                }
            }
        }
        if self.is_strict() {
            policy.window = Window::NONE;
        }
        policy
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, requirement } = self;
        let section = requirement.section(*profile).unwrap_or_default();
        write!(f, "{section} ({}): {}", profile.name(), requirement.says())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Strategies;
    use super::*;

    const PROFILES: [Profile; 4] =
        [Profile::Compatible, Profile::AsvsL2, Profile::AsvsL3, Profile::NistAal2];

    fn lax() -> Policy {
        Policy {
            strategies: Strategies { email: true, sms: true, ..Strategies::default() },
            remember: countersign_remember::Policy::new(true, 3600).unwrap(),
            ..Policy::default()
        }
    }

    fn unmet(profile: Profile, policy: &Policy) -> Vec<Requirement> {
        profile.contradictions(policy).map(|found| found.requirement).collect()
    }

    #[test]
    fn each_profile_asks_for_its_own() {
        use Requirement::*;
        assert_eq!(unmet(Profile::Compatible, &lax()), []);
        assert_eq!(unmet(Profile::AsvsL2, &lax()), [Enforced, PhoneNotAlone]);
        assert_eq!(
            unmet(Profile::AsvsL3, &lax()),
            [Enforced, NoEmail, NoPhone, PhishingResistant, NothingRemembered]
        );
        assert_eq!(
            unmet(Profile::NistAal2, &lax()),
            [Enforced, NoEmail, PhoneNotAlone, PhishingResistant, NothingRemembered]
        );
        // An identity provider may answer at level 2, and not beyond.
        let federated = Policy { enforce: Enforce::ForceExceptSaml, ..lax() };
        for (profile, enforced) in [(Profile::AsvsL2, true), (Profile::NistAal2, false)] {
            assert_eq!(!unmet(profile, &federated).contains(&Enforced), enforced);
        }
    }

    #[test]
    fn within_a_profile_nothing_contradicts_it() {
        for profile in PROFILES {
            let held = profile.within(lax());
            assert_eq!(unmet(profile, &held), [], "{profile:?}");
            assert_eq!(held.window == Window::NONE, profile.is_strict());
            // What does not contradict stays.
            assert_eq!(profile.within(held.clone()), held);
        }
        assert_eq!(Profile::Compatible.within(lax()), lax());
        assert!(Profile::AsvsL2.within(lax()).strategies.email, "level 2 takes it");
    }

    #[test]
    fn a_contradiction_names_the_standard() {
        let found = Profile::NistAal2.contradictions(&lax()).nth(1).unwrap();
        assert_eq!(
            found.to_string(),
            "NIST SP 800-63B-4, 3.1.3.1 (NistAal2): no code goes by email"
        );
        assert!(found.requirement.mend().contains("EmailCode"));
    }
}
