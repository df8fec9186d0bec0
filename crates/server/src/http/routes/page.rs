//! The page at `/`: a few files that are compiled in. It has no secret and no power of its own.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

const PAGE: &str = include_str!("../../page/index.html");
const STYLE: &str = include_str!("../../page/page.css");
const SCRIPT: &str = include_str!("../../page/page.js");
const PASSKEY: &str = include_str!("../../page/passkey.js");
const MARK: &str = include_str!("../../page/mark.svg");

/// The page of a service of this name.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(service: &str) -> Router<S> {
    let page = PAGE.replace("{service}", &escape(service));
    Router::new()
        .route("/", get(async move || file("text/html; charset=utf-8", page)))
        .route("/assets/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/assets/page.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/assets/passkey.js", get(async || file("text/javascript; charset=utf-8", PASSKEY)))
        .route("/assets/mark.svg", get(async || file("image/svg+xml", MARK)))
}

/// Asked for afresh each time: an old script beside a new page helps nobody.
fn file(kind: &'static str, body: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
