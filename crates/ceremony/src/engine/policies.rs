//! What policy holds: composed at each look, changed by operators, seeded by the configuration.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_device::{ApplicationId, ClientId, TenantId};

use super::{Engine, Error};
use crate::audit::{Audit, By, Id, What};
use crate::codec;
use crate::env::Env;
use crate::names::Names;
use crate::policy::Policy;
use crate::policy::change::{self, Change, NotChanged};
use crate::policy::layer::Layer;
use crate::policy::scope::{Layers, Scope, compose};
use crate::port::{Entry, Key, Store};
use crate::records::{self, opened};

/// Of how many scopes the layers are kept opened.
const KEPT: usize = 1024;

/// What one look found of policies.
pub(super) struct Policies<'a> {
    default: &'a Policy,
    environment: Option<Arc<Layers>>,
    tenants: Vec<(TenantId, Option<Arc<Layers>>)>,
}

/// Layers that were opened before. Every look reads them anew, and finds the same sealed bytes for months: what these
/// open to is known.
#[derive(Default)]
pub(super) struct Opened(Mutex<HashMap<Key, Kept>>);

/// Sealed bytes, and what they open to.
type Kept = (Vec<u8>, Arc<Layers>);

impl Opened {
    fn open(
        &self,
        env: &Env,
        key: Key,
        entry: Option<Entry>,
    ) -> Result<Option<Arc<Layers>>, Error> {
        let Some(Entry { bytes, .. }) = &entry else { return Ok(None) };
        // Nothing panics while it holds the lock.
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((sealed, layers)) = kept().get(&key)
            && sealed == bytes
        {
            return Ok(Some(Arc::clone(layers)));
        }
        let sealed = bytes.clone();
        let layers = opened::<Layers>(env, key, entry)?.value.map(Arc::new);
        if let Some(layers) = &layers {
            let mut kept = kept();
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(key, (sealed, Arc::clone(layers)));
        }
        Ok(layers)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

impl Policies<'_> {
    /// The policy of a tenant and an application; without a tenant the environment's.
    pub(super) fn of(
        &self,
        tenant: Option<&TenantId>,
        application: Option<&ApplicationId>,
    ) -> Policy {
        let of = |tenant| self.tenants.iter().find(|(of, _)| of == tenant);
        let layers = tenant.and_then(of).and_then(|(_, layers)| layers.as_deref());
        compose(self.default, self.environment.as_deref(), layers, application).within_profile()
    }
}

impl<S: Store> Engine<S> {
    /// The policy of a tenant and an application, as it stands now.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn policy(
        &self,
        tenant: &TenantId,
        application: Option<&ApplicationId>,
    ) -> Result<Policy, Error> {
        let scope = Scope { tenant: Some(tenant.clone()), application: application.cloned() };
        self.policy_of(&scope).await
    }

