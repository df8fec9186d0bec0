//! What a won settle says: who, by which factors, when.
//!
//! The fields are private and there is no constructor outside decide, whose outcomes are sealed
//! until the swap is won. So "valid but not consumed" does not compile: whoever holds an
//! [`Assertion`] holds it because the code it stands for is spent.

use serde::{Deserialize, Serialize};

use countersign_device::{ApplicationId, EmailAddress, FactorKind, SessionId, TenantId, UserKey};
use countersign_otp::UnixTime;

use crate::record::Epoch;

/// The first factor that was passed before the second one is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum FirstFactor {
    /// A password.
    Password,
    /// SAML, by an identity provider.
    Saml,
    /// OpenID Connect or a social login, by an identity provider.
    Federated,
    /// A code or a link that was sent by email.
    Email,
    /// A code that was sent by SMS.
    Sms,
    /// A passkey.
    Passkey,
}

impl FirstFactor {
    /// May this second factor follow it? Two factors must differ in kind and channel (B-12).
    #[must_use]
    pub const fn may_be_followed_by(self, second: FactorKind) -> bool {
        !matches!(
            (self, second),
            (Self::Email, FactorKind::Email)
                | (Self::Sms, FactorKind::Sms)
                | (Self::Passkey, FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform)
        )
    }

    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Password, Self::Saml, Self::Federated, Self::Email, Self::Sms, Self::Passkey];

    /// Its name, in access tokens and where a service reports it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Saml => "saml",
            Self::Federated => "federated",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Passkey => "passkey",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|first| first.name() == name)
    }

    /// Its `amr` value (RFC 8176, section 2).
    #[must_use]
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Saml | Self::Federated => "sso",
            Self::Email => "otp",
            Self::Sms => "sms",
            Self::Passkey => "hwk",
        }
    }
}

/// How the second step was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Second {
    /// It was not asked: the policy does not demand it of this user.
    NotAsked,
    /// A remembered browser skipped it. The login is worth one factor (D-16).
    Remembered,
    /// This factor proved it.
    Proved(FactorKind),
}

/// A completed login: obtained from a won settle alone, and what minting tokens takes.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion {
    pub(crate) subject: Subject,
    pub(crate) first: FirstFactor,
    pub(crate) second: Second,
    pub(crate) auth_time: UnixTime,
}

/// Who a login or a session is for, under which session and epoch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The user, in its realm.
    pub user: UserKey,
    /// The tenant that was logged in to.
    pub tenant: TenantId,
    /// The application, where one was named.
    pub application: Option<ApplicationId>,
    /// The address of the directory, or of the service's own login call.
    pub email: Option<EmailAddress>,
    /// The session; a refresh family has the same id.
    pub session: SessionId,
    /// The user's epoch when the session began.
    pub epoch: Epoch,
}

impl Assertion {
    /// The `acr` of a login that passed two factors, as the clients of the contract read it.
    pub const MULTI_FACTOR: &'static str =
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

    /// Who.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The first factor.
    #[must_use]
    pub const fn first(&self) -> FirstFactor {
        self.first
    }

    /// How the second step was answered.
    #[must_use]
    pub const fn second(&self) -> Second {
        self.second
    }

    /// When the user proved what this login rests on.
    #[must_use]
    pub const fn auth_time(&self) -> UnixTime {
        self.auth_time
    }

    /// The `amr` values (RFC 8176). A remembered login names no factor that was not presented.
    #[must_use]
    pub fn amr(&self) -> Vec<String> {
        let mut amr = vec![self.first.amr().to_owned()];
        match self.second {
            Second::NotAsked => {}
            Second::Remembered => amr.push("remembered".into()),
            Second::Proved(kind) => {
                amr.push("mfa".into());
                amr.push(match kind {
                    FactorKind::Sms => "sms".into(),
                    FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform => "hwk".into(),
                    _ => "otp".into(),
                });
            }
        }
        amr.dedup();
        amr
    }

    /// The `acr` value: [`Assertion::MULTI_FACTOR`] where a second factor was proved now.
    #[must_use]
    pub const fn acr(&self) -> Option<&'static str> {
        match self.second {
            Second::Proved(_) => Some(Self::MULTI_FACTOR),
            Second::NotAsked | Second::Remembered => None,
        }
    }
}

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { subject, first, second, auth_time } = self;
        f.debug_struct("Assertion")
            .field("subject", subject)
            .field("first", first)
            .field("second", second)
            .field("auth_time", auth_time)
            .finish()
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, tenant, application, email: _, session, epoch } = self;
        f.debug_struct("Subject")
            .field("user", user)
            .field("tenant", tenant)
            .field("application", application)
            .field("session", session)
            .field("epoch", epoch)
            .finish_non_exhaustive()
    }
}
