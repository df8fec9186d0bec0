//! The directory of our own users, behind a port that any other can take the place of.
//!
//! An address is a record of its own kind. A wrong password, an unknown address and a user of
//! somebody else's directory get one answer at one cost: one Argon2id, on the bounded workers.

use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use countersign_device::{EmailAddress, RealmId, TenantId, UserId, UserKey};
use countersign_token::Params;
use countersign_token::password::{self, PasswordHash};
use countersign_vault::Purpose;

use crate::assertion::FirstFactor;
use crate::codec::CodecError;
use crate::decide::{Cookie, is_known};
use crate::engine::{Error, Passed};
use crate::env::Env;
use crate::names::Names;
use crate::port::{Key, Store};
use crate::record::{Class, Record};
use crate::records::{self, Doubles};

const NOBODY: Purpose = Purpose::new("nobody");

/// Checks a first factor: the port that a directory stands behind.
pub trait FirstFactors: Send + Sync {
    /// Whose password is this? None where there is no such user or it is another's, at one cost.
    ///
    /// # Errors
    /// It could not be checked.
    fn check(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
    ) -> impl Future<Output = Result<Option<Passed>, Error>> + Send;
}

/// Our own users.
#[derive(Debug)]
pub struct Directory<S> {
    store: Arc<S>,
    env: Env,
    realm: RealmId,
    argon2: Params,
    accounts: Doubles,
    users: Doubles,
}

/// What stands under an address.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    user: UserId,
    /// The address itself: its record's name is a digest, and an export has to say.
    pub(crate) email: EmailAddress,
    /// None for a user whom another directory keeps: the address only leads to the record.
    own: Option<Own>,
}

/// What we keep of our own users.
#[derive(Clone, Serialize, Deserialize)]
struct Own {
    /// Argon2id, in PHC form.
    password: String,
    tenants: Vec<TenantId>,
    /// The password was changed, and what was open then has not been ended yet: whoever finds this
    /// ends it first. So a crash between the two lets nobody stay in.
    unreported: bool,
}

/// Why a user was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAdded {
    /// The address is another's already.
    Taken,
    /// The password is empty or over 1,024 bytes.
    Password,
    /// A user is in one tenant at least.
    NoTenant,
}

impl std::fmt::Display for NotAdded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Taken => "there is a user with this address already",
            Self::Password => "a password has 1 to 1024 bytes",
            Self::NoTenant => "name a tenant that the user belongs to",
        })
    }
}

impl std::error::Error for NotAdded {}

impl Account {
    /// The user, the tenants and the password's hash.
    pub(crate) fn into_parts(self) -> (UserId, Vec<TenantId>, Option<String>) {
        let (tenants, password) = self.own.map(|own| (own.tenants, own.password)).unzip();
        (self.user, tenants.unwrap_or_default(), password)
    }
}

impl<S: Store> Directory<S> {
    pub(crate) fn new(store: Arc<S>, env: Env, realm: RealmId, argon2: Params) -> Self {
        Self { store, env, realm, argon2, accounts: Doubles::default(), users: Doubles::default() }
    }

    /// Adds a user.
    ///
    /// # Errors
    /// The store gave no answer; or, inside, why the user was not added.
    pub async fn add(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
        tenants: Vec<TenantId>,
    ) -> Result<Result<UserId, NotAdded>, Error> {
        if tenants.is_empty() {
            return Ok(Err(NotAdded::NoTenant));
        }
        let Some(password) = self.hash(password).await? else { return Ok(Err(NotAdded::Password)) };
        let user = UserId::from_random_bytes(self.env.draw()?);
        let own = Some(Own { password, tenants, unreported: false });
        records::change(&*self.store, &self.env, self.key(email), None, |account| match account {
            Some(Account { .. }) => (None, Vec::new(), Err(NotAdded::Taken)),
            None => {
                let account =
                    Account { user: user.clone(), email: email.clone(), own: own.clone() };
                (Some(account), Vec::new(), Ok(user.clone()))
            }
        })
        .await
    }

    /// Gives a user another password, and notes that what is open has to be ended.
    pub(crate) async fn set_password(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
    ) -> Result<Option<UserId>, Error> {
        let Some(password) = self.hash(password).await? else { return Ok(None) };
        records::change(&*self.store, &self.env, self.key(email), None, |account| match account {
            Some(Account { user, email, own: Some(own) }) => {
                let own = Some(Own { password: password.clone(), unreported: true, ..own });
                let answer = Some(user.clone());
                (Some(Account { user, email, own }), Vec::new(), answer)
            }
            _ => (None, Vec::new(), None),
        })
        .await
    }

    /// Notes that what was open when the password changed is ended.
    pub(crate) async fn reported(&self, email: &EmailAddress) -> Result<(), Error> {
        records::change(&*self.store, &self.env, self.key(email), None, |account| match account {
            Some(Account { user, email, own: Some(own) }) => {
                let own = Some(Own { unreported: false, ..own });
                (Some(Account { user, email, own }), Vec::new(), ())
            }
            _ => (None, Vec::new(), ()),
        })
        .await
    }

    /// Whose address is this?
    pub(crate) async fn user_of(&self, email: &EmailAddress) -> Result<Option<UserKey>, Error> {
        let account = self.account(email).await?;
        Ok(account.map(|account| UserKey::new(self.realm.clone(), account.user)))
    }

