//! `auth/v1/user/mfa/refill`: the owner opened the link that was mailed when the ledger closed.
//!
//! The link itself leads to the page, which asks first: mail is opened by programs as well.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use countersign_ceremony::port::Store;
use serde_json::{Value, json};

use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::node::Node;
use crate::wire;

/// Refills the ledger, once a link.
pub(super) async fn open<S: Store>(
    State(node): State<Arc<Node<S>>>,
    Body(request): Body<wire::Refill>,
) -> Result<Json<Value>, ApiError> {
    let token = request.token.required("token")?;
    node.engine.refill(token).await??;
    Ok(Json(json!({})))
}
