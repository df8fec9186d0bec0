//! The management routes: a service with its own passwords opens logins, and reports what happened to its users.

use serde_json::json;

use super::support::browser::{Answer, Browser};
use super::support::person::{
    EMAIL_CODE, EMAIL_VERIFY, Enrolled, Person, VENDOR_LIFECYCLE, VENDOR_LOGINS, demo_tenant,
    email_verification, other_than,
};
use super::support::server::Server;

const OWN_EMAIL: &str = "users/v1/mfa/email/enroll";
const OWN_EMAIL_VERIFY: &str = "users/v1/mfa/email/enroll/verify";
const REFRESH: &str = "auth/v1/user/token/refresh";

/// A server, its tenant and the service's bearer token.
struct Stage {
    server: Server,
    tenant: String,
    vendor_token: String,
}

impl Stage {
    fn set() -> Self {
        let server = Server::demo();
        let (tenant, vendor_token) = (demo_tenant(&server), server.vendor_token());
        Self { server, tenant, vendor_token }
    }

    fn person(&self, user: &str) -> Person {
        Person::vouched(&self.server, &self.vendor_token, &self.tenant, user)
    }

    fn vendor(&self) -> Browser {
        self.server.browser().with_bearer(&self.vendor_token)
    }

    /// Reports one thing that happened.
    #[track_caller]
    fn report(&self, user: &str, event: &str) -> Answer {
        let body = json!({"tenantId": self.tenant, "userId": user, "event": event});
        let answer = self.vendor().post(VENDOR_LIFECYCLE, &body);
        assert!((200..300).contains(&answer.status), "{event}: {}", answer.body);
        answer
    }
}

#[test]
fn vouched_login_does_the_whole_job() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let Enrolled { mut app, answer, .. } = person.enrol();
    assert_eq!(answer.text("userEmail"), "ada@example.com");
    assert_eq!(answer.claims()["tenantId"], stage.tenant);
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &app.code()).expect(201);

    let login = stage.person("grace").login();
    assert_eq!(login.body["mfaEnrolled"], false, "another user has nothing of it");
}

#[test]
fn management_asks_for_the_vendor_token() {
    let stage = Stage::set();
    let access_token = stage.person("ada").enrol().answer.text("accessToken");
    let login = json!({"tenantId": stage.tenant, "userId": "ada", "email": "ada@example.com", "firstFactor": "password"});
    let event = json!({"tenantId": stage.tenant, "userId": "ada", "event": "Erased"});
    for (route, body) in [(VENDOR_LOGINS, &login), (VENDOR_LIFECYCLE, &event)] {
        let browser = stage.server.browser();
        browser.clone().post(route, body).refused(401);
        browser.clone().with_bearer(&access_token).post(route, body).refused(401);
        browser.clone().with_bearer("").post(route, body).refused(401);
        browser.with_header("authorization", "Basic dTpw").post(route, body).refused(401);
    }
    assert_ne!(stage.person("ada").login().body["mfaEnrolled"], json!(false), "nothing happened");
}

#[test]
fn bad_reports_change_nothing() {
    let stage = Stage::set();
    stage.person("ada").enrol();
    for body in [
        json!({}),
        json!({"userId": "ada"}),
        json!({"userId": "ada", "event": "Promoted"}),
        json!({"userId": "ada", "event": 7}),
        json!({"userId": ["ada"], "event": "Erased"}),
        json!({"userId": "", "event": "Erased"}),
        json!({"userId": "ada", "event": "AddressChanged", "email": "no address"}),
    ] {
        stage.vendor().post(VENDOR_LIFECYCLE, &body).refused(400);
    }
    assert_ne!(stage.person("ada").login().body["mfaEnrolled"], json!(false));
}

#[test]
fn signing_out_everywhere_ends_sessions_and_browsers_and_keeps_factors() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let Enrolled { mut app, answer, .. } = person.enrol();
    let mfa_token = person.mfa_token();
    let me = |token: &str| stage.server.browser().with_bearer(token).get("users/v2/me");
    me(&answer.text("accessToken")).expect(200);

    stage.report("ada", "SignOutEverywhere");
    me(&answer.text("accessToken")).refused(401);
    person.browser.clone().post(REFRESH, &json!({"tenantId": null})).refused(401);
    person.verify(&mfa_token, &app.peek()).refused(401);
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &app.code()).expect(201);
}

#[test]
fn changed_password_ends_sessions_and_keeps_factors() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let Enrolled { mut app, .. } = person.enrol();
    stage.report("ada", "PasswordChanged");
    person.browser.clone().post(REFRESH, &json!({"tenantId": null})).refused(401);
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &app.code()).expect(201);
}

