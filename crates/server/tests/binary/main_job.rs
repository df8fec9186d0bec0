//! The main job with independent tools: log in, scan, confirm, log in again by app, by email, and on a remembered
//! device without either.

use serde_json::{Value, json};

use super::support::authenticator::Authenticator;
use super::support::browser::{Answer, Browser};
use super::support::clock::now;
use super::support::person::{
    EMAIL_VERIFY, ENROL, ENROL_VERIFY, Enrolled, Person, RECOVER, VERIFY, email_verification,
};
use super::support::qr;
use super::support::server::Server;
use super::support::tool::{Tool, oathtool, zbarimg};

const ALLOW_REMEMBER: &str = "configurations/v1/mfa-policy/allow-remember-device";
const REFRESH: &str = "auth/v1/user/token/refresh";

#[test]
fn zbarimg_reads_the_picture_and_oathtool_the_secret() {
    let test = "zbarimg_reads_the_picture_and_oathtool_the_secret";
    let Some([zbar, oath]) = Tool::find(["zbarimg", "oathtool"], test) else { return };
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let directory = tempfile::tempdir().unwrap();
    let scan = |name: &str, answer: &Answer| {
        let picture = directory.path().join(name);
        std::fs::write(&picture, qr::png(answer)).unwrap();
        zbarimg(&zbar, &picture)
    };

    let login = person.login();
    let mfa_token = login.text("mfaToken");
    let from_login = scan("login.png", &login);
    let offer = person.browser.post(ENROL, &json!({"mfaToken": mfa_token})).expect(201);
    let from_enrol = scan("enrol.png", &offer);
    assert_eq!(from_login, from_enrol, "one login shows one secret, however often it asks");
    assert_eq!(from_enrol, qr::read(&offer), "both readers read the same");

    let other_login = person.elsewhere().login();
    let from_other = scan("other.png", &other_login);
    let app = Authenticator::scan(&from_enrol);
    assert_ne!(
        app.secret(),
        Authenticator::scan(&from_other).secret(),
        "another login, another secret"
    );
    assert!(from_enrol.starts_with("otpauth://totp/"), "{from_enrol}");
    assert!(app.parameter("issuer").is_some_and(|issuer| !issuer.is_empty()), "{from_enrol}");
    assert!(app.secret().len() >= 32, "160 bits, as RFC 4226 section 4 recommends");

    let step = app.next_step();
    let code = oathtool(&oath, &app.secret(), step * app.period());
    let body = json!({"mfaToken": mfa_token, "token": code});
    let answer = person.browser.post(ENROL_VERIFY, &body).expect(201);
    assert_full_answer(&server, &answer);
    let recovery_code = answer.text("recoveryCode");
    assert_eq!(recovery_code.chars().filter(char::is_ascii_alphanumeric).count(), 16);

    let mfa_token = person.mfa_token();
    let code = oathtool(&oath, &app.secret(), (step + 1) * app.period());
    let answer = person.verify(&mfa_token, &code).expect(201);
    assert_full_answer(&server, &answer);
    assert!(answer.body["recoveryCode"].is_null(), "the recovery code is shown once");
}

#[test]
fn login_answer_of_a_forced_user_is_what_the_client_reads() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let before = person.login();
    assert_eq!(before.body["mfaRequired"], true);
    assert_eq!(before.body["mfaEnrolled"], false);
    assert_eq!(
        before.body["mfaStrategies"],
        json!(["WebAuthnPlatform", "WebAuthnCrossPlatform", "AuthenticatorApp", "SMS"]),
        "email is not proven yet"
    );
    assert_devices(&before, 0, 0);
    assert!(before.body["accessToken"].is_null(), "no tokens before the second factor");
    assert!(before.body["refreshToken"].is_null());
    assert!(before.set_cookie("fe_refresh").is_none(), "nor as a cookie");

    person.enrol();
    let after = person.elsewhere().login();
    assert_eq!(after.body["mfaRequired"], true);
    assert_ne!(after.body["mfaEnrolled"], json!(false));
    assert_devices(&after, 1, 1);
    assert!(after.body["qrCode"].is_null(), "a password alone enrols no second app");
}

#[test]
fn code_of_the_app_logs_in_once_by_its_device() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, spent, .. } = person.enrol();

    let login = person.login();
    let mfa_token = login.text("mfaToken");
    let device = login.body["mfaDevices"]["authenticators"][0]["id"].as_str().unwrap().to_owned();
    let by_device = format!("auth/v1/user/mfa/authenticator/{device}/verify");

    person.verify(&mfa_token, &spent).refused(400);
    let code = app.code();
    let body = json!({"mfaToken": mfa_token, "value": code});
    let answer = person.browser.post(&by_device, &body).expect(201);
    assert_full_answer(&server, &answer);

    let refused = person.browser.post(&by_device, &body).refused(401);
    assert!(refused.body["accessToken"].is_null(), "a spent login answers no more");
    let mfa_token = person.mfa_token();
    let replay = person.verify(&mfa_token, &code).refused(400);
    assert_eq!(replay.body["errorCode"], "ER-01011");
    let wrong = person.verify(&mfa_token, &app.wrong_code()).refused(400);
    assert_eq!(replay.body, wrong.body, "a replayed code is told as any wrong one");
}

