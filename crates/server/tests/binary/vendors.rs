//! The services that manage: added, listed and revoked on the command line, and what each may do over HTTP.

use serde_json::{Value, json};

use super::support::browser::{Answer, Browser};
use super::support::events::Events;
use super::support::person::{VENDOR_LIFECYCLE, VENDOR_LOGINS};
use super::support::server::{Server, countersign};
use ureq::http::Method;

const POLICY: &str = "configurations/v1/mfa-policy";

/// `countersign vendor ...` at a server's data directory; what it prints.
#[track_caller]
fn vendor(server: &Server, arguments: &[&str]) -> String {
    let mut command = countersign();
    command.arg("vendor").args(arguments).arg("--data").arg(server.data());
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "countersign vendor {arguments:?}: {shown}");
    String::from_utf8(output.stdout).unwrap()
}

/// A new service: client id and secret.
#[track_caller]
pub(crate) fn add(server: &Server, arguments: &[&str]) -> (String, String) {
    let printed = vendor(server, &[&["new"], arguments].concat());
    let line = |word: &str| {
        let found = printed.lines().find_map(|line| line.strip_prefix(word));
        found.unwrap_or_else(|| panic!("no {word} in {printed}")).trim().to_owned()
    };
    (line("client "), line("secret "))
}

pub(crate) fn authenticate(server: &Server, client: &str, secret: &str) -> Answer {
    let body = json!({"clientId": client, "secret": secret});
    server.browser().send(Method::POST, "/auth/vendor", body.to_string().into_bytes())
}

fn token(server: &Server, (client, secret): &(String, String)) -> Browser {
    let token = authenticate(server, client, secret).expect(200).text("token");
    server.browser().with_bearer(&token)
}

fn login(tenant: &str) -> Value {
    json!({"tenantId": tenant, "userId": "ada", "email": "ada@example.com", "firstFactor": "password"})
}

#[test]
fn a_secret_buys_a_token_that_ends_with_its_client() {
    let server = Server::demo();
    let acme = add(&server, &["--name", "Acme", "--scope", "policy,logins"]);
    let bought = authenticate(&server, &acme.0, &acme.1).expect(200);
    assert_eq!(bought.body["expiresIn"], 86_400);
    for path in ["/auth/vendor/", "/frontegg/auth/vendor"] {
        let body = json!({"clientId": acme.0, "secret": acme.1}).to_string().into_bytes();
        server.browser().send(Method::POST, path, body).expect(200);
    }
    let mut service = server.browser().with_bearer(&bought.text("token"));
    service.post(POLICY, &json!({})).expect(201);
    // As the vendor's server SDK presents it.
    let mut sdk = server.browser().with_header("x-access-token", &bought.text("token"));
    sdk.get(POLICY).expect(200);

    vendor(&server, &["revoke", "--tokens-only", &acme.0]);
    service.get(POLICY).refused(401);
    let mut service = token(&server, &acme);
    service.get(POLICY).expect(200);
    vendor(&server, &["revoke", &acme.0]);
    service.get(POLICY).refused(401);
    authenticate(&server, &acme.0, &acme.1).refused(401);

    let events = Events::read(&server.data());
    assert_eq!(events.of_kind("client_added").len(), 1);
    assert_eq!(events.of_kind("client_revoked").len(), 2);
    let bought = events.of_kind("client_authenticated");
    assert_eq!(bought.len(), 4);
    assert!(bought.iter().all(|event| event["client"] == acme.0.as_str()));
}

#[test]
fn a_wrong_secret_and_an_unknown_client_are_one_answer() {
    let server = Server::demo();
    let (client, secret) = add(&server, &[]);
    let (other, _) = add(&server, &[]);
    let wrong = authenticate(&server, &client, "wrong").refused(401);
    for (client, secret) in [("nobody", &*secret), (&*other, &*secret), ("no id at all", "x")] {
        assert_eq!(authenticate(&server, client, secret).refused(401).body, wrong.body, "{client}");
    }
    for body in [
        json!({}),
        json!({"clientId": client}),
        json!({"secret": secret}),
        json!({"clientId": 1, "secret": secret}),
    ] {
        let body = body.to_string().into_bytes();
        server.browser().send(Method::POST, "/auth/vendor", body).refused(400);
    }
    authenticate(&server, &client, &secret).expect(200);

    // Each client's first wrong secret is written down, and no flood of them.
    for _ in 0..20 {
        authenticate(&server, &client, "wrong").refused(401);
    }
    let events = Events::read(&server.data());
    let refused: Vec<&Value> = events.of_kind("client_refused");
    let mut of: Vec<&str> = refused.iter().map(|event| event["client"].as_str().unwrap()).collect();
    of.sort_unstable();
    let mut expected = [client.as_str(), other.as_str()];
    expected.sort_unstable();
    assert_eq!(of, expected);
}

