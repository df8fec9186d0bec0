//! The requests of the contract. Every field is optional here; handlers ask for what they need.

mod sms;

use serde::Deserialize;
use utoipa::ToSchema;

pub use self::sms::{SmsCheck, SmsSend};
use super::field::{Field, Flag, Invalid, Number};

/// `POST auth/v1/user`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Login {
    email: Field,
    username: Field,
    /// The password.
    pub password: Field,
}

impl Login {
    /// The address, which comes as `email` or as `username`.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn address(&self) -> Result<&str, Invalid> {
        match self.email.optional("email")? {
            Some(email) => Ok(email),
            None => {
                let username = self.username.optional("username")?;
                username.ok_or(Invalid::NeitherEmailNorUsername)
            }
        }
    }
}

/// `POST auth/v1/user/token/refresh`. The token comes as the cookie, or here where there is no cookie jar.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Refresh {
    /// The refresh token of a client without cookies.
    pub refresh_token: Field,
}

/// A request that names its login and nothing else.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct LoginTokenOnly {
    /// The login.
    pub mfa_token: Field,
}

/// `mfa/verify` and `mfa/authenticator/{deviceId}/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct CodeCheck {
    /// The login.
    pub mfa_token: Field,
    /// The code.
    pub value: Field,
    /// Remember this browser?
    pub remember_device: Flag,
}

/// `mfa/authenticator/enroll/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EnrolCheck {
    /// The login.
    pub mfa_token: Field,
    /// The code.
    pub token: Field,
    /// Remember this browser?
    pub remember_device: Flag,
}

/// `mfa/emailcode/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EmailCodeCheck {
    /// The login.
    pub mfa_token: Field,
    /// The challenge.
    pub otc_token: Field,
    /// The code.
    pub code: Field,
    /// Remember this browser?
    pub remember_device: Flag,
}

/// `users/v1/mfa/email/enroll/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EmailBinding {
    /// The challenge.
    pub otc_token: Field,
    /// The code.
    pub code: Field,
}

/// `mfa/recover`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Recover {
    /// The address of the user.
    pub email: Field,
    /// The recovery code.
    pub recovery_code: Field,
}

/// `mfa/refill`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Refill {
    /// What the mailed link holds after `tries=`.
    pub token: Field,
}

/// `user/step-up/generate`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StepUp {
    /// How old the proof of a second factor may be, in seconds.
    pub max_age: Number,
}

/// `users/v1/mfa/...`: what confirms or removes a factor under a session.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AccountCode {
    /// A code of an app; where something is removed, the recovery code as well.
    pub token: Field,
    /// What the new app is called.
    pub label: Field,
}

/// `vendor-only/mfa/v1/logins`: a service with its own passwords opens a login.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceLogin {
    /// The tenant.
    pub tenant_id: Field,
    /// The user, as the service names it.
    pub user_id: Field,
    /// The address of the user, for the email factor.
    pub email: Field,
    /// Which first factor was passed.
    pub first_factor: Field,
}

/// `vendor-only/mfa/v1/lifecycle`: what happened to a user.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Lifecycle {
    /// The tenant, where the service has several.
    pub tenant_id: Field,
    /// The user.
    pub user_id: Field,
    /// What happened.
    pub event: Field,
    /// The new address, or the mailbox that a password was reset through.
    pub email: Field,
    /// Whether the password was reset through a mailbox.
    pub through_mailbox: Flag,
}
