//! `users/v1/mfa/sms/...`: phones that a session adds to its own account or removes from it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use countersign_ceremony::port::Store;

use super::sms::{Device, named, sent};
use crate::http::asker::Asker;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire;

type Shared<S> = State<Arc<Node<S>>>;

/// The routes, under a prefix.
pub(super) fn routes<S: Store>(path: &impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    let sms = |tail: &str| path(&format!("users/v1/mfa/sms/{tail}"));
    Router::new()
        .route(&sms("enroll"), post(enrol::<S>))
        .route(&sms("enroll/verify"), post(confirm::<S>))
        .route(&sms("{device}/disable"), post(send::<S>))
        .route(&sms("{device}/disable/verify"), post(remove::<S>))
}

/// `sms/enroll`: sends a code to a number that is to be added.
async fn enrol<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::SmsSend>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let (number, by) = (request.number()?, request.channel()?);
    let reply = node.engine.add_phone(&account, &caller.presented, number, by).await;
    sent(&node, &caller, StatusCode::OK, reply)
}

/// `sms/enroll/verify`: the code that came to it.
async fn confirm<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::SmsCheck>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let challenge = request.otc_token.required("otcToken")?;
    let code = request.code.required("code")?;
    let label = request.label.optional("label")?.unwrap_or_default();
    caller.six_digits(&node, code)?;
    let presented = &caller.presented;
    let reply = node.engine.confirm_added(&account, presented, challenge, code, label).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// `sms/{device}/disable`: sends a code that removes the phone.
async fn send<S: Store>(
    State(node): Shared<S>,
    device: Device,
    asker: Asker,
    Body(request): Body<wire::SmsSend>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let by = request.channel()?;
    let reply = node.engine.send_removal(&account, &caller.presented, &named(device), by).await;
    sent(&node, &caller, StatusCode::OK, reply)
}

/// `sms/{device}/disable/verify`: removes the phone, by that code, by one of an app or the recovery
/// code where no `otcToken` comes with it, or without any in a fresh session.
async fn remove<S: Store>(
    State(node): Shared<S>,
    device: Device,
    asker: Asker,
    Body(request): Body<wire::SmsCheck>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let challenge = request.otc_token.optional("otcToken")?;
    let code = request.code.optional("code")?;
    if challenge.is_some() {
        caller.six_digits(&node, request.code.required("code")?)?;
    }
    let (device, presented) = (named(device), &caller.presented);
    let reply = node.engine.remove_phone(&account, presented, &device, challenge, code).await;
    answer(&node, &caller, StatusCode::OK, reply)
}
