//! Races over HTTP with real threads: one code has one winner, and parallel guesses are judged no oftener than the
//! budget allows (ATTACKS: parallel submission, brute force over many logins).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::authenticator::Authenticator;
use super::support::browser::{Answer, Browser};
use super::support::config::Config;
use super::support::events::Events;
use super::support::person::{
    EMAIL_VERIFY, ENROL_VERIFY, Enrolled, Person, RECOVER, VERIFY, email_verification,
};
use super::support::qr;
use super::support::race::race;
use super::support::server::Server;

/// How many submit at once.
const CONTENDERS: usize = 64;

/// Judged guesses of one user in 15 minutes; the eleventh waits.
const JUDGED_IN_A_WINDOW: usize = 10;

#[test]
fn one_totp_under_one_login_wins_once() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, .. } = person.enrol();
    let mfa_token = person.mfa_token();
    let body = json!({"mfaToken": mfa_token, "value": app.code()});
    let answers = submit(&person.browser, VERIFY, vec![body; CONTENDERS]);
    assert_one_winner(&answers, 201);
}

#[test]
fn one_totp_under_many_logins_wins_once() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, .. } = person.enrol();
    let tokens: Vec<String> = (0..CONTENDERS).map(|_| person.elsewhere().mfa_token()).collect();
    let code = app.code();
    let bodies = tokens.iter().map(|token| json!({"mfaToken": token, "value": code})).collect();
    let answers = submit(&person.browser, VERIFY, bodies);
    assert_one_winner(&answers, 201);
}

#[test]
fn one_enrolment_completes_once() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let login = person.login();
    let mut app = Authenticator::scan(&qr::read(&login));
    let body = json!({"mfaToken": login.text("mfaToken"), "token": app.code()});
    let answers = submit(&person.browser, ENROL_VERIFY, vec![body; CONTENDERS]);
    assert_one_winner(&answers, 201);
    let events = Events::read(&server.data());
    assert_eq!(events.of_kind("factor_added").len(), 1, "one app");
    assert_eq!(events.of_kind("recovery_issued").len(), 1, "one recovery code");
}

#[test]
fn one_emailed_code_wins_once() {
    let server = Server::demo();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    person.enrol();
    let mfa_token = person.mfa_token();
    let otc_token = person.request_email_code(&mfa_token);
    let body = email_verification(&mfa_token, &otc_token, &outbox.next_code());
    let answers = submit(&person.browser, EMAIL_VERIFY, vec![body; CONTENDERS]);
    assert_one_winner(&answers, 201);
}

#[test]
fn one_recovery_code_has_one_effect() {
    // Each try that has the right tag costs an Argon2: a small machine takes its time for so many.
    let server = Config::new().line("deadline_seconds = 120").serve();
    let mut person = Person::known_to(&server);
    let enrolled = person.enrol();
    let body = json!({"email": person.email, "recoveryCode": enrolled.recovery_code});
    let answers = submit(&person.browser, RECOVER, vec![body; CONTENDERS]);
    assert_one_winner(&answers, 200);
    assert_eq!(Events::read(&server.data()).of_kind("factors_removed").len(), 1);
    assert_eq!(person.login().body["mfaEnrolled"], false);
}

#[test]
fn one_refresh_token_has_one_successor() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    person.enrol();
    let refresh = "auth/v1/user/token/refresh";
    let browsers: Vec<Browser> = (0..CONTENDERS).map(|_| person.browser.connected()).collect();
    let answers = race(
        browsers
            .into_iter()
            .map(|mut browser| move || browser.post(refresh, &json!({"tenantId": null})))
            .collect(),
    );
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(won, 1, "{:?}", statuses(&answers));
}

#[test]
fn parallel_guesses_are_judged_no_oftener_than_the_budget() {
    let server = Server::demo();
    let mut owner = Person::known_to(&server);
    let Enrolled { mut app, answer, .. } = owner.enrol();
    let user = answer.text("userId");
    let (_, lost_before) = Events::read(&server.data()).judged(&user);

    let mut stranger = owner.elsewhere();
    let tokens: Vec<String> = (0..40).map(|_| stranger.mfa_token()).collect();
    let bodies = app
        .wrong_codes(200)
        .iter()
        .enumerate()
        .map(|(at, code)| json!({"mfaToken": tokens[at % tokens.len()], "value": code}))
        .collect();
    let answers = submit(&stranger.browser, VERIFY, bodies);

    let counted = statuses(&answers);
    assert!(counted.keys().all(|status| [400, 401, 429].contains(status)), "{counted:?}");
    let told = counted.get(&400).copied().unwrap_or_default();
    let (_, lost) = Events::read(&server.data()).judged(&user);
    assert_eq!(lost - lost_before, told, "400 says judged, and every judged guess says 400");
    assert!((1..=JUDGED_IN_A_WINDOW).contains(&told), "{counted:?}");
    for refused in answers.iter().filter(|answer| answer.status == 429) {
        let wait: u64 = refused.header("retry-after").expect("Retry-After").parse().unwrap();
        assert!(wait >= 1);
        refused.assert_error_shape();
    }

    // The right code is told no more than a wrong one once the stranger's share is used up ...
    let late = stranger.try_login();
    if late.status == 200 {
        let right = app.peek();
        let body = json!({"mfaToken": late.text("mfaToken"), "value": right});
        let refused = stranger.browser.post(VERIFY, &body);
        assert!([401, 429].contains(&refused.status), "{}", refused.body);
    }
    // ... and the owner, at the browser of the enrolment, is not locked out.
    let mfa_token = owner.mfa_token();
    owner.verify(&mfa_token, &app.code()).expect(201);
}

#[test]
fn one_login_takes_five_guesses() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, .. } = person.enrol();
    let mfa_token = person.mfa_token();
    let answers: Vec<u16> =
        app.wrong_codes(6).iter().map(|code| person.verify(&mfa_token, code).status).collect();
    assert_eq!(answers[..5], [400; 5]);
    assert!([401, 429].contains(&answers[5]), "{answers:?}");
    let spent = person.verify(&mfa_token, &app.peek());
    assert_eq!(spent.status, answers[5], "the right code is told the same");
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &app.code()).expect(201);
}

/// Posts each body over a connection of its own, all at once.
fn submit(browser: &Browser, route: &str, bodies: Vec<Value>) -> Vec<Answer> {
    let contenders = bodies.into_iter().map(|body| {
        let mut browser = browser.connected();
        move || browser.post(route, &body)
    });
    race(contenders.collect())
}

#[track_caller]
fn assert_one_winner(answers: &[Answer], won: u16) {
    let counted = statuses(answers);
    assert_eq!(counted.get(&won), Some(&1), "{counted:?}");
    assert!(counted.keys().all(|status| [won, 400, 401, 429].contains(status)), "{counted:?}");
    for refused in answers.iter().filter(|answer| answer.status != won) {
        refused.assert_error_shape();
    }
}

/// How often each status was answered.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer.status).or_default() += 1;
    }
    counted
}
