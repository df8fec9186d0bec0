//! `configurations/v1`: policies as they are asked for and shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::{Field, Flag, Number, Section};

/// What creates or changes an MFA policy. The web client sends its own `id` along; it is passed over.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MfaPolicyRequest {
    /// `DontForce`, `Force` or `ForceExceptSAML`.
    #[serde(rename = "enforceMFAType")]
    pub enforce_mfa_type: Field,
    /// May browsers be remembered?
    pub allow_remember_my_device: Flag,
    /// For how many seconds.
    pub mfa_device_expiration: Number,
}

/// An MFA policy.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MfaPolicy {
    /// Its id.
    pub id: String,
    /// `DontForce`, `Force` or `ForceExceptSAML`.
    #[serde(rename = "enforceMFAType")]
    pub enforce_mfa_type: &'static str,
    /// May browsers be remembered?
    pub allow_remember_my_device: bool,
    /// For how many seconds.
    pub mfa_device_expiration: u64,
    /// When it was made (RFC 3339).
    pub created_at: String,
    /// When it was last changed (RFC 3339).
    pub updated_at: String,
}

/// `POST mfa/strategies`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StrategyRequest {
    /// Which factor.
    pub strategy: Field,
    /// Is it taken?
    pub is_active: Flag,
}

/// `GET mfa/strategies`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Strategies {
    /// Each factor.
    pub strategies: Vec<StrategyRow>,
}

/// One factor.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StrategyRow {
    /// Which.
    pub strategy: &'static str,
    /// Is it taken?
    pub is_active: bool,
}

/// `POST mfa`: what people see of the factors. Each part may be left out.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MfaConfigRequest {
    /// Authenticator apps.
    #[schema(value_type = FactorRequest)]
    pub authentication_app: Section<FactorRequest>,
    /// Codes by SMS.
    #[schema(value_type = FactorRequest)]
    pub sms: Section<FactorRequest>,
    /// Codes by mail.
    #[schema(value_type = FactorRequest)]
    pub email: Section<FactorRequest>,
}

/// One part of it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct FactorRequest {
    /// Is the factor taken?
    pub active: Flag,
    /// The name that an authenticator app shows.
    pub service_name: Field,
    /// How long a code lives, in seconds.
    pub token_lifetime_seconds: Number,
    /// Where mails come from.
    pub sender: Field,
}

/// `GET mfa`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MfaConfig {
    /// Authenticator apps.
    pub authentication_app: AppConfig,
    /// Codes by SMS.
    pub sms: CodeConfig,
    /// Codes by mail.
    pub email: MailConfig,
}

/// Authenticator apps.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppConfig {
    /// Are they taken?
    pub active: bool,
    /// The name that they show.
    pub service_name: String,
}

/// Codes by SMS.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeConfig {
    /// Are they taken?
    pub active: bool,
    /// How long one lives, in seconds.
    pub token_lifetime_seconds: u64,
}

/// Codes by mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MailConfig {
    /// Are they taken?
    pub active: bool,
    /// How long one lives, in seconds.
    pub token_lifetime_seconds: u64,
    /// Where they come from; null where it is the server's own address.
    pub sender: Option<String>,
}

/// What creates or changes a lockout policy.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct LockoutRequest {
    /// Does it hold?
    pub enabled: Flag,
    /// After how many failures.
    pub max_attempts: Number,
}

/// A lockout policy.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LockoutPolicy {
    /// Does it hold?
    pub enabled: bool,
    /// After how many failures.
    pub max_attempts: u32,
}
