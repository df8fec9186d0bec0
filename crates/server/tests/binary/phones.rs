//! Codes to phones: the routes, and the signed webhook that takes messages to a provider.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::browser::Answer;
use super::support::clock::wait_for;
use super::support::config::Config;
use super::support::person::{Person, VERIFY, email_verification, other_than, with};
use super::support::phone::{Answer as Hook, SECRET, Webhook, outbox_text};

const SMS_ENROL: &str = "auth/v1/user/mfa/sms/enroll";
const SMS_ENROL_VERIFY: &str = "auth/v1/user/mfa/sms/enroll/verify";
const OWN_ENROL: &str = "users/v1/mfa/sms/enroll";
const NUMBER: &str = "+15555550100";

fn sms(device: &str) -> String {
    format!("auth/v1/user/mfa/sms/{device}")
}

/// Asks for a code to a new number; the `otcToken`.
#[track_caller]
fn ask(person: &mut Person, mfa_token: &str, number: &str) -> String {
    let body = json!({"mfaToken": mfa_token, "phoneNumber": number});
    let sent = person.browser.post(SMS_ENROL, &body).expect(201);
    assert_eq!(sent.body["phoneNumber"], NUMBER);
    sent.text("otcToken")
}

#[track_caller]
fn confirm(person: &mut Person, mfa_token: &str, otc_token: &str, code: &str) -> Answer {
    person.browser.post(SMS_ENROL_VERIFY, &email_verification(mfa_token, otc_token, code))
}

#[track_caller]
fn refused_with(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, &answer.body["errorCode"]),
        (status, &json!(code)),
        "{}",
        answer.body
    );
}

fn with_webhook(hook: &Webhook) -> Config {
    Config::new()
        .line(&format!("sms.url = \"http://{}/send\"", hook.address))
        .line(&format!("sms.secret = \"{SECRET}\""))
        .line("sms.timeout_seconds = 1")
        .line("deadline_seconds = 60")
        .strategies(&["AuthenticatorApp", "SMS"])
}

/// A tenant that takes phones. The table of the world's numbers is read at the first one, which an unoptimised build on
/// a busy machine takes its time for.
fn with_outbox() -> Config {
    Config::new().line("deadline_seconds = 60").strategies(&["AuthenticatorApp", "SMS"])
}

#[test]
fn phone_is_enrolled_at_a_forced_login_and_answers_the_next_one() {
    let server = with_outbox().serve();
    let mut person = Person::known_to(&server);
    let before = person.login();
    assert_eq!(before.body["mfaStrategies"], json!(["AuthenticatorApp", "SMS"]));
    assert_eq!(before.body["mfaDevices"]["phones"], json!([]));
    let mfa_token = before.text("mfaToken");

    // As the vendor's documents write a number, with dashes.
    let otc_token = ask(&mut person, &mfa_token, "+1-555-555-0100");
    let (to, channel, code) = outbox_text(&server, 0);
    assert_eq!((to.as_str(), channel.as_str()), (NUMBER, "sms"));
    let wrong = confirm(&mut person, &mfa_token, &otc_token, &other_than(&code));
    refused_with(&wrong, 400, "ER-01011");
    let done = confirm(&mut person, &mfa_token, &otc_token, &code).expect(201);
    done.text("recoveryCode");
    assert_eq!(done.claims()["amr"], json!(["pwd", "mfa", "sms"]));

    let mut person = person.elsewhere();
    person.browser = person.browser.with_prefix("/frontegg/identity");
    let after = person.login();
    assert_eq!(after.body["mfaEnrolled"], true);
    assert_eq!(after.body["mfaStrategies"], json!(["SMS"]));
    let phones = &after.body["mfaDevices"]["phones"];
    assert_eq!(phones[0]["phoneNumber"], "+***00", "a password alone shows no number");
    let (mfa_token, id) = (after.text("mfaToken"), phones[0]["id"].as_str().unwrap().to_owned());

    let body = json!({"mfaToken": mfa_token, "channel": "whatsapp"});
    let sent = person.browser.post(&sms(&id), &body).expect(201);
    assert_eq!(sent.body["phoneNumber"], "+***00");
    let otc_token = sent.text("otcToken");
    let (_, channel, code) = outbox_text(&server, 1);
    assert_eq!(channel, "whatsapp");
    let soon = person.browser.post(&sms(&id), &json!({"mfaToken": mfa_token}));
    refused_with(&soon, 429, "ER-00429");
    let wait: u64 = soon.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");

    let right = email_verification(&mfa_token, &otc_token, &code);
    let unknown = format!("{}/verify", sms("00000000-0000-4000-8000-000000000000"));
    refused_with(&person.browser.post(&unknown, &right), 400, "ER-01011");
    // What was sent to log in enrols nothing.
    refused_with(&confirm(&mut person, &mfa_token, &otc_token, &code), 400, "ER-01011");
    let verify = format!("{}/verify", sms(&id));
    let done =
        person.browser.post(&verify, &with(right.clone(), "rememberDevice", true)).expect(201);
    assert!(done.body["recoveryCode"].is_null(), "shown once");
    assert_eq!(done.claims()["amr"], json!(["pwd", "mfa", "sms"]));
    person.browser.post(&verify, &right).refused(401);
    assert_eq!(person.login().body["mfaRequired"], false, "the browser is remembered");
}

