//! The MFA policy: whom a scope asks, and whether browsers are remembered.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use countersign_ceremony::policy::Enforce;
use countersign_ceremony::policy::change::{Change, How};
use countersign_ceremony::policy::layer::{Layer, MfaPolicy};
use countersign_ceremony::policy::scope::Scope;
use countersign_ceremony::port::Store;
use countersign_device::DeviceId;

use super::{Words, changed};
use crate::http::authority;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::node::Node;
use crate::wire::{self, Invalid};

type Shared<S> = State<Arc<Node<S>>>;

const NONE: &str = "Security Policy not found. MFA is disabled";
const WORDS: Words = Words {
    absent: "Security policy not found",
    exists: "MFA Policy already exists. Try to use the Update MFA Policy API",
};
const ENFORCEMENTS: &str = "DontForce, Force, ForceExceptSAML";

/// `GET mfa-policy`: what the scope itself says.
pub(in crate::http::routes) async fn show<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
) -> Result<Json<wire::MfaPolicy>, ApiError> {
    let scope = authority::reading(&node, &headers).await?;
    shown(node.engine.layer(&scope).await?).map(Json)
}

/// `GET mfa-policy/vendor`: what the environment says, for all tenants that say nothing else.
pub(in crate::http::routes) async fn environment<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
) -> Result<Json<wire::MfaPolicy>, ApiError> {
    authority::reading(&node, &headers).await?;
    shown(node.engine.layer(&Scope::default()).await?).map(Json)
}

/// `POST mfa-policy`.
pub(in crate::http::routes) async fn create<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::MfaPolicyRequest>,
) -> Result<(StatusCode, Json<wire::MfaPolicy>), ApiError> {
    let layer = changed(&node, &headers, &WORDS, || policy(&request, How::Create)).await?;
    Ok((StatusCode::CREATED, Json(shown(Some(layer))?)))
}

/// `PATCH mfa-policy`.
pub(in crate::http::routes) async fn update<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::MfaPolicyRequest>,
) -> Result<Json<wire::MfaPolicy>, ApiError> {
    let layer = changed(&node, &headers, &WORDS, || policy(&request, How::Update)).await?;
    shown(Some(layer)).map(Json)
}

/// `PUT mfa-policy`: made where it is not there.
pub(in crate::http::routes) async fn put<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::MfaPolicyRequest>,
) -> Result<Json<wire::MfaPolicy>, ApiError> {
    let layer = changed(&node, &headers, &WORDS, || policy(&request, How::Put)).await?;
    shown(Some(layer)).map(Json)
}

fn policy(request: &wire::MfaPolicyRequest, how: How) -> Result<Change, ApiError> {
    let enforce = match request.enforce_mfa_type.optional("enforceMFAType")? {
        None => None,
        Some("DontForce") => Some(Enforce::DontForce),
        Some("Force") => Some(Enforce::Force),
        Some("ForceExceptSAML") => Some(Enforce::ForceExceptSaml),
        Some(_) => return Err(Invalid::NotOneOf("enforceMFAType", ENFORCEMENTS).into()),
    };
    Ok(Change::Mfa {
        how,
        enforce,
        remember: request.allow_remember_my_device.optional("allowRememberMyDevice")?,
        remember_secs: request.mfa_device_expiration.optional("mfaDeviceExpiration")?,
    })
}

fn shown(layer: Option<Layer>) -> Result<wire::MfaPolicy, ApiError> {
    let mfa = layer.and_then(|layer| layer.mfa).ok_or_else(|| ApiError::no_policy(NONE))?;
    let MfaPolicy { id, enforce, remember, created, updated } = mfa;
    Ok(wire::MfaPolicy {
        id: DeviceId::from_random_bytes(id).to_string(),
        enforce_mfa_type: match enforce {
            Enforce::DontForce => "DontForce",
            Enforce::Force => "Force",
            Enforce::ForceExceptSaml => "ForceExceptSAML",
        },
        allow_remember_my_device: remember.allows(),
        mfa_device_expiration: remember.secs(),
        created_at: wire::rfc3339(created),
        updated_at: wire::rfc3339(updated),
    })
}
