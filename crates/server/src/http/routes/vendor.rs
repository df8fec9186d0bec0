//! `auth/vendor` and `vendor-only/mfa/v1/...`: for a service that keeps its own users. It gets a token, opens logins,
//! and reports what happened.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::engine::Passed;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::port::Store;
use countersign_ceremony::vendor::Power;
use countersign_device::{EmailAddress, TenantId, UserId};

use crate::http::authority;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire::{self, Invalid};

const FIRST_FACTORS: &str = "password, saml, federated, email, sms, passkey";
const EVENTS: &str =
    "PasswordChanged, Disabled, Enabled, AddressChanged, SignOutEverywhere, Erased";

/// `POST auth/vendor`: a client trades its secret for a token. A wrong secret and an unknown client
/// are told alike, at one cost.
pub(super) async fn token<S: Store>(
    State(node): State<Arc<Node<S>>>,
    caller: Caller,
    Body(request): Body<wire::VendorLogin>,
) -> Result<Json<wire::VendorToken>, ApiError> {
    let client = request.client_id.required("clientId")?;
    let secret = request.secret.required("secret")?;
    let (now, address) = (node.engine.env().clock.now(), caller.client.address);
    let may = node.failed_logins.check(address, now);
    may.map_err(|wait| ApiError::too_many(Some(wait)))?;
    let Some(bought) = node.engine.buy_token(client, secret).await? else {
        let _ = node.failed_logins.count(address, now);
        return Err(ApiError::client_credentials());
    };
    Ok(Json(wire::VendorToken { token: bought.token, expires_in: bought.lives }))
}

/// The service has checked a first factor: what next?
pub(super) async fn login<S: Store>(
    State(node): State<Arc<Node<S>>>,
    headers: HeaderMap,
    caller: Caller,
    Body(request): Body<wire::ServiceLogin>,
) -> Result<Response, ApiError> {
    let vendor = authority::vendor(&node, &headers, Power::Logins).await?;
    let tenant = request.tenant_id.required("tenantId")?;
    let user = request.user_id.required("userId")?;
    let email = request.email.required("email")?;
    let first = request.first_factor.required("firstFactor")?.to_ascii_lowercase();
    let first = FirstFactor::named(&first);
    let first = first.ok_or(Invalid::NotOneOf("firstFactor", FIRST_FACTORS))?;
    let passed = Passed {
        user: UserId::parse(user).map_err(|_| Invalid::NotAnId("userId"))?,
        tenant: TenantId::parse(tenant).map_err(|_| Invalid::NotAnId("tenantId"))?,
        also: Vec::new(),
        application: caller.application.clone(),
        email: Some(EmailAddress::parse(email).map_err(|_| Invalid::NotAnEmail("email"))?),
        first,
        epoch: None,
    };
    if !vendor.acts_on(&passed.tenant) {
        return Err(ApiError::forbidden());
    }
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
    let vendor = authority::vendor(&node, &headers, Power::Users).await?;
    // A report ends what the user has in every tenant: a client of one has no say in it (E-19).
    if vendor.tenant.is_some() {
        return Err(ApiError::forbidden());
    }
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
