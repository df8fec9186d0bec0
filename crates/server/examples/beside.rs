//! A service that has routes of its own and serves ours beside them, on one port, over one engine.
//!
//! `cargo run -p countersign-server --example beside -- countersign.toml` takes the configuration of `countersign serve`.
//! A client logs in by the contract's routes, and comes with its access token to `/orders`.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use countersign_server::config::Config;
use countersign_server::databases::Databases;
use countersign_server::http;
use countersign_server::node::Node;
use tokio::net::TcpListener;

/// How long mails that are queued may take at the end.
const LAST_MAILS: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: beside CONFIGURATION")?;
    serve(Path::new(&file), async {
        // Where no signal can be waited for, it serves until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
    .await
}

/// Serves both until `ended`.
pub(crate) async fn serve(
    file: &Path,
    ended: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let config = Config::read(file, [])?;
    let listener = TcpListener::bind(config.listen).await?;
    let (node, carriers) = Node::open(config).await?;
    let node = Arc::new(node);
    let own = Router::new().route("/orders", get(orders)).with_state(Arc::clone(&node));
    let app = own.merge(http::router(&node));
    drop(node);
    http::serve(listener, app, ended).await;
    // The queue ended with the node: what it holds is still sent.
    carriers.finish(LAST_MAILS).await;
    Ok(())
}

/// A route of the service's own: whose orders, the engine says. Their session must have been proved by a second factor.
async fn orders(
    State(node): State<Arc<Node<Databases>>>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
    // No decision was reached: nobody is let in.
    let session =
        node.engine().authenticate(token).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let claims = session.ok_or(StatusCode::UNAUTHORIZED)?.claims;
    if !claims.amr.iter().any(|method| method == "mfa") {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(format!("no orders of {} yet\n", claims.sub))
}
