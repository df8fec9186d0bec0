//! What is asked under a session, or by the administrator: the engine's side of decide's `act`.
//!
//! An [`Account`] is had from an access token that was verified
//! ([`Authenticated::account`](super::Authenticated::account)), or from
//! [`Engine::administered`], which is for whoever holds a vendor token. Nothing else opens one, so
//! "forgot to authenticate" does not compile; that the session still lives is decided again in the
//! settle.

use countersign_device::{
    ApplicationId, DeviceId, EmailAddress, Label, RealmId, SessionId, TenantId, UserId, UserKey,
};
use countersign_otp::Code;
use countersign_token::{AccessClaims, RecoveryCode};

use super::{Client, Engine, Error, Reply};
use crate::assertion::{Assertion, FirstFactor};
use crate::decide::{
    Act, ActingSession, Actor, Administrator, Deed, Event, FreshRecovery, Outcome, Proof, Refusal,
};
use crate::port::Store;
use crate::record::{Epoch, Record};
use crate::vendor::VendorClaims;

/// Whose account it is, and who acts on it.
#[derive(Clone, Debug)]
pub struct Account {
    user: UserKey,
    tenant: TenantId,
    also: Vec<TenantId>,
    application: Option<ApplicationId>,
    email: Option<EmailAddress>,
    actor: Actor,
}

impl Account {
    /// What the claims of a verified access token open. None: they are none of ours.
    pub(super) fn of(claims: &AccessClaims, realm: RealmId) -> Option<(Self, ActingSession)> {
        let session = ActingSession {
            id: SessionId::parse(&claims.sid).ok()?,
            epoch: Epoch::from_number(claims.epoch),
            first: FirstFactor::named(&claims.first_factor)?,
            proved: claims.acr.as_deref() == Some(Assertion::MULTI_FACTOR),
            auth_time: claims.auth_time,
        };
        let account = Self {
            user: UserKey::new(realm, UserId::parse(&claims.sub).ok()?),
            tenant: TenantId::parse(&claims.tenant_id).ok()?,
            also: Vec::new(),
            application: None,
            email: claims.email.as_deref().and_then(|email| EmailAddress::parse(email).ok()),
            actor: Actor::Session(session.clone()),
        };
        Some((account, session))
    }

    /// The same, with the other tenants that its user was seen in.
    pub(super) fn in_all_of(mut self, record: &Record) -> Self {
        self.also = record.tenants.iter().filter(|other| **other != self.tenant).cloned().collect();
        self
    }

    /// Whose it is.
    #[must_use]
    pub const fn user(&self) -> &UserKey {
        &self.user
    }

    /// In which tenant it is acted on.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// For which application, where one was named.
    #[must_use]
    pub const fn application(&self) -> Option<&ApplicationId> {
        self.application.as_ref()
    }

    /// Who acts on it.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl<S: Store> Engine<S> {
    /// The account of a user, for the administrator whose vendor token this is, in the tenant that is
    /// named. None: the user has never logged in, and no tenant was named. Whether the user is one
    /// of the tenant's is decided with each act (E-19).
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn administered(
        &self,
        user: UserId,
        tenant: Option<TenantId>,
        vendor: &VendorClaims,
    ) -> Result<Option<Account>, Error> {
        let user = UserKey::new(self.realm(), user);
        let record = self.record(&user).await?;
        let named = tenant.or_else(|| vendor.tenant.clone());
        let Some(tenant) = named.or_else(|| record.tenants.last().cloned()) else {
            return Ok(None);
        };
        let administrator =
            Administrator { client: vendor.client.clone(), of_one_tenant: vendor.tenant.is_some() };
        let actor = Actor::Administrator(administrator);
        let also = Vec::new();
        let account = Account { user, tenant, also, application: None, email: None, actor };
        Ok(vendor.acts_on(&account.tenant).then(|| account.in_all_of(&record)))
    }

