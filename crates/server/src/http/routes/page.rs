//! The page at `/`: a few files that are compiled in. It has no secret and no power of its own.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

const PAGE: &str = include_str!("../../page/index.html");
const STYLE: &str = include_str!("../../page/page.css");
const MARK: &str = include_str!("../../page/mark.svg");

/// The scripts, each of one topic.
const SCRIPTS: [(&str, &str); 7] = [
    ("/assets/page.js", include_str!("../../page/page.js")),
    ("/assets/call.js", include_str!("../../page/call.js")),
    ("/assets/view.js", include_str!("../../page/view.js")),
    ("/assets/session.js", include_str!("../../page/session.js")),
    ("/assets/login.js", include_str!("../../page/login.js")),
    ("/assets/account.js", include_str!("../../page/account.js")),
    ("/assets/passkey.js", include_str!("../../page/passkey.js")),
];

/// The page of a service of this name.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(service: &str) -> Router<S> {
    let page = PAGE.replace("{service}", &escape(service));
    let router = Router::new()
        .route("/", get(async move || file("text/html; charset=utf-8", page)))
        .route("/assets/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/assets/mark.svg", get(async || file("image/svg+xml", MARK)));
    SCRIPTS.into_iter().fold(router, |router, (path, script)| {
        router.route(path, get(async move || file("text/javascript; charset=utf-8", script)))
    })
}

/// Asked for afresh each time: an old script beside a new page helps nobody.
fn file(kind: &'static str, body: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
