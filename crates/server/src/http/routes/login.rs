//! `POST auth/v1/user`: the password of one of our own users.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use countersign_ceremony::port::Store;
use countersign_device::EmailAddress;
use zeroize::Zeroizing;

use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::reply::answer;
use crate::node::Node;
use crate::wire;

/// A wrong password, an unknown address and a text that is no address are told alike, at one cost.
pub(super) async fn password<S: Store>(
    State(node): State<Arc<Node<S>>>,
    caller: Caller,
    Body(request): Body<wire::Login>,
) -> Result<Response, ApiError> {
    let address = request.address()?;
    let password = request.password.required("password")?;
    // No address of ours: checked all the same, so that it costs what a wrong password costs.
    let nobody = || EmailAddress::parse("nobody@invalid").map_err(|_| ApiError::internal());
    let email = EmailAddress::parse(address).or_else(|_| nobody())?;
    let password = Zeroizing::new(password.as_bytes().to_vec());
    let now = node.engine.env().clock.now();
    let address = caller.client.address;
    let may = node.failed_logins.check(address, now);
    may.map_err(|wait| ApiError::too_many(Some(wait)))?;
    let application = caller.application.clone();
    let reply = node.engine.log_in(&email, password, application, &caller.presented).await?;
    let Some(reply) = reply else {
        // Counted once it is known: who is right is never counted.
        let _ = node.failed_logins.count(address, now);
        return Err(ApiError::credentials());
    };
    answer(&node, &caller, StatusCode::OK, Ok(reply))
}
