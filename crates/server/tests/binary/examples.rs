//! The examples of services that link us, each on a free port and driven over HTTP with a whole login.

use std::future::pending;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use super::support::authenticator::Authenticator;
use super::support::browser::{Answer, Browser};
use super::support::clock::wait_for;
use super::support::config::{Config, EMAIL, PASSWORD, free_port};
use super::support::person::Person;

#[path = "../../examples/beside.rs"]
#[expect(dead_code, reason = "its main is the example's alone")]
mod beside;
#[path = "../../examples/own_routes.rs"]
#[expect(dead_code, reason = "its main is the example's alone")]
mod own_routes;

/// Runs a service on a thread of its own; it ends with the test's process.
fn in_background<F: Future<Output = ()>>(service: impl FnOnce() -> F + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(service());
    });
}

/// Asks a route of a service's own.
fn post(browser: &mut Browser, path: &str, body: &Value) -> Answer {
    browser.send(Method::POST, path, body.to_string().into_bytes())
}

fn get(browser: &Browser, path: &str) -> Answer {
    browser.clone().send(Method::GET, path, Vec::new())
}

#[test]
fn a_service_links_the_ceremony_with_routes_and_users_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let app = own_routes::app(directory.path()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut ada = Browser::new(&format!("http://{}", listener.local_addr().unwrap()));
    listener.set_nonblocking(true).unwrap();
    in_background(async move || {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, app).await.unwrap();
    });

    let password = json!(["ada", "correct horse"]);
    post(&mut ada, "/sign-up", &password).expect(201);
    for wrong in [json!(["ada", "wrong"]), json!(["bob", "correct horse"])] {
        post(&mut ada, "/log-in", &wrong).expect(401);
    }

    let forced = post(&mut ada, "/log-in", &password).expect(200);
    let mut app = Authenticator::scan(&forced.text("scan"));
    let login = forced.text("login");
    post(&mut ada, "/code", &json!([login, app.wrong_code()])).expect(400);
    let spent = app.code();
    let enrolled = post(&mut ada, "/code", &json!([login, spent])).expect(200);
    assert!(!enrolled.text("recovery").is_empty());
    let me = get(&ada.clone().with_bearer(&enrolled.text("token")), "/me").expect(200);
    assert_eq!(me.bytes, b"ada");
    get(&ada, "/me").expect(401);
    post(&mut ada, "/code", &json!([login, app.peek()])).expect(401);

    let mut elsewhere = ada.another();
    let asked = post(&mut elsewhere, "/log-in", &password).expect(200);
    assert_eq!(asked.body["scan"], Value::Null, "a password alone adds no app");
    let login = asked.text("login");
    post(&mut elsewhere, "/code", &json!([login, spent])).expect(400);
    post(&mut elsewhere, "/code", &json!([login, app.code()])).expect(200).text("token");
    let remembered = post(&mut elsewhere, "/log-in", &password).expect(200);
    remembered.text("token");
    post(&mut ada.another(), "/log-in", &password).expect(200).text("login");
}

#[test]
fn the_service_with_routes_of_its_own_is_short_and_has_none_of_our_http() {
    let text = include_str!("../../examples/own_routes.rs");
    assert!(text.lines().count() < 150);
    for ours in ["countersign_server::http", "countersign_server::wire", "http::router"] {
        assert!(!text.contains(ours), "{ours}");
    }
}

#[test]
fn a_service_serves_our_routes_beside_its_own() {
    let port = free_port();
    let (directory, file) = Config::new().written(port);
    in_background(async move || beside::serve(&file, pending()).await.unwrap());
    let up = wait_for(Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", port)).ok());
    assert!(up.is_some(), "it did not come up");

    let browser = Browser::new(&format!("http://127.0.0.1:{port}"));
    get(&browser, "/orders").expect(401);
    get(&browser.clone().with_bearer("nonsense"), "/orders").expect(401);
    let mut ada = Person::with_password(browser.clone(), EMAIL, PASSWORD);
    let answer = ada.enrol_remembered().answer;
    let orders = get(&browser.clone().with_bearer(&answer.text("accessToken")), "/orders");
    let shown = String::from_utf8(orders.expect(200).bytes).unwrap();
    assert!(shown.contains(answer.claims()["sub"].as_str().unwrap()), "{shown}");
    let remembered = ada.login().text("accessToken");
    get(&browser.with_bearer(&remembered), "/orders").expect(403);
    drop(directory);
}