#[test]
fn mfa_verify_completes_a_forced_enrolment_too() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let login = person.login();
    let mut app = Authenticator::scan(&qr::read(&login));
    let answer = person.verify(&login.text("mfaToken"), &app.code()).expect(201);
    assert_full_answer(&server, &answer);
    answer.text("recoveryCode");
}

#[test]
fn both_prefixes_serve_the_same_job() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    person.browser = person.browser.with_prefix("/frontegg/identity");
    let mut enrolled = person.enrol();
    assert_full_answer(&server, &enrolled.answer);

    let mfa_token = person.mfa_token();
    let mut other = person.browser.clone().with_prefix("/identity");
    let body = json!({"mfaToken": mfa_token, "value": enrolled.app.code()});
    other.post(VERIFY, &body).expect(201);
}

#[test]
fn emailed_code_logs_in_once() {
    let server = Server::demo();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    person.enrol();

    let mfa_token = person.mfa_token();
    let otc_token = person.request_email_code(&mfa_token);
    let body = email_verification(&mfa_token, &otc_token, &outbox.next_code());
    let answer = person.browser.post(EMAIL_VERIFY, &body).expect(201);
    assert_full_answer(&server, &answer);
    person.browser.post(EMAIL_VERIFY, &body).refused(401);
}

#[test]
fn email_that_is_not_proven_is_no_factor() {
    let server = Server::demo();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    let answer = person.browser.post("auth/v1/user/mfa/emailcode", &json!({"mfaToken": mfa_token}));
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    answer.assert_error_shape();
    assert!(outbox.unread().is_empty(), "nothing was sent");
}

#[test]
fn remembered_browser_skips_the_second_factor_and_no_other_does() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    let allowed = person.browser.get(&format!("{ALLOW_REMEMBER}?mfaToken={mfa_token}")).expect(200);
    assert_eq!(
        allowed.body,
        json!({"isAllowedToRemember": true, "mfaDeviceExpiration": 1_209_600})
    );

    let mut enrolled = person.enrol();
    assert_eq!(person.login().body["mfaRequired"], true, "not remembered unless asked");
    let mfa_token = person.mfa_token();
    let body = json!({"mfaToken": mfa_token, "value": enrolled.app.code(), "rememberDevice": true});
    let answer = person.browser.post(VERIFY, &body).expect(201);
    let cookie = answer.set_cookie("fe_device_").expect("the cookie of this browser");
    let flags = cookie.to_ascii_lowercase();
    assert!(flags.contains("httponly") && flags.contains("samesite="), "{cookie}");
    assert!(!flags.contains("secure"), "no TLS, no Secure, or the browser would drop it: {cookie}");

    let skipped = person.login();
    assert_full_answer(&server, &skipped);
    let claims = skipped.claims();
    let amr: Vec<&str> =
        claims["amr"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(!amr.contains(&"mfa"), "a remembered login proved one factor: {amr:?}");
    let again = person.login();
    assert_full_answer(&server, &again);

    assert_eq!(person.elsewhere().login().body["mfaRequired"], true, "another browser is asked");
}

#[test]
fn recovery_removes_the_factors_and_lets_nobody_in() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let enrolled = person.enrol();
    let email = person.email.clone();

    let wrong = json!({"email": email, "recoveryCode": "0000-0000-0000-0000"});
    let refused = person.browser.post(RECOVER, &wrong).refused(400);
    let unknown = json!({"email": "nobody@example.com", "recoveryCode": "0000-0000-0000-0000"});
    let other = person.browser.post(RECOVER, &unknown).refused(400);
    assert_eq!(refused.body, other.body, "it does not say who has an account");

    let typed = enrolled.recovery_code.to_lowercase();
    let body = json!({"email": email, "recoveryCode": typed});
    let recovered = person.browser.post(RECOVER, &body).expect(200);
    assert!(recovered.body["accessToken"].is_null(), "it does not log in");
    let login = person.login();
    assert_eq!(login.body["mfaRequired"], true);
    assert_eq!(login.body["mfaEnrolled"], false);
    assert_devices(&login, 0, 0);
    let mut app = Authenticator::scan(&qr::read(&login));
    let body = json!({"mfaToken": login.text("mfaToken"), "token": app.code()});
    person.browser.post(ENROL_VERIFY, &body).expect(201).text("recoveryCode");

    let body = json!({"email": email, "recoveryCode": enrolled.recovery_code});
    person.browser.post(RECOVER, &body).refused(400);
}

