//! What a session does: refresh itself, say whose it is, end. And the keys that its tokens are verified with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use countersign_ceremony::engine::Authenticated;
use countersign_ceremony::port::Store;

use crate::http::asker::Asker;
use crate::http::body::Body;
use crate::http::caller::{Caller, bearer};
use crate::http::cookie::Which;
use crate::http::error::ApiError;
use crate::http::reply::{answer, refreshed, set};
use crate::node::Node;
use crate::wire::{self, Me, TenantRow, Tenants};

/// `auth/v1/user/token/refresh`: by the cookie, or by the body where there is no cookie jar.
pub(super) async fn refresh<S: Store>(
    State(node): State<Arc<Node<S>>>,
    caller: Caller,
    Body(request): Body<wire::Refresh>,
) -> Result<Response, ApiError> {
    let given = request.refresh_token.optional("refreshToken")?;
    let token = caller.refresh.as_deref().or(given).ok_or_else(ApiError::unauthorized)?;
    let tokens = node.engine.refresh(token).await?.ok_or_else(ApiError::unauthorized)?;
    Ok(refreshed(&node, &caller, &tokens))
}

/// `auth/v1/logout`: the refresh token is spent and its cookie forgotten; the access token ends by itself.
pub(super) async fn logout<S: Store>(
    State(node): State<Arc<Node<S>>>,
    caller: Caller,
    Body(request): Body<wire::Refresh>,
) -> Result<Response, ApiError> {
    let given = request.refresh_token.optional("refreshToken")?;
    if let Some(token) = caller.refresh.as_deref().or(given) {
        // Its successor is told to nobody, so nothing is refreshed any more.
        let _unused = node.engine.refresh(token).await?;
    }
    let mut response = (StatusCode::OK, Json(serde_json::json!({}))).into_response();
    set(&node, &caller, &mut response, Which::Refresh, "", 0);
    Ok(response)
}

/// `users/sessions/v1/me/all`: every session ends, this one too, and every browser is a stranger.
pub(super) async fn sign_out_everywhere<S: Store>(
    State(node): State<Arc<Node<S>>>,
    asker: Asker,
) -> Result<Response, ApiError> {
    let Asker { caller, account } = asker;
    let reply = node.engine.sign_out_everywhere(&account, &caller.presented).await;
    let mut response = answer(&node, &caller, StatusCode::OK, reply)?;
    set(&node, &caller, &mut response, Which::Refresh, "", 0);
    Ok(response)
}

/// `users/v2/me`.
pub(super) async fn me<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
) -> Result<Json<Me>, ApiError> {
    let Authenticated { claims, .. } = authenticated(&node, &headers).await?;
    Ok(Json(Me {
        name: claims.email.clone().unwrap_or_else(|| claims.sub.clone()),
        id: claims.sub.clone(),
        sub: claims.sub,
        email: claims.email,
        tenant_id: claims.tenant_id,
        tenant_ids: claims.tenant_ids,
        roles: Vec::new(),
        permissions: Vec::new(),
    }))
}

/// `users/v3/me/tenants`.
pub(super) async fn tenants<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
) -> Result<Json<Tenants>, ApiError> {
    let Authenticated { claims, .. } = authenticated(&node, &headers).await?;
    let row = |id: &String| {
        let known = node.config.tenants.iter().find(|tenant| tenant.id == *id);
        let name = known.map_or(id, |tenant| &tenant.name);
        TenantRow { id: id.clone(), tenant_id: id.clone(), name: name.clone() }
    };
    Ok(Json(Tenants {
        tenants: claims.tenant_ids.iter().map(row).collect(),
        active_tenant: row(&claims.tenant_id),
    }))
}

async fn authenticated<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
) -> Result<Authenticated, ApiError> {
    let token = bearer(headers)?;
    node.engine.authenticate(token).await?.ok_or_else(ApiError::unauthorized)
}

/// The keys of access tokens (RFC 7517).
pub(super) async fn jwks<S: Store>(State(node): State<Arc<Node<S>>>) -> Response {
    let mut response = Json(node.engine.keys().jwks()).into_response();
    let hour = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(CACHE_CONTROL, hour);
    response
}
