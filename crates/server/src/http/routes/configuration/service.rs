//! `configurations/v1`: what a service's SDK reads at its start, the key of access tokens above all.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use countersign_ceremony::port::Store;
use countersign_ceremony::vendor::Power;

use crate::config::SameSite;
use crate::http::authority;
use crate::http::error::ApiError;
use crate::node::Node;
use crate::signing::public_key;
use crate::wire;

/// `GET configurations/v1`.
pub(in crate::http::routes) async fn show<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
) -> Result<Json<wire::ServiceConfig>, ApiError> {
    authority::vendor(&node, &headers, Power::Read).await?;
    let jwk = node.engine.env().sign.public_jwk();
    let settings = node.engine.settings();
    Ok(Json(wire::ServiceConfig {
        id: node.config.client_id.clone(),
        public_key: public_key(&jwk).ok_or_else(ApiError::internal)?,
        jwt_algorithm: jwk.alg,
        default_token_expiration: settings.access_secs,
        default_refresh_token_expiration: settings.session_secs,
        cookie_same_site: match node.config.same_site {
            SameSite::Strict => "STRICT",
            SameSite::Lax => "LAX",
            SameSite::None => "NONE",
        },
    }))
}
