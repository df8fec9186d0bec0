//! Kinds of factors, and what they are worth.

use serde::{Deserialize, Serialize};

/// A kind of factor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FactorKind {
    /// An authenticator app: TOTP (RFC 6238).
    Authenticator,
    /// A code by email.
    Email,
    /// A code by SMS.
    Sms,
    /// A passkey of this device.
    PasskeyPlatform,
    /// A passkey of a security key or of another device.
    PasskeyCrossPlatform,
    /// A recovery code.
    Recovery,
}

impl FactorKind {
    /// Can it not be passed on to a site that pretends to be ours? Codes that are typed always can
    /// (NIST SP 800-63B-4, 3.2.5).
    #[must_use]
    pub const fn phishing_resistant(self) -> bool {
        matches!(self, Self::PasskeyPlatform | Self::PasskeyCrossPlatform)
    }

    /// Is it a code that anybody could guess, and so charged to the ledger?
    #[must_use]
    pub const fn guessable(self) -> bool {
        matches!(self, Self::Authenticator | Self::Email | Self::Sms)
    }
}
