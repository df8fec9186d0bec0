//! Email addresses, and the email factor.

use std::fmt;

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::seconds;

/// An address, checked (RFC 5321): a local part of at most 64 bytes, a domain of letters, digits,
/// dashes and dots, at most 254 bytes in all. Quoted local parts and address literals are refused.
///
/// Two addresses are equal when their [canonical](EmailAddress::canonical) forms are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// A text that is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EmailAddressError;

impl fmt::Display for EmailAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an email address is local@domain, at most 254 characters")
    }
}

impl std::error::Error for EmailAddressError {}

impl EmailAddress {
    /// Checks an address.
    ///
    /// # Errors
    /// [`EmailAddressError`].
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(EmailAddressError)?;
        let atom = |char: char| char.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(char);
        let local_holds = (1..=64).contains(&local.len())
            && local.chars().all(atom)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|char| char.is_alphanumeric() || char == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > 254 || !local_holds || !domain.split('.').all(label) {
            return Err(EmailAddressError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which addresses are compared and found: in lower case.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }

    /// What may be shown before the second factor passed: the first character of the local part and
    /// of the domain, and the last label. It tells no length.
    ///
    /// ```
    /// # use countersign_device::EmailAddress;
    /// let address = EmailAddress::parse("alice.liddell@wonder.example.com")?;
    /// assert_eq!(address.mask(), "a***@w***.com");
    /// # Ok::<(), countersign_device::EmailAddressError>(())
    /// ```
    #[must_use]
    pub fn mask(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        match domain.rsplit_once('.') {
            Some((host, last)) => format!("{}***@{}***.{last}", first(local), first(host)),
            None => format!("{}***@{}***", first(local), first(domain)),
        }
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for EmailAddress {}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.mask())
    }
}

/// The email factor: the address of the directory, as far as it is bound to this user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailFactor {
    address: EmailAddress,
    state: State,
    #[serde(with = "seconds")]
    since: UnixTime,
    #[serde(with = "seconds")]
    last_used: UnixTime,
    failures: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Unproven,
    Active,
}

impl EmailFactor {
    /// An address that answers logins from now on.
    #[must_use]
    pub const fn active(address: EmailAddress, now: UnixTime) -> Self {
        Self::new(address, State::Active, now)
    }

    /// An address that answers none until it is proven.
    #[must_use]
    pub const fn unproven(address: EmailAddress, now: UnixTime) -> Self {
        Self::new(address, State::Unproven, now)
    }

    const fn new(address: EmailAddress, state: State, since: UnixTime) -> Self {
        Self { address, state, since, last_used: since, failures: 0 }
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// Is it proven to be this user's? Then the user has a factor, even where it took too many
    /// failures to answer with it.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.state == State::Active
    }

    /// Does it answer logins? Not once it took 100 failures in a row: it must be bound again
    /// (NIST SP 800-63B-4, 3.2.2).
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.is_bound() && self.failures < FAILURES_IN_A_ROW
    }

    /// A code of it was wrong.
    pub const fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// A code of it was right.
    pub const fn succeed(&mut self, now: UnixTime) {
        self.failures = 0;
        self.last_used = now;
    }

    /// When it was bound.
    #[must_use]
    pub const fn since(&self) -> UnixTime {
        self.since
    }

    /// When it was last used.
    #[must_use]
    pub const fn last_used(&self) -> UnixTime {
        self.last_used
    }
}

/// How many failures in a row one factor takes at most.
pub(crate) const FAILURES_IN_A_ROW: u8 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        for good in ["a@b", "a.b+c@x-y.example", "ä@müller.example", "o'neil@example.com"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b c",
            "a@b..c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a\n@b",
            "a@-b",
            "a@b-",
            "a@b\r\nBcc: x@y",
            "<a@b>",
            "\"a\"@b",
            "a@[127.0.0.1]",
            &long,
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn it_is_compared_without_case_and_debugged_without_itself() {
        let address = EmailAddress::parse("Alice@Example.com").unwrap();
        assert_eq!(address, EmailAddress::parse("alice@example.COM").unwrap());
        assert_eq!(format!("{address:?}"), "EmailAddress(A***@E***.com)");
    }

    #[test]
    fn a_hundred_failures_in_a_row_end_it_and_a_success_forgives_them() {
        let address = EmailAddress::parse("a@b.example").unwrap();
        let mut factor = EmailFactor::active(address, UnixTime::from_secs(5));
        (0..99).for_each(|_| factor.fail());
        assert!(factor.is_active());
        factor.succeed(UnixTime::from_secs(6));
        (0..100).for_each(|_| factor.fail());
        assert!(!factor.is_active() && factor.is_bound());
    }
}