#[test]
fn what_is_missing_or_no_number_is_named_and_nothing_is_sent() {
    let server = with_outbox().serve();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    let base = json!({"mfaToken": mfa_token});
    let cases: [(Value, &str, &str); 5] = [
        (base.clone(), "ER-000b32220f", "phoneNumber should not be empty"),
        (
            with(base.clone(), "phoneNumber", "555"),
            "ER-00400",
            "phoneNumber must be a valid phone number",
        ),
        (
            with(base.clone(), "phoneNumber", "+2105555550100"),
            "ER-00400",
            "phoneNumber must be a valid phone number",
        ),
        (
            with(base.clone(), "phoneNumber", 15_555_550_100_u64),
            "ER-00400",
            "phoneNumber must be a string",
        ),
        (json!({"phoneNumber": NUMBER}), "ER-00400", "mfaToken should not be empty"),
    ];
    for (body, code, sentence) in cases {
        let answer = person.browser.post(SMS_ENROL, &body);
        refused_with(&answer, 400, code);
        assert_eq!(answer.body["errors"], json!([sentence]));
    }
    let pigeon = with(with(base.clone(), "phoneNumber", NUMBER), "channel", "pigeon");
    person.browser.post(SMS_ENROL, &pigeon).refused(400);
    refused_with(&person.browser.post(&sms("nobody"), &base), 400, "ER-01016");
    let foreign = json!({"mfaToken": "x", "phoneNumber": NUMBER});
    refused_with(&person.browser.post(SMS_ENROL, &foreign), 401, "ER-00440");
    let sent = std::fs::read_dir(server.data().join("outbox")).unwrap();
    assert_eq!(sent.count(), 0, "nothing went out");
}

#[test]
fn webhook_is_signed_and_asked_again_under_one_id_until_it_takes_the_message() {
    let hook = Webhook::start(&[Hook::Status(500), Hook::Never]);
    let server = with_webhook(&hook).serve();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    let otc_token = ask(&mut person, &mfa_token, NUMBER);
    let last = hook.wait_for(3);
    let id = last.body["id"].as_str().unwrap();
    for request in hook.all() {
        assert_eq!(request.headers[":line"], "POST /send HTTP/1.1");
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(
            request.headers["idempotency-key"], id,
            "one message, however often it is tried"
        );
        assert_eq!(request.body["id"], id);
    }
    let body = &last.body;
    assert_eq!(
        (&body["to"], &body["channel"], &body["purpose"], &body["service"]),
        (&json!(NUMBER), &json!("sms"), &json!("enroll"), &json!("Countersign"))
    );
    assert!((500..=600).contains(&body["expiresIn"].as_u64().unwrap()), "{body}");
    let code = body["code"].as_str().unwrap();
    assert!(body["text"].as_str().unwrap().contains(code));
    confirm(&mut person, &mfa_token, &otc_token, code).expect(201);

    // Another message has another id, and one that was taken is not sent again.
    let mut person = person.elsewhere();
    let after = person.login();
    let device = after.body["mfaDevices"]["phones"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"mfaToken": after.text("mfaToken")});
    person.browser.post(&sms(&device), &body).expect(201);
    let next = hook.wait_for(4);
    assert_ne!(next.body["id"], id);
    assert_eq!(next.body["purpose"], "login");
    assert_eq!(hook.all().len(), 4);
}

