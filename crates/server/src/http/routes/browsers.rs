//! `users/v1/mfa/remembered-devices`: the browsers that a user is known by, listed and forgotten. The
//! routes are our own: the contract has none for them.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get};
use axum::{Json, Router};
use countersign_ceremony::port::Store;
use countersign_token::FamilyId;

use crate::http::asker::Asker;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire::{self, Invalid};

type Shared<S> = State<Arc<Node<S>>>;

/// The routes, under a prefix.
pub(super) fn routes<S: Store>(path: &impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    Router::new()
        .route(&path("users/v1/mfa/remembered-devices"), get(list::<S>).delete(forget_all::<S>))
        .route(&path("users/v1/mfa/remembered-devices/{id}"), delete(forget::<S>))
}

async fn list<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
) -> Result<Json<wire::RememberedDevices>, ApiError> {
    let Asker { caller, account } = asker;
    let browsers = node.engine.browsers(&account, &caller.presented).await?;
    Ok(Json(wire::RememberedDevices::of(browsers.map_err(ApiError::from)?)))
}

async fn forget<S: Store>(
    State(node): Shared<S>,
    id: Result<Path<String>, PathRejection>,
    asker: Asker,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let id = id.ok().and_then(|Path(id)| family(&id)).ok_or(Invalid::NotAnId("id"))?;
    let reply = node.engine.forget_browsers(&account, &caller.presented, Some(id)).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

async fn forget_all<S: Store>(State(node): Shared<S>, asker: Asker) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let reply = node.engine.forget_browsers(&account, &caller.presented, None).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// The id of a family, as the list has it: 32 lower-case hexadecimal digits.
fn family(id: &str) -> Option<FamilyId> {
    let plain = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = plain.then(|| u128::from_str_radix(id, 16).ok()).flatten()?;
    Some(FamilyId::from_bytes(number.to_be_bytes()))
}
