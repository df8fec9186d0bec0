//! Policies over HTTP: who may read and change them, what the contract answers, and that they hold at the next request.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use super::support::browser::{Answer, Browser};
use super::support::clock::wait_for;
use super::support::config::Config;
use super::support::events::Events;
use super::support::person::{AUTH, EMAIL_CODE, Person, VENDOR_LOGINS};
use super::support::server::Server;

const POLICY: &str = "configurations/v1/mfa-policy";
const STRATEGIES: &str = "configurations/v1/mfa/strategies";
const MFA: &str = "configurations/v1/mfa";
const LOCKOUT: &str = "configurations/v1/lockout-policy";

/// A vendor at its tenant.
fn vendor(server: &Server, tenant: &str) -> Browser {
    server.browser().with_bearer(&server.vendor_token()).with_header("frontegg-tenant-id", tenant)
}

fn patch(browser: &mut Browser, route: &str, body: &Value) -> Answer {
    let path = browser.path(route);
    browser.send(Method::PATCH, &path, body.to_string().into_bytes())
}

fn put(browser: &mut Browser, route: &str, body: &Value) -> Answer {
    let path = browser.path(route);
    browser.send(Method::PUT, &path, body.to_string().into_bytes())
}

#[track_caller]
fn sentence(answer: &Answer) -> &str {
    answer.body["errors"][0].as_str().expect("a sentence")
}

#[test]
fn the_environment_has_no_policy_until_one_is_made() {
    let server = Server::demo();
    let mut vendor = server.browser().with_bearer(&server.vendor_token());
    for route in [POLICY, "configurations/v1/mfa-policy/vendor"] {
        let absent = vendor.get(route).refused(404);
        assert_eq!(sentence(&absent), "Security Policy not found. MFA is disabled");
    }
    let absent = patch(&mut vendor, POLICY, &json!({"enforceMFAType": "Force"})).refused(404);
    assert_eq!(sentence(&absent), "Security policy not found");

    let made = vendor.post(POLICY, &json!({})).expect(201);
    assert_eq!(made.body["enforceMFAType"], "Force", "the contract's defaults");
    assert_eq!(made.body["allowRememberMyDevice"], false);
    assert_eq!(made.body["mfaDeviceExpiration"], 1_209_600);
    assert!(made.text("createdAt").ends_with('Z') && !made.text("id").is_empty());
    let again = vendor.post(POLICY, &json!({})).refused(409);
    let exists = "MFA Policy already exists. Try to use the Update MFA Policy API";
    assert_eq!(sentence(&again), exists);

    // The web client sends its own id along.
    let body = json!({"id": "p1", "enforceMFAType": "ForceExceptSAML"});
    let updated = patch(&mut vendor, POLICY, &body).expect(200);
    assert_eq!(updated.body["enforceMFAType"], "ForceExceptSAML");
    assert_eq!(updated.text("id"), made.text("id"), "what it is called is ours to say");
    let nothing = patch(&mut vendor, POLICY, &json!({"id": "p1"})).refused(400);
    assert_eq!(sentence(&nothing), "Missing parameters to update");
    for route in [POLICY, "configurations/v1/mfa-policy/vendor"] {
        assert_eq!(vendor.get(route).expect(200).body, updated.body);
    }
    put(&mut vendor, POLICY, &json!({"allowRememberMyDevice": true})).expect(200);
    assert_eq!(vendor.get(POLICY).expect(200).body["enforceMFAType"], "ForceExceptSAML");
}

