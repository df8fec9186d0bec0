//! Passkeys: `auth/v1/user/mfa/webauthn/...` under an open login, `users/v1/mfa/webauthn/...` under a session or for the
//! administrator.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use countersign_ceremony::port::Store;

use crate::http::asker::Asker;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire;

type Shared<S> = State<Arc<Node<S>>>;
type Device = Result<Path<String>, PathRejection>;

/// The routes that act by a login, under a prefix.
pub(super) fn of_logins<S: Store>(path: &impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    Router::new()
        .route(&path("auth/v1/user/mfa/webauthn/enroll"), post(enrol::<S>))
        .route(&path("auth/v1/user/mfa/webauthn/enroll/verify"), post(confirm::<S>))
        .route(&path("auth/v1/user/mfa/webauthn/{device}"), post(challenge::<S>))
        .route(&path("auth/v1/user/mfa/webauthn/{device}/verify"), post(verify::<S>))
}

/// The routes of accounts, under a prefix.
pub(super) fn of_accounts<S: Store>(path: &impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    Router::new()
        .route(&path("users/v1/mfa/webauthn/enroll"), post(add::<S>))
        .route(&path("users/v1/mfa/webauthn/enroll/verify"), post(added::<S>))
        .route(&path("users/v1/mfa/webauthn/{device}/disable"), post(challenge_removal::<S>))
        .route(&path("users/v1/mfa/webauthn/{device}/disable/verify"), post(remove::<S>))
}

/// `mfa/webauthn/enroll`: the options of a registration.
async fn enrol<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::LoginTokenOnly>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let reply = node.engine.enrol_passkey(token, &caller.presented).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/webauthn/enroll/verify`: what the authenticator made.
async fn confirm<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::PasskeyEnrolCheck>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let challenge = request.webauthn_token.required("webauthnToken")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    let made = request.answer()?;
    let engine = &node.engine;
    let reply = engine.confirm_passkey(token, &caller.presented, challenge, made, remember).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/webauthn/{deviceId}`: the options of an authentication by one passkey.
async fn challenge<S: Store>(
    State(node): Shared<S>,
    device: Device,
    caller: Caller,
    Body(request): Body<wire::LoginTokenOnly>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let reply = node.engine.challenge_passkey(token, &caller.presented, &named(device)).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/webauthn/{deviceId}/verify`: what it signed.
async fn verify<S: Store>(
    State(node): Shared<S>,
    device: Device,
    caller: Caller,
    Body(request): Body<wire::PasskeyCheck>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let challenge = request.webauthn_token.required("webauthnToken")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    let signed = request.answer()?;
    let (engine, device) = (&node.engine, named(device));
    let presented = &caller.presented;
    let reply = engine.passkey(token, presented, &device, challenge, signed, remember).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `users/v1/mfa/webauthn/enroll`: the options of a registration.
async fn add<S: Store>(State(node): Shared<S>, asker: Asker) -> Result<Response, ApiError> {
    let reply = node.engine.add_passkey(&asker.account, &asker.caller.presented).await;
    answer(&node, &asker.caller, StatusCode::OK, reply)
}

/// `users/v1/mfa/webauthn/enroll/verify`: what the authenticator made.
async fn added<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::PasskeyAddition>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let challenge = request.webauthn_token.required("webauthnToken")?;
    let label = request.label.optional("label")?.unwrap_or_default();
    let made = request.answer()?;
    let (engine, presented) = (&node.engine, &caller.presented);
    let reply = engine.confirm_added_passkey(&account, presented, challenge, made, label).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `users/v1/mfa/webauthn/{deviceId}/disable`: the options of the signature that a removal takes.
async fn challenge_removal<S: Store>(
    State(node): Shared<S>,
    device: Device,
    asker: Asker,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let device = named(device);
    let reply = node.engine.challenge_removal(&account, &caller.presented, &device).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `users/v1/mfa/webauthn/{deviceId}/disable/verify`: removes it, by its signature or in a fresh session.
async fn remove<S: Store>(
    State(node): Shared<S>,
    device: Device,
    asker: Asker,
    Body(request): Body<wire::PasskeyRemoval>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let (signed, device) = (request.answer()?, named(device));
    let reply = node.engine.remove_passkey(&account, &caller.presented, &device, signed).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// What is no text is no device's id: judged as any unknown device.
fn named(device: Device) -> String {
    device.map_or_else(|_| String::new(), |Path(device)| device)
}
