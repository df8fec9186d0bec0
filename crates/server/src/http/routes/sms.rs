//! `auth/v1/user/mfa/sms/...`: phones under an open login.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_ceremony::engine::{Error, Reply};
use countersign_ceremony::port::Store;

use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire;

type Shared<S> = State<Arc<Node<S>>>;
pub(super) type Device = Result<Path<String>, PathRejection>;

/// The routes, under the prefix of the contract.
pub(super) fn routes<S: Store>(path: impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    let sms = |tail: &str| path(&format!("auth/v1/user/mfa/sms/{tail}"));
    Router::new()
        .route(&sms("enroll"), post(enrol::<S>))
        .route(&sms("enroll/verify"), post(confirm::<S>))
        .route(&sms("{device}"), post(send::<S>))
        .route(&sms("{device}/verify"), post(code::<S>))
}

/// `mfa/sms/enroll`: sends a code to a number that is to be added.
async fn enrol<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::SmsSend>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let (number, by) = (request.number()?, request.channel()?);
    let reply = node.engine.enrol_phone(token, &caller.presented, number, by).await;
    sent(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/sms/enroll/verify`: the code that came to it.
async fn confirm<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::SmsCheck>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let challenge = request.otc_token.required("otcToken")?;
    let code = request.code.required("code")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    caller.well_formed(&node, token, code)?;
    let presented = &caller.presented;
    let reply = node.engine.confirm_phone(token, presented, challenge, code, remember).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/sms/{device}`: sends a code to a phone of the user.
async fn send<S: Store>(
    State(node): Shared<S>,
    device: Device,
    caller: Caller,
    Body(request): Body<wire::SmsSend>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let by = request.channel()?;
    let reply = node.engine.send_to_phone(token, &caller.presented, &named(device), by).await;
    sent(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/sms/{device}/verify`: the code that was sent.
async fn code<S: Store>(
    State(node): Shared<S>,
    device: Device,
    caller: Caller,
    Body(request): Body<wire::SmsCheck>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let challenge = request.otc_token.required("otcToken")?;
    let code = request.code.required("code")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    caller.well_formed(&node, token, code)?;
    let (device, presented) = (named(device), &caller.presented);
    let reply = node.engine.phone_code(token, presented, &device, challenge, code, remember).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// What is no text is no device's id: judged as any unknown device.
pub(super) fn named(device: Device) -> String {
    device.map_or_else(|_| String::new(), |Path(device)| device)
}

/// A code went to a phone: its challenge, and the number as far as it may be shown.
pub(super) fn sent<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    status: StatusCode,
    reply: Result<Reply, Error>,
) -> Result<Response, ApiError> {
    match reply {
        Ok(Reply::Sent { token, to }) => {
            let body = wire::SmsSent { otc_token: token.into_string(), phone_number: to };
            Ok((status, Json(body)).into_response())
        }
        reply => answer(node, caller, status, reply),
    }
}
