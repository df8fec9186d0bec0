//! `users/v1/mfa/email/enroll`: a session proves its user's address, where it was changed or took too
//! many failures. Ours: the contract has no such route.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use countersign_ceremony::engine::Reply;
use countersign_ceremony::port::Store;

use crate::http::asker::Asker;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire;

type Shared<S> = State<Arc<Node<S>>>;

/// The routes, under a prefix.
pub(super) fn routes<S: Store>(path: &impl Fn(&str) -> String) -> Router<Arc<Node<S>>> {
    Router::new()
        .route(&path("users/v1/mfa/email/enroll"), post(send::<S>))
        .route(&path("users/v1/mfa/email/enroll/verify"), post(confirm::<S>))
}

/// `email/enroll`: sends a code to the address.
async fn send<S: Store>(State(node): Shared<S>, asker: Asker) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    match node.engine.send_to_address(&account, &caller.presented).await {
        Ok(Reply::Sent { token, to }) => {
            Ok(Json(wire::EmailSent { otc_token: token.into_string(), email: to }).into_response())
        }
        reply => answer(&node, &caller, StatusCode::OK, reply),
    }
}

/// `email/enroll/verify`: the code that came to it.
async fn confirm<S: Store>(
    State(node): Shared<S>,
    asker: Asker,
    Body(request): Body<wire::EmailBinding>,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let challenge = request.otc_token.required("otcToken")?;
    let code = request.code.required("code")?;
    caller.six_digits(&node, code)?;
    let reply = node.engine.confirm_address(&account, &caller.presented, challenge, code).await;
    answer(&node, &caller, StatusCode::OK, reply)
}
