//! What a client is told of a refusal: within one class and route the same status, the same bytes, the same headers.

use serde_json::{Value, json};

use super::support::browser::{Answer, Browser};
use super::support::person::{
    AUTH, EMAIL_VERIFY, ENROL_VERIFY, Enrolled, Person, RECOVER, VERIFY, email_verification,
    other_than,
};
use super::support::server::Server;

const NO_DEVICE: &str = "00000000-0000-4000-8000-000000000000";

/// All that an answer shows, but for its time and its own name.
fn shown(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let named = |name: &str| name != "date" && name != "frontegg-trace-id";
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| named(name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.bytes.clone())
}

/// Each try is refused with this status, and none can be told from another.
#[track_caller]
fn alike(browser: &Browser, status: u16, tries: &[(&str, String, Value)]) {
    let mut first = None;
    for (what, route, body) in tries {
        let refused = shown(&browser.clone().post(route, body).refused(status));
        match &first {
            None => first = Some(refused),
            Some(first) => assert_eq!(&refused, first, "{what}"),
        }
    }
}

#[test]
fn before_a_first_factor_nobody_learns_who_is_there() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { answer, .. } = person.enrol();
    let tenant = answer.claims()["tenantId"].as_str().unwrap().to_owned();
    Person::vouched(&server, &server.vendor_token(), &tenant, "grace").enrol();
    let browser = server.browser();

    let tried = |what, email: &str| {
        (what, AUTH.to_owned(), json!({"email": email, "password": "nobody's password"}))
    };
    alike(
        &browser,
        401,
        &[
            tried("a wrong password", &person.email),
            tried("an unknown user", "nobody@example.com"),
            tried("a user of another directory", "grace@example.com"),
            tried("no address at all", "nobody"),
            tried("a known browser's", &person.email),
        ],
    );
    // A known browser is told no more than any other.
    let known = shown(&person.browser.clone().post(AUTH, &tried("", &person.email).2).refused(401));
    let other =
        shown(&person.browser.clone().post(AUTH, &tried("", "nobody@example.com").2).refused(401));
    assert_eq!(known, other);

    let tried = |what, email: &str, code: &str| {
        (what, RECOVER.to_owned(), json!({"email": email, "recoveryCode": code}))
    };
    alike(
        &browser,
        400,
        &[
            tried("a wrong code", &person.email, "0123-4567-89AB-CDEF"),
            tried("an unknown user", "nobody@example.com", "0123-4567-89AB-CDEF"),
            tried("no code at all", &person.email, "0123"),
            tried("no address at all", "nobody", "0123-4567-89AB-CDEF"),
        ],
    );
}

#[test]
fn a_judged_code_is_refused_in_one_way() {
    let server = Server::demo();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    let Enrolled { app, spent, .. } = person.enrol();
    let mut stranger = person.elsewhere();

    let login = stranger.login();
    let mfa_token = login.text("mfaToken");
    let device = login.body["mfaDevices"]["authenticators"][0]["id"].as_str().unwrap().to_owned();
    let tried = |what, route: &str, code: &str| {
        (what, route.to_owned(), json!({"mfaToken": mfa_token, "value": code}))
    };
    let of = |device: &str| format!("auth/v1/user/mfa/authenticator/{device}/verify");
    let wrong = app.wrong_code();
    alike(
        &stranger.browser,
        400,
        &[tried("a wrong code", VERIFY, &wrong), tried("a replayed code", VERIFY, &spent)],
    );
    let mfa_token = stranger.mfa_token();
    let tried = |what, route: &str, code: &str| {
        (what, route.to_owned(), json!({"mfaToken": mfa_token, "value": code}))
    };
    alike(
        &stranger.browser,
        400,
        &[
            tried("a wrong code", &of(&device), &wrong),
            tried("a replayed code", &of(&device), &spent),
            tried("the right code of an unknown device", &of(NO_DEVICE), &app.peek()),
            tried("of what is no device's id", &of("nobody"), &app.peek()),
        ],
    );

    // Codes that were mailed: wrong, of another login's challenge, and where none is pending.
    let (one, two) = (stranger.mfa_token(), stranger.mfa_token());
    let first = stranger.request_email_code(&one);
    let code = outbox.next_code();
    let second = stranger.request_email_code(&two);
    let other = outbox.next_code();
    let mailed = |what, mfa: &str, otc: &str, code: &str| {
        (what, EMAIL_VERIFY.to_owned(), email_verification(mfa, otc, code))
    };
    alike(
        &stranger.browser,
        400,
        &[
            mailed("a wrong code", &one, &first, &other_than(&code)),
            mailed("another login's challenge", &one, &second, &other),
        ],
    );
    let body = json!({"mfaToken": two, "token": app.peek()});
    let enrolment = ("no enrolment is pending", ENROL_VERIFY.to_owned(), body);
    let body = json!({"mfaToken": two, "token": wrong});
    alike(
        &stranger.browser,
        400,
        &[enrolment, ("and a wrong code of it", ENROL_VERIFY.to_owned(), body)],
    );
}
