//! Which factors a scope takes, and what people see of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use countersign_ceremony::policy::change::{Change, Factors, SHORTEST_DELIVERED_SECS};
use countersign_ceremony::policy::scope::Scope;
use countersign_ceremony::port::Store;
use countersign_ceremony::rules::DELIVERED_SECS;
use countersign_device::{EmailAddress, FactorKind};

use super::{Words, changed};
use crate::http::authority;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::node::Node;
use crate::wire::{self, Invalid};

type Shared<S> = State<Arc<Node<S>>>;

/// Neither is ever absent, or there too soon.
const WORDS: Words = Words { absent: "Not found", exists: "Already exists" };

/// `GET mfa/strategies`: what holds for the scope.
pub(in crate::http::routes) async fn strategies<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
) -> Result<Json<wire::Strategies>, ApiError> {
    let scope = authority::reading(&node, &headers).await?;
    let policy = node.engine.policy_of(&scope).await?;
    let rows = policy
        .strategies
        .all()
        .into_iter()
        .map(|(kind, is_active)| wire::StrategyRow { strategy: wire::strategy(kind), is_active });
    Ok(Json(wire::Strategies { strategies: rows.collect() }))
}

/// `POST mfa/strategies`: 201, and no body.
pub(in crate::http::routes) async fn strategy<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::StrategyRequest>,
) -> Result<StatusCode, ApiError> {
    changed(&node, &headers, &WORDS, || {
        let name = request.strategy.required("strategy")?;
        let on = request.is_active.optional("isActive")?;
        let kind = wire::factor(name).ok_or(Invalid::NotOneOf("strategy", wire::STRATEGIES))?;
        Ok(Change::Strategy(kind, on.ok_or(Invalid::NotABoolean("isActive"))?))
    })
    .await?;
    Ok(StatusCode::CREATED)
}

/// `GET mfa`: what holds for the scope.
pub(in crate::http::routes) async fn show<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
) -> Result<Json<wire::MfaConfig>, ApiError> {
    let scope = authority::reading(&node, &headers).await?;
    seen(&node, &scope).await.map(Json)
}

/// `POST mfa`.
pub(in crate::http::routes) async fn configure<S: Store>(
    State(node): Shared<S>,
    headers: HeaderMap,
    Body(request): Body<wire::MfaConfigRequest>,
) -> Result<(StatusCode, Json<wire::MfaConfig>), ApiError> {
    changed(&node, &headers, &WORDS, || Ok(Change::Factors(visible(&request)?))).await?;
    let scope = authority::reading(&node, &headers).await?;
    Ok((StatusCode::CREATED, Json(seen(&node, &scope).await?)))
}

fn visible(request: &wire::MfaConfigRequest) -> Result<Factors, ApiError> {
    let app = request.authentication_app.given("authenticationApp")?;
    let (sms, email) = (request.sms.given("sms")?, request.email.given("email")?);
    let mut strategies = Vec::new();
    for (kind, part) in
        [(FactorKind::Authenticator, &app), (FactorKind::Sms, &sms), (FactorKind::Email, &email)]
    {
        strategies.extend(part.active.optional("active")?.map(|on| (kind, on)));
    }
    let lives = |part: &wire::FactorRequest| {
        let (least, most) = (SHORTEST_DELIVERED_SECS, DELIVERED_SECS);
        part.token_lifetime_seconds.within("tokenLifetimeSeconds", least, most)
    };
    let sender = email.sender.optional("sender")?.map(EmailAddress::parse).transpose();
    Ok(Factors {
        strategies,
        issuer: app.service_name.optional("serviceName")?.map(str::to_owned),
        sender: sender.map_err(|_| Invalid::NotAnEmail("sender"))?,
        delivered_secs: lives(&email)?,
        sms_secs: lives(&sms)?,
    })
}

async fn seen<S: Store>(node: &Node<S>, scope: &Scope) -> Result<wire::MfaConfig, ApiError> {
    let policy = node.engine.policy_of(scope).await?;
    let on = |kind| policy.strategies.all().contains(&(kind, true));
    Ok(wire::MfaConfig {
        authentication_app: wire::AppConfig {
            active: on(FactorKind::Authenticator),
            service_name: policy.issuer.clone(),
        },
        sms: wire::CodeConfig {
            active: on(FactorKind::Sms),
            token_lifetime_seconds: policy.sms_secs,
        },
        email: wire::MailConfig {
            active: on(FactorKind::Email),
            token_lifetime_seconds: policy.delivered_secs,
            sender: policy.sender.as_ref().map(|sender| sender.as_str().to_owned()),
        },
    })
}
