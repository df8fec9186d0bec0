//! Ids that others give: of realms, tenants, users and applications.
//!
//! 1 to 64 bytes of `A-Z a-z 0-9 . _ : @ | -`, for which `auth0|5f7c` is an id as common as a UUID.
//! Nothing else, so that no id holds white space, a control character, or a second spelling of
//! itself. They are no separators for anybody: whoever joins ids frames them by length (D-10).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::written_as_text;

/// A text that is no such id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameError;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id has 1 to 64 characters of A-Z a-z 0-9 . _ : @ | -")
    }
}

impl std::error::Error for NameError {}

fn check(text: &str) -> Result<Arc<str>, NameError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@|-".contains(&byte);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
        return Err(NameError);
    }
    Ok(text.into())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks an id.
            ///
            /// # Errors
            /// [`NameError`].
            pub fn parse(text: &str) -> Result<Self, NameError> {
                check(text).map(Self)
            }

            /// The id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        written_as_text!($name, $name::parse);

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A realm: one password directory. A user has one set of devices in it.
    RealmId
}
name! {
    /// A tenant of a realm: what has a policy.
    TenantId
}
name! {
    /// A user of a realm.
    UserId
}
name! {
    /// An application that is logged in to.
    ApplicationId
}
name! {
    /// A client of the management routes: a service that holds a secret.
    ClientId
}

impl UserId {
    /// The id of a user of our own, in UUID form.
    #[must_use]
    pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
        Self(crate::DeviceId::from_random_bytes(bytes).to_string().into())
    }
}

/// Whose record it is: a user, in its realm.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct UserKey {
    realm: RealmId,
    user: UserId,
}

impl UserKey {
    /// A user of a realm.
    #[must_use]
    pub const fn new(realm: RealmId, user: UserId) -> Self {
        Self { realm, user }
    }

    /// The realm.
    #[must_use]
    pub const fn realm(&self) -> &RealmId {
        &self.realm
    }

    /// The user.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_wherever_they_come_from() {
        assert!(TenantId::parse("a.B_9:@|-").is_ok());
        for bad in ["", "a b", "a/b", "é", "a\n", &"x".repeat(65)] {
            assert_eq!(TenantId::parse(bad), Err(NameError), "{bad:?}");
            let bytes = postcard::to_allocvec(bad).unwrap();
            assert!(postcard::from_bytes::<TenantId>(&bytes).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_survives_its_encoding() {
        let key = UserKey::new(RealmId::parse("main").unwrap(), UserId::from_random_bytes([7; 16]));
        let bytes = postcard::to_allocvec(&key).unwrap();
        assert_eq!(postcard::from_bytes::<UserKey>(&bytes), Ok(key));
    }
}
