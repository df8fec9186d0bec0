//! What every authenticator app takes.

use countersign_otp::{Algorithm, Digits, Period, Totp};

use super::{Kind, Uri};

/// A choice of parameters, by whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// SHA-1, six digits, 30 seconds: the only choice on which all apps of the table in
    /// [the crate's documentation](crate#what-the-apps-honour) agree. An app that does not know
    /// another one mostly does not say so: it shows codes that are wrong.
    ///
    /// SHA-1 is no weakness here. HMAC does not rest on the collision resistance of its hash
    /// (RFC 6151, section 2.3; RFC 4226, appendix B.2), and six digits are what bounds a guess.
    MaxCompat,
}

impl Profile {
    /// The way of counting that the profile asks for.
    #[must_use]
    pub fn totp(self) -> Totp {
        match self {
            Self::MaxCompat => Totp::new(Algorithm::Sha1, Digits::Six, Period::THIRTY),
        }
    }

    /// Whether every app that the profile is for makes the right codes from `uri`.
    #[must_use]
    pub fn admits(self, uri: &Uri) -> bool {
        uri.kind() == Kind::Totp(self.totp())
    }
}
