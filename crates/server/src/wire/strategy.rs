//! The contract's names of second factors.

use countersign_device::FactorKind;

/// All of them, as a refusal lists them.
pub const STRATEGIES: &str =
    "AuthenticatorApp, WebAuthnPlatform, WebAuthnCrossPlatform, SMS, EmailCode";

/// What the contract calls a factor.
#[must_use]
pub const fn strategy(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Authenticator => "AuthenticatorApp",
        FactorKind::Email => "EmailCode",
        FactorKind::Sms => "SMS",
        FactorKind::PasskeyPlatform => "WebAuthnPlatform",
        FactorKind::PasskeyCrossPlatform => "WebAuthnCrossPlatform",
        // Recovery is no strategy, and the engine lists none that this release does not know.
        _ => "Unknown",
    }
}

/// The factor of this name.
#[must_use]
pub fn factor(name: &str) -> Option<FactorKind> {
    let all = [
        FactorKind::Authenticator,
        FactorKind::PasskeyPlatform,
        FactorKind::PasskeyCrossPlatform,
        FactorKind::Sms,
        FactorKind::Email,
    ];
    all.into_iter().find(|kind| strategy(*kind) == name)
}
