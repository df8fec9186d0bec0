//! The file's shape, before anything is checked. A key that is not named here is refused.

use std::collections::BTreeMap;

use countersign_ceremony::policy::profile::Profile;
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) profile: Profile,
    pub(super) listen: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) service: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) data: Option<String>,
    pub(super) database: Option<String>,
    pub(super) moving_to: Option<String>,
    pub(super) encoding: Option<u8>,
    pub(super) keys_file: Option<String>,
    pub(super) kms: Option<RawKms>,
    pub(super) signing_keys: Vec<String>,
    pub(super) allow_plain_http: bool,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) origins: Vec<String>,
    pub(super) deadline_seconds: Option<u64>,
    pub(super) malformed_per_minute: Option<u32>,
    pub(super) failed_logins_per_minute: Option<u32>,
    pub(super) recovery_codes: Option<u8>,
    pub(super) recovery_replaced: Option<bool>,
    pub(super) cookies: RawCookies,
    pub(super) passkeys: RawPasskeys,
    pub(super) tenants: Vec<RawTenant>,
    pub(super) smtp: Option<RawSmtp>,
    pub(super) outbox: Option<String>,
    pub(super) language: Option<String>,
    pub(super) templates: Option<String>,
    pub(super) sms: Option<RawSms>,
    pub(super) events: RawEvents,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCookies {
    pub(super) same_site: Option<SameSite>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPasskeys {
    pub(super) domain: Option<String>,
    pub(super) origins: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawKms {
    pub(super) wrap: Vec<String>,
    pub(super) unwrap: Vec<String>,
    pub(super) timeout_seconds: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    pub(super) id: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) enforce: Option<Enforce>,
    #[serde(default)]
    pub(super) allow_remember: bool,
    pub(super) device_expiration_seconds: Option<u64>,
    pub(super) strategies: Option<Vec<Strategy>>,
}

/// All optional, so that each key may come from the environment; what must be there is checked later.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSmtp {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) hello: Option<String>,
    pub(super) tls: SmtpTls,
    pub(super) allow_plain: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) from: Option<String>,
    pub(super) timeout_seconds: Option<u64>,
}

/// All optional, as in [`RawSmtp`].
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSms {
    pub(super) url: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) allow_plain: bool,
    pub(super) timeout_seconds: Option<u64>,
}

/// The secret stays out of every log.
impl std::fmt::Debug for RawSms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawSms(..)")
    }
}

/// The password stays out of every log.
impl std::fmt::Debug for RawSmtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawSmtp").field("host", &self.host).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawEvents {
    pub(super) bound: Option<u64>,
    pub(super) when_full: WhenFull,
    pub(super) sinks: BTreeMap<String, RawSink>,
}

/// Of `file`, `syslog` and `webhook` exactly one; what must be there is checked later.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSink {
    pub(super) file: Option<String>,
    pub(super) syslog: Option<String>,
    pub(super) webhook: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) allow_plain: bool,
    pub(super) timeout_seconds: Option<u64>,
}

/// The secret stays out of every log.
impl std::fmt::Debug for RawSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawSink(..)")
    }
}

/// The `SameSite` attribute of a cookie (RFC 6265bis).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Sent from the same site alone.
    Strict,
    /// Sent from the same site, and with a navigation from another.
    #[default]
    Lax,
    /// Sent from every site; browsers want `Secure` with it.
    None,
}

/// Whether users must have a second factor: the contract's `enforceMFAType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Enforce {
    /// Who has a factor is asked for it, nobody needs one.
    DontForce,
    /// Everybody needs one.
    #[default]
    Force,
    /// Everybody but those who come by SAML.
    #[serde(rename = "ForceExceptSAML")]
    ForceExceptSaml,
}

/// A kind of second factor: the contract's strategy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Strategy {
    /// TOTP by an app (RFC 6238).
    AuthenticatorApp,
    /// A code to a phone.
    #[serde(rename = "SMS")]
    Sms,
    /// A code by mail.
    EmailCode,
    /// A passkey of the device itself (WebAuthn).
    WebAuthnPlatform,
    /// A passkey of a security key or of another device.
    WebAuthnCrossPlatform,
}

/// How the connection to an SMTP server is secured (RFC 3207, RFC 8314).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// In the clear first, then TLS before anything is said: usually port 587.
    #[default]
    Starttls,
    /// TLS from the first byte: usually port 465.
    Tls,
    /// No TLS: on loopback, or when told so.
    None,
}

/// What the outbox of audit events does beyond its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// Nothing happens that is not written down: requests are refused with 503.
    Refuse,
    /// The oldest events give way.
    #[default]
    DropOldest,
}