    /// The record of a user, read and not judged, at one cost whether there is one or not.
    pub(crate) async fn record(&self, user: &UserKey) -> Result<Record, Error> {
        let key = Names(&*self.env.vault).user(user);
        let found: Option<Record> = self.users.look(&*self.store, &self.env, key).await?;
        Ok(found.unwrap_or_default().within(self.env.incarnation))
    }

    /// A user that is nobody: what is looked at where an address is unknown, at the same cost.
    pub(crate) fn nobody(&self, email: &EmailAddress) -> UserKey {
        let digest = self.env.vault.digest(NOBODY, &[email.canonical().as_bytes()]);
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = *digest.as_bytes();
        let id = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
        UserKey::new(self.realm.clone(), UserId::from_random_bytes(id))
    }

    /// Lets an address lead to a user who moves in, with a password of the other system where there
    /// is one. False: it leads to another user. A password that is there stays.
    pub(crate) async fn move_in(
        &self,
        email: &EmailAddress,
        user: &UserId,
        password: Option<PasswordHash>,
        tenants: Vec<TenantId>,
    ) -> Result<bool, Error> {
        let own = password.map(|hash| Own {
            password: hash.as_str().to_owned(),
            tenants: tenants.clone(),
            unreported: false,
        });
        let key = self.key(email);
        records::change(&*self.store, &self.env, key, None, |account: Option<Account>| {
            let moved = || Account { user: user.clone(), email: email.clone(), own: own.clone() };
            match account {
                None => (Some(moved()), Vec::new(), true),
                Some(there) if there.user != *user => (None, Vec::new(), false),
                Some(there) => {
                    let adds = there.own.is_none() && own.is_some();
                    (adds.then(moved), Vec::new(), true)
                }
            }
        })
        .await
    }

    /// Forgets the password behind an address. The address itself stays taken: whoever got it next
    /// would else inherit what still leads to it. None: there is no such user.
    pub(crate) async fn forget(&self, email: &EmailAddress) -> Result<Option<UserId>, Error> {
        let key = self.key(email);
        records::change(&*self.store, &self.env, key, None, |account: Option<Account>| {
            let Some(Account { user, email, .. }) = account else {
                return (None, Vec::new(), None);
            };
            let answer = Some(user.clone());
            (Some(Account { user, email, own: None }), Vec::new(), answer)
        })
        .await
    }

    /// Notes whom an address leads to, for users whom another directory keeps. An address that
    /// leads elsewhere already is left alone.
    pub(crate) async fn note_address(
        &self,
        email: &EmailAddress,
        user: &UserKey,
    ) -> Result<(), Error> {
        let key = self.key(email);
        records::change(&*self.store, &self.env, key, None, |account: Option<Account>| {
            let note = || Account { user: user.user().clone(), email: email.clone(), own: None };
            (account.is_none().then(note), Vec::new(), ())
        })
        .await
    }

    async fn account(&self, email: &EmailAddress) -> Result<Option<Account>, Error> {
        self.accounts.look(&*self.store, &self.env, self.key(email)).await
    }

    async fn hash(&self, password: Zeroizing<Vec<u8>>) -> Result<Option<String>, Error> {
        let (salt, params) = (self.env.draw()?, self.argon2);
        if password.is_empty() {
            return Ok(None);
        }
        let hash = self
            .env
            .work_for(Class::Known, move || PasswordHash::of(&password, &salt, params))
            .await?;
        Ok(hash.ok().map(|hash| hash.as_str().to_owned()))
    }

    fn key(&self, email: &EmailAddress) -> Key {
        Names(&*self.env.vault).address(&self.realm, email)
    }
}

impl<S: Store> FirstFactors for Directory<S> {
    async fn check(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
    ) -> Result<Option<Passed>, Error> {
        Ok(self.checked(email, password, &Cookie::default()).await?.map(|(passed, _)| passed))
    }
}

impl<S: Store> Directory<S> {
    /// Checks a password, and tells whether a change of it is still to be reported.
    pub(crate) async fn checked(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
        cookie: &Cookie,
    ) -> Result<Option<(Passed, bool)>, Error> {
        // The epoch is read before the hash that is checked: a password that changes meanwhile
        // changes the epoch after it, and the login is over before it began.
        let nobody = self.nobody(email);
        let user = self.user_of(email).await?.unwrap_or(nobody);
        let record = self.record(&user).await?;
        let epoch = Some(record.epoch);
        // Wrong passwords are a stranger's, and a known browser does not wait behind them.
        let now = self.env.clock.now();
        let whose = if is_known(&record, cookie, &*self.env.vault, now) {
            Class::Known
        } else {
            Class::Stranger
        };
        let account = self.account(email).await?;
        let (user, own) = account.map_or((None, None), |of| (Some(of.user), of.own));
        let stored = own.as_ref().map(|own| PasswordHash::parse(&own.password)).transpose();
        let stored = stored.map_err(|_| Error::Codec(CodecError::Malformed))?;
        let usual = self.argon2;
        let matches = self
            .env
            .work_for(whose, move || password::verify(&password, stored.as_ref(), usual))
            .await?
            .map_err(|_| Error::Busy)?;
        let (Some(user), Some(own), true) = (user, own, matches) else { return Ok(None) };
        let mut tenants = own.tenants.into_iter();
        let Some(tenant) = tenants.next() else { return Ok(None) };
        let passed = Passed {
            user,
            tenant,
            also: tenants.collect(),
            application: None,
            email: Some(email.clone()),
            first: FirstFactor::Password,
            epoch,
        };
        Ok(Some((passed, own.unreported)))
    }
}
