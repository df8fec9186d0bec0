//! What a client must not send: each answer has the contract's error shape, nothing panics (the server's standard error
//! is searched when the test ends), and nothing changes: the code that was valid before is valid after.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use super::support::browser::{Answer, Browser};
use super::support::events::Events;
use super::support::person::{
    AUTH, EMAIL_CODE, EMAIL_VERIFY, ENROL, ENROL_VERIFY, Enrolled, Person, RECOVER,
    VENDOR_LIFECYCLE, VENDOR_LOGINS, VERIFY, demo_tenant, email_verification, other_than, with,
};
use super::support::server::Server;

const BY_DEVICE: &str = "auth/v1/user/mfa/authenticator/no-such-device/verify";
const REFRESH: &str = "auth/v1/user/token/refresh";

/// Every route that reads a body, with the fields that it requires.
const ROUTES: &[(&str, &[&str])] = &[
    (AUTH, &["email", "password"]),
    (VERIFY, &["mfaToken", "value"]),
    (ENROL, &["mfaToken"]),
    (ENROL_VERIFY, &["mfaToken", "token"]),
    (BY_DEVICE, &["mfaToken", "value"]),
    (EMAIL_CODE, &["mfaToken"]),
    (EMAIL_VERIFY, &["mfaToken", "otcToken", "code"]),
    (RECOVER, &["email", "recoveryCode"]),
    (VENDOR_LOGINS, &["tenantId", "userId", "email", "firstFactor"]),
    (VENDOR_LIFECYCLE, &["userId", "event"]),
];

/// A user with an app, a login that waits for its code, and the number of events so far.
struct Scene {
    server: Server,
    person: Person,
    enrolled: Enrolled,
    mfa_token: String,
    judged: (usize, usize),
    user: String,
}

impl Scene {
    fn set() -> Self {
        let server = Server::demo();
        let mut person = Person::known_to(&server);
        let enrolled = person.enrol();
        let user = enrolled.answer.text("userId");
        let mfa_token = person.mfa_token();
        let judged = Events::read(&server.data()).judged(&user);
        Self { server, person, enrolled, mfa_token, judged, user }
    }

    /// A browser that may call the management routes as well.
    fn browser(&self) -> Browser {
        self.server.browser().with_bearer(&self.server.vendor_token())
    }

    /// Nothing was judged meanwhile, and the login and its code are as good as before.
    #[track_caller]
    fn unchanged(mut self) {
        let judged = Events::read(&self.server.data()).judged(&self.user);
        assert_eq!(judged, self.judged, "nothing was judged");
        self.finish();
    }