#[test]
fn each_token_is_listed_and_revoked_by_itself() {
    let server = Server::demo();
    let acme = add(&server, &[]);
    let (mut one, mut other) = (token(&server, &acme), token(&server, &acme));
    other.post(POLICY, &json!({})).expect(201);
    let listed = |server: &Server| -> Vec<Value> {
        let lines = vendor(server, &["list"]);
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let client = lines.into_iter().find(|line| line["client"] == acme.0.as_str()).unwrap();
        client["tokens"].as_array().unwrap().clone()
    };
    let tokens = listed(&server);
    assert_eq!(tokens.len(), 2);
    let lives = |token: &Value| token["ends"].as_u64().unwrap() - token["bought"].as_u64().unwrap();
    assert!(tokens.iter().all(|token| lives(token) == 86_400), "{tokens:?}");
    one.get(POLICY).expect(200);
    vendor(&server, &["revoke", &acme.0, "--token", tokens[0]["id"].as_str().unwrap()]);
    one.get(POLICY).refused(401);
    other.get(POLICY).expect(200);
    assert_eq!(listed(&server), [tokens[1].clone()]);
    assert_eq!(Events::read(&server.data()).of_kind("client_token_revoked").len(), 1);
    vendor(&server, &["revoke", "--tokens-only", &acme.0]);
    assert_eq!(listed(&server), [Value::Null; 0], "what is dead is listed no more");
    let mut again = countersign();
    again.args(["vendor", "revoke", &acme.0, "--token", tokens[0]["id"].as_str().unwrap()]);
    assert!(!again.arg("--data").arg(server.data()).output().unwrap().status.success());
}

#[test]
fn each_scope_opens_its_own_routes_alone() {
    let server = Server::demo();
    let event = json!({"userId": "ada", "event": "SignOutEverywhere"});
    let body = json!({"enforceMFAType": "Force"});
    for (scope, [read, policy, users, logins]) in [
        ("read", [200, 403, 403, 403]),
        ("policy", [200, 200, 403, 403]),
        ("users", [200, 403, 200, 403]),
        ("logins", [200, 403, 403, 200]),
    ] {
        let service = token(&server, &add(&server, &["--scope", scope]));
        let mut service = service.with_header("frontegg-tenant-id", "demo");
        assert_eq!(service.get(POLICY).status, read, "{scope}");
        let path = service.path(POLICY);
        let put = service.send(Method::PUT, &path, body.to_string().into_bytes());
        assert_eq!(put.status, policy, "{scope}");
        assert_eq!(service.post(VENDOR_LIFECYCLE, &event).status, users, "{scope}");
        assert_eq!(service.post(VENDOR_LOGINS, &login("demo")).status, logins, "{scope}");
    }
}

/// E-19: an administrator of one tenant acts on that tenant alone.
#[test]
fn a_client_of_one_tenant_reaches_no_other() {
    let server = Server::demo();
    let mut other = token(&server, &add(&server, &["--tenant", "other"]));
    other.post(VENDOR_LOGINS, &login("demo")).refused(403);
    other.post(VENDOR_LIFECYCLE, &json!({"userId": "ada", "event": "Erased"})).refused(403);
    let mut at_demo = other.clone().with_header("frontegg-tenant-id", "demo");
    at_demo.get(POLICY).refused(403);
    at_demo.post(POLICY, &json!({})).refused(403);

    let mut demo = token(&server, &add(&server, &["--tenant", "demo"]));
    demo.post(VENDOR_LOGINS, &login("demo")).expect(200);
    let own = demo.get(POLICY).expect(200);
    let mut operator = server.browser().with_bearer(&server.vendor_token());
    operator.get(POLICY).refused(404);
    let mut named = operator.with_header("frontegg-tenant-id", "demo");
    assert_eq!(named.get(POLICY).expect(200).body, own.body, "its token stands for its tenant");
}

#[test]
fn the_list_shows_who_may_what_and_no_secret() {
    let server = Server::demo();
    let (client, secret) = add(&server, &["--name", "Acme", "--scope", "read", "--tenant", "demo"]);
    let listed = vendor(&server, &["list"]);
    assert!(!listed.contains(&secret));
    let line: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(line["client"], client.as_str());
    assert_eq!([&line["name"], &line["tenant"]], ["Acme", "demo"]);
    assert_eq!(line["scopes"], json!(["read"]));
    assert_eq!([&line["lastToken"], &line["hasSecret"]], [&Value::Null, &json!(true)]);

    let mut operator = server.browser().with_bearer(&server.vendor_token());
    operator.post(POLICY, &json!({})).expect(201);
    vendor(&server, &["revoke", "operator"]);
    operator.get(POLICY).refused(401);
    server.browser().with_bearer(&server.vendor_token()).get(POLICY).expect(200);
    let output =
        countersign().args(["vendor", "revoke", "nobody", "--data"]).arg(server.data()).output();
    assert!(!output.unwrap().status.success());
}
