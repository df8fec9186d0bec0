//! A service of its own beside the server: it knows the server's published keys and nothing else, and asks
//! for a second factor of the last five minutes before it moves money.
//!
//! ```console
//! $ countersign demo &
//! $ cargo run -p countersign-server --example require_assurance -- http://127.0.0.1:8080 CLIENT_ID
//! $ curl -i -X POST http://127.0.0.1:8090/transfers -H "authorization: Bearer $ACCESS"
//! ```
//!
//! Refused with `insufficient_user_authentication`, a client calls `auth/v1/user/step-up/generate`, answers
//! it, and comes again with the new token.

use std::error::Error;

use axum::routing::{get, post};
use axum::{Extension, Router};
use countersign_assurance::{RequireAssurance, keys};
use countersign_ceremony::env::Clock;
use countersign_server::clock::SystemClock;
use countersign_token::AccessClaims;

/// How old a proof may be before money is moved, in seconds.
const MAX_AGE: u64 = 300;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [issuer, client_id] = &arguments[..] else {
        return Err("usage: require_assurance ISSUER CLIENT_ID".into());
    };
    let jwks = format!("{issuer}/.well-known/jwks.json");
    let jwks = ureq::get(&jwks).call()?.body_mut().read_to_string()?;
    let app = app(&jwks, issuer, client_id)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// The service, for the tokens of this issuer and client.
///
/// # Errors
/// The keys are none.
pub(crate) fn app(jwks: &str, issuer: &str, client_id: &str) -> Result<Router, Box<dyn Error>> {
    let any = RequireAssurance::new(keys(jwks, issuer, client_id)?, || SystemClock.now());
    let stepped_up = any.clone().multi_factor().max_age(MAX_AGE);
    Ok(Router::new()
        .route("/balance", get(balance).route_layer(any))
        .route("/transfers", post(transfer).route_layer(stepped_up)))
}

async fn balance(Extension(claims): Extension<AccessClaims>) -> String {
    format!("{} has 12.50\n", claims.sub)
}

async fn transfer(Extension(claims): Extension<AccessClaims>) -> String {
    format!("{} moved it\n", claims.sub)
}