    /// The pending authenticator of a session: the same each time under the same session.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn enrol_app(&self, account: &Account, client: &Client) -> Result<Reply, Error> {
        self.act(account, client, Deed::PreEnrol).await
    }

    /// Confirms the pending authenticator of a session by its first code, under a label.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm_app(
        &self,
        account: &Account,
        client: &Client,
        code: &str,
        label: &str,
    ) -> Result<Reply, Error> {
        let Ok(code) = Code::parse(code) else { return Ok(Reply::Refused(Refusal::Code)) };
        let label = Label::clean(label);
        let deed = |recovery| Deed::Confirm { code: code.clone(), label: label.clone(), recovery };
        self.act_with_recovery(account, client, deed).await
    }

    /// Removes one authenticator, by a code of any of the user's, by the recovery code, or in a
    /// session that is fresh.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn remove_app(
        &self,
        account: &Account,
        client: &Client,
        device: &str,
        code: Option<&str>,
    ) -> Result<Reply, Error> {
        let device = DeviceId::parse(device).unwrap_or(DeviceId::NONE);
        let Some(proof) = self.proof(account, code).await? else {
            return Ok(Reply::Refused(Refusal::Code));
        };
        self.act(account, client, Deed::RemoveAuthenticator { device, proof }).await
    }

    /// Removes every factor, by the same proof. For the administrator this is the reset: sessions,
    /// remembered browsers and open logins end with it.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn remove_all(
        &self,
        account: &Account,
        client: &Client,
        code: Option<&str>,
    ) -> Result<Reply, Error> {
        let Some(proof) = self.proof(account, code).await? else {
            return Ok(Reply::Refused(Refusal::Code));
        };
        self.act(account, client, Deed::RemoveAll { proof }).await
    }

    /// Asks a session for its second factor, unless one was proved at most `max_age` seconds ago:
    /// then [`Reply::Done`]. Whoever answers it has a new session.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn step_up(
        &self,
        account: &Account,
        client: &Client,
        max_age: u64,
    ) -> Result<Reply, Error> {
        self.act(account, client, Deed::StepUp { max_age, nonce: client.nonce }).await
    }

    /// Ends every session of the user, this one too, and every browser and open login.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn sign_out_everywhere(
        &self,
        account: &Account,
        client: &Client,
    ) -> Result<Reply, Error> {
        self.act(account, client, Deed::SignOutEverywhere).await
    }

    /// What a code in the body proves, before it is judged. None: it is no code of ours, or a
    /// recovery code that is not the user's.
    pub(super) async fn proof(
        &self,
        account: &Account,
        offered: Option<&str>,
    ) -> Result<Option<Proof>, Error> {
        let Some(offered) = offered else { return Ok(Some(Proof::Session)) };
        if let Ok(code) = Code::parse(offered) {
            return Ok(Some(Proof::Code(code)));
        }
        let Ok(code) = RecoveryCode::parse(offered) else { return Ok(None) };
        Ok(self.recovery_evidence(&account.user, code).await?.map(Proof::Recovery))
    }

    /// Decides one act.
    pub(super) async fn act(
        &self,
        account: &Account,
        client: &Client,
        deed: Deed,
    ) -> Result<Reply, Error> {
        let outcome = self.decided(&account.user, account.event(client, deed)).await?;
        self.reply(outcome, (&account.tenant, account.application.as_ref()), client).await
    }

    /// The same for what may end a first enrolment: a recovery code is made where decide asks for
    /// one, and decide is asked again.
    pub(super) async fn act_with_recovery(
        &self,
        account: &Account,
        client: &Client,
        deed: impl Fn(Option<FreshRecovery>) -> Deed + Send,
    ) -> Result<Reply, Error> {
        let mut outcome = self.decided(&account.user, account.event(client, deed(None))).await?;
        if matches!(outcome, Outcome::NeedsRecovery) {
            let fresh = self.fresh_recovery(&account.user).await?;
            outcome = self.decided(&account.user, account.event(client, deed(Some(fresh)))).await?;
        }
        self.reply(outcome, (&account.tenant, account.application.as_ref()), client).await
    }
}

impl Account {
    fn event(&self, client: &Client, deed: Deed) -> Event {
        Event::Act(Box::new(self.asked(client, deed)))
    }

    /// What is asked here, as decide is told of it.
    pub(super) fn asked(&self, client: &Client, deed: Deed) -> Act {
        Act {
            actor: self.actor.clone(),
            tenant: self.tenant.clone(),
            also: self.also.clone(),
            application: self.application.clone(),
            email: self.email.clone(),
            cookie: client.cookie.clone(),
            agent: client.agent.clone(),
            deed,
        }
    }
}
