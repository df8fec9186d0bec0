//! Kinds of factors, what each is worth, and which of them may stand beside another.

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
    /// A password.
    Password,
}

/// By what a factor reaches us. Whoever holds the channel holds every factor that comes by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Channel {
    /// What the user remembers.
    Memory,
    /// An app that computes codes.
    App,
    /// A mailbox.
    Mailbox,
    /// A phone number.
    Telephone,
    /// An authenticator that signs.
    Passkey,
    /// What the user wrote down or printed.
    Paper,
}

impl FactorKind {
    /// Can it not be passed on to a site that pretends to be ours? Codes that are typed always can
    /// (NIST SP 800-63B-4, 3.2.5).
    #[must_use]
    pub const fn phishing_resistant(self) -> bool {
        matches!(self.channel(), Channel::Passkey)
    }

    /// Is it a code that anybody could guess, and so charged to the ledger?
    #[must_use]
    pub const fn guessable(self) -> bool {
        matches!(self, Self::Authenticator | Self::Email | Self::Sms)
    }

    /// By what it reaches us.
    #[must_use]
    pub const fn channel(self) -> Channel {
        match self {
            Self::Authenticator => Channel::App,
            Self::Email => Channel::Mailbox,
            Self::Sms => Channel::Telephone,
            Self::PasskeyPlatform | Self::PasskeyCrossPlatform => Channel::Passkey,
            Self::Recovery => Channel::Paper,
            Self::Password => Channel::Memory,
        }
    }

    /// Do the two make two factors? They must differ in kind and channel (B-12).
    #[must_use]
    pub fn differs_from(self, other: Self) -> bool {
        self != other && self.channel() != other.channel()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [FactorKind; 7] = [
        FactorKind::Authenticator,
        FactorKind::Email,
        FactorKind::Sms,
        FactorKind::PasskeyPlatform,
        FactorKind::PasskeyCrossPlatform,
        FactorKind::Recovery,
        FactorKind::Password,
    ];

    /// B-12: the same kind twice, or two kinds by one channel, are one factor.
    #[test]
    fn two_factors_differ_in_kind_and_channel() {
        for kind in ALL {
            assert!(!kind.differs_from(kind), "{kind:?}");
            for other in ALL {
                let one_channel = kind.channel() == other.channel();
                assert_eq!(kind.differs_from(other), !one_channel, "{kind:?} {other:?}");
            }
        }
        assert!(!FactorKind::PasskeyPlatform.differs_from(FactorKind::PasskeyCrossPlatform));
        assert!(FactorKind::Password.differs_from(FactorKind::Email));
    }

    /// NIST SP 800-63B-4, 3.2.5: what is typed can be phished; what can be guessed is charged.
    #[test]
    fn only_what_signs_resists_phishing() {
        for kind in ALL {
            let signs =
                matches!(kind, FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform);
            assert_eq!(kind.phishing_resistant(), signs, "{kind:?}");
            assert!(!(kind.guessable() && kind.phishing_resistant()), "{kind:?}");
        }
    }

    /// A stored kind is its position: new ones come last.
    #[test]
    fn the_encoding_of_a_kind_stays() {
        for (at, kind) in ALL.iter().enumerate() {
            let bytes = postcard::to_allocvec(kind).unwrap();
            assert_eq!(bytes, [u8::try_from(at).unwrap()]);
        }
    }
}
