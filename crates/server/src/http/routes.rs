//! The routes of the contract: each opens its JSON, asks the engine and maps what it says.

mod account;
mod browsers;
mod configuration;
mod factor;
mod login;
mod own_email;
mod own_phones;
mod page;
mod passkey;
mod policy;
mod refill;
mod session;
mod sms;
mod step_up;
mod vendor;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use countersign_ceremony::port::Store;

use super::error::ApiError;
use super::{layers, openapi};
use crate::node::Node;
use configuration::{factors, lockout, mfa, service};

/// Where the routes of the contract are served: as its document has it, and as its web client calls it.
const PREFIXES: [&str; 2] = ["/identity/resources", "/frontegg/identity/resources"];

/// All routes, without the layers around them.
pub(super) fn all<S: Store>(node: &Arc<Node<S>>) -> Router {
    let mut router = Router::new()
        .merge(page::routes(&node.config.service))
        .route("/healthz", get(healthz))
        .route("/openapi.json", get(openapi::served()))
        .route("/frontegg/openapi.json", get(openapi::served()))
        .route("/.well-known/jwks.json", get(session::jwks::<S>));
    for path in ["/auth/vendor", "/auth/vendor/", "/frontegg/auth/vendor", "/frontegg/auth/vendor/"]
    {
        router = router.route(path, post(vendor::token::<S>));
    }
    for prefix in PREFIXES {
        let path = |tail: &str| format!("{prefix}/{tail}");
        let keys = prefix.replace("/identity/resources", "/.well-known/jwks.json");
        if keys != "/.well-known/jwks.json" {
            router = router.route(&keys, get(session::jwks::<S>));
        }
        // These act by a cookie, or give one away: a page of another site has no say in them.
        let by_cookie = Router::new()
            .route(&path("auth/v1/user"), post(login::password::<S>))
            .route(&path("auth/v1/user/token/refresh"), post(session::refresh::<S>))
            .route(&path("auth/v1/logout"), post(session::logout::<S>))
            .route(&path("auth/v1/user/mfa/verify"), post(factor::any_code::<S>))
            .route(&path("auth/v1/user/mfa/authenticator/enroll"), post(factor::pre_enrol::<S>))
            .route(
                &path("auth/v1/user/mfa/authenticator/enroll/verify"),
                post(factor::confirm::<S>),
            )
            .route(
                &path("auth/v1/user/mfa/authenticator/{device}/verify"),
                post(factor::device_code::<S>),
            )
            .route(&path("auth/v1/user/mfa/emailcode"), post(factor::send_email::<S>))
            .route(&path("auth/v1/user/mfa/emailcode/verify"), post(factor::email_code::<S>))
            .route(&path("auth/v1/user/step-up/generate"), post(step_up::generate::<S>))
            .merge(passkey::of_logins(&path))
            .merge(sms::routes::<S>(&path))
            .route(&path("auth/v1/user/mfa/recover"), post(factor::recover::<S>))
            .route_layer(from_fn_with_state(Arc::clone(&node.config), layers::origin));
        router = router
            .merge(by_cookie)
            .route(
                &path("configurations/v1/mfa-policy/allow-remember-device"),
                get(policy::allow_remember::<S>),
            )
            .merge(configurations(&path("configurations/v1")))
            .route(&path("auth/v1/user/mfa/refill"), post(refill::open::<S>))
            .route(&path("users/sessions/v1/me/all"), delete(session::sign_out_everywhere::<S>))
            .route(&path("users/v2/me"), get(session::me::<S>))
            .route(&path("users/v3/me/tenants"), get(session::tenants::<S>))
            .merge(account::routes(&path))
            .merge(browsers::routes(&path))
            .merge(passkey::of_accounts(&path))
            .merge(own_email::routes(&path))
            .merge(own_phones::routes(&path))
            .route(&path("vendor-only/mfa/v1/logins"), post(vendor::login::<S>))
            .route(&path("vendor-only/mfa/v1/lifecycle"), post(vendor::lifecycle::<S>));
    }
    router
        .fallback(async || ApiError::not_found())
        .method_not_allowed_fallback(async || ApiError::method())
        .with_state(Arc::clone(node))
}

/// What tenants and applications ask of their users.
fn configurations<S: Store>(base: &str) -> Router<Arc<Node<S>>> {
    let path = |tail: &str| format!("{base}/{tail}");
    Router::new()
        .route(base, get(service::show::<S>))
        .route(
            &path("mfa-policy"),
            get(mfa::show::<S>).post(mfa::create::<S>).patch(mfa::update::<S>).put(mfa::put::<S>),
        )
        .route(&path("mfa-policy/vendor"), get(mfa::environment::<S>))
        .route(&path("mfa/strategies"), get(factors::strategies::<S>).post(factors::strategy::<S>))
        .route(&path("mfa"), get(factors::show::<S>).post(factors::configure::<S>))
        .route(
            &path("lockout-policy"),
            get(lockout::show::<S>).post(lockout::create::<S>).patch(lockout::update::<S>),
        )
}

/// The process answers. Whether its store does is in the answers of the other routes.
async fn healthz() -> &'static str {
    "ok\n"
}