#[test]
fn after_a_recovery_the_password_alone_enrols_nothing_elsewhere() {
    let server = Server::demo();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    let enrolled = person.enrol();
    let body = json!({"email": person.email, "recoveryCode": enrolled.recovery_code});
    person.browser.post(RECOVER, &body).expect(200);

    let mut thief = person.elsewhere();
    let login = thief.login();
    assert!(login.body["qrCode"].is_null(), "no secret for a password alone: {}", login.body);
    assert_devices(&login, 0, 1);
    let mfa_token = login.text("mfaToken");
    let offer = thief.browser.post(ENROL, &json!({"mfaToken": mfa_token}));
    assert!((400..500).contains(&offer.status), "{}", offer.status);

    let otc_token = thief.request_email_code(&mfa_token);
    let body = email_verification(&mfa_token, &otc_token, &outbox.next_code());
    let proven = thief.browser.post(EMAIL_VERIFY, &body).expect(201);
    assert_eq!(proven.body["mfaRequired"], true);
    assert!(proven.body["accessToken"].is_null(), "the mailbox grants no tokens");
    let mut app = Authenticator::scan(&qr::read(&proven));
    let body = json!({"mfaToken": proven.text("mfaToken"), "token": app.code()});
    thief.browser.post(ENROL_VERIFY, &body).expect(201).text("recoveryCode");
}

#[test]
fn refresh_rotates_and_a_reuse_ends_the_family() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    person.enrol();
    let refresh = |browser: &mut Browser| browser.post(REFRESH, &json!({"tenantId": null}));

    let thief = person.browser.clone();
    let first = refresh(&mut person.browser).expect(201);
    assert_tokens(&server, &first);
    assert!(first.set_cookie("fe_device_").is_none(), "what another answer gave stays");
    let second = refresh(&mut person.browser).expect(201);
    assert_ne!(first.text("refreshToken"), second.text("refreshToken"), "it rotates");
    for claim in ["sub", "tenantId", "amr", "acr", "auth_time"] {
        assert_eq!(first.claims()[claim], second.claims()[claim], "{claim} is carried unchanged");
    }

    refresh(&mut thief.clone()).refused(401);
    refresh(&mut person.browser.clone()).refused(401);
    refresh(&mut server.browser()).refused(401);
}

#[test]
fn me_and_tenants_answer_the_bearer_and_nobody_else() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let answer = person.enrol().answer;
    let token = answer.text("accessToken");
    let mut browser = server.browser().with_bearer(&token);
    let me = browser.get("users/v2/me").expect(200);
    assert_eq!(me.body["email"], person.email);
    let tenants = browser.get("users/v3/me/tenants").expect(200);
    let active = tenants.body["activeTenant"].as_object().expect("activeTenant is an object");
    assert_eq!(active["tenantId"], answer.claims()["tenantId"]);
    assert_eq!(tenants.body["tenants"].as_array().unwrap().len(), 1);

    let mut forged = token.into_bytes();
    let last = forged.len() - 10;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for route in ["users/v2/me", "users/v3/me/tenants"] {
        server.browser().get(route).refused(401);
        server.browser().with_bearer(&forged).get(route).refused(401);
        server.browser().with_bearer(&answer.text("refreshToken")).get(route).refused(401);
    }
}

/// The whole answer of a login that is over: its tokens, and the identity of the browser.
#[track_caller]
fn assert_full_answer(server: &Server, answer: &Answer) {
    assert!(answer.set_cookie("fe_device_").is_some(), "the identity of this browser");
    assert_tokens(server, answer);
}

/// The tokens of an answer, and its access token as `jsonwebtoken` judges it under the server's JWKS.
#[track_caller]
fn assert_tokens(server: &Server, answer: &Answer) {
    assert_eq!(answer.body["mfaRequired"], false, "{}", answer.body);
    assert_eq!(answer.body["tokenType"].as_str().unwrap_or("bearer"), "bearer");
    assert!(answer.body["mfaToken"].is_null());
    answer.text("refreshToken");
    assert!((1..=900).contains(&answer.body["expiresIn"].as_u64().unwrap()), "15 minutes at most");
    assert!(answer.text("expires").len() > 10);
    assert_eq!(answer.text("userEmail"), server.email);
    assert!(answer.set_cookie("fe_refresh_").is_some(), "the refresh cookie");

    let token = answer.text("accessToken");
    let keys = server.browser().send(ureq::http::Method::GET, "/.well-known/jwks.json", Vec::new());
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&keys.expect(200).bytes).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    let key = keys.find(&header.kid.expect("a key id")).expect("the key is published");
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    rules.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).expect("a valid token").claims;
    assert_eq!(claims["email"], server.email);
    assert_eq!(claims["sub"], answer.body["userId"]);
    assert!(claims["auth_time"].as_u64().unwrap() <= now() + 1);
}

/// All four arrays are there, and hold as many authenticators and emails.
#[track_caller]
fn assert_devices(answer: &Answer, authenticators: usize, emails: usize) {
    let devices = &answer.body["mfaDevices"];
    let count =
        |kind: &str| devices[kind].as_array().unwrap_or_else(|| panic!("{kind}: {devices}")).len();
    let counted = (count("authenticators"), count("emails"), count("phones"), count("webauthn"));
    assert_eq!(counted, (authenticators, emails, 0, 0), "{devices}");
}
