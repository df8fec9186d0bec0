//! `configurations/v1/lockout-policy`: after how many judged failures a user's window is full.
//!
//! It counts failures of the second factor. Failed passwords never lock anybody's second factor.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use countersign_ceremony::policy::change::{Change, How};
use countersign_ceremony::policy::layer::Layer;
use countersign_ceremony::port::Store;

use super::{Words, changed};
use crate::http::authority;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::node::Node;
use crate::wire;

type Shared<S> = State<Arc<Node<S>>>;

const WORDS: Words = Words {
    absent: "Lockout policy not found",
    exists: "Lockout policy already exists. Try to use the Update lockout policy API",
};

/// `GET lockout-policy`.
pub(in crate::http::routes) async fn show<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
) -> Result<Json<wire::LockoutPolicy>, ApiError> {
    let scope = authority::reading(&node, &headers).await?;
    shown(node.engine.layer(&scope).await?).map(Json)
}

/// `POST lockout-policy`.
pub(in crate::http::routes) async fn create<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::LockoutRequest>,
) -> Result<(StatusCode, Json<wire::LockoutPolicy>), ApiError> {
    let layer = changed(&node, &headers, &WORDS, || lockout(request, How::Create)).await?;
    Ok((StatusCode::CREATED, Json(shown(Some(layer))?)))
}

/// `PATCH lockout-policy`.
pub(in crate::http::routes) async fn update<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::LockoutRequest>,
) -> Result<Json<wire::LockoutPolicy>, ApiError> {
    let layer = changed(&node, &headers, &WORDS, || lockout(request, How::Update)).await?;
    shown(Some(layer)).map(Json)
}

fn lockout(request: wire::LockoutRequest, how: How) -> Result<Change, ApiError> {
    let attempts = request.max_attempts.within("maxAttempts", 1, u64::from(u32::MAX))?;
    Ok(Change::Lockout {
        how,
        enabled: request.enabled.optional("enabled")?,
        max_attempts: attempts.and_then(|attempts| u32::try_from(attempts).ok()),
    })
}

fn shown(layer: Option<Layer>) -> Result<wire::LockoutPolicy, ApiError> {
    let lockout = layer.and_then(|layer| layer.lockout);
    let lockout = lockout.ok_or_else(|| ApiError::no_policy(WORDS.absent))?;
    Ok(wire::LockoutPolicy { enabled: lockout.enabled, max_attempts: lockout.max_attempts })
}