#[test]
fn disabled_user_comes_in_again_only_when_enabled() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let Enrolled { mut app, .. } = person.enrol();
    let mfa_token = person.mfa_token();
    stage.report("ada", "Disabled");
    let refused = person.verify(&mfa_token, &app.peek());
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    let refused = person.try_login();
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    refused.assert_error_shape();
    person.browser.clone().post(REFRESH, &json!({"tenantId": null})).refused(401);

    stage.report("ada", "Enabled");
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &app.code()).expect(201);
}

#[test]
fn changed_address_is_no_factor_until_it_is_proven() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let Enrolled { mut app, .. } = person.enrol();
    let body = json!({"tenantId": stage.tenant, "userId": "ada", "event": "AddressChanged", "email": "new@example.com"});
    let answer = stage.vendor().post(VENDOR_LIFECYCLE, &body);
    assert!((200..300).contains(&answer.status), "{}", answer.body);

    person.email = "new@example.com".to_owned();
    let login = person.login();
    assert_eq!(login.body["mfaDevices"]["emails"], json!([]), "{}", login.body);
    let mfa_token = login.text("mfaToken");
    let sent = person.browser.post(EMAIL_CODE, &json!({"mfaToken": mfa_token}));
    assert!((400..500).contains(&sent.status), "{}", sent.status);
    person.verify(&mfa_token, &app.code()).expect(201);
}

#[test]
fn changed_address_is_proven_by_a_session_and_answers_logins_then() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let Enrolled { mut app, .. } = person.enrol();
    let body = json!({"tenantId": stage.tenant, "userId": "ada", "event": "AddressChanged", "email": "new@example.com"});
    stage.vendor().post(VENDOR_LIFECYCLE, &body);
    person.email = "new@example.com".to_owned();
    let mfa_token = person.mfa_token();
    let answer = person.verify(&mfa_token, &app.code()).expect(201);
    let mut session = person.browser.clone().with_bearer(&answer.text("accessToken"));
    let devices = session.get("users/v1/mfa/devices").expect(200);
    assert_eq!(
        (&devices.body["emails"], &devices.body["unprovenEmail"]),
        (&json!([]), &json!("new@example.com"))
    );

    let mut outbox = stage.server.outbox();
    outbox.unread();
    let sent = session.post(OWN_EMAIL, &json!({})).expect(200);
    assert_eq!(sent.text("email"), "n***@e***.com");
    let code = outbox.next_code();
    let body = |code: &str| json!({"otcToken": sent.text("otcToken"), "code": code});
    session.post(OWN_EMAIL_VERIFY, &body(&other_than(&code))).refused(400);
    // What was sent to bind an address answers no login, and is another session's to use never.
    let login = person.mfa_token();
    let answered = json!({"mfaToken": login, "otcToken": sent.text("otcToken"), "code": code});
    let refused = person.browser.post(EMAIL_VERIFY, &answered);
    assert!((400..500).contains(&refused.status), "{}", refused.body);
    session.post(OWN_EMAIL_VERIFY, &body(&code)).expect(200);
    session.post(OWN_EMAIL_VERIFY, &body(&code)).refused(400);
    let devices = session.get("users/v1/mfa/devices").expect(200);
    assert_eq!(devices.body["emails"], json!([{"email": "new@example.com"}]));
    session.post(OWN_EMAIL, &json!({})).refused(400);

    let mut elsewhere = person.elsewhere();
    let login = elsewhere.mfa_token();
    let otc = elsewhere.request_email_code(&login);
    let body = email_verification(&login, &otc, &outbox.next_code());
    elsewhere.browser.post(EMAIL_VERIFY, &body).expect(201);
}

#[test]
fn erased_user_is_gone_for_good() {
    let stage = Stage::set();
    let mut person = stage.person("ada");
    let answer = person.enrol().answer;
    stage.report("ada", "Erased");
    let browser = stage.server.browser().with_bearer(&answer.text("accessToken"));
    browser.clone().get("users/v2/me").refused(401);
    person.browser.clone().post(REFRESH, &json!({"tenantId": null})).refused(401);

    for later in ["Erased", "Enabled"] {
        let body = json!({"tenantId": stage.tenant, "userId": "ada", "event": later});
        stage.vendor().post(VENDOR_LIFECYCLE, &body);
        let refused = person.try_login();
        assert!((400..500).contains(&refused.status), "after {later}: {}", refused.body);
        refused.assert_error_shape();
        assert!(refused.body["qrCode"].is_null());
    }
    stage.person("grace").login();
}
