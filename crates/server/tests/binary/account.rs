//! Self-service: what a session asks for its own account and the administrator for a user's, by status and by effect.

use serde_json::{Value, json};

use super::support::authenticator::Authenticator;
use super::support::browser::{Answer, Browser};
use super::support::clock::now;
use super::support::config::Config;
use super::support::events::Events;
use super::support::person::{Enrolled, Person, RECOVER, VENDOR_LOGINS, other_than};
use super::support::qr;
use super::support::server::Server;
use ureq::http::Method;

const DEVICES: &str = "users/v1/mfa/devices";
const ENROL: &str = "users/v1/mfa/enroll";
const ENROL_VERIFY: &str = "users/v1/mfa/enroll/verify";
const APP_ENROL: &str = "users/v1/mfa/authenticator/enroll";
const APP_VERIFY: &str = "users/v1/mfa/authenticator/enroll/verify";
const DISABLE: &str = "users/v1/mfa/disable";
const STEP_UP: &str = "auth/v1/user/step-up/generate";
const BROWSERS: &str = "users/v1/mfa/remembered-devices";
const CODES: &str = "users/v1/mfa/recovery-codes";
const REGENERATE: &str = "users/v1/mfa/recovery-codes/regenerate";
const SIGN_OUT: &str = "users/sessions/v1/me/all";
const ME: &str = "users/v2/me";
const REFRESH: &str = "auth/v1/user/token/refresh";
const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// A server whose tenant forces nobody.
fn free() -> Server {
    Config::new().enforce("DontForce").serve()
}

/// This person's browser, with the bearer token of an answer.
fn session(person: &Person, answer: &Answer) -> Browser {
    person.browser.clone().with_bearer(&answer.text("accessToken"))
}

fn remove(app: &str) -> String {
    format!("users/v1/mfa/authenticator/{app}/disable/verify")
}

fn apps(devices: &Value) -> Vec<String> {
    let apps = devices["authenticators"].as_array().expect("an array").iter();
    apps.map(|app| app["id"].as_str().expect("an id").to_owned()).collect()
}

fn delete(browser: &mut Browser, route: &str) -> Answer {
    let path = browser.path(route);
    browser.send(Method::DELETE, &path, Vec::new())
}

#[test]
fn an_app_is_added_listed_and_removed_under_a_session() {
    let server = free();
    let mut person = Person::known_to(&server);
    let login = person.login();
    assert_eq!(login.body["mfaRequired"], false, "nobody is forced");
    let mut own = session(&person, &login);
    let none = json!({"webauthn": [], "phones": [], "authenticators": [], "emails": []});
    assert_eq!(own.get(DEVICES).expect(200).body, none);
    own.post(DISABLE, &json!({})).refused(400).assert_code("ER-01097");

    // The secret is in the picture, and the same each time.
    let offer = own.post(ENROL, &json!({})).expect(200);
    let mut app = Authenticator::scan(&qr::read(&offer));
    assert_eq!(offer.text("secret"), app.secret());
    assert_eq!(own.post(APP_ENROL, &json!({})).expect(200).text("secret"), app.secret());
    let wrong = other_than(&app.peek());
    own.post(ENROL_VERIFY, &json!({"token": wrong})).refused(400).assert_code("ER-01011");
    own.post(ENROL_VERIFY, &json!({"token": "no code"})).refused(400).assert_code("ER-01011");
    own.post(ENROL_VERIFY, &json!({})).refused(400);
    let body = json!({"token": app.code(), "label": "  My\nphone ", "publicKey": {}});
    let recovery = own.post(ENROL_VERIFY, &body).expect(200).text("recoveryCode");
    assert_eq!(recovery.len(), 16);

    let listed = own.get(DEVICES).expect(200).body;
    let [id] = &apps(&listed)[..] else { panic!("{listed}") };
    assert_eq!(listed["authenticators"][0]["label"], "My phone");
    assert!(listed["authenticators"][0]["createdAt"].as_str().is_some_and(|at| at.ends_with('Z')));

    // The password alone is worth no second app now, and no removal: E-03.
    own.post(APP_ENROL, &json!({})).refused(403).assert_code("ER-00462");
    own.post(&remove(id), &json!({})).refused(403).assert_code("ER-00462");
    own.post(&remove("nothing"), &json!({})).refused(400).assert_code("ER-01016");
    own.post(&remove(id), &json!({"token": wrong})).refused(400).assert_code("ER-01011");

    // Another session and an open login end with the app; the one that removed it lives on.
    let mfa_token = person.mfa_token();
    let other = person.verify(&mfa_token, &app.code()).expect(201);
    let open = person.mfa_token();
    own.post(&remove(id), &json!({"token": recovery})).expect(200);
    own.get(ME).expect(200);
    assert_eq!(apps(&own.get(DEVICES).expect(200).body), [""; 0]);
    session(&person, &other).get(ME).refused(401);
    person.verify(&open, &other_than("000000")).refused(401);
    let events = Events::read(&server.data());
    let removed = events.of_kind("factor_removed");
    assert_eq!(removed[0]["device"], *id);
    assert_eq!(removed[0]["by_session"], login.claims()["sid"]);
}

