//! What every request passes, from the outside in: its trace id and security headers, CORS, the net
//! under a panic, its deadline, and who the client is.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, header::ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use countersign_ceremony::env::Random;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tracing::Instrument;

use super::client::Client;
use super::error::ApiError;
use crate::config::Config;

/// The client copies it into its errors, so that people can name a request.
const TRACE_ID: HeaderName = HeaderName::from_static("frontegg-trace-id");

/// How much of a refused request's body is read, in bytes.
const DRAINED: usize = 64 * 1024;

/// Nothing is loaded from elsewhere, nothing inline runs, and no page frames ours.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                   connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Names the request in its answer and in the log, and sets what every answer carries.
pub(super) async fn trace(
    State(random): State<Arc<dyn Random>>,
    request: Request,
    next: Next,
) -> Response {
    let mut id = [0; 16];
    // An id is a convenience: without one the request goes on as zeros.
    let _ = random.try_fill(&mut id);
    let id = format!("{:032x}", u128::from_be_bytes(id));
    // The path alone: a query holds a login's token.
    let span = tracing::info_span!(
        "request", trace = id, method = %request.method(), path = request.uri().path()
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.in_scope(|| tracing::debug!(status = status.as_u16(), "answered"));
    metrics::counter!("http_answers", "status" => status.as_str().to_owned()).increment(1);

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(TRACE_ID, id);
    }
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, CSP),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Tokens, secrets and recovery codes stay in no cache.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// CORS (the Fetch standard) for the configured origins, exactly, with credentials.
pub(super) fn cors(config: &Config) -> CorsLayer {
    let origins = config.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_headers(AllowHeaders::mirror_request())
        .allow_methods(AllowMethods::list([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ]))
        .expose_headers([TRACE_ID, RETRY_AFTER])
        .max_age(Duration::from_secs(600))
}

/// A panic is a defect, and still an answer of the contract's shape.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // What it said may hold anything, so it is not repeated here; the panic hook has written where it was.
    tracing::error!("a request panicked");
    ApiError::internal().into_response()
}

/// Answers a request at its deadline at the latest.
///
/// The work runs on a task of its own: a client that hangs up, or that waited too long, stops
/// neither the swap nor the mail that follows it, nor whoever waits for the same user.
pub(super) async fn deadline(
    State(deadline): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let work = tokio::spawn(next.run(request).in_current_span());
    match tokio::time::timeout(deadline, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a request panicked");
            ApiError::internal().into_response()
        }
        Err(_) => {
            tracing::warn!("a request ran into its deadline");
            ApiError::unavailable().into_response()
        }
    }
}

/// Finds out who the client is, for the handlers.
pub(super) async fn client(
    State(config): State<Arc<Config>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let client = Client::of(peer, request.headers(), &config)?;
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if client.tls {
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, year);
    }
    Ok(response)
}

/// Refuses what a page of another site asks for by our cookies. A request without `Origin`, as SDKs send it, passes;
/// browsers send it with every POST.
pub(super) async fn origin(
    State(config): State<Arc<Config>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if is_allowed(request.headers(), &config) {
        return Ok(next.run(request).await);
    }
    // What is under way is read first: a connection that closes on it may lose the answer.
    let _ = axum::body::to_bytes(request.into_body(), DRAINED).await;
    Err(ApiError::origin())
}

fn is_allowed(headers: &HeaderMap, config: &Config) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    origins.all(|origin| {
        let Ok(origin) = origin.to_str() else { return false };
        origin == config.base_url
            || config.origins.iter().any(|allowed| allowed == origin)
            || is_own_loopback(origin, config)
    })
}

/// On loopback the same listener has several names.
fn is_own_loopback(origin: &str, config: &Config) -> bool {
    let port = config.listen.port();
    config.listen.ip().is_loopback()
        && ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|host| *origin == format!("http://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    fn allowed(origin: Option<&'static str>) -> bool {
        let text = "listen = '127.0.0.1:8080'\nbase_url = 'https://login.example.com'\n\
                    origins = ['https://app.example.com']\n\
                    data = 'd'\nclient_id = 'c'\noutbox = 'o'\n[[tenants]]\nid = 'acme'\n";
        let config = Config::parse("t", text, []).unwrap();
        let headers = origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin)));
        is_allowed(&headers.into_iter().collect(), &config)
    }

    #[test]
    fn own_and_configured_origins_pass_and_no_others() {
        assert!(allowed(None));
        assert!(allowed(Some("https://login.example.com")));
        assert!(allowed(Some("https://app.example.com")));
        assert!(allowed(Some("http://localhost:8080")));
        for foreign in [
            "null",
            "",
            "https://evil.example",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "http://localhost:8081",
        ] {
            assert!(!allowed(Some(foreign)), "{foreign}");
        }
    }

    async fn answer(router: axum::Router) -> (u16, serde_json::Value) {
        let response = router.oneshot(Request::new(axum::body::Body::empty())).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_that_repeats_nothing() {
        let route = get(async || -> &'static str { panic!("secret {}", 42) });
        let router = axum::Router::new().route("/", route);
        let (status, body) = answer(router.layer(CatchPanicLayer::custom(panicked))).await;
        assert_eq!(status, 500);
        assert_eq!(body["errorCode"], "ER-00500");
        assert!(!body.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_stops_nothing() {
        let (started, begun) = tokio::sync::oneshot::channel();
        let (done, finished) = tokio::sync::oneshot::channel();
        let ends = Arc::new(std::sync::Mutex::new(Some((started, done))));
        let route = get(async move || {
            let ends = ends.lock().unwrap().take();
            let (started, done) = ends.unwrap();
            started.send(()).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            done.send(()).unwrap();
            "done"
        });
        let layer = from_fn_with_state(Duration::from_secs(5), deadline);
        let router = axum::Router::new().route("/", route).layer(layer);
        let client = tokio::spawn(answer(router));
        begun.await.unwrap();
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        finished.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_ends_at_its_deadline() {
        let route = get(async || std::future::pending::<&'static str>().await);
        let layer = from_fn_with_state(Duration::from_millis(10), deadline);
        let (status, body) = answer(axum::Router::new().route("/", route).layer(layer)).await;
        assert_eq!((status, body["errorCode"].as_str()), (503, Some("ER-00503")));
    }
}
