//! `users/v1/mfa/...`: what a session asks for its own account, or the administrator for a user's.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use countersign_ceremony::decide::Actor;
use countersign_ceremony::port::Store;
use countersign_ceremony::vendor::Power;
use countersign_device::UserId;

use crate::http::asker::{Asker, administered};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire::{self, Invalid};

type Shared<S> = State<Arc<Node<S>>>;

/// The routes, under a prefix.
pub(super) fn routes<S: Store>(path: &impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    Router::new()
        .route(&path("users/v1/mfa/devices"), get(devices::<S>))
        .route(&path("users/v1/mfa/enroll"), post(enrol::<S>))
        .route(&path("users/v1/mfa/enroll/verify"), post(confirm::<S>))
        .route(&path("users/v1/mfa/authenticator/enroll"), post(enrol::<S>))
        .route(&path("users/v1/mfa/authenticator/enroll/verify"), post(confirm::<S>))
        .route(&path("users/v1/mfa/authenticator/{device}/disable/verify"), post(remove::<S>))
        .route(&path("users/v1/mfa/disable"), post(disable::<S>))
        .route(&path("users/v1/mfa/recovery-codes"), get(recovery_left::<S>))
        .route(&path("users/v1/mfa/recovery-codes/regenerate"), post(regenerate::<S>))
        .route(&path("vendor-only/users/v1/{user}/mfa/unenroll"), post(unenrol::<S>))
}

/// `devices`.
async fn devices<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
) -> Result<Json<wire::OwnDevices>, ApiError> {
    let factors = node.engine.factors(&asker.account).await?;
    Ok(Json(factors.map_err(ApiError::from)?.into()))
}

/// `enroll`: the secret of this session, the same each time.
async fn enrol<S: Store>(State(node): Shared<S>, asker: Asker) -> Result<Response, ApiError> {
    let reply = node.engine.enrol_app(&asker.account, &asker.caller.presented).await;
    answer(&node, &asker.caller, StatusCode::OK, reply)
}

/// `enroll/verify`: the first code of that secret.
async fn confirm<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::AccountCode>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let code = request.token.required("token")?;
    let label = request.label.optional("label")?.unwrap_or_default();
    caller.six_digits(&node, code)?;
    let reply = node.engine.confirm_app(&account, &caller.presented, code, label).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `authenticator/{device}/disable/verify`: removes one app.
async fn remove<S: Store>(
    State(node): Shared<S>,
    device: Result<Path<String>, PathRejection>,
    asker: Asker,
    Body(request): Body<wire::AccountCode>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    // What is no text is no device's id.
    let device = device.map_or_else(|_| String::new(), |Path(device)| device);
    let code = offered(&node, &caller, &request)?;
    let reply = node.engine.remove_app(&account, &caller.presented, &device, code).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `disable`: removes every factor. With a vendor token it is the administrator's reset.
async fn disable<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::AccountCode>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let code = offered(&node, &caller, &request)?;
    let reply = node.engine.remove_all(&account, &caller.presented, code).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `recovery-codes`: how many are left. The route is our own.
async fn recovery_left<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
) -> Result<Json<wire::RecoveryLeft>, ApiError> {
    let remaining = node.engine.recovery_left(&asker.account).await?.map_err(ApiError::from)?;
    Ok(Json(wire::RecoveryLeft { remaining }))
}

/// `recovery-codes/regenerate`: they are shown to their owner, and to no administrator. The route is
/// our own.
async fn regenerate<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::AccountCode>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    if matches!(account.actor(), Actor::Administrator(_)) {
        return Err(ApiError::forbidden());
    }
    let code = offered(&node, &caller, &request)?;
    let reply = node.engine.regenerate_recovery(&account, &caller.presented, code).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `vendor-only/users/v1/{userId}/mfa/unenroll`: the administrator's reset.
async fn unenrol<S: Store>(
    State(node): Shared<S>,
    user: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, ApiError> {
    let user = user.ok().and_then(|Path(user)| UserId::parse(&user).ok());
    let user = || user.ok_or_else(|| Invalid::NotAnId("userId").into());
    let account = administered(&node, &headers, Power::Users, user).await?;
    let reply = node.engine.remove_all(&account, &caller.presented, None).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// A code that comes with a removal: one of an app, or a recovery code. What is neither is counted
/// against the caller's address, and so is each recovery code, as where no session asks.
fn offered<'r, S: Store>(
    node: &Node<S>,
    caller: &Caller,
    request: &'r wire::AccountCode,
) -> Result<Option<&'r str>, ApiError> {
    let Some(code) = request.token.optional("token")? else { return Ok(None) };
    caller.counted(node, code)?;
    Ok(Some(code))
}