    /// The policy of a scope, as it stands now.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn policy_of(&self, scope: &Scope) -> Result<Policy, Error> {
        let tenants = scope.tenant.as_slice();
        let keys: Vec<Key> = self.policy_keys(tenants).collect();
        let looked = self.store.look(&keys).await?;
        let policies = self.policies(tenants, keys.into_iter().zip(looked.entries))?;
        Ok(policies.of(scope.tenant.as_ref(), scope.application.as_ref()))
    }

    /// What a scope itself says, without what the wider ones say.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn layer(&self, scope: &Scope) -> Result<Option<Layer>, Error> {
        let key = self.layers_key(scope.tenant.as_ref());
        let found = records::look::<S, Layers>(&*self.store, &self.env, key).await?;
        let layers = found.value.unwrap_or_default();
        Ok(layers.layer(scope.application.as_ref()).cloned())
    }

    /// Changes what a scope says, and writes down who did. It holds at the next look (D-15).
    ///
    /// # Errors
    /// The store gave no answer; or, inside, why nothing was changed.
    pub async fn change_policy(
        &self,
        scope: &Scope,
        to: &Change,
        by: &ClientId,
    ) -> Result<Result<Layer, NotChanged>, Error> {
        let environment = match &scope.tenant {
            None => None,
            Some(_) => {
                let key = self.layers_key(None);
                records::look::<S, Layers>(&*self.store, &self.env, key).await?.value
            }
        };
        let (id, event, nonce) = (self.env.draw()?, Id(self.env.draw()?), self.env.draw()?);
        let now = self.env.clock.now();
        let application = scope.application.as_ref();
        let audit = Audit {
            id: event,
            at: now,
            node: self.env.node.to_string(),
            user: None,
            tenant: scope.tenant.clone(),
            login: None,
            by: By::Anybody,
            what: What::PolicyChanged {
                by: by.clone(),
                application: scope.application.clone(),
                part: to.part(),
            },
        };
        let event = codec::seal_event(&*self.env.vault, nonce, &audit)?;
        let composed = |layers: &Layers| match &scope.tenant {
            None => compose(&self.settings.policy, Some(layers), None, application),
            Some(_) => {
                compose(&self.settings.policy, environment.as_ref(), Some(layers), application)
            }
        };
        let key = self.layers_key(scope.tenant.as_ref());
        records::change(&*self.store, &self.env, key, None, |layers: Option<Layers>| {
            let layers = layers.unwrap_or_default();
            match change::change(&layers, application, to, composed, id, now) {
                Ok((layers, layer)) => (Some(layers), vec![event.clone()], Ok(layer)),
                Err(why) => (None, Vec::new(), Err(why)),
            }
        })
        .await
    }

    /// Tells what the configuration says of a tenant's enforcement and factors. What an operator
    /// has changed since stays as it is.
    ///
    /// # Errors
    /// The store gave no answer. The caller has checked the policy.
    pub async fn seed_policy(&self, tenant: &TenantId, seed: &Layer) -> Result<(), Error> {
        self.rewrite(tenant, |layers| {
            let mut layers = layers.unwrap_or_default();
            layers.seed(seed.clone());
            layers
        })
        .await
    }

    /// Gives a tenant a policy of its own, whole: no wider scope has a word in it.
    ///
    /// # Errors
    /// The store gave no answer. The caller has checked the policy.
    pub async fn set_policy(&self, tenant: &TenantId, policy: &Policy) -> Result<(), Error> {
        let layer = Layer::whole(policy, self.env.draw()?, self.env.clock.now());
        self.rewrite(tenant, |_| Layers::own(layer.clone())).await
    }

    /// Writes only what differs, so that a fleet that starts writes nothing.
    async fn rewrite(
        &self,
        tenant: &TenantId,
        rewritten: impl Fn(Option<Layers>) -> Layers,
    ) -> Result<(), Error> {
        let key = self.layers_key(Some(tenant));
        records::change(&*self.store, &self.env, key, None, |present: Option<Layers>| {
            let next = rewritten(present.clone());
            ((present.as_ref() != Some(&next)).then_some(next), Vec::new(), ())
        })
        .await
    }

    /// The keys of all that the policies of these tenants are composed of.
    pub(super) fn policy_keys(&self, tenants: &[TenantId]) -> impl Iterator<Item = Key> {
        let own = tenants.iter().map(|tenant| self.layers_key(Some(tenant)));
        std::iter::once(self.layers_key(None)).chain(own)
    }

    /// What a look at [`policy_keys`](Self::policy_keys) found.
    pub(super) fn policies(
        &self,
        tenants: &[TenantId],
        found: impl IntoIterator<Item = (Key, Option<Entry>)>,
    ) -> Result<Policies<'_>, Error> {
        let mut found = found.into_iter();
        let mut next = || match found.next() {
            Some((key, entry)) => self.opened.open(&self.env, key, entry),
            None => Ok(None),
        };
        let environment = next()?;
        let tenants = tenants.iter().map(|tenant| Ok((tenant.clone(), next()?)));
        let tenants = tenants.collect::<Result<_, Error>>()?;
        Ok(Policies { default: &self.settings.policy, environment, tenants })
    }

    fn layers_key(&self, tenant: Option<&TenantId>) -> Key {
        let names = Names(&*self.env.vault);
        match tenant {
            None => names.environment(&self.settings.realm),
            Some(tenant) => names.policy(&self.settings.realm, tenant),
        }
    }
}
