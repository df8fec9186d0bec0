//! What a tenant decides: whom it asks for a second factor, and which ones it takes.
//!
//! A policy may be stricter than [`rules`](crate::rules), never laxer: its constructor clamps
//! nothing, it refuses. It is composed at each look from what the environment, the tenant and the
//! application say ([`layer`], [`scope`]), and changed part by part ([`change`]).

pub mod change;
pub mod layer;
pub mod profile;
pub mod scope;

use serde::{Deserialize, Serialize};

use countersign_device::{EmailAddress, FactorKind};
use countersign_otp::Window;

use crate::assertion::FirstFactor;
use crate::rules::{DELIVERED_SECS, GUESSES_A_WINDOW};
use profile::{Contradiction, Profile};

/// Whom a tenant asks for a second factor, the laxest first. A user who has one is always asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Enforce {
    /// Nobody has to enrol.
    DontForce,
    /// Everybody but those whose first factor was SAML: their identity provider answers for them.
    ForceExceptSaml,
    /// Everybody has to enrol.
    Force,
}

/// One tenant's policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// The standard that the deployment answers to: the same for every tenant.
    pub profile: Profile,
    /// Whom it asks.
    pub enforce: Enforce,
    /// May browsers be remembered, and how long?
    pub remember: countersign_remember::Policy,
    /// The factors that it takes. EmailCode is off by default.
    pub strategies: Strategies,
    /// The issuer that an authenticator app shows.
    pub issuer: String,
    /// Where mails come from; the server's own address where none is named.
    pub sender: Option<EmailAddress>,
    /// How many steps back and ahead a code of an app is taken.
    #[serde(with = "window")]
    pub window: Window,
    /// How long a mailed code lives, in seconds: 1 to 600.
    pub delivered_secs: u64,
    /// The same for a code that goes to a phone.
    pub sms_secs: u64,
    /// How many failed guesses a window takes: 1 to 10.
    pub max_attempts: u8,
    /// Does a recovery replace the whole set of codes? Then the next enrolment issues another; else
    /// it spends the one code that was used, and the others of the set are kept.
    pub recovery_replaced: bool,
}

/// Which factors a tenant takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Strategies {
    /// Authenticator apps.
    pub authenticator: bool,
    /// Codes by email.
    pub email: bool,
    /// Codes to a phone. SMS is restricted: whoever takes it offers another factor beside it
    /// (NIST SP 800-63B-4, 3.1.3.3).
    pub sms: bool,
    /// Passkeys of the device itself.
    pub passkey_platform: bool,
    /// Passkeys of security keys and of other devices.
    pub passkey_cross_platform: bool,
}

/// Why a policy does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyError {
    /// `delivered_secs` or `sms_secs` is 0 or over 600.
    DeliveredSecs,
    /// `max_attempts` is 0 or over 10.
    MaxAttempts,
    /// No factor is on, and somebody has to enrol one.
    NoStrategy,
    /// The issuer is empty or over 64 bytes, or has a colon, a control character or six digits.
    Issuer,
    /// It contradicts the profile.
    Profile(Contradiction),
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Profile(found) => {
                return write!(f, "{found}; to mend it, {}", found.requirement.mend());
            }
            Self::DeliveredSecs => "a delivered code lives 1 to 600 seconds (NIST SP 800-63B-4)",
            Self::MaxAttempts => "a window takes 1 to 10 failed guesses",
            Self::NoStrategy => "enrolment is forced, and no factor is on: turn one on",
            Self::Issuer => {
                "the issuer has 1 to 64 bytes, no colon, no control character, no six digits in a row"
            },
        })
    }
}

impl std::error::Error for PolicyError {}

impl Default for Policy {
    /// Nobody is forced, nothing is remembered, apps are taken and delivered codes are not.
    fn default() -> Self {
        Self {
            profile: Profile::Compatible,
            enforce: Enforce::DontForce,
            remember: countersign_remember::Policy::default(),
            strategies: Strategies { authenticator: true, ..Strategies::default() },
            issuer: "Countersign".into(),
            sender: None,
            window: Window::DEFAULT,
            delivered_secs: DELIVERED_SECS,
            sms_secs: DELIVERED_SECS,
            max_attempts: GUESSES_A_WINDOW,
            recovery_replaced: true,
        }
    }
}