#[test]
fn webhook_that_refuses_is_not_asked_again_and_no_log_line_tells_number_or_code() {
    let hook = Webhook::start(&[Hook::Status(422)]);
    let server = with_webhook(&hook).serve();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    ask(&mut person, &mfa_token, NUMBER);
    let told = wait_for(Duration::from_secs(20), || {
        server.log().contains("the webhook answered 422").then_some(())
    });
    told.expect("an error in the log");
    let requests = hook.all();
    assert_eq!(requests.len(), 1);
    let code = requests[0].body["code"].as_str().unwrap();
    let log = server.log();
    assert!(!log.contains(code) && !log.contains("5555550100") && !log.contains(SECRET), "{log}");
}

#[test]
fn provider_that_is_down_holds_up_no_request_and_another_factor_still_works() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Config::new()
        .line(&format!("sms.url = \"http://{gone}/send\""))
        .line(&format!("sms.secret = \"{SECRET}\""))
        .line("deadline_seconds = 60")
        .strategies(&["AuthenticatorApp", "SMS"])
        .serve();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    ask(&mut person, &mfa_token, NUMBER);
    let mut app = person.enrol().app;
    let told = wait_for(Duration::from_secs(30), || {
        server.log().contains("the webhook was not reached").then_some(())
    });
    told.expect("an error in the log");
    let mfa_token = person.elsewhere().mfa_token();
    let code = app.code();
    person
        .elsewhere()
        .browser
        .post(VERIFY, &json!({"mfaToken": mfa_token, "value": code}))
        .expect(201);
}

#[test]
fn session_adds_a_second_phone_and_removes_the_first_by_a_code_sent_to_it() {
    let server = with_outbox().serve();
    let mut person = Person::known_to(&server);
    let mfa_token = person.mfa_token();
    let otc_token = ask(&mut person, &mfa_token, NUMBER);
    let code = outbox_text(&server, 0).2;
    let done = confirm(&mut person, &mfa_token, &otc_token, &code).expect(201);
    let mut session = person.browser.another().with_bearer(&done.text("accessToken"));

    let work = json!({"phoneNumber": "+44 (0)20 7183 8750"});
    let mut stranger = person.browser.another();
    refused_with(&stranger.post(OWN_ENROL, &work), 401, "ER-00401");
    let sent = session.post(OWN_ENROL, &work).expect(200);
    assert_eq!(sent.body["phoneNumber"], "+442071838750");
    let (to, _, code) = outbox_text(&server, 1);
    assert_eq!(to, "+442071838750");
    let verify = format!("{OWN_ENROL}/verify");
    let body = json!({"otcToken": sent.text("otcToken"), "code": other_than(&code)});
    refused_with(&session.post(&verify, &body), 400, "ER-01011");
    let body = json!({"otcToken": sent.text("otcToken"), "code": code, "label": "Work"});
    let added = session.post(&verify, &body).expect(200);
    assert!(added.body["recoveryCode"].is_null(), "there is one");

    let login = person.elsewhere().login();
    let phones = login.body["mfaDevices"]["phones"].as_array().unwrap().clone();
    let masks: Vec<_> = phones.iter().map(|phone| phone["phoneNumber"].as_str().unwrap()).collect();
    assert_eq!(masks, ["+***00", "+***50"]);
    let disable = format!("users/v1/mfa/sms/{}/disable", phones[0]["id"].as_str().unwrap());
    let sent = session.post(&disable, &json!({})).expect(200);
    assert_eq!(sent.body["phoneNumber"], "+***00");
    let (to, _, code) = outbox_text(&server, 2);
    assert_eq!(to, NUMBER);
    let verify = format!("{disable}/verify");
    let otc_token = sent.text("otcToken");
    let wrong = json!({"otcToken": otc_token, "code": other_than(&code)});
    refused_with(&session.post(&verify, &wrong), 400, "ER-01011");
    session.post(&verify, &json!({"otcToken": otc_token, "code": code})).expect(200);
    session.get("users/v2/me").expect(200);
    let login = person.elsewhere().login();
    let phones = login.body["mfaDevices"]["phones"].as_array().unwrap().clone();
    assert_eq!(phones.len(), 1);

    // The last one stays: the tenant forces a second factor. And nobody removes what is not there.
    let last = format!("users/v1/mfa/sms/{}/disable", phones[0]["id"].as_str().unwrap());
    refused_with(&session.post(&last, &json!({})), 403, "ER-00463");
    refused_with(&session.post(&verify, &json!({})), 400, "ER-01016");
}