#[test]
fn each_tenant_and_application_has_a_policy_of_its_own() {
    let server = Server::demo();
    let mut tenant = vendor(&server, "demo");
    let seeded = tenant.get(POLICY).expect(200);
    assert_eq!(seeded.body["enforceMFAType"], "Force", "what the configuration says");
    let mut application = tenant.clone().with_header("frontegg-application-id", "shop");
    application.get(POLICY).refused(404);
    let own = application.post(POLICY, &json!({"enforceMFAType": "DontForce"})).expect(201);
    assert_ne!(own.text("id"), seeded.text("id"));
    assert_eq!(tenant.get(POLICY).expect(200).body, seeded.body, "the tenant's is as it was");

    // The narrower stands before the wider, at the next login.
    let body = json!({"email": server.email, "password": server.password});
    let login = server.browser().post(AUTH, &body).expect(200);
    assert_eq!(login.body["mfaRequired"], true);
    let mut shop = server.browser().with_header("frontegg-requested-application-id", "shop");
    assert_eq!(shop.post(AUTH, &body).expect(200).body["mfaRequired"], false);

    let mut nobody = vendor(&server, "nobody");
    nobody.get(POLICY).refused(404);
    nobody.post(POLICY, &json!({})).refused(404);
    vendor(&server, "no id").get(POLICY).refused(400);
}

#[test]
fn enforcement_holds_at_the_next_login() {
    let server = Server::demo();
    let mut vendor = vendor(&server, "demo");
    let token = server.vendor_token();
    let mut service = server.browser().with_bearer(&token);
    let mut asked = |first: &str| {
        let body = json!({"tenantId": "demo", "userId": "ada", "email": "ada@example.com", "firstFactor": first});
        service.post(VENDOR_LOGINS, &body).expect(200).body["mfaRequired"].clone()
    };
    assert_eq!([asked("password"), asked("saml")], [true, true]);
    patch(&mut vendor, POLICY, &json!({"enforceMFAType": "ForceExceptSAML"})).expect(200);
    assert_eq!([asked("password"), asked("saml")], [true, false]);
    patch(&mut vendor, POLICY, &json!({"enforceMFAType": "DontForce"})).expect(200);
    assert_eq!([asked("password"), asked("saml")], [false, false]);

    let events = Events::read(&server.data());
    let changes = events.of_kind("policy_changed");
    assert_eq!(changes.len(), 2, "each change is written down");
    assert!(changes.iter().all(|event| event["client"] == "operator" && event["tenant"] == "demo"));
}

#[test]
fn remembering_ends_with_the_policy_that_allowed_it() {
    let server = Server::demo();
    let mut ada = Person::known_to(&server);
    let mut enrolled = ada.enrol();
    let mfa_token = ada.mfa_token();
    let body = json!({"mfaToken": mfa_token, "value": enrolled.app.code(), "rememberDevice": true});
    ada.browser.post("auth/v1/user/mfa/verify", &body).expect(201);
    assert_eq!(ada.login().body["mfaRequired"], false);
    let off = json!({"allowRememberMyDevice": false});
    patch(&mut vendor(&server, "demo"), POLICY, &off).expect(200);
    let mfa_token = ada.mfa_token();
    let route = format!("{POLICY}/allow-remember-device?mfaToken={mfa_token}");
    let told = server.browser().get(&route).expect(200).body;
    assert_eq!(told, json!({"isAllowedToRemember": false, "mfaDeviceExpiration": 0}));
}

#[test]
fn what_was_changed_outlives_a_restart_and_the_configuration() {
    let server = Server::demo();
    let mut at = vendor(&server, "demo");
    let changed = patch(&mut at, POLICY, &json!({"enforceMFAType": "DontForce"})).expect(200);
    let server = Server::demo_again(server.kill());
    let after = vendor(&server, "demo").get(POLICY).expect(200);
    assert_eq!(after.body, changed.body, "the configuration still says Force");
}

