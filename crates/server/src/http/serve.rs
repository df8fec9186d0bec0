//! Takes connections and serves them, within bounds: how many at once, how long a head may take, how
//! large it may be. Ends gracefully: no new connection, and the requests under way are answered.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// Connections at once; beyond it they wait to be taken.
const CONNECTIONS: usize = 4096;
/// How long a client may take to send the head of a request, also of the next one on the same connection.
const HEAD: Duration = Duration::from_secs(30);
/// The largest head, in bytes, and with it the largest cookie.
const HEAD_BYTES: usize = 64 * 1024;
/// How long the requests under way may take at the end.
pub const LAST_REQUESTS: Duration = Duration::from_secs(15);

/// Serves until `ended`, then lets the requests under way finish.
pub async fn serve(listener: TcpListener, router: Router, ended: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut ended = std::pin::pin!(ended);
    loop {
        let accepted = async {
            // Never closed, so there is always a permit to wait for.
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = &mut ended => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer)) => connection(stream, peer, &router, &graceful, permit),
            Err(error) => refused(&error).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(LAST_REQUESTS, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off at the end");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Router,
    graceful: &GracefulShutdown,
    permit: Option<tokio::sync::OwnedSemaphorePermit>,
) {
    // Small answers at once: Nagle's algorithm would hold them back.
    let _ = stream.set_nodelay(true);
    let service = router.clone().map_request(move |mut request: axum::http::Request<_>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let service = TowerToHyperService::new(service);
    let served = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = served.await {
            // A client that hangs up, or that speaks no HTTP.
            tracing::debug!(%error, "a connection ended early");
        }
        drop(permit);
    });
}

/// A connection that went before it was taken is nobody's matter; a system out of descriptors needs a moment.
async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::*;

    async fn connected(to: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream
    }

    #[tokio::test]
    async fn requests_under_way_are_answered_at_the_end() {
        let (begun, mut begins) = tokio::sync::mpsc::channel(1);
        let route = get(async move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
            begun.send(()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            format!("hello {}", peer.ip())
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let ended = async { ended.await.unwrap() };
        let served = tokio::spawn(serve(listener, Router::new().route("/", route), ended));

        let mut stream = connected(address).await;
        begins.recv().await.unwrap();
        end.send(()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("hello 127.0.0.1"), "{answer}");
        served.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "no new connection");
    }
}
