//! The answers of the contract.

use serde::Serialize;
use utoipa::ToSchema;

use super::passkey::Passkey;

/// What every login and every final verify answers.
#[derive(Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthResponse {
    /// `bearer`, with an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// Whether a second step is asked for.
    pub mfa_required: bool,
    /// The open login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_token: Option<String>,
    /// Whether the user has a factor. The client reads a missing one as true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_enrolled: Option<bool>,
    /// What the second step may be answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_devices: Option<MfaDevices>,
    /// An array, whatever the contract's document says: the client reads its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_strategies: Option<Vec<&'static str>>,
    /// A PNG as a data URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<String>,
    /// The secret of the QR code in base32, to be typed by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
    /// All of a set, where it is one of several. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_codes: Option<Vec<String>>,
    /// A compact JWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// What the next access token is asked for with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Seconds for which the access token lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// When it ends, as an HTTP date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The user's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
}

/// It carries tokens, a secret and a recovery code.
impl std::fmt::Debug for AuthResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthResponse")
            .field("mfa_required", &self.mfa_required)
            .field("mfa_enrolled", &self.mfa_enrolled)
            .finish_non_exhaustive()
    }
}

/// All four arrays, always: the client reads their lengths without asking.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct MfaDevices {
    /// Passkeys.
    pub webauthn: Vec<Passkey>,
    /// Phones.
    pub phones: Vec<Phone>,
    /// Authenticator apps.
    pub authenticators: Vec<Device>,
    /// Mailboxes.
    pub emails: Vec<Email>,
}

/// A device with an id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Device {
    /// Its id.
    pub id: String,
}

/// A phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Phone {
    /// Its id.
    pub id: String,
    /// Its number, masked before the second factor passed.
    pub phone_number: String,
}

/// A mailbox, which has no id.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Email {
    /// The address, masked.
    pub email: String,
}

/// The answer of `mfa/authenticator/enroll`.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreEnrol {
    /// A PNG as a data URI.
    pub qr_code: String,
    /// The same secret in base32, to be typed by hand.
    pub secret: String,
}

impl std::fmt::Debug for PreEnrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreEnrol(..)")
    }
}

/// The answer of a confirmed enrolment under a session.
#[derive(Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Added {
    /// Shown once, with the first factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
    /// All of a set, where it is one of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_codes: Option<Vec<String>>,
}

impl std::fmt::Debug for Added {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Added(..)")
    }
}

/// The answer of `mfa/emailcode`.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtcToken {
    /// The challenge.
    pub otc_token: String,
}

impl std::fmt::Debug for OtcToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OtcToken(..)")
    }
}

/// The answer of `mfa/sms/enroll` and `mfa/sms/{deviceId}`.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmsSent {
    /// The challenge.
    pub otc_token: String,
    /// Where the code went, as far as it may be shown.
    pub phone_number: String,
}

impl std::fmt::Debug for SmsSent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmsSent(..)")
    }
}

/// The answer of `users/v1/mfa/email/enroll`.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmailSent {
    /// The challenge.
    pub otc_token: String,
    /// Where the code went, as far as it may be shown.
    pub email: String,
}

impl std::fmt::Debug for EmailSent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailSent(..)")
    }
}

/// The answer of `mfa-policy/allow-remember-device`.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowRemember {
    /// Whether the box is shown.
    pub is_allowed_to_remember: bool,
    /// For how many seconds; 0 where it is not allowed.
    pub mfa_device_expiration: u64,
}

/// The answer of `users/v2/me`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The user.
    pub id: String,
    /// The same id, as older clients read it.
    pub sub: String,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name: the address, where the directory knows no other.
    pub name: String,
    /// The tenant of this session.
    pub tenant_id: String,
    /// All tenants of the user.
    pub tenant_ids: Vec<String>,
    /// We know no roles.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// And no permissions.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Role>,
}

/// A role or a permission: we have none, and the arrays have to be there.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Role {}

/// The answer of `users/v3/me/tenants`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenants {
    /// All tenants of the user.
    pub tenants: Vec<TenantRow>,
    /// The tenant of this session.
    pub active_tenant: TenantRow,
}

/// One tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantRow {
    /// Its id, as this product names it.
    pub id: String,
    /// The same id, as the contract names it.
    pub tenant_id: String,
    /// Its name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn all_four_arrays_are_there_and_strategies_are_an_array() {
        let answer = AuthResponse {
            mfa_required: true,
            mfa_token: Some("t".to_owned()),
            mfa_enrolled: Some(false),
            mfa_devices: Some(MfaDevices::default()),
            mfa_strategies: Some(vec!["AuthenticatorApp"]),
            ..AuthResponse::default()
        };
        let expected = json!({
            "mfaRequired": true,
            "mfaToken": "t",
            "mfaEnrolled": false,
            "mfaDevices": {"webauthn": [], "phones": [], "authenticators": [], "emails": []},
            "mfaStrategies": ["AuthenticatorApp"],
        });
        assert_eq!(to_value(&answer).unwrap(), expected, "and nothing that is not there is null");
    }

    #[test]
    fn debug_shows_no_token_and_no_secret() {
        let secret = || Some("hunter2".to_owned());
        let answer = AuthResponse {
            mfa_token: secret(),
            qr_code: secret(),
            secret: secret(),
            recovery_code: secret(),
            recovery_codes: Some(vec!["hunter2".to_owned()]),
            access_token: secret(),
            refresh_token: secret(),
            ..AuthResponse::default()
        };
        let pre_enrol = PreEnrol { qr_code: "hunter2".to_owned(), secret: "hunter2".to_owned() };
        let shown =
            format!("{answer:?} {pre_enrol:?} {:?}", OtcToken { otc_token: "hunter2".to_owned() });
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
