//! What a tenant decides: whom it asks for a second factor, and which ones it takes.
//!
//! A policy may be stricter than [`rules`](crate::rules), never laxer: its constructor clamps
//! nothing, it refuses.

use serde::{Deserialize, Serialize};

use countersign_device::FactorKind;
use countersign_otp::Window;

use crate::assertion::FirstFactor;
use crate::rules::{DELIVERED_SECS, GUESSES_A_WINDOW};

/// Whom a tenant asks for a second factor. A user who has one is always asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Enforce {
    /// Nobody has to enrol.
    DontForce,
    /// Everybody has to enrol.
    Force,
    /// Everybody but those whose first factor was SAML: their identity provider answers for them.
    ForceExceptSaml,
}

/// One tenant's policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Whom it asks.
    pub enforce: Enforce,
    /// May browsers be remembered, and how long?
    pub remember: countersign_remember::Policy,
    /// The factors that it takes. EmailCode is off by default.
    pub strategies: Strategies,
    /// The issuer that an authenticator app shows.
    pub issuer: String,
    /// How many steps back and ahead a code of an app is taken.
    #[serde(with = "window")]
    pub window: Window,
    /// How long a delivered code lives, in seconds: 1 to 600.
    pub delivered_secs: u64,
    /// How many failed guesses a window takes: 1 to 10.
    pub max_attempts: u8,
}

/// Which factors a tenant takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Strategies {
    /// Authenticator apps.
    pub authenticator: bool,
    /// Codes by email.
    pub email: bool,
}

/// Why a policy does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyError {
    /// `delivered_secs` is 0 or over 600.
    DeliveredSecs,
    /// `max_attempts` is 0 or over 10.
    MaxAttempts,
    /// No factor is on, and somebody has to enrol one.
    NoStrategy,
    /// The issuer is empty, has a colon, or is over 64 bytes.
    Issuer,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::DeliveredSecs => "a delivered code lives 1 to 600 seconds (NIST SP 800-63B-4)",
            Self::MaxAttempts => "a window takes 1 to 10 failed guesses",
            Self::NoStrategy => "enrolment is forced, and no factor is on: turn one on",
            Self::Issuer => "the issuer has 1 to 64 bytes and no colon",
        })
    }
}

impl std::error::Error for PolicyError {}

impl Default for Policy {
    /// Nobody is forced, nothing is remembered, apps are taken and email is not.
    fn default() -> Self {
        Self {
            enforce: Enforce::DontForce,
            remember: countersign_remember::Policy::default(),
            strategies: Strategies { authenticator: true, email: false },
            issuer: "Countersign".into(),
            window: Window::DEFAULT,
            delivered_secs: DELIVERED_SECS,
            max_attempts: GUESSES_A_WINDOW,
        }
    }
}

impl Policy {
    /// Checks what no type can.
    ///
    /// # Errors
    /// A [`PolicyError`] that names the field.
    pub fn check(&self) -> Result<(), PolicyError> {
        if !(1..=DELIVERED_SECS).contains(&self.delivered_secs) {
            return Err(PolicyError::DeliveredSecs);
        }
        if !(1..=GUESSES_A_WINDOW).contains(&self.max_attempts) {
            return Err(PolicyError::MaxAttempts);
        }
        if self.enforce != Enforce::DontForce && self.strategies.list().is_empty() {
            return Err(PolicyError::NoStrategy);
        }
        if self.issuer.is_empty() || self.issuer.len() > 64 || self.issuer.contains(':') {
            return Err(PolicyError::Issuer);
        }
        Ok(())
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

    /// Is email all that this tenant takes?
    #[must_use]
    pub const fn email_only(&self) -> bool {
        self.strategies.email && !self.strategies.authenticator
    }
}

impl Strategies {
    /// The factors that are on, the strongest first.
    #[must_use]
    pub fn list(&self) -> Vec<FactorKind> {
        let all =
            [(self.authenticator, FactorKind::Authenticator), (self.email, FactorKind::Email)];
        all.into_iter().filter_map(|(on, kind)| on.then_some(kind)).collect()
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