#[test]
fn strategies_are_taken_and_left_at_the_next_request() {
    let server = Config::new().serve();
    let mut vendor = vendor(&server, "acme");
    let on = |browser: &mut Browser, name: &str| {
        let body = browser.get(STRATEGIES).expect(200).body;
        let rows = body["strategies"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["strategy"] == name).map(|row| row["isActive"] == true)
    };
    assert_eq!(on(&mut vendor, "EmailCode"), Some(true));
    let off = json!({"strategy": "EmailCode", "isActive": false});
    let answer = vendor.post(STRATEGIES, &off).expect(201);
    assert!(answer.bytes.is_empty(), "201, and no body");
    assert_eq!(on(&mut vendor, "EmailCode"), Some(false));

    let mut ada = Person::known_to(&server);
    ada.enrol();
    let mfa_token = ada.mfa_token();
    ada.browser.post(EMAIL_CODE, &json!({"mfaToken": mfa_token})).refused(400);

    let last = json!({"strategy": "AuthenticatorApp", "isActive": false});
    vendor.post(STRATEGIES, &last).refused(400);
    assert_eq!(on(&mut vendor, "AuthenticatorApp"), Some(true), "somebody has to enrol something");
    for bad in [
        json!({}),
        json!({"strategy": "EmailCode"}),
        json!({"strategy": "Password", "isActive": true}),
        json!({"strategy": 7, "isActive": true}),
        json!({"strategy": "EmailCode", "isActive": "yes"}),
    ] {
        vendor.post(STRATEGIES, &bad).refused(400);
    }
}

#[test]
fn the_service_is_called_what_the_configuration_of_its_factors_says() {
    let server = Config::new().serve();
    let mut vendor = vendor(&server, "acme");
    let body = json!({
        "authenticationApp": {"serviceName": "Acme & Sons", "active": true},
        "email": {"tokenLifetimeSeconds": 300, "sender": "hello@acme.example"},
    });
    let told = vendor.post(MFA, &body).expect(201).body;
    let email =
        json!({"active": true, "tokenLifetimeSeconds": 300, "sender": "hello@acme.example"});
    assert_eq!(told["email"], email);
    assert_eq!(told["authenticationApp"], json!({"active": true, "serviceName": "Acme & Sons"}));
    assert_eq!(vendor.get(MFA).expect(200).body, told);

    let mut ada = Person::known_to(&server);
    let offer = ada.login();
    let uri = super::support::qr::read(&offer);
    assert!(uri.contains("issuer=Acme%20%26%20Sons"), "{uri}");
    ada.enrol();
    let mfa_token = ada.mfa_token();
    ada.request_email_code(&mfa_token);
    let mut outbox = server.outbox();
    let mail = wait_for(Duration::from_secs(20), || {
        outbox.unread().into_iter().find(|mail| mail.code().is_some())
    });
    let mail = mail.expect("a mail with a code");
    assert!(mail.from.contains("hello@acme.example"), "{}", mail.from);

    for bad in [
        json!({"email": {"tokenLifetimeSeconds": 299}}),
        json!({"email": {"tokenLifetimeSeconds": 601}}),
        json!({"sms": {"tokenLifetimeSeconds": 5}}),
        json!({"email": {"sender": "nobody"}}),
        json!({"email": []}),
        json!({"authenticationApp": {"serviceName": "a:b"}}),
        json!({"authenticationApp": {"serviceName": "call 123456"}}),
    ] {
        vendor.post(MFA, &bad).refused(400);
    }
    assert_eq!(vendor.get(MFA).expect(200).body, told, "a refusal changes nothing");
}

#[test]
fn a_lockout_lowers_the_judged_guesses() {
    let server = Server::demo();
    let mut vendor = vendor(&server, "demo");
    vendor.get(LOCKOUT).refused(404);
    patch(&mut vendor, LOCKOUT, &json!({"enabled": true})).refused(404);
    vendor.post(LOCKOUT, &json!({"enabled": true, "maxAttempts": 0})).refused(400);
    let two = json!({"enabled": true, "maxAttempts": 2});
    assert_eq!(vendor.post(LOCKOUT, &two).expect(201).body, two);
    vendor.post(LOCKOUT, &two).refused(409);

    let mut ada = Person::known_to(&server);
    let mut enrolled = ada.enrol();
    let mut ada = ada.elsewhere();
    let mfa_token = ada.mfa_token();
    let wrong = super::support::person::other_than(&enrolled.app.peek());
    ada.verify(&mfa_token, &wrong).refused(400);
    ada.verify(&mfa_token, &wrong).refused(400);
    let third = ada.verify(&mfa_token, &wrong);
    assert!(matches!(third.status, 401 | 429), "two were judged: {}", third.status);
    third.assert_error_shape();
    let _ = enrolled.app.code();

    let three = json!({"enabled": false, "maxAttempts": 3});
    assert_eq!(patch(&mut vendor, LOCKOUT, &three).expect(200).body, three);
    assert_eq!(vendor.get(LOCKOUT).expect(200).body, three);
}

