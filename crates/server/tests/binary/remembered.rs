//! Browsers that skip the second step: whom they skip it for, and what ends it.

use serde_json::json;

use super::support::browser::Browser;
use super::support::config::{Config, EMAIL, PASSWORD, with_input};
use super::support::events::Events;
use super::support::person::{
    Enrolled, Person, VENDOR_LIFECYCLE, VENDOR_LOGINS, VERIFY, demo_tenant, with,
};
use super::support::server::{Server, countersign};

const REFRESH: &str = "auth/v1/user/token/refresh";

/// Enrols, and logs in with "remember this device" ticked.
fn remember(person: &mut Person) -> Enrolled {
    let mut enrolled = person.enrol();
    let mfa_token = person.mfa_token();
    let body = json!({"mfaToken": mfa_token, "value": enrolled.app.code()});
    person.browser.post(VERIFY, &with(body, "rememberDevice", true)).expect(201);
    enrolled
}

#[test]
fn copied_cookie_is_noticed_and_ends_its_family() {
    let server = Server::demo();
    let mut owner = Person::known_to(&server);
    remember(&mut owner);
    let mut thief = Person::known_to(&server);
    thief.browser = owner.browser.clone();
    assert_eq!(owner.login().body["mfaRequired"], false);
    assert_eq!(owner.login().body["mfaRequired"], false);

    assert_eq!(thief.login().body["mfaRequired"], true, "its secret was replaced twice");
    assert_eq!(owner.login().body["mfaRequired"], true, "nobody can tell the two apart");
    assert_eq!(Events::read(&server.data()).of_kind("browser_stolen").len(), 1);
}

/// Two tabs log in at once: the answer of the later one must not put back the secret that the
/// earlier one's answer replaced.
#[test]
fn late_tab_is_let_in_and_keeps_its_hands_off_the_cookie() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    remember(&mut person);
    let mut late = Person::known_to(&server);
    late.browser = person.browser.clone();
    assert!(person.login().set_cookie("fe_device_").is_some(), "rotated");
    let answer = late.login();
    assert_eq!(answer.body["mfaRequired"], false, "within the grace");
    assert!(answer.set_cookie("fe_device_").is_none());
    assert_eq!(person.login().body["mfaRequired"], false);
}

#[test]
fn browser_is_remembered_for_one_user_alone() {
    let server = Server::demo();
    let (tenant, vendor_token) = (demo_tenant(&server), server.vendor_token());
    let mut shared = server.browser();
    for user in ["ada", "grace"] {
        let mut person = Person::vouched(&server, &vendor_token, &tenant, user);
        person.browser = shared;
        remember(&mut person);
        shared = person.browser;
    }

    // A service passes on the cookies of the browser whose user it vouches for.
    let mut vendor: Browser = shared.with_bearer(&vendor_token);
    for (user, asked) in [("ada", false), ("grace", false), ("eve", true), ("ada", false)] {
        let body = json!({"tenantId": tenant, "userId": user, "email": format!("{user}@example.com"),
            "firstFactor": "password"});
        let answer = vendor.post(VENDOR_LOGINS, &body).expect(200);
        assert_eq!(answer.body["mfaRequired"], asked, "{user}: {}", answer.body);
    }
}

#[test]
fn reports_that_end_sessions_end_remembering() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let user = remember(&mut person).answer.text("userId");
    assert_eq!(person.login().body["mfaRequired"], false);
    let mut vendor = server.browser().with_bearer(&server.vendor_token());
    vendor
        .post(VENDOR_LIFECYCLE, &json!({"userId": user, "event": "SignOutEverywhere"}))
        .expect(200);
    assert_eq!(person.login().body["mfaRequired"], true);
}

#[test]
fn changed_password_of_the_directory_reports_itself() {
    let changed = "another horse, another battery";
    let server = Config::new().serve();
    let mut person = Person::with_password(server.browser(), EMAIL, PASSWORD);
    remember(&mut person);

    let mut command = countersign();
    command.args(["user", "password", "--email", EMAIL, "--config"]).arg(server.config());
    with_input(&mut command, changed);

    person.try_login().refused(401);
    person.browser.clone().post(REFRESH, &json!({"tenantId": null})).refused(401);
    let mut person = Person::with_password(person.browser, EMAIL, changed);
    assert_eq!(person.login().body["mfaRequired"], true, "no browser is remembered any more");
}