#[test]
fn two_apps_stand_beside_each_other_and_the_last_one_stays_where_it_is_forced() {
    let server = Config::new().strategies(&["AuthenticatorApp"]).serve();
    let mut person = Person::known_to(&server);
    let Enrolled { answer, .. } = person.enrol();
    let mut own = session(&person, &answer);
    let first = apps(&own.get(DEVICES).expect(200).body);
    own.post(DISABLE, &json!({})).refused(403).assert_code("ER-00463");
    own.post(&remove(&first[0]), &json!({})).refused(403).assert_code("ER-00463");

    let offer = own.post(APP_ENROL, &json!({})).expect(200);
    let mut tablet = Authenticator::scan(&qr::read(&offer));
    let added = own.post(APP_VERIFY, &json!({"token": tablet.code()})).expect(200);
    assert_eq!(added.body, json!({}), "a recovery code is shown once");
    assert_eq!(apps(&own.get(DEVICES).expect(200).body).len(), 2);
    own.post(&remove(&first[0]), &json!({})).expect(200);
    let left = apps(&own.get(DEVICES).expect(200).body);
    own.post(&remove(&left[0]), &json!({})).refused(403).assert_code("ER-00463");
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &tablet.code()).expect(201);
}

#[test]
fn a_step_up_begins_a_new_session_and_a_fresh_one_is_let_be() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { app, answer, .. } = person.enrol_remembered();
    person.browser.clone().post(STEP_UP, &json!({})).refused(401);
    let mut own = session(&person, &answer);
    own.post(STEP_UP, &json!({"maxAge": -1})).refused(400);

    // Proved just now: the session as it is, without the means to refresh it.
    let fresh = own.post(STEP_UP, &json!({"maxAge": 3600})).expect(200);
    assert_eq!(fresh.text("accessToken"), answer.text("accessToken"));
    assert_eq!(
        (&fresh.body["mfaRequired"], &fresh.body["refreshToken"]),
        (&json!(false), &Value::Null)
    );

    // A browser that is remembered satisfies none: D-16.
    let skipped = person.login().expect(200);
    assert_eq!(skipped.claims()["amr"], json!(["pwd", "remembered"]));
    let mut own = session(&person, &skipped);
    let asked = own.post(STEP_UP, &json!({"maxAge": 3600})).expect(200);
    assert_eq!(asked.body["mfaEnrolled"], true);
    assert_eq!(asked.body["mfaDevices"]["authenticators"].as_array().map(Vec::len), Some(1));
    assert_eq!(asked.body["accessToken"], Value::Null);

    // B-04: not under another user's session.
    let mfa_token = asked.text("mfaToken");
    let mut other = Person::vouched(&server, &server.vendor_token(), &tenant(&answer), "eve");
    let eves = other.enrol().answer;
    let code = app.peek();
    let verification = json!({"mfaToken": mfa_token, "value": code});
    let mut foreign = person.browser.clone().with_bearer(&eves.text("accessToken"));
    foreign.post("auth/v1/user/mfa/verify", &verification).refused(401);

    let begun = now();
    let new = own.post("auth/v1/user/mfa/verify", &verification).expect(201);
    let claims = new.claims();
    assert_ne!(claims["sid"], skipped.claims()["sid"], "B-14");
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!(MULTI_FACTOR), &json!(["pwd", "mfa", "otp"]))
    );
    assert!(claims["auth_time"].as_u64().is_some_and(|at| at >= begun));
    let old = json!({"refreshToken": skipped.text("refreshToken")});
    server.browser().post(REFRESH, &old).refused(401);
    let fresh = json!({"refreshToken": new.text("refreshToken")});
    server.browser().post(REFRESH, &fresh).expect(201);
}

