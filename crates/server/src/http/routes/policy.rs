//! `configurations/v1/mfa-policy/allow-remember-device`: asked right after each login that wants a second factor.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use countersign_ceremony::port::Store;
use percent_encoding::percent_decode_str;

use crate::http::error::ApiError;
use crate::node::Node;
use crate::wire::{AllowRemember, Invalid};

/// The policy is read afresh: switched off, it holds at once.
pub(super) async fn allow_remember<S: Store>(
    State(node): State<Arc<Node<S>>>,
    uri: Uri,
) -> Result<Json<AllowRemember>, ApiError> {
    let token = parameter(&uri, "mfaToken").ok_or(Invalid::Empty("mfaToken"))?;
    let login = node.engine.login(&token).ok_or_else(ApiError::login_over)?;
    if login.is_over(node.engine.env().clock.now()) {
        return Err(ApiError::login_over());
    }
    let policy = node.engine.policy(&login.tenant, login.application.as_ref()).await?;
    let (allows, seconds) = (policy.remember.allows(), policy.remember.secs());
    Ok(Json(AllowRemember {
        is_allowed_to_remember: allows,
        mfa_device_expiration: if allows { seconds } else { 0 },
    }))
}

/// The first parameter of this name, decoded.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|pair| pair.0 == name)?;
    let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
    (!value.is_empty()).then_some(value)
}
