//! `auth/v1/user/step-up/generate`: a session proves its user anew.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use countersign_ceremony::engine::Reply;
use countersign_ceremony::port::Store;

use crate::http::body::Body;
use crate::http::caller::{Caller, bearer};
use crate::http::error::ApiError;
use crate::http::reply::{answer, of_session};
use crate::node::Node;
use crate::wire;

/// How old a proof may be where the client says nothing: as old as one that may add a factor.
const MAX_AGE: u64 = countersign_ceremony::rules::FRESH_SECS;

/// A login that awaits the second factor; or, where one was proved lately enough, the session as it
/// is. That answer holds the very access token that was presented and no refresh token: whoever found
/// it gains nothing by asking.
pub(super) async fn generate<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
    caller: Caller,
    Body(request): Body<wire::StepUp>,
) -> Result<Response, ApiError> {
    let token = bearer(&headers)?;
    let session = node.engine.authenticate(token).await?.ok_or_else(ApiError::unauthorized)?;
    let max_age = request.max_age.optional("maxAge")?.unwrap_or(MAX_AGE);
    match node.engine.step_up(session.account(), &caller.presented, max_age).await {
        Ok(Reply::Done) => {
            let now = node.engine.env().clock.now();
            Ok((StatusCode::OK, Json(of_session(token, &session.claims, now))).into_response())
        }
        reply => answer(&node, &caller, StatusCode::OK, reply),
    }
}
