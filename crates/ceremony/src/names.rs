//! The names of records: keyed digests, so that a database shows no user and no address.

use countersign_device::{
    Address, EmailAddress, PhoneNumber, RealmId, SessionId, TenantId, UserKey,
};
use countersign_vault::{Purpose, Vault};

use crate::port::Key;

const NAME: Purpose = Purpose::new("record name");

/// Names records.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a>(pub &'a dyn Vault);

impl Names<'_> {
    /// Everything of one user.
    #[must_use]
    pub fn user(&self, user: &UserKey) -> Key {
        self.name(&[b"user", user.realm().as_str().as_bytes(), user.user().as_str().as_bytes()])
    }

    /// Which incarnation of the database this is.
    #[must_use]
    pub fn incarnation(&self) -> Key {
        self.name(&[b"incarnation"])
    }

    /// A tenant's policy.
    #[must_use]
    pub fn policy(&self, realm: &RealmId, tenant: &TenantId) -> Key {
        self.name(&[b"policy", realm.as_str().as_bytes(), tenant.as_str().as_bytes()])
    }

    /// The policy of the environment: of all tenants that say nothing else.
    #[must_use]
    pub fn environment(&self, realm: &RealmId) -> Key {
        self.name(&[b"environment policy", realm.as_str().as_bytes()])
    }

    /// The list of the clients of the management routes.
    #[must_use]
    pub fn clients(&self, realm: &RealmId) -> Key {
        self.name(&[b"clients", realm.as_str().as_bytes()])
    }

    /// One of them, by whatever is presented as its id.
    #[must_use]
    pub fn client(&self, realm: &RealmId, id: &str) -> Key {
        self.name(&[b"client", realm.as_str().as_bytes(), id.as_bytes()])
    }

    /// An address in the directory.
    #[must_use]
    pub fn address(&self, realm: &RealmId, address: &EmailAddress) -> Key {
        self.name(&[b"address", realm.as_str().as_bytes(), address.canonical().as_bytes()])
    }

    /// A user in the directory.
    #[must_use]
    pub fn account(&self, user: &UserKey) -> Key {
        self.name(&[b"account", user.realm().as_str().as_bytes(), user.user().as_str().as_bytes()])
    }

    /// A session, from its first refresh on.
    #[must_use]
    pub fn session(&self, session: SessionId) -> Key {
        self.name(&[b"session", session.as_bytes()])
    }

    /// The send budget of a destination.
    #[must_use]
    pub fn destination(&self, to: &Address) -> Key {
        self.name(&[b"destination", medium(to), to.canonical().as_bytes()])
    }

    /// The send budget of the block of numbers that one lies in.
    #[must_use]
    pub fn block(&self, number: PhoneNumber) -> Key {
        self.name(&[b"block", &number.block().to_be_bytes()])
    }

    /// One shard of a tenant's sends of one day, by mail or to phones.
    #[must_use]
    pub fn tenant_day(
        &self,
        realm: &RealmId,
        tenant: &TenantId,
        to: &Address,
        (day, shard): (u64, u8),
    ) -> Key {
        let (realm, tenant) = (realm.as_str().as_bytes(), tenant.as_str().as_bytes());
        self.name(&[b"sends", medium(to), realm, tenant, &day.to_be_bytes(), &[shard]])
    }

    /// Which node hands out events now.
    #[must_use]
    pub fn outbox_lease(&self) -> Key {
        self.name(&[b"outbox lease"])
    }

    /// How far a sink of events is behind.
    #[must_use]
    pub fn backlog(&self, sink: &str) -> Key {
        self.name(&[b"backlog", sink.as_bytes()])
    }

    /// One page of what waits for it.
    #[must_use]
    pub fn backlog_page(&self, sink: &str, page: u64) -> Key {
        self.name(&[b"backlog page", sink.as_bytes(), &page.to_be_bytes()])
    }

    fn name(&self, parts: &[&[u8]]) -> Key {
        Key::from_bytes(*self.0.digest(NAME, parts).as_bytes())
    }
}

const fn medium(to: &Address) -> &'static [u8] {
    match to {
        Address::Mailbox(_) => b"mailbox",
        Address::Phone(_) => b"phone",
    }
}
