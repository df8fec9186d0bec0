//! Email addresses (RFC 5321, RFC 6531): checked, compared and masked.

mod factor;

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::text::written_as_text;

pub use factor::EmailFactor;

/// An address: a local part of at most 64 bytes, a domain of letters, digits, dashes and dots, at
/// most 254 bytes in all. Quoted local parts, address literals and IPv4 addresses are refused: they
/// are legal, and nobody's mailbox.
///
/// Two addresses are equal when their [canonical](EmailAddress::canonical) forms are.
#[derive(Clone)]
pub struct EmailAddress(String);

/// A text that is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EmailAddressError;

impl fmt::Display for EmailAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an email address is local@domain, at most 254 bytes")
    }
}

impl std::error::Error for EmailAddressError {}

impl EmailAddress {
    /// Checks an address.
    ///
    /// # Errors
    /// [`EmailAddressError`].
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let (local, domain) = text.split_once('@').ok_or(EmailAddressError)?;
        if text.len() > 254 || !is_local(local) || !is_domain(domain) {
            return Err(EmailAddressError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which addresses are compared and found: `A-Z` in lower case.
    ///
    /// No other letter is folded. Unicode would fold the Kelvin sign into a `k`, and so a
    /// stranger's mailbox into that of a user: whoever asks for a code by the one address would be
    /// taken for the owner of the other.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
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
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        match domain.rsplit_once('.') {
            Some((host, last)) => format!("{}***@{}***.{last}", first(local), first(host)),
            None => format!("{}***@{}***", first(local), first(domain)),
        }
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for EmailAddress {}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

written_as_text!(EmailAddress, EmailAddress::parse);

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

/// Atoms with dots between them (RFC 5321, section 4.1.2), and letters of any script (RFC 6531).
fn is_local(local: &str) -> bool {
    let atom = |char: char| char.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(char);
    local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

/// Labels with dots between them (RFC 1035, section 2.3.1), and letters of any script (RFC 6531).
/// The last one is no number, as in an IPv4 address (RFC 3696, section 2).
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|char| char.is_alphanumeric() || char == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    domain.split('.').all(label) && !domain.rsplit('.').next().is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_line_of_two_parts(text in "\\PC{0,12}@?\\PC{0,12}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(address.as_str(), &text);
                prop_assert_eq!(text.matches('@').count(), 1);
                prop_assert!(!text.chars().any(|char| char.is_control() || char.is_whitespace()));
                prop_assert_eq!(EmailAddress::parse(&address.canonical()), Ok(address));
            }
        }

        #[test]
        fn a_mask_shows_two_characters_and_the_last_label(
            local in "[a-z]{1,20}", host in "[a-z]{1,20}", last in "[a-z]{2,5}",
        ) {
            let address = EmailAddress::parse(&format!("{local}@{host}.{last}")).unwrap();
            let mask = address.mask();
            prop_assert_eq!(mask, format!("{}***@{}***.{last}", &local[..1], &host[..1]));
        }
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["a@b", "a.b+c@x-y.example", "ä@müller.example", "o'neil@example.com", "1@4.a"]
        {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        let long_local = format!("{}@example.com", "x".repeat(65));
        let long = format!("a@{}com", "label.".repeat(42));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a@b..c",
            "a@b.",
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
            "a@127.0.0.1",
            "a@10",
            "a\u{202e}b@c.example",
            "a\0@b",
            &long_local,
            &long,
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
            let bytes = postcard::to_allocvec(bad).unwrap();
            assert!(postcard::from_bytes::<EmailAddress>(&bytes).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn it_is_compared_without_case_and_debugged_without_itself() {
        let address = EmailAddress::parse("Alice@Example.com").unwrap();
        let same = EmailAddress::parse("alice@example.COM").unwrap();
        assert_eq!((&address, address.canonical()), (&same, same.canonical()));
        assert_eq!(format!("{address:?}"), "EmailAddress(A***@E***.com)");
        assert_eq!(EmailAddress::parse("a@b").unwrap().mask(), "a***@b***");
    }

    /// No letter of another script is taken for one of ours.
    #[test]
    fn a_kelvin_sign_is_no_k() {
        let owner = EmailAddress::parse("mark@example.com").unwrap();
        let stranger = EmailAddress::parse("mar\u{212a}@example.com").unwrap();
        assert_eq!("\u{212a}".to_lowercase(), "k");
        assert_ne!(owner, stranger);
        assert_ne!(owner.canonical(), stranger.canonical());
    }
}
