//! What a user has, as the user and the administrator are shown it: factors and browsers, from one
//! look and without a write.
//!
//! Addresses are whole for a session that proved a second factor, and masked for everybody else.

use countersign_device::{Attachment, Device, DeviceId, EmailAddress, EmailFactor, Label};
use countersign_otp::UnixTime;
use countersign_token::FamilyId;

use super::{Account, Client, Engine, Error, Reply};
use crate::decide::{Actor, Deed, Refusal, is_heard};
use crate::port::Store;
use crate::record::Record;

/// The factors of a user.
#[derive(Clone, Debug)]
pub struct Factors {
    /// The authenticator apps.
    pub authenticators: Vec<Listed>,
    /// The passkeys, and where each is.
    pub passkeys: Vec<(Listed, Attachment)>,
    /// The phones, each with its number.
    pub phones: Vec<(Listed, String)>,
    /// The addresses that codes are sent to.
    pub emails: Vec<String>,
    /// The address that has to be proven before codes are sent to it.
    pub unproven_email: Option<String>,
}

/// A device, without what is secret of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its id.
    pub id: DeviceId,
    /// What its owner calls it. It may be empty.
    pub label: Label,
    /// When it was confirmed.
    pub created: UnixTime,
    /// When it last answered.
    pub last_used: Option<UnixTime>,
    /// Did it take too many failures? Then it answers no more, until it is bound again.
    pub locked: bool,
}

/// A browser that the user is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownBrowser {
    /// Its family, which is no secret.
    pub family: FamilyId,
    /// What it said that it is. It may be empty.
    pub label: Label,
    /// Since when it is known.
    pub known_since: UnixTime,
    /// When it was last used.
    pub last_used: UnixTime,
    /// Until when it may skip the second factor, where it may.
    pub remembered_until: Option<UnixTime>,
    /// Is it the one that asks?
    pub is_this: bool,
}

impl<F> From<&Device<F>> for Listed {
    fn from(device: &Device<F>) -> Self {
        Self {
            id: device.id(),
            label: device.label().clone(),
            created: device.created(),
            last_used: device.last_used(),
            locked: device.is_locked(),
        }
    }
}

impl<S: Store> Engine<S> {
    /// The factors of an account.
    ///
    /// # Errors
    /// The store gave no answer; or, inside, why the actor is not heard.
    pub async fn factors(&self, account: &Account) -> Result<Result<Factors, Refusal>, Error> {
        let record = self.record(account.user()).await?;
        if let Err(refusal) = is_heard(&record, account.actor(), account.tenant()) {
            return Ok(Err(refusal));
        }
        let whole = matches!(account.actor(), Actor::Session(session) if session.proved);
        Ok(Ok(Factors::of(&record, whole)))
    }

    /// The browsers that the owner of an account is known by, in the order in which they came.
    ///
    /// # Errors
    /// The store gave no answer; or, inside, why the actor is not heard.
    pub async fn browsers(
        &self,
        account: &Account,
        client: &Client,
    ) -> Result<Result<Vec<KnownBrowser>, Refusal>, Error> {
        let record = self.record(account.user()).await?;
        if let Err(refusal) = is_heard(&record, account.actor(), account.tenant()) {
            return Ok(Err(refusal));
        }
        let policy = self.policy(account.tenant(), account.application()).await?.remember;
        let now = self.env.clock.now();
        let this =
            record.browsers.presented(&client.cookie).map(countersign_remember::Entry::family);
        let list = record.browsers.list().iter().map(|browser| KnownBrowser {
            family: browser.family(),
            label: browser.label().clone(),
            known_since: browser.known_since(),
            last_used: browser.last_used(),
            remembered_until: browser.remembered_until(&policy, now),
            is_this: this == Some(browser.family()),
        });
        Ok(Ok(list.collect()))
    }

    /// Forgets one browser of an account, or all: at its next login it is a stranger (D-08).
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn forget_browsers(
        &self,
        account: &Account,
        client: &Client,
        only: Option<FamilyId>,
    ) -> Result<Reply, Error> {
        self.act(account, client, Deed::ForgetBrowsers { only }).await
    }
}

impl Factors {
    fn of(record: &Record, whole: bool) -> Self {
        let phones = record.phones.iter().map(|phone| {
            let number = phone.number();
            (Listed::from(phone), if whole { number.to_string() } else { number.mask() })
        });
        let passkeys = record.passkeys.iter();
        let passkeys = passkeys.map(|of| (Listed::from(of), of.credential().attachment));
        let shown = |to: &EmailAddress| if whole { to.as_str().to_owned() } else { to.mask() };
        let email = record.active_email().map(shown);
        let unproven = record.email.as_ref().filter(|factor| !factor.is_active());
        Self {
            authenticators: record.authenticators.iter().map(Listed::from).collect(),
            passkeys: passkeys.collect(),
            phones: phones.collect(),
            emails: email.into_iter().collect(),
            unproven_email: unproven.map(EmailFactor::address).map(shown),
        }
    }
}
