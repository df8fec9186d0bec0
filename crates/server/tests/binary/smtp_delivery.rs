//! Codes that go out over a real SMTP conversation.

use serde_json::json;

use super::support::config::Config;
use super::support::person::{EMAIL_CODE, EMAIL_VERIFY, Person, email_verification, other_than};
use super::support::server::Server;
use super::support::smtp::Smtp;

fn served() -> (Smtp, Server, Person) {
    let smtp = Smtp::start();
    let server = Config::new().smtp(smtp.address).serve();
    let person = Person::known_to(&server);
    (smtp, server, person)
}

#[test]
fn code_read_from_smtp_verifies_once_and_only_once() {
    let (smtp, _server, mut person) = served();
    person.enrol();
    let known = smtp.all().len();
    let mfa_token = person.mfa_token();
    let otc_token = person.request_email_code(&mfa_token);

    let received = smtp.wait_for_code(known);
    assert_eq!(received.recipients, [person.email.clone()]);
    assert!(received.mail.to.contains(&person.email), "{}", received.mail.to);
    assert!(received.mail.from.contains(&received.sender), "{}", received.mail.from);
    let code = received.mail.code().unwrap();
    assert!(!received.mail.subject.contains(&code), "a lock screen shows the subject");

    let wrong = email_verification(&mfa_token, &otc_token, &other_than(&code));
    person.browser.post(EMAIL_VERIFY, &wrong).refused(400);
    let right = email_verification(&mfa_token, &otc_token, &code);
    person.browser.post(EMAIL_VERIFY, &right).expect(201).text("accessToken");
    person.browser.post(EMAIL_VERIFY, &right).refused(401);

    let next = person.mfa_token();
    let body = email_verification(&next, &otc_token, &code);
    let answer = person.browser.post(EMAIL_VERIFY, &body);
    assert!([400, 401].contains(&answer.status), "{}", answer.body);
}

#[test]
fn second_code_within_the_cool_down_is_not_sent() {
    let (smtp, _server, mut person) = served();
    person.enrol();
    let known = smtp.all().len();
    let mfa_token = person.mfa_token();
    person.request_email_code(&mfa_token);
    smtp.wait_for_code(known);
    let again = person.browser.post(EMAIL_CODE, &json!({"mfaToken": mfa_token})).refused(429);
    let wait: u64 = again.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let codes = smtp.all().into_iter().skip(known).filter(|mail| mail.mail.code().is_some());
    assert_eq!(codes.count(), 1);
}

#[test]
fn enrolment_is_told_to_its_owner_without_a_code() {
    let (smtp, _server, mut person) = served();
    person.enrol();
    let received = smtp.wait_beyond(0);
    assert_eq!(received.recipients, [person.email.clone()]);
    assert_eq!(received.mail.code(), None, "no run of six digits in a notice");
}
