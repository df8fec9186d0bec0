//! The OpenAPI document against the contract's routes and against the router.

use std::collections::BTreeSet;

use serde_json::Value;
use ureq::http::Method;

use super::support::server::Server;

/// Sections 3a, 3b and 3c of the contract, row by row, below `/identity/resources/`.
const CONTRACT: &[(&str, &str)] = &[
    ("post", "auth/v1/user"),
    ("post", "auth/v1/user/token/refresh"),
    ("post", "auth/v1/user/mfa/verify"),
    ("post", "auth/v1/user/mfa/authenticator/enroll"),
    ("post", "auth/v1/user/mfa/authenticator/enroll/verify"),
    ("post", "auth/v1/user/mfa/authenticator/{deviceId}/verify"),
    ("post", "auth/v1/user/mfa/emailcode"),
    ("post", "auth/v1/user/mfa/emailcode/verify"),
    ("post", "auth/v1/user/mfa/recover"),
    ("get", "configurations/v1/mfa-policy/allow-remember-device"),
    ("get", "configurations/v1/mfa-policy"),
    ("post", "configurations/v1/mfa-policy"),
    ("patch", "configurations/v1/mfa-policy"),
    ("put", "configurations/v1/mfa-policy"),
    ("get", "configurations/v1/mfa-policy/vendor"),
    ("get", "configurations/v1/mfa/strategies"),
    ("post", "configurations/v1/mfa/strategies"),
    ("get", "configurations/v1/mfa"),
    ("post", "configurations/v1/mfa"),
    ("get", "configurations/v1/lockout-policy"),
    ("post", "configurations/v1/lockout-policy"),
    ("patch", "configurations/v1/lockout-policy"),
    ("post", "users/v1/mfa/enroll"),
    ("post", "users/v1/mfa/enroll/verify"),
    ("post", "users/v1/mfa/authenticator/enroll"),
    ("post", "users/v1/mfa/authenticator/enroll/verify"),
    ("post", "users/v1/mfa/disable"),
    ("post", "users/v1/mfa/authenticator/{deviceId}/disable/verify"),
    ("post", "vendor-only/users/v1/{userId}/mfa/unenroll"),
    ("post", "auth/v1/user/step-up/generate"),
    ("get", "users/v1/mfa/devices"),
    ("post", "auth/v1/user/mfa/webauthn/enroll"),
    ("post", "auth/v1/user/mfa/webauthn/enroll/verify"),
    ("post", "auth/v1/user/mfa/webauthn/{deviceId}"),
    ("post", "auth/v1/user/mfa/webauthn/{deviceId}/verify"),
    ("post", "users/v1/mfa/webauthn/enroll"),
    ("post", "users/v1/mfa/webauthn/enroll/verify"),
    ("post", "users/v1/mfa/webauthn/{deviceId}/disable"),
    ("post", "users/v1/mfa/webauthn/{deviceId}/disable/verify"),
    ("post", "auth/v1/user/mfa/sms/enroll"),
    ("post", "auth/v1/user/mfa/sms/enroll/verify"),
    ("post", "auth/v1/user/mfa/sms/{deviceId}"),
    ("post", "auth/v1/user/mfa/sms/{deviceId}/verify"),
    ("post", "users/v1/mfa/sms/enroll"),
    ("post", "users/v1/mfa/sms/enroll/verify"),
    ("post", "users/v1/mfa/sms/{deviceId}/disable"),
    ("post", "users/v1/mfa/sms/{deviceId}/disable/verify"),
    // What the web client and the server SDK read beside them (sections 4 and 8).
    ("get", "configurations/v1"),
    ("get", "users/v2/me"),
    ("get", "users/v3/me/tenants"),
];

/// Rows of the contract that are not served yet, each under its issue; the test fails when one is, to be moved up.
const TO_COME: &[(&str, &str)] = &[];

const BASE: &str = "/identity/resources/";

/// Each operation of a document: method, and path as it is written there.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let each = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.keys().map(move |method| (method.clone(), path.clone()))
    });
    each.collect()
}

#[test]
fn the_document_tells_of_every_route_of_the_contract() {
    let server = Server::demo();
    let answer = server.browser().send(Method::GET, "/openapi.json", Vec::new()).expect(200);
    assert_eq!(answer.body["openapi"], "3.1.0");
    let told = operations(&answer.body);
    let row = |(method, path): &(&str, &str)| ((*method).to_owned(), format!("{BASE}{path}"));
    let absent: Vec<_> = CONTRACT.iter().map(row).filter(|row| !told.contains(row)).collect();
    assert!(absent.is_empty(), "not in the document: {absent:#?}");
    let there: Vec<_> = TO_COME.iter().map(row).filter(|row| told.contains(row)).collect();
    assert!(there.is_empty(), "served, so no more to come: {there:#?}");
    let again = server.browser().send(Method::GET, "/frontegg/openapi.json", Vec::new());
    assert_eq!(again.expect(200).body, answer.body);
}

#[test]
fn every_operation_of_the_document_is_served_under_both_prefixes() {
    let server = Server::demo();
    let document = server.browser().send(Method::GET, "/openapi.json", Vec::new()).expect(200).body;
    for (method, path) in operations(&document) {
        let path = path.replace(['{', '}'], "");
        let under_both = [path.clone(), format!("/frontegg{path}")];
        for path in under_both {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = server.browser().send(method.clone(), &path, b"{}".to_vec());
            assert!(
                answer.status < 500 && answer.status != 405,
                "{method} {path}: {}",
                answer.status
            );
            assert_ne!(answer.body["errors"][0], "Not found", "{method} {path}");
        }
    }
}

#[test]
fn every_route_of_the_contract_that_is_served_is_told_of() {
    let server = Server::demo();
    for (method, path) in TO_COME {
        let path = format!("{BASE}{}", path.replace(['{', '}'], ""));
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let answer = server.browser().send(method, &path, b"{}".to_vec());
        let unknown = answer.body["errors"][0] == "Not found" || answer.status == 405;
        assert!(unknown, "{path} answers {}: move it to the contract's list", answer.status);
    }
}

#[test]
fn references_lead_to_schemas_and_nothing_defaults_to_null() {
    fn walk(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                visit(name, value);
                walk(value, visit);
            }),
            Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
            _ => {}
        }
    }
    let server = Server::demo();
    let document = server.browser().send(Method::GET, "/openapi.json", Vec::new()).expect(200).body;
    let mut references = 0;
    walk(&document, &mut |name, value| {
        if name == "$ref" {
            references += 1;
            let pointer = value.as_str().unwrap().trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{value} leads nowhere");
        }
        assert!(name != "default" || !value.is_null());
    });
    assert!(references > 100, "{references}");
    let error = &document["components"]["schemas"]["ErrorBody"];
    assert_eq!(error["required"], serde_json::json!(["errors", "errorCode"]));
}
