//! What a tenant says: its policy, a record of its own kind, or the engine's default.

use countersign_device::TenantId;

use super::{Engine, Error};
use crate::names::Names;
use crate::policy::Policy;
use crate::port::{Key, Store};
use crate::records::{self, Found};

impl<S: Store> Engine<S> {
    /// The policy of a tenant, as it stands now.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn policy(&self, tenant: &TenantId) -> Result<Policy, Error> {
        let found = records::look(&*self.store, &self.env, self.policy_key(tenant)).await?;
        Ok(self.or_default(found))
    }

    /// Gives a tenant a policy of its own. It holds at the next look.
    ///
    /// # Errors
    /// The store gave no answer. The caller has checked the policy.
    pub async fn set_policy(&self, tenant: &TenantId, policy: &Policy) -> Result<(), Error> {
        let key = self.policy_key(tenant);
        records::change(&*self.store, &self.env, key, None, |present: Option<Policy>| {
            let changed = present.as_ref() != Some(policy);
            (changed.then(|| policy.clone()), Vec::new(), ())
        })
        .await
    }

    pub(super) fn policy_key(&self, tenant: &TenantId) -> Key {
        Names(&*self.env.vault).policy(&self.settings.realm, tenant)
    }

    pub(super) fn or_default(&self, found: Found<Policy>) -> Policy {
        found.value.unwrap_or_else(|| self.settings.policy.clone())
    }
}
