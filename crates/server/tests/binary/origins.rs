//! Who may call from a page: configured origins with credentials, the server's own, and requests without an Origin
//! (SDKs, Node).

use serde_json::json;
use ureq::http::Method;

use super::support::browser::{Answer, Browser};
use super::support::config::Config;
use super::support::person::{AUTH, Enrolled, Person, VERIFY};
use super::support::server::Server;

const FRIEND: &str = "https://app.example.com";
const REFRESH: &str = "auth/v1/user/token/refresh";

/// Origins that are neither the server's own nor configured, however alike.
const FOREIGN: &[&str] = &[
    "https://evil.example",
    "null",
    "http://app.example.com",
    "https://app.example.com.evil.example",
    "https://app.example.com:8443",
    "https://xapp.example.com",
    "https://APP.example.com@evil.example",
];

fn served() -> (Server, Person) {
    let server = Config::new().origin(FRIEND).serve();
    let person = Person::known_to(&server);
    (server, person)
}

#[test]
fn preflight_names_the_configured_origin_with_credentials() {
    let (server, _) = served();
    let preflight = |origin: &str, route: &str| {
        let mut browser = server
            .browser()
            .with_header("origin", origin)
            .with_header("access-control-request-method", "POST")
            .with_header("access-control-request-headers", "content-type,authorization,x-frontegg-sdk,x-frontegg-framework,frontegg-source,frontegg-requested-application-id");
        let path = browser.path(route);
        browser.send(Method::OPTIONS, &path, Vec::new())
    };
    for route in [AUTH, VERIFY, REFRESH, "users/v2/me"] {
        let answer = preflight(FRIEND, route);
        assert!((200..300).contains(&answer.status), "{route}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let allowed = answer.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        for name in ["content-type", "authorization", "x-frontegg-sdk", "frontegg-source"] {
            assert!(allowed.contains(name), "{name} is missing in {allowed}");
        }
        let vary = answer.header("vary").unwrap_or_default().to_ascii_lowercase();
        assert!(vary.contains("origin"), "caches must tell origins apart: {vary}");
        for origin in FOREIGN {
            let answer = preflight(origin, route);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
    }
}

#[test]
fn configured_own_and_absent_origins_pass() {
    let (server, mut person) = served();
    let login = |browser: &mut Browser| {
        browser.post(AUTH, &json!({"email": server.email, "password": server.password}))
    };
    login(&mut person.browser).expect(200);
    let own = server.url.trim_end_matches('/');
    login(&mut server.browser().with_header("origin", own)).expect(200);
    let answer = login(&mut server.browser().with_header("origin", FRIEND)).expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
}

#[test]
fn foreign_origin_acts_by_no_cookie() {
    let (server, mut person) = served();
    let Enrolled { mut app, .. } = person.enrol();
    let mfa_token = person.mfa_token();
    let body = json!({"mfaToken": mfa_token, "value": app.code(), "rememberDevice": true});
    person.browser.post(VERIFY, &body).expect(201);

    for origin in FOREIGN {
        let mut lured = person.browser.clone().with_header("origin", origin);
        assert_refused(&lured.post(REFRESH, &json!({"tenantId": null})));
        let body = json!({"email": server.email, "password": server.password});
        assert_refused(&lured.post(AUTH, &body));
    }
    // Nothing was rotated or spent: the owner's cookies are good.
    person.browser.post(REFRESH, &json!({"tenantId": null})).expect(201);
    assert_eq!(person.login().body["mfaRequired"], false, "still remembered");
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{}: {}", answer.status, answer.body);
    answer.assert_error_shape();
    assert!(answer.set_cookies().is_empty(), "no cookie for a foreign page");
    assert!(answer.header("access-control-allow-origin").is_none());
}