#[test]
fn a_user_without_a_factor_cannot_step_up() {
    let server = free();
    let mut person = Person::known_to(&server);
    let login = person.login();
    let refused = session(&person, &login).post(STEP_UP, &json!({})).refused(400);
    refused.assert_code("ER-01097");
    assert_eq!(refused.body["errors"], json!(["MFA is not enrolled"]), "what the client compares");
}

#[test]
fn browsers_are_listed_and_forgotten_at_the_next_request() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    person.browser = person.browser.with_header(
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    );
    let Enrolled { answer, .. } = person.enrol_remembered();
    let mut own = session(&person, &answer);
    let listed = own.get(BROWSERS).expect(200).body;
    let [browser] = &listed["devices"].as_array().expect("an array")[..] else {
        panic!("{listed}")
    };
    assert_eq!(
        (&browser["label"], &browser["isCurrent"]),
        (&json!("Firefox on Linux"), &json!(true))
    );
    assert!(browser["rememberedUntil"].is_string());
    let elsewhere =
        server.browser().with_bearer(&answer.text("accessToken")).get(BROWSERS).expect(200);
    assert_eq!(elsewhere.body["devices"][0]["isCurrent"], false);

    assert_eq!(person.login().body["mfaRequired"], false);
    delete(&mut own, &format!("{BROWSERS}/{}", "0".repeat(32))).refused(400);
    delete(&mut own, &format!("{BROWSERS}/nonsense")).refused(400);
    let id = browser["id"].as_str().expect("an id");
    delete(&mut own, &format!("{BROWSERS}/{id}")).expect(200);
    assert_eq!(person.login().body["mfaRequired"], true, "D-08");
    own.get(ME).expect(200);
    delete(&mut own, BROWSERS).expect(200);
    assert_eq!(own.get(BROWSERS).expect(200).body, json!({"devices": []}));
    server.browser().get(BROWSERS).refused(401);
}

#[test]
fn signing_out_everywhere_ends_this_session_too() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { answer, .. } = person.enrol();
    let mut own = session(&person, &answer);
    let done = delete(&mut own, SIGN_OUT).expect(200);
    assert!(done.set_cookie("fe_refresh_").is_some_and(|line| line.contains("Max-Age=0")));
    own.get(ME).refused(401);
    person.browser.post(REFRESH, &json!({})).refused(401);
    delete(&mut own, SIGN_OUT).refused(401);
    assert_eq!(person.login().body["mfaEnrolled"], true, "and no factor is gone");
}

#[test]
fn a_recovery_keeps_the_rest_of_the_set_where_it_is_configured() {
    let server = Config::new().line("recovery_codes = 3").line("recovery_replaced = false").serve();
    let mut person = Person::known_to(&server);
    let codes = person.enrol().answer.body["recoveryCodes"].clone();
    let recover = |person: &mut Person, code: &Value| {
        person.browser.post(RECOVER, &json!({"email": person.email, "recoveryCode": code}))
    };
    recover(&mut person, &codes[1]).expect(200);
    // The next enrolment issues none: two are left, and the spent one is worth nothing.
    let login = person.login();
    let mut app = Authenticator::scan(&qr::read(&login));
    let body = json!({"mfaToken": login.text("mfaToken"), "token": app.code()});
    let again = person.browser.post("auth/v1/user/mfa/authenticator/enroll/verify", &body);
    let again = again.expect(201);
    assert_eq!(again.body["recoveryCode"], Value::Null);
    recover(&mut person, &codes[1]).refused(400);
    recover(&mut person, &codes[2]).expect(200);
}