    /// The login and its code are as good as before.
    #[track_caller]
    fn finish(&mut self) {
        let code = self.enrolled.app.code();
        self.person.verify(&self.mfa_token, &code).expect(201);
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    let scene = Scene::set();
    let mut deep = b"{\"mfaToken\":".to_vec();
    deep.extend(vec![b'['; 8_000]);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("cut off", b"{\"mfaToken\": \"x\"".to_vec()),
        ("no JSON", b"mfaToken=x&value=123456".to_vec()),
        ("array", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("string", b"\"mfaToken\"".to_vec()),
        ("number", b"1e999".to_vec()),
        ("trailing", b"{} {}".to_vec()),
        ("invalid UTF-8", b"{\"mfaToken\": \"\xff\xfe\"}".to_vec()),
        ("lone surrogate", br#"{"mfaToken": "\ud800", "value": "\udfff"}"#.to_vec()),
        ("deep", deep),
        ("NUL", b"\0\0\0\0".to_vec()),
    ];
    let mut browser = scene.browser();
    for (route, _) in ROUTES {
        let path = browser.path(route);
        for (name, body) in &bodies {
            let answer = browser.send(Method::POST, &path, body.clone());
            assert_eq!(answer.status, 400, "{name} at {route}: {}", answer.body);
            answer.assert_error_shape();
        }
    }
    scene.unchanged();
}

#[test]
fn missing_fields_and_wrong_types_are_refused() {
    let scene = Scene::set();
    let mut browser = scene.browser();
    for (route, fields) in ROUTES {
        let whole = fields.iter().fold(json!({}), |body, field| with(body, field, "x"));
        for field in *fields {
            let mut missing = whole.clone();
            missing.as_object_mut().unwrap().remove(*field);
            let wrong = [json!(null), json!(7), json!(true), json!(["x"]), json!({"x": "x"})];
            let bodies = wrong.map(|value| with(whole.clone(), field, value));
            for body in std::iter::once(&missing).chain(&bodies) {
                let answer = browser.post(route, body);
                assert_eq!(answer.status, 400, "{body} at {route}: {}", answer.body);
                answer.assert_error_shape();
            }
        }
    }
    let body = json!({"mfaToken": scene.mfa_token, "value": "123456", "rememberDevice": "yes"});
    browser.post(VERIFY, &body).refused(400);
    scene.unchanged();
}

#[test]
fn unknown_fields_are_tolerated() {
    let mut scene = Scene::set();
    let extra = json!({"deep": [[[[{}]]]], "publicKey": {"rawId": {}}, "user": "someone else"});
    let body = json!({"mfaToken": scene.mfa_token, "value": scene.enrolled.app.code(), "extra": extra,
        "recaptchaToken": "", "invitationToken": "", "userId": "root", "tenantId": 7});
    let answer = scene.person.browser.post(VERIFY, &body).expect(201);
    assert_eq!(answer.text("userId"), scene.user);
}

#[test]
fn malformed_codes_are_refused_and_not_judged() {
    let mut scene = Scene::set();
    let long = "1".repeat(10_000);
    for code in [
        "",
        "12345",
        "abcdef",
        "-12345",
        "+12345",
        "1 2345",
        "12345\u{0}",
        "１２３４５６",
        "٣٤٥٦٧٨",
        &long,
    ] {
        let answer = scene.person.verify(&scene.mfa_token, code);
        assert_eq!(answer.status, 400, "{code:.40?}: {}", answer.body);
        answer.assert_error_shape();
    }
    scene.unchanged();
}

#[test]
fn large_bodies_are_refused() {
    let scene = Scene::set();
    let mut browser = scene.browser();
    let large = json!({"mfaToken": "x".repeat(10_000_000), "value": "123456"}).to_string();
    for (route, _) in ROUTES {
        let path = browser.path(route);
        // The server may answer and hang up before it has read everything.
        if let Ok(answer) = browser.try_send(Method::POST, &path, large.clone().into_bytes()) {
            answer.refused(413);
        }
    }
    for announced in [10_000, 10_000_000, u64::MAX] {
        let status = status_of_announced_length(&scene.server, announced);
        assert!([400, 408, 413, 431, 503].contains(&status), "{announced}: {status}");
    }
    scene.unchanged();
}

#[test]
fn token_of_another_kind_is_refused_as_any_other() {
    let mut scene = Scene::set();
    let mut outbox = scene.server.outbox();
    let otc_token = scene.person.request_email_code(&scene.mfa_token);
    let code = outbox.next_code();
    let (access, refresh) =
        (scene.enrolled.answer.text("accessToken"), scene.enrolled.answer.text("refreshToken"));
    let mut flipped = scene.mfa_token.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let cut = &scene.mfa_token[..scene.mfa_token.len() - 1];
    let (long, dots) = ("A".repeat(8_000), "..");
    let vendor_token = scene.server.vendor_token();
    let right = scene.enrolled.app.peek();

    let mut refusals: Vec<Value> = Vec::new();
    for token in
        [&otc_token, &access, &refresh, &flipped, cut, &long, dots, "x", "%00", &vendor_token]
    {
        let browser = &mut scene.person.browser;
        for (route, body) in [
            (VERIFY, json!({"mfaToken": token, "value": right})),
            (BY_DEVICE, json!({"mfaToken": token, "value": right})),
            (ENROL, json!({"mfaToken": token})),
            (ENROL_VERIFY, json!({"mfaToken": token, "token": right})),
            (EMAIL_CODE, json!({"mfaToken": token})),
            (EMAIL_VERIFY, email_verification(token, &otc_token, &code)),
        ] {
            let answer = browser.post(route, &body);
            assert_eq!(answer.status, 401, "{token:.40} at {route}: {}", answer.body);
            answer.assert_error_shape();
            refusals.push(answer.body);
        }
    }
    assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "told alike, whatever it was");

    // A code is judged against no living challenge, and a login has five guesses.
    for token in [&scene.mfa_token, &access, "x"] {
        let body = email_verification(&scene.mfa_token, token, &code);
        let answer = scene.person.browser.post(EMAIL_VERIFY, &body);
        assert!([400, 401].contains(&answer.status), "{}: {}", answer.status, answer.body);
        answer.assert_error_shape();
    }
    let cookie = scene.person.browser.cookies.keys().find(|name| name.starts_with("fe_refresh_"));
    let cookie = cookie.unwrap().clone();
    for token in [&scene.mfa_token, &otc_token, &access, "x"] {
        let mut thief = scene.server.browser();
        thief.cookies.insert(cookie.clone(), token.to_owned());
        thief.post(REFRESH, &json!({"tenantId": null})).refused(401);
    }
    let body = email_verification(&scene.mfa_token, &otc_token, &code);
    scene.person.browser.post(EMAIL_VERIFY, &body).expect(201);
}

#[test]
fn challenge_belongs_to_its_user_and_login() {
    let server = Server::demo();
    let (tenant, vendor_token) = (demo_tenant(&server), server.vendor_token());
    let mut outbox = server.outbox();
    let mut ada = Person::vouched(&server, &vendor_token, &tenant, "ada");
    let mut eve = Person::vouched(&server, &vendor_token, &tenant, "eve");
    ada.enrol();
    eve.enrol();
    let (adas, eves) = (ada.mfa_token(), eve.mfa_token());
    let adas_other = ada.elsewhere().mfa_token();
    let otc_token = ada.request_email_code(&adas);
    let code = outbox.next_code();

    for foreign in [&eves, &adas_other] {
        let body = email_verification(foreign, &otc_token, &code);
        let answer = eve.browser.post(EMAIL_VERIFY, &body);
        assert!([400, 401].contains(&answer.status), "{}: {}", answer.status, answer.body);
        answer.assert_error_shape();
    }
    let wrong = email_verification(&adas, &otc_token, &other_than(&code));
    ada.browser.post(EMAIL_VERIFY, &wrong).refused(400);
    let right = email_verification(&adas, &otc_token, &code);
    ada.browser.post(EMAIL_VERIFY, &right).expect(201);
}

#[test]
fn wrong_password_and_unknown_user_are_told_alike() {
    let scene = Scene::set();
    let attempt = |email: &str| {
        let body = json!({"email": email, "password": "not the password"});
        let refused = scene.server.browser().post(AUTH, &body).refused(401);
        assert!(refused.set_cookies().is_empty());
        refused.body
    };
    assert_eq!(attempt(&scene.person.email), attempt("nobody@example.com"));
    assert_eq!(attempt(&scene.person.email), attempt("no address"));
    scene.unchanged();
}

#[test]
fn unknown_device_is_told_as_a_wrong_code() {
    let mut scene = Scene::set();
    let right = scene.enrolled.app.peek();
    let wrong =
        scene.person.verify(&scene.mfa_token, &scene.enrolled.app.wrong_code()).refused(400);
    for device in ["no-such-device", "%00", "%ff%fe", "..%2f..", &"x".repeat(3_000)] {
        let route = format!("auth/v1/user/mfa/authenticator/{device}/verify");
        let body = json!({"mfaToken": scene.mfa_token, "value": right});
        let answer = scene.person.browser.post(&route, &body);
        // Five guesses a login, and it is over.
        assert!(
            [400, 401].contains(&answer.status),
            "{device:.40}: {} {}",
            answer.status,
            answer.body
        );
        answer.assert_error_shape();
        if device == "no-such-device" {
            assert_eq!((answer.status, answer.body), (400, wrong.body.clone()));
        }
    }
    let mfa_token = scene.person.mfa_token();
    let code = scene.enrolled.app.code();
    scene.person.verify(&mfa_token, &code).expect(201);
}

#[test]
fn other_paths_and_methods_answer_in_the_same_shape() {
    let scene = Scene::set();
    let mut browser = scene.browser();
    for path in [
        "/identity/resources/",
        "/identity/resources/auth/v1/nothing",
        "/nothing",
        "/identity/..%2f..",
    ] {
        browser.send(Method::POST, path, b"{}".to_vec()).refused(404);
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let path = browser.path(VERIFY);
        browser.send(method, &path, b"{}".to_vec()).refused(405);
    }
    scene.unchanged();
}

#[test]
fn huge_headers_and_cookies_hurt_nobody() {
    let mut scene = Scene::set();
    for size in [4_000, 60_000, 1_000_000] {
        let mut browser = scene.server.browser().with_header("x-large", &"x".repeat(size));
        hurts_nobody(browser.try_send(
            Method::POST,
            "/identity/resources/auth/v1/user",
            b"{}".to_vec(),
        ));
    }
    let name = scene.person.browser.cookies.keys().find(|name| name.starts_with("fe_device_"));
    let name = name.unwrap().clone();
    for value in ["x", "", "=", "a.b.c.d.e.f.g", "%00%ff", &"x.".repeat(2_000), &"A".repeat(60_000)]
    {
        let mut browser = scene.server.browser();
        browser.cookies.insert(name.clone(), value.to_owned());
        let body = json!({"email": scene.person.email, "password": scene.server.password});
        let path = browser.path(AUTH);
        let answer = browser.try_send(Method::POST, &path, body.to_string().into_bytes());
        if let Ok(answer) = answer
            && answer.status == 200
        {
            assert_eq!(answer.body["mfaRequired"], true, "a cookie of noise remembers nobody");
        }
    }
    scene.person.browser.cookies.insert("noise".to_owned(), "x".repeat(2_000));
    scene.unchanged();
}

#[track_caller]
fn hurts_nobody(answer: Result<Answer, ureq::Error>) {
    if let Ok(answer) = answer {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
}

/// Announces a long body and sends none: the server does not wait for it forever.
fn status_of_announced_length(server: &Server, length: u64) -> u16 {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST /identity/resources/{VERIFY} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n",
        server.address()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap()
}
