//! Sending a code: what may be sent is looked at, the budgets of its destination, of a block of
//! numbers and of the tenant are burned, each settled; then the user is, and then it is sent.

use countersign_device::{Address, LoginId, TenantId};

use super::{Account, Client, Engine, Error, Reply};
use crate::claims::Login;
use crate::decide::{Ask, Deed, Given, Refusal, Step, Target, may_send, may_send_for};
use crate::destination::{Destination, NotNow, Pool, TenantDay};
use crate::names::Names;
use crate::port::Store;
use crate::record::Tally;
use crate::records;
use crate::rules::UNPROVEN_SENDS_A_BLOCK;

impl<S: Store> Engine<S> {
    /// Sends a code under a login.
    pub(super) async fn send(
        &self,
        login: Login,
        client: &Client,
        target: Target,
    ) -> Result<Reply, Error> {
        let (to, pool) = match self.may_send(&login, client, target).await? {
            Ok(allowed) => allowed,
            Err(refusal) => return Ok(Reply::Refused(refusal)),
        };
        if let Err(NotNow(secs)) = self.burn_send(&to, pool, login.id, &login.tenant).await? {
            return Ok(Reply::Refused(Refusal::TooMany(Some(secs))));
        }
        self.step(login, client, Ask::Send(target), false).await
    }

    /// Sends a code for a session, or for the administrator.
    pub(super) async fn send_for(
        &self,
        account: &Account,
        client: &Client,
        target: Target,
    ) -> Result<Reply, Error> {
        let act = account.asked(client, Deed::Send(target));
        let record = self.record(account.user()).await?;
        let policy = self.policy(&act.tenant, act.application.as_ref()).await?;
        let given = Given {
            user: account.user(),
            policy: &policy,
            vault: &*self.env.vault,
            node: &self.env.node,
        };
        let allowed = may_send_for(record, &given, &act, target, self.env.clock.now());
        let (to, pool) = match allowed {
            Ok(allowed) => allowed,
            Err(refusal) => return Ok(Reply::Refused(refusal)),
        };
        let burned = self.burn_send(&to, pool, act.actor.login(), &act.tenant).await?;
        if let Err(NotNow(secs)) = burned {
            return Ok(Reply::Refused(Refusal::TooMany(Some(secs))));
        }
        self.act(account, client, Deed::Send(target)).await
    }

    /// May a code be sent, and where to? Looked at before any budget is burned.
    async fn may_send(
        &self,
        login: &Login,
        client: &Client,
        target: Target,
    ) -> Result<Result<(Address, Pool), Refusal>, Error> {
        let record = self.record(&login.user).await?;
        let policy = self.policy(&login.tenant, login.application.as_ref()).await?;
        let given = Given {
            user: &login.user,
            policy: &policy,
            vault: &*self.env.vault,
            node: &self.env.node,
        };
        let step = Step {
            login: login.clone(),
            cookie: client.cookie.clone(),
            agent: client.agent.clone(),
            nonce: client.nonce,
            session: client.session,
            ask: Ask::Send(target),
            remember: false,
        };
        Ok(may_send(record, &given, &step, target, self.env.clock.now()))
    }

    /// Burns one send of a login, the narrowest budget first: it owns the cool-down, so that of
    /// parallel resends one goes on to the others.
    async fn burn_send(
        &self,
        to: &Address,
        pool: Pool,
        login: LoginId,
        tenant: &TenantId,
    ) -> Result<Result<(), NotNow>, Error> {
        let (env, now) = (&self.env, self.env.clock.now());
        let names = Names(&*env.vault);
        let burned = self
            .burn(names.destination(to), |of: &mut Destination| of.burn(pool, login, now))
            .await?;
        if burned.is_err() {
            return Ok(burned);
        }
        if let (Address::Phone(number), Pool::Unproven) = (to, pool) {
            let burned = self
                .burn(names.block(*number), |of: &mut Tally| of.burn(UNPROVEN_SENDS_A_BLOCK, now))
                .await?;
            if burned.is_err() {
                return Ok(burned);
            }
        }
        let [random] = env.draw()?;
        let shard = TenantDay::of(now, random);
        let key = names.tenant_day(&self.settings.realm, tenant, to, shard);
        self.burn(key, |of: &mut TenantDay| of.burn(to, now)).await
    }

    async fn burn<T>(
        &self,
        key: crate::port::Key,
        burn: impl Fn(&mut T) -> Result<(), NotNow>,
    ) -> Result<Result<(), NotNow>, Error>
    where
        T: Default + serde::Serialize + serde::de::DeserializeOwned,
    {
        let ends = Some(Destination::ends(self.env.clock.now()));
        records::change(&*self.store, &self.env, key, ends, |present: Option<T>| {
            let mut budget = present.unwrap_or_default();
            match burn(&mut budget) {
                Ok(()) => (Some(budget), Vec::new(), Ok(())),
                Err(not_now) => (None, Vec::new(), Err(not_now)),
            }
        })
        .await
    }
}