#[test]
fn recovery_codes_are_a_set_where_it_is_configured_and_are_replaced_as_one() {
    let server = Config::new().line("recovery_codes = 3").serve();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, answer, recovery_code, .. } = person.enrol();
    let old: Vec<String> = serde_json::from_value(answer.body["recoveryCodes"].clone()).unwrap();
    assert_eq!((old.len(), &old[0]), (3, &recovery_code));
    let mut own = session(&person, &answer);
    assert_eq!(own.get(CODES).expect(200).body, json!({"remaining": 3}));
    let wrong = other_than(&app.peek());
    own.post(REGENERATE, &json!({"token": wrong})).refused(400).assert_code("ER-01011");
    let fresh = own.post(REGENERATE, &json!({"token": app.code()})).expect(200);
    let fresh: Vec<String> = serde_json::from_value(fresh.body["recoveryCodes"].clone()).unwrap();
    assert!(fresh.iter().all(|code| !old.contains(code)));
    let email = person.email.clone();
    let recover = |code: &str| json!({"email": email, "recoveryCode": code});
    server.browser().post(RECOVER, &recover(&old[1])).refused(400);
    own.get(ME).expect(200);
    server.browser().post(RECOVER, &recover(&fresh[2])).expect(200);
    own.get(ME).refused(401);
}

#[test]
fn the_administrator_resets_a_user_of_the_named_tenant_alone() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { answer, app, .. } = person.enrol();
    let (user, tenant) = (answer.text("userId"), tenant(&answer));
    let admin = server.browser().with_bearer(&server.vendor_token());
    let named = |user: &str| admin.clone().with_header("frontegg-user-id", user);

    admin.clone().post(DISABLE, &json!({})).refused(400);
    admin.clone().get(DEVICES).refused(400);
    let listed = named(&user).get(DEVICES).expect(200).body;
    assert_eq!(apps(&listed).len(), 1);
    assert!(listed["emails"][0]["email"].as_str().is_some_and(|email| email.contains("***")));
    named("nobody").get(DEVICES).refused(404);
    // E-19.
    let mut foreign = named(&user).with_header("frontegg-tenant-id", "globex");
    foreign.post(DISABLE, &json!({})).refused(404);
    foreign.get(DEVICES).refused(404);
    named(&user).post(REGENERATE, &json!({})).refused(403);
    session(&person, &answer).get(ME).expect(200);

    named(&user).with_header("frontegg-tenant-id", &tenant).post(DISABLE, &json!({})).expect(200);
    session(&person, &answer).get(ME).refused(401);
    named(&user).post(DISABLE, &json!({})).refused(400).assert_code("ER-01097");
    let login = person.login();
    assert_eq!(
        (&login.body["mfaEnrolled"], &login.body["mfaDevices"]["emails"]),
        (&json!(false), &json!([]))
    );
    person.verify(&login.text("mfaToken"), &app.peek()).refused(400);

    // The older route does the same, and names its user in the path.
    person.enrol();
    let unenrol = format!("vendor-only/users/v1/{user}/mfa/unenroll");
    session(&person, &answer).post(&unenrol, &json!({})).refused(401);
    admin.clone().post(&unenrol, &json!({})).expect(200);
    admin.clone().post(&unenrol, &json!({})).refused(400).assert_code("ER-01097");
    let events = Events::read(&server.data());
    let resets = events.of_kind("factors_removed");
    assert_eq!(resets.len(), 2);
    assert!(resets.iter().all(|event| event["by_client"].is_string()));
    assert_eq!(events.of_kind("foreign_tenant").len(), 1);
}

#[test]
fn the_administrator_enrols_an_app_for_a_user() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let answer = person.enrol().answer;
    let mut admin = server.browser().with_bearer(&server.vendor_token());
    let body = json!({"tenantId": tenant(&answer), "userId": "ada", "email": "ada@example.com", "firstFactor": "password"});
    admin.post(VENDOR_LOGINS, &body).expect(200);
    // Never seen to the end of a login, there is no such user.
    let mut admin = admin.with_header("frontegg-user-id", "ada");
    admin.post(APP_ENROL, &json!({})).refused(404);
    let user = answer.text("userId");
    let mut admin =
        server.browser().with_bearer(&server.vendor_token()).with_header("frontegg-user-id", &user);
    let offer = admin.post(APP_ENROL, &json!({})).expect(200);
    let mut tablet = Authenticator::scan(&qr::read(&offer));
    session(&person, &answer).post(APP_VERIFY, &json!({"token": tablet.peek()})).refused(400);
    admin.post(APP_VERIFY, &json!({"token": tablet.code(), "label": "Tablet"})).expect(200);
    session(&person, &answer).get(ME).expect(200);
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &tablet.code()).expect(201);
}

/// The tenant that an access token names.
fn tenant(answer: &Answer) -> String {
    answer.claims()["tenantId"].as_str().expect("a tenant").to_owned()
}