impl Policy {
    /// Checks what no type can.
    ///
    /// # Errors
    /// A [`PolicyError`] that names the field.
    pub fn check(&self) -> Result<(), PolicyError> {
        let lives = 1..=DELIVERED_SECS;
        if !lives.contains(&self.delivered_secs) || !lives.contains(&self.sms_secs) {
            return Err(PolicyError::DeliveredSecs);
        }
        if !(1..=GUESSES_A_WINDOW).contains(&self.max_attempts) {
            return Err(PolicyError::MaxAttempts);
        }
        if self.enforce != Enforce::DontForce && self.strategies.list().is_empty() {
            return Err(PolicyError::NoStrategy);
        }
        // It stands in mails, where a code must be the only run of six digits.
        let mut runs = self.issuer.split(|letter: char| !letter.is_ascii_digit());
        let odd = |letter: char| letter == ':' || letter.is_control();
        if self.issuer.trim().is_empty()
            || self.issuer.len() > 64
            || self.issuer.contains(odd)
            || runs.any(|run| run.len() >= 6)
        {
            return Err(PolicyError::Issuer);
        }
        Ok(())
    }

    /// What its profile asks and does not get.
    pub fn contradictions(&self) -> impl Iterator<Item = Contradiction> {
        self.profile.contradictions(self)
    }

    /// The policy as it is decided by: within its profile.
    #[must_use]
    pub fn within_profile(self) -> Self {
        self.profile.within(self)
    }

    /// Must a user who has no factor enrol one after this first factor?
    #[must_use]
    pub const fn forces(&self, first: FirstFactor) -> bool {
        match self.enforce {
            Enforce::DontForce => false,
            Enforce::Force => true,
            Enforce::ForceExceptSaml => !matches!(first, FirstFactor::Saml),
        }
    }

    /// The same policy, as strict in enforcing as another: a user of several tenants, of which one
    /// enforces, must have a second factor in each.
    #[must_use]
    pub fn as_strict_as(mut self, other: &Self) -> Self {
        self.enforce = self.enforce.max(other.enforce);
        self
    }

    /// Is email all that this tenant takes?
    #[must_use]
    pub fn email_only(&self) -> bool {
        self.strategies.list() == [FactorKind::Email]
    }
}

impl Strategies {
    /// All factors that can be turned on, the strongest first, and whether each is.
    #[must_use]
    pub const fn all(&self) -> [(FactorKind, bool); 5] {
        [
            (FactorKind::PasskeyPlatform, self.passkey_platform),
            (FactorKind::PasskeyCrossPlatform, self.passkey_cross_platform),
            (FactorKind::Authenticator, self.authenticator),
            (FactorKind::Sms, self.sms),
            (FactorKind::Email, self.email),
        ]
    }

    /// The factors that are on, the strongest first.
    #[must_use]
    pub fn list(&self) -> Vec<FactorKind> {
        self.all().into_iter().filter_map(|(kind, on)| on.then_some(kind)).collect()
    }

    /// Turns a factor on or off. False: it is none that can be.
    pub const fn set(&mut self, kind: FactorKind, on: bool) -> bool {
        match kind {
            FactorKind::Authenticator => self.authenticator = on,
            FactorKind::Sms => self.sms = on,
            FactorKind::Email => self.email = on,
            FactorKind::PasskeyPlatform => self.passkey_platform = on,
            FactorKind::PasskeyCrossPlatform => self.passkey_cross_platform = on,
            _ => return false,
        }
        true
    }
}

/// A window as the two numbers that its constructor checks again.
mod window {
    use countersign_otp::Window;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(window: &Window, to: S) -> Result<S::Ok, S::Error> {
        (window.back(), window.ahead()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Window, D::Error> {
        let (back, ahead) = <(u8, u8)>::deserialize(from)?;
        Window::new(back, ahead).map_err(|_| D::Error::custom("a window beyond its bound"))
    }
}
