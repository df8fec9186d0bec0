//! Where a policy stands: one record of the environment and one of each tenant, each with the
//! layers of its applications. So a login finds its whole policy in the look that finds its user.
//!
//! The narrower stands before the wider: an application before its tenant, a tenant before the
//! environment, the environment before what the engine is set to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use countersign_device::{ApplicationId, TenantId};

use super::Policy;
use super::layer::Layer;

/// How many applications of one tenant have a policy of their own: the record stays small.
pub const APPLICATIONS: usize = 64;

/// Which scope. Without a tenant and an application it is the environment: everybody's default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The application.
    pub application: Option<ApplicationId>,
}

/// What is stored of the environment, or of a tenant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Layers {
    own: Layer,
    applications: BTreeMap<ApplicationId, Layer>,
}

impl Layers {
    /// Layers with nothing of applications.
    #[must_use]
    pub fn own(own: Layer) -> Self {
        Self { own, ..Self::default() }
    }

    /// What is said for an application, or for all.
    #[must_use]
    pub fn layer(&self, application: Option<&ApplicationId>) -> Option<&Layer> {
        match application {
            None => Some(&self.own),
            Some(application) => self.applications.get(application),
        }
    }

    /// The same, to be changed. None: there are too many applications already.
    pub(super) fn layer_mut(&mut self, application: Option<&ApplicationId>) -> Option<&mut Layer> {
        let Some(application) = application else { return Some(&mut self.own) };
        let full = self.applications.len() >= APPLICATIONS;
        if full && !self.applications.contains_key(application) {
            return None;
        }
        Some(self.applications.entry(application.clone()).or_default())
    }

    /// Takes over what the configuration says, but for what an operator has changed since.
    pub fn seed(&mut self, seed: Layer) {
        self.own.seed(seed);
    }
}

/// The policy of a scope, from the widest word to the narrowest.
#[must_use]
pub fn compose(
    default: &Policy,
    environment: Option<&Layers>,
    tenant: Option<&Layers>,
    application: Option<&ApplicationId>,
) -> Policy {
    let mut policy = default.clone();
    let wider = [environment, tenant].into_iter().flatten();
    for layers in wider.clone() {
        layers.own.apply(&mut policy);
    }
    if application.is_some() {
        for layer in wider.filter_map(|layers| layers.layer(application)) {
            layer.apply(&mut policy);
        }
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Enforce;
    use countersign_otp::UnixTime;

    fn says(enforce: Enforce) -> Layer {
        let policy = Policy { enforce, ..Policy::default() };
        let mut layer = Layer::of(&policy, [0; 16], UnixTime::from_secs(0));
        layer.strategies.clear();
        layer
    }

    #[test]
    fn the_narrower_stands_before_the_wider() {
        let (app, other) =
            (ApplicationId::parse("app").unwrap(), ApplicationId::parse("b").unwrap());
        let default = Policy::default();
        let environment = Layers::own(says(Enforce::Force));
        let mut tenant = Layers::own(says(Enforce::ForceExceptSaml));
        *tenant.layer_mut(Some(&app)).unwrap() = says(Enforce::DontForce);
        let composed = |environment, tenant, application| {
            compose(&default, environment, tenant, application).enforce
        };
        let (of, at) = (Some(&environment), Some(&tenant));
        assert_eq!(composed(None, None, None), Enforce::DontForce);
        assert_eq!(composed(of, None, Some(&app)), Enforce::Force);
        assert_eq!(composed(of, at, None), Enforce::ForceExceptSaml);
        assert_eq!(composed(of, at, Some(&other)), Enforce::ForceExceptSaml);
        assert_eq!(composed(of, at, Some(&app)), Enforce::DontForce);
    }

    #[test]
    fn what_a_scope_leaves_out_the_wider_one_says() {
        let mut environment = Layers::default();
        environment.own.issuer = Some("Wide".into());
        let mut tenant = Layers::own(says(Enforce::Force));
        tenant.own.strategies = vec![(countersign_device::FactorKind::Email, true)];
        let policy = compose(&Policy::default(), Some(&environment), Some(&tenant), None);
        assert_eq!((policy.issuer.as_str(), policy.enforce), ("Wide", Enforce::Force));
        assert!(policy.strategies.email && policy.strategies.authenticator);
    }

    #[test]
    fn applications_are_bounded() {
        let mut layers = Layers::default();
        for number in 0..APPLICATIONS {
            let id = ApplicationId::parse(&format!("a{number}")).unwrap();
            assert!(layers.layer_mut(Some(&id)).is_some());
        }
        let (one, more) =
            (ApplicationId::parse("a1").unwrap(), ApplicationId::parse("more").unwrap());
        assert!(layers.layer_mut(Some(&one)).is_some());
        assert!(layers.layer_mut(Some(&more)).is_none());
    }
}
