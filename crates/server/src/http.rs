//! HTTP: the routes of the contract, the page, and the layers around them.

mod agent;
mod asker;
mod authority;
mod body;
mod caller;
mod client;
mod cookie;
mod error;
mod layers;
mod limiter;
mod openapi;
mod reply;
mod routes;
mod serve;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use countersign_ceremony::port::Store;
use tower_http::catch_panic::CatchPanicLayer;

use crate::node::Node;

pub use self::client::Client;
pub use self::cookie::{Cookies, Which};
pub use self::error::ApiError;
pub use self::limiter::Limiter;
pub use self::serve::{LAST_REQUESTS, serve};

/// Everything that a node serves. Connections have to bring their peer's address
/// ([`ConnectInfo`](axum::extract::ConnectInfo)), as [`serve`] does.
pub fn router<S: Store>(node: &Arc<Node<S>>) -> Router {
    let random = Arc::clone(&node.engine.env().random);
    routes::all(node)
        .layer(from_fn_with_state(Arc::clone(&node.config), layers::client))
        .layer(from_fn_with_state(node.config.deadline, layers::deadline))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(layers::cors(&node.config))
        .layer(from_fn_with_state(random, layers::trace))
}
