//! Where a code is sent: a mailbox or a telephone.

use serde::{Deserialize, Serialize};

use crate::{EmailAddress, FactorKind, PhoneNumber};

/// An address that a code is sent to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Address {
    /// A mailbox.
    Mailbox(EmailAddress),
    /// A telephone.
    Phone(PhoneNumber),
}

impl Address {
    /// The factor that a code sent there answers.
    #[must_use]
    pub const fn factor(&self) -> FactorKind {
        match self {
            Self::Mailbox(_) => FactorKind::Email,
            Self::Phone(_) => FactorKind::Sms,
        }
    }

    /// The form under which addresses are compared. No mailbox has that of a telephone: one has an
    /// `@`, the other none.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::Mailbox(address) => address.canonical(),
            Self::Phone(number) => number.to_string(),
        }
    }

    /// What may be shown of it before the second factor passed.
    #[must_use]
    pub fn mask(&self) -> String {
        match self {
            Self::Mailbox(address) => address.mask(),
            Self::Phone(number) => number.mask(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_compared_by_its_canonical_form_and_shown_masked() {
        let mailbox = |text| Address::Mailbox(EmailAddress::parse(text).unwrap());
        let phone = Address::Phone(PhoneNumber::parse("+15555550100").unwrap());
        assert_eq!(mailbox("A@b.example"), mailbox("a@B.example"));
        assert_eq!(mailbox("A@b.example").canonical(), "a@b.example");
        assert_eq!((phone.canonical().as_str(), phone.mask().as_str()), ("+15555550100", "+***00"));
        assert_eq!((phone.factor(), mailbox("a@b").factor()), (FactorKind::Sms, FactorKind::Email));
        assert!(!format!("{phone:?}").contains("555"));
    }
}
