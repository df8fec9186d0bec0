//! The Key URI, `otpauth://totp/Issuer:account?secret=...`: what a QR code of an authenticator says.
//!
//! What it is: one noun, [`Uri`], which every way of provisioning ends in: built here for an
//! enrolment, read from a URI, or imported from another authenticator's export. There is no RFC;
//! the source is Google's "Key Uri Format", and for what apps really do, their own exports.
//!
//! What it refuses: everything that would make a key mean something else than its sender meant
//! (see [`ReadError`]). What it forgives and reports is in [`Warning`].
//!
//! Which attack: a URI comes from a stranger's QR code. Reading one is bounded in length, does not
//! panic, and tells control characters in a name from a name; the secret is decoded without
//! branches or table look-ups on its letters, and wiped.

mod error;
mod judge;
mod name;
mod profile;
mod query;
mod read;
mod secret;
mod write;

use core::fmt;

use countersign_otp::{Algorithm, Hotp, Secret, Totp};

use self::name::Name;
pub(crate) use self::secret::base32;
pub use self::{
    error::{ReadError, Warning},
    name::NameError,
    profile::Profile,
    read::Parsed,
};
#[cfg(any(feature = "import", feature = "pskc", feature = "totp-rs"))]
pub(crate) use self::{judge::judged, query::Query, secret::found};

/// A key with its names and its way of counting: all that an otpauth URI says.
///
/// It holds that both names are at most 255 bytes, without `:` and without control characters.
/// There is no `Display`, so that no log line shows the secret: see [`Uri::expose`].
pub struct Uri {
    issuer: Option<Name>,
    account: Name,
    secret: Secret,
    kind: Kind,
}

/// The way of counting, the URI's *type*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// By the clock (RFC 6238).
    Totp(Totp),
    /// By a counter (RFC 4226).
    Hotp {
        /// The hash; RFC 4226 knows SHA-1 alone, the Key URI format all three.
        algorithm: Algorithm,
        /// The number of digits.
        hotp: Hotp,
        /// The counter of the next code.
        counter: u64,
    },
    /// Steam Guard: five letters every 30 seconds. No RFC.
    Steam,
}

impl Uri {
    /// Names a key that is counted by the clock.
    ///
    /// # Errors
    ///
    /// [`NameError`] if `issuer` or `account` is empty, longer than 255 bytes, or has a `:` or a
    /// control character in it.
    pub fn totp(
        issuer: &str,
        account: &str,
        secret: Secret,
        totp: Totp,
    ) -> Result<Self, NameError> {
        Self::new(issuer, account, secret, Kind::Totp(totp))
    }

    /// Names a key of any kind.
    ///
    /// # Errors
    ///
    /// As [`Uri::totp`].
    pub fn new(issuer: &str, account: &str, secret: Secret, kind: Kind) -> Result<Self, NameError> {
        let issuer = Some(Name::new(issuer)?);
        Ok(Self { issuer, account: Name::new(account)?, secret, kind })
    }

    /// Names a key found in the wild, whose names may be missing.
    pub(crate) fn found(issuer: Option<Name>, account: Name, secret: Secret, kind: Kind) -> Self {
        Self { issuer, account, secret, kind }
    }

    /// Who gave the key out. `None` only in what was read or imported.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(Name::as_str)
    }

    /// Whose key it is. Empty only in what was read or imported.
    #[must_use]
    pub fn account(&self) -> &str {
        self.account.as_str()
    }

    /// The key.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The way of counting, with its parameters.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Gives up the names and keeps the key.
    #[must_use]
    pub fn into_secret(self) -> Secret {
        self.secret
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uri").field("kind", &self.kind).finish_non_exhaustive()
    }
}