#[test]
fn failed_passwords_lock_nobodys_second_factor() {
    let server = Server::demo();
    let one = json!({"enabled": true, "maxAttempts": 1});
    vendor(&server, "demo").post(LOCKOUT, &one).expect(201);
    let mut ada = Person::known_to(&server);
    let mut enrolled = ada.enrol();
    for _ in 0..12 {
        let body = json!({"email": server.email, "password": "wrong"});
        server.browser().post(AUTH, &body).refused(401);
    }
    let mfa_token = ada.mfa_token();
    ada.verify(&mfa_token, &enrolled.app.code()).expect(201);
}

#[test]
fn a_user_reads_and_changes_nothing() {
    let server = Server::demo();
    let access = Person::known_to(&server).enrol().answer.text("accessToken");
    let mut user = server.browser().with_bearer(&access);
    assert_eq!(user.get(POLICY).expect(200).body["enforceMFAType"], "Force");
    user.get(STRATEGIES).expect(200);
    user.get(MFA).expect(200);
    user.get(LOCKOUT).refused(404);
    let mut elsewhere = user.clone().with_header("frontegg-tenant-id", "other");
    elsewhere.get(POLICY).refused(403);
    let body = json!({"enforceMFAType": "DontForce"});
    user.post(POLICY, &body).refused(403);
    patch(&mut user, POLICY, &body).refused(403);
    put(&mut user, POLICY, &body).refused(403);
    user.post(STRATEGIES, &json!({"strategy": "EmailCode", "isActive": false})).refused(403);
    user.post(MFA, &json!({"email": {"active": false}})).refused(403);
    user.post(LOCKOUT, &json!({"enabled": true, "maxAttempts": 1})).refused(403);

    let mut nobody = server.browser();
    for route in [POLICY, STRATEGIES, MFA, LOCKOUT] {
        nobody.get(route).refused(401);
        nobody.post(route, &json!({})).refused(401);
        server.browser().with_bearer("x").get(route).refused(401);
    }
    assert_eq!(user.get(POLICY).expect(200).body["enforceMFAType"], "Force");
}

#[test]
fn wrong_types_and_values_are_named() {
    let server = Server::demo();
    let mut vendor = vendor(&server, "demo");
    let before = vendor.get(POLICY).expect(200).body;
    for (bad, named) in [
        (json!({"enforceMFAType": "Maybe"}), "enforceMFAType"),
        (json!({"enforceMFAType": 1}), "enforceMFAType"),
        (json!({"allowRememberMyDevice": "true"}), "allowRememberMyDevice"),
        (json!({"mfaDeviceExpiration": "14"}), "mfaDeviceExpiration"),
        (json!({"mfaDeviceExpiration": -1}), "mfaDeviceExpiration"),
        (json!({"mfaDeviceExpiration": 0}), "mfaDeviceExpiration"),
        (json!({"mfaDeviceExpiration": 34_560_001}), "mfaDeviceExpiration"),
    ] {
        let refused = put(&mut vendor, POLICY, &bad).refused(400);
        assert!(sentence(&refused).contains(named), "{bad}: {}", refused.body);
    }
    assert_eq!(vendor.get(POLICY).expect(200).body, before);
}
