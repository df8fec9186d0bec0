//! `configurations/v1/...`: what a tenant, an application or the environment asks of its users.
//!
//! Reads and changes go to the store and hold at the next request (D-15). Who may, and which scope
//! the headers name, is judged in [`authority`](crate::http::authority).

pub(super) mod factors;
pub(super) mod lockout;
pub(super) mod mfa;
pub(super) mod service;

use axum::http::HeaderMap;
use countersign_ceremony::policy::change::{Change, NotChanged};
use countersign_ceremony::policy::layer::Layer;
use countersign_ceremony::port::Store;

use crate::http::authority;
use crate::http::error::ApiError;
use crate::node::Node;

/// The sentences of one kind of policy.
struct Words {
    absent: &'static str,
    exists: &'static str,
}

/// Changes the scope that the headers name.
async fn changed<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
    words: &Words,
    change: impl FnOnce() -> Result<Change, ApiError>,
) -> Result<Layer, ApiError> {
    let (scope, client) = authority::changing(node, headers).await?;
    let change = change()?;
    let changed = node.engine.change_policy(&scope, &change, &client).await?;
    changed.map_err(|why| match why {
        NotChanged::Exists => ApiError::policy_exists(words.exists),
        NotChanged::Absent => ApiError::no_policy(words.absent),
        NotChanged::Nothing => ApiError::policy("Missing parameters to update"),
        NotChanged::TooMany => {
            ApiError::policy("Too many applications of this tenant have a policy of their own")
        }
        NotChanged::RememberSecs => {
            ApiError::policy("mfaDeviceExpiration must not be less than 1 or greater than 34560000")
        }
        NotChanged::Attempts => ApiError::policy("maxAttempts must not be less than 1"),
        NotChanged::Strategy => ApiError::policy("this strategy is not served here"),
        NotChanged::Policy(error) => ApiError::policy(error.to_string()),
    })
}
