//! What the owner of the users reports: our own directory, or the service that keeps them.

use serde::{Deserialize, Serialize};

use countersign_device::EmailAddress;

/// One report. Each is one decide and one settle, and bumps the user's epoch: sessions,
/// remembered browsers and open logins of before are dead with it (D-04).
#[derive(Clone, PartialEq, Eq)]
pub enum Lifecycle {
    /// The password was changed. `through_mailbox` names the mailbox whose mail reset it: it is no
    /// second factor for 24 hours.
    PasswordChanged {
        /// The mailbox, where the change went through one.
        through_mailbox: Option<EmailAddress>,
    },
    /// The user may not log in.
    Disabled,
    /// The user may log in again.
    Enabled,
    /// The address of the directory changed: a new binding of the email factor, to be proven.
    AddressChanged {
        /// The new address.
        to: EmailAddress,
    },
    /// Everything that is open ends.
    SignOutEverywhere,
    /// The user is gone: nothing is kept but that fact.
    Erased,
}

/// A report without what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LifecycleKind {
    /// [`Lifecycle::PasswordChanged`].
    PasswordChanged,
    /// [`Lifecycle::Disabled`].
    Disabled,
    /// [`Lifecycle::Enabled`].
    Enabled,
    /// [`Lifecycle::AddressChanged`].
    AddressChanged,
    /// [`Lifecycle::SignOutEverywhere`].
    SignOutEverywhere,
    /// [`Lifecycle::Erased`].
    Erased,
}

impl Lifecycle {
    /// Which report it is.
    #[must_use]
    pub const fn kind(&self) -> LifecycleKind {
        match self {
            Self::PasswordChanged { .. } => LifecycleKind::PasswordChanged,
            Self::Disabled => LifecycleKind::Disabled,
            Self::Enabled => LifecycleKind::Enabled,
            Self::AddressChanged { .. } => LifecycleKind::AddressChanged,
            Self::SignOutEverywhere => LifecycleKind::SignOutEverywhere,
            Self::Erased => LifecycleKind::Erased,
        }
    }
}

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind().fmt(f)
    }
}
