//! `auth/v1/user/mfa/...`: what is asked under an open login, and the recovery that needs none.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::Reply;
use countersign_ceremony::port::Store;
use countersign_device::EmailAddress;

use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire;

type Shared<S> = State<Arc<Node<S>>>;

/// `mfa/verify`: a code of any authenticator, or the first one of a forced enrolment.
pub(super) async fn any_code<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::CodeCheck>,
) -> Result<Response, ApiError> {
    code(&node, &caller, None, &request).await
}

/// `mfa/authenticator/{device}/verify`: a code of one authenticator.
pub(super) async fn device_code<S: Store>(
    State(node): Shared<S>,
    device: Result<Path<String>, axum::extract::rejection::PathRejection>,
    caller: Caller,
    Body(request): Body<wire::CodeCheck>,
) -> Result<Response, ApiError> {
    // What is no text is no device's id: judged as any unknown device.
    let device = device.map_or_else(|_| String::new(), |Path(device)| device);
    code(&node, &caller, Some(&device), &request).await
}

async fn code<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    device: Option<&str>,
    request: &wire::CodeCheck,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let code = request.value.required("value")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    caller.well_formed(node, token, code)?;
    let reply = node.engine.code(token, &caller.presented, device, code, remember).await;
    answer(node, caller, StatusCode::CREATED, reply)
}

/// `mfa/authenticator/enroll`: the secret of this login, the same each time.
pub(super) async fn pre_enrol<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::LoginTokenOnly>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let reply = node.engine.pre_enrol(token, &caller.presented).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/authenticator/enroll/verify`: the first code of that secret.
pub(super) async fn confirm<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::EnrolCheck>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let code = request.token.required("token")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    caller.well_formed(&node, token, code)?;
    let reply = node.engine.confirm(token, &caller.presented, code, remember).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/emailcode`: sends a code.
pub(super) async fn send_email<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::LoginTokenOnly>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let reply = node.engine.send_email(token, &caller.presented).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/emailcode/verify`: the code that was sent.
pub(super) async fn email_code<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::EmailCodeCheck>,
) -> Result<Response, ApiError> {
    let token = request.mfa_token.required("mfaToken")?;
    let challenge = request.otc_token.required("otcToken")?;
    let code = request.code.required("code")?;
    let remember = request.remember_device.is_set("rememberDevice")?;
    caller.well_formed(&node, token, code)?;
    let reply = node.engine.email_code(token, &caller.presented, challenge, code, remember).await;
    answer(&node, &caller, StatusCode::CREATED, reply)
}

/// `mfa/recover`: spends the recovery code. It removes the factors and logs nobody in.
pub(super) async fn recover<S: Store>(
    State(node): Shared<S>,
    caller: Caller,
    Body(request): Body<wire::Recover>,
) -> Result<Response, ApiError> {
    let address = request.email.required("email")?;
    let code = request.recovery_code.required("recoveryCode")?;
    let now = node.engine.env().clock.now();
    let may = node.limiter.check(caller.client.address, now);
    may.map_err(|wait| ApiError::too_many(Some(wait)))?;
    let Ok(email) = EmailAddress::parse(address) else { return Err(ApiError::recovery()) };
    let reply = node.engine.recover(&email, code, &caller.presented).await;
    if matches!(reply, Ok(Reply::Refused(Refusal::Code))) {
        let _ = node.limiter.count(caller.client.address, now);
        return Err(ApiError::recovery());
    }
    answer(&node, &caller, StatusCode::OK, reply)
}
