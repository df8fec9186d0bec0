//! `vendor-only/mfa/v1/...`: for a service that keeps its own users. It opens logins, and reports what happened.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::engine::Passed;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::port::Store;
use countersign_device::{EmailAddress, TenantId, UserId};

use crate::http::body::Body;
use crate::http::caller::{Caller, bearer};
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::vendor;
use crate::wire::{self, Invalid};

const FIRST_FACTORS: &str = "password, saml, federated, email, sms, passkey";
const EVENTS: &str =
    "PasswordChanged, Disabled, Enabled, AddressChanged, SignOutEverywhere, Erased";

/// The service has checked a first factor: what next?
pub(super) async fn login<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
    caller: Caller,
    Body(request): Body<wire::ServiceLogin>,
) -> Result<Response, ApiError> {
    authorize(&node, &headers)?;
    let tenant = request.tenant_id.required("tenantId")?;
    let user = request.user_id.required("userId")?;
    let email = request.email.required("email")?;
    let first = match request.first_factor.required("firstFactor")?.to_ascii_lowercase().as_str() {
        "password" => FirstFactor::Password,
        "saml" => FirstFactor::Saml,
        "federated" => FirstFactor::Federated,
        "email" => FirstFactor::Email,
        "sms" => FirstFactor::Sms,
        "passkey" => FirstFactor::Passkey,
        _ => return Err(Invalid::NotOneOf("firstFactor", FIRST_FACTORS).into()),
    };
    let passed = Passed {
        user: UserId::parse(user).map_err(|_| Invalid::NotAnId("userId"))?,
        tenant: TenantId::parse(tenant).map_err(|_| Invalid::NotAnId("tenantId"))?,
        application: caller.application.clone(),
        email: Some(EmailAddress::parse(email).map_err(|_| Invalid::NotAnEmail("email"))?),
        first,
        epoch: None,
    };
    // A tenant that the configuration does not name has no policy to be judged by.
    if !node.config.tenants.iter().any(|known| known.id == tenant) {
        return Err(ApiError::unknown("Tenant"));
    }
    let reply = node.engine.begin(passed, &caller.presented).await;
    answer(&node, &caller, StatusCode::OK, reply)
}

/// The owner of the users reports. Told twice, it happens once more, which changes nothing.
pub(super) async fn lifecycle<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
    Body(request): Body<wire::Lifecycle>,
) -> Result<Json<serde_json::Value>, ApiError> {
    authorize(&node, &headers)?;
    let user = request.user_id.required("userId")?;
    let event = request.event.required("event")?;
    request.tenant_id.optional("tenantId")?;
    let user = UserId::parse(user).map_err(|_| Invalid::NotAnId("userId"))?;
    let email = request.email.optional("email")?.map(EmailAddress::parse).transpose();
    let email = email.map_err(|_| Invalid::NotAnEmail("email"))?;
    let through_mailbox = request.through_mailbox.is_set("throughMailbox")?;
    let report = match event {
        "PasswordChanged" if through_mailbox => {
            let mailbox = email.ok_or(Invalid::Empty("email"))?;
            Lifecycle::PasswordChanged { through_mailbox: Some(mailbox) }
        }
        "PasswordChanged" => Lifecycle::PasswordChanged { through_mailbox: None },
        "Disabled" => Lifecycle::Disabled,
        "Enabled" => Lifecycle::Enabled,
        "AddressChanged" => Lifecycle::AddressChanged { to: email.ok_or(Invalid::Empty("email"))? },
        "SignOutEverywhere" => Lifecycle::SignOutEverywhere,
        "Erased" => Lifecycle::Erased,
        _ => return Err(Invalid::NotOneOf("event", EVENTS).into()),
    };
    if node.engine.report(user, report).await? {
        return Ok(Json(serde_json::json!({})));
    }
    Err(ApiError::conflict())
}

/// Only whoever holds a vendor token may: no user's token opens as one.
fn authorize<S: Store>(node: &Node<S>, headers: &HeaderMap) -> Result<(), ApiError> {
    let token = bearer(headers)?;
    let env = node.engine.env();
    match vendor::check(&*env.vault, token, env.clock.now()) {
        Some(_) => Ok(()),
        None => Err(ApiError::unauthorized()),
    }
}
