//! Users move in and out: one row a user, imported through decide, exported by a walk.
//!
//! A row is imported factors first and password last: a crash between the two leaves a user who
//! cannot log in, and not one whose password alone enrols a factor. Told again, a row changes
//! nothing, so an import that broke off is started again.

use countersign_device::{
    Authenticator, EmailAddress, EmailFactor, Passkey, Phone, TenantId, UserId, UserKey,
};
use countersign_token::password::PasswordHash;
use countersign_vault::{Purpose, Vault};

use super::passkey::user_handle;
use super::{Engine, Error};
use crate::codec;
use crate::decide::{Event, Import, Outcome, Refusal};
use crate::directory::Account;
use crate::env::UserHandle;
use crate::lifecycle::Lifecycle;
use crate::names::Names;
use crate::port::{Key, Store, Walked};
use crate::record::{Record, Recovery, Standing};

/// What tells a vault's root from another, and nothing else of it.
const ROOT: Purpose = Purpose::new("export root");

/// A user who moves in.
#[derive(Debug)]
pub struct MovingIn {
    /// The user, where the other system's id is kept. Else the one of the address, or a new one.
    pub user: Option<UserId>,
    /// The address that leads to the user.
    pub email: Option<EmailAddress>,
    /// The password's hash, where the directory is to check it.
    pub password: Option<PasswordHash>,
    /// The tenants and the factors.
    pub import: Import,
    /// The root under which the recovery codes are kept: under another one they are worth nothing,
    /// and stay behind.
    pub root: Option<u128>,
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MovedIn {
    /// The user is there now.
    Moved,
    /// The user has factors already: nothing was changed.
    WasThere,
    /// The address leads to another user.
    Taken,
    /// The user is disabled or erased.
    Disabled,
    /// More apps than a user may have.
    TooMany,
    /// The row names no user and no address.
    Nobody,
    /// A password without an address, or without a tenant.
    NoDirectory,
}

/// What an export says of one record: **it holds secrets in the clear**.
#[derive(Clone)]
pub enum MovingOut {
    /// A user's factors.
    Factors {
        /// The user.
        user: UserId,
        /// The tenants that the user has logged in to.
        tenants: Vec<TenantId>,
        /// The apps.
        apps: Vec<Authenticator>,
        /// The address of the email factor, where it is proven.
        email: Option<EmailAddress>,
        /// The phones.
        phones: Vec<Phone>,
        /// The passkeys.
        passkeys: Vec<Passkey>,
        /// The name that they know the user by.
        handle: UserHandle,
        /// The recovery codes that are left, as they are kept.
        recovery: Vec<Recovery>,
        /// Under which root.
        root: u128,
    },
    /// An address in the directory, and the password behind it.
    Address {
        /// The user that it leads to.
        user: UserId,
        /// The address.
        email: EmailAddress,
        /// The user's tenants.
        tenants: Vec<TenantId>,
        /// The password's hash.
        password: Option<String>,
    },
}

impl std::fmt::Debug for MovingOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Factors { .. } => "Factors(..)",
            Self::Address { .. } => "Address(..)",
        })
    }
}

impl<S: Store> Engine<S> {
    /// Moves a user in.
    ///
    /// # Errors
    /// No decision was reached: tell the row again.
    pub async fn move_in(&self, row: MovingIn) -> Result<MovedIn, Error> {
        let MovingIn { user, email, password, mut import, root } = row;
        if root != Some(root_of(&*self.env.vault)) {
            import.recovery.clear();
        }
        if password.is_some() && (email.is_none() || import.tenants.is_empty()) {
            return Ok(MovedIn::NoDirectory);
        }
        let known = match &email {
            Some(email) => self.directory.user_of(email).await?,
            None => None,
        };
        let user = match (user, known) {
            (Some(user), Some(known)) if user != *known.user() => return Ok(MovedIn::Taken),
            (Some(user), _) => user,
            (None, Some(known)) => known.user().clone(),
            (None, None) if email.is_some() => UserId::from_random_bytes(self.env.draw()?),
            (None, None) => return Ok(MovedIn::Nobody),
        };
        let tenants = import.tenants.clone();
        let key = UserKey::new(self.settings.realm.clone(), user.clone());
        let outcome = self.decided(&key, Event::Import(Box::new(import))).await?;
        let moved = match outcome {
            Outcome::Reported => MovedIn::Moved,
            Outcome::Refused(Refusal::AlreadyEnrolled) => MovedIn::WasThere,
            Outcome::Refused(Refusal::Disabled) => return Ok(MovedIn::Disabled),
            // Whatever else it could be answers another question.
            _ => return Ok(MovedIn::TooMany),
        };
        if let Some(email) = &email
            && !self.directory.move_in(email, &user, password, tenants).await?
        {
            return Ok(MovedIn::Taken);
        }
        Ok(moved)
    }

    /// Erases a user of the directory: the password, then everything else. False: there is none.
    ///
    /// # Errors
    /// No decision was reached: erase again.
    pub async fn erase(&self, email: &EmailAddress) -> Result<bool, Error> {
        let Some(user) = self.directory.forget(email).await? else { return Ok(false) };
        self.report(user, Lifecycle::Erased).await
    }

    /// The next records that a user could be made of again, and where to go on after them; none
    /// where there is nothing more. **It holds secrets in the clear.**
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn move_out(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Option<(Vec<MovingOut>, Key)>, Error> {
        let walked = self.store.walk(after, limit).await?;
        let Some(last) = walked.last().map(|last| last.key) else { return Ok(None) };
        let rows = walked.iter().filter_map(|walked| self.moving_out(walked)).collect();
        Ok(Some((rows, last)))
    }

    /// What a record is, is told by its name: a record of another kind that would read as this one
    /// has another.
    fn moving_out(&self, Walked { key, entry, .. }: &Walked) -> Option<MovingOut> {
        let (vault, names) = (&*self.env.vault, Names(&*self.env.vault));
        let bytes = &entry.bytes;
        if let Ok(record) = codec::open::<Record>(vault, *key, bytes)
            && let Some(owner) = &record.owner
            && names.user(owner) == *key
        {
            let email = record.email.as_ref().filter(|email| email.is_bound());
            let email = email.map(EmailFactor::address).cloned();
            let handle = record.handle.unwrap_or_else(|| user_handle(vault, owner));
            let owner = owner.user().clone();
            let Record { authenticators, tenants, standing, phones, passkeys, recovery, .. } =
                record;
            let is_worth_moving = standing == Standing::Enabled;
            return is_worth_moving.then(|| MovingOut::Factors {
                user: owner,
                tenants,
                apps: authenticators,
                email,
                phones,
                passkeys,
                handle,
                recovery: recovery.iter().cloned().collect(),
                root: root_of(vault),
            });
        }
        let account = codec::open::<Account>(vault, *key, bytes).ok()?;
        let email = account.email.clone();
        if names.address(&self.settings.realm, &email) != *key {
            return None;
        }
        let (user, tenants, password) = account.into_parts();
        Some(MovingOut::Address { user, email, tenants, password })
    }
}

fn root_of(vault: &dyn Vault) -> u128 {
    vault.digest(ROOT, &[]).first_u128()
}
