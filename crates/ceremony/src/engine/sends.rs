//! Before a code is sent: the destination's budget, then the tenant's, each settled.

use countersign_device::{EmailAddress, LoginId, TenantId};

use super::{Engine, Error};
use crate::destination::{Destination, NotNow, Pool, TenantDay};
use crate::names::Names;
use crate::port::Store;
use crate::records;

impl<S: Store> Engine<S> {
    /// Burns one send of a login.
    pub(super) async fn burn_send(
        &self,
        to: &EmailAddress,
        pool: Pool,
        login: LoginId,
        tenant: &TenantId,
    ) -> Result<Result<(), NotNow>, Error> {
        let (store, env, now) = (&*self.store, &self.env, self.env.clock.now());
        let names = Names(&*env.vault);
        let ends = Some(Destination::ends(now));
        let key = names.destination(to);
        let burned = records::change(store, env, key, ends, |destination: Option<Destination>| {
            let mut destination = destination.unwrap_or_default();
            match destination.burn(pool, login, now) {
                Ok(()) => (Some(destination), Vec::new(), Ok(())),
                Err(not_now) => (None, Vec::new(), Err(not_now)),
            }
        })
        .await?;
        if burned.is_err() {
            return Ok(burned);
        }
        let [random] = env.draw()?;
        let (day, shard) = TenantDay::of(now, random);
        let key = names.tenant_day(&self.settings.realm, tenant, day, shard);
        records::change(store, env, key, ends, |shard: Option<TenantDay>| {
            let mut shard = shard.unwrap_or_default();
            match shard.burn(now) {
                Ok(()) => (Some(shard), Vec::new(), Ok(())),
                Err(not_now) => (None, Vec::new(), Err(not_now)),
            }
        })
        .await
    }
}
