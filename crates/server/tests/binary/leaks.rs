//! Nothing leaks: after a walk over every factor, at the noisiest log level, no password, secret, code, token or key
//! shows in the log, the events, a command's output, a refusal, or the database's files. In each place a planted value
//! is found, so that the search itself is not blind.

use std::path::Path;
use std::process::Output;

use countersign_conformance::canary::Canaries;
use serde_json::{Value, json};
use ureq::http::Method;

use super::support::canaries::{assert_none, known, mark};
use super::support::config::Config;
use super::support::person::{
    AUTH, EMAIL_VERIFY, Enrolled, Person, RECOVER, VENDOR_LIFECYCLE, VERIFY, email_verification,
    other_than, with,
};
use super::support::phone::{SECRET, Webhook, outbox_text};
use super::support::server::{Server, countersign};
use super::support::smtp::Smtp;
use super::{passkeys, vendors};

const NUMBER: &str = "+15555550100";
const OWN_PHONES: &str = "users/v1/mfa/sms/enroll";
const STEP_UP: &str = "auth/v1/user/step-up/generate";
const REFRESH: &str = "auth/v1/user/token/refresh";
const NOISE: (&str, &str) = ("COUNTERSIGN_LOG", "trace");

/// How the tests read the letters that a server sends.
struct Letters<'a> {
    mail: &'a mut dyn FnMut() -> String,
    text: &'a mut dyn FnMut() -> String,
}

#[test]
fn nothing_shows_after_every_factor_in_a_noisy_text_log() {
    let server = Server::demo_with(&[NOISE]);
    let (mut outbox, mut texts) = (server.outbox(), 0..);
    let letters = Letters {
        mail: &mut || outbox.next_code(),
        text: &mut || outbox_text(&server, texts.next().unwrap()).2,
    };
    let mut person = Person::known_to(&server);
    let mut said = walk(&server, &mut person, letters);
    let mut grace = Person::vouched(&server, &server.vendor_token(), "demo", "grace");
    passkeys::enrol(&mut grace, &mut passkeys::authenticator(&server));
    search(&server, &mut said);
}

#[test]
fn nothing_shows_after_every_factor_in_a_noisy_json_log_with_mail_and_webhook() {
    let (smtp, hook) = (Smtp::start(), Webhook::start(&[]));
    let server = Config::new()
        .smtp(smtp.address)
        .line(&format!("sms.url = \"http://{}/send\"", hook.address))
        .line(&format!("sms.secret = \"{SECRET}\""))
        .line("deadline_seconds = 60")
        .strategies(&["AuthenticatorApp", "EmailCode", "SMS"])
        .serve_with(&[NOISE, ("COUNTERSIGN_LOG_FORMAT", "json")]);
    let (mut mails, mut texts) = (0, 1..);
    let letters = Letters {
        mail: &mut || {
            let mail = smtp.wait_for_code(mails).mail;
            mails = smtp.all().len();
            mail.code().unwrap()
        },
        text: &mut || {
            let request = hook.wait_for(texts.next().unwrap());
            request.body["code"].as_str().unwrap().to_owned()
        },
    };
    let mut person = Person::known_to(&server);
    let mut said = walk(&server, &mut person, letters);
    said.mark_text("the webhook's secret", SECRET);
    assert!(server.log().lines().count() > 20, "it is noisy");
    for line in server.log().lines() {
        let _: Value = serde_json::from_str(line).expect("JSON lines");
    }
    search(&server, &mut said);
}

/// Every factor, right and wrong; the codes that were sent.
fn walk(server: &Server, person: &mut Person, letters: Letters<'_>) -> Canaries {
    let mut codes = Canaries::new();
    let mut heard = |name: &str, code: String| {
        codes.mark_code(name, &code);
        code
    };
    let nearly = with(json!({"email": person.email}), "password", "nearly the right password");
    server.browser().post(AUTH, &nearly).refused(401);

    let Enrolled { mut app, spent, answer, .. } = person.enrol_remembered();
    heard("a code of an app", spent);
    assert_eq!(person.login().body["mfaRequired"], false);
    let mut stranger = person.elsewhere();
    let mfa_token = stranger.mfa_token();
    stranger.verify(&mfa_token, &heard("a wrong code", app.wrong_code())).refused(400);
    stranger.verify(&mfa_token, &heard("a code of an app", app.code())).expect(201);

    let mfa_token = stranger.mfa_token();
    let otc_token = stranger.request_email_code(&mfa_token);
    let code = heard("a mailed code", (letters.mail)());
    let mut mailed = |code: &str| {
        let body = email_verification(&mfa_token, &otc_token, code);
        stranger.browser.post(EMAIL_VERIFY, &body)
    };
    mailed(&heard("a wrong code", other_than(&code))).refused(400);
    mailed(&code).expect(201);

    let mut session = server.browser().with_bearer(&answer.text("accessToken"));
    let sent = session.post(OWN_PHONES, &json!({"phoneNumber": NUMBER})).expect(200);
    let code = heard("a texted code", (letters.text)());
    let body = json!({"otcToken": sent.text("otcToken"), "code": code});
    session.post(&format!("{OWN_PHONES}/verify"), &body).expect(200);
    let mut texted = person.elsewhere();
    let login = texted.login();
    let phone = login.body["mfaDevices"]["phones"][0]["id"].as_str().unwrap();
    let (route, mfa_token) = (format!("auth/v1/user/mfa/sms/{phone}"), login.text("mfaToken"));
    let sent = texted.browser.post(&route, &json!({"mfaToken": mfa_token})).expect(201);
    let code = heard("a texted code", (letters.text)());
    let body = email_verification(&mfa_token, &sent.text("otcToken"), &code);
    texted.browser.post(&format!("{route}/verify"), &body).expect(201);

    session.post(STEP_UP, &json!({"maxAge": 0})).expect(200);
    person.browser.post(REFRESH, &json!({"tenantId": null})).expect(201);
    let recovery = session.post("users/v1/mfa/recovery-codes/regenerate", &json!({})).expect(200);
    let recovery = recovery.text("recoveryCode");
    let nearly = json!({"email": person.email, "recoveryCode": "0123-4567-89AB-CDEF"});
    server.browser().post(RECOVER, &nearly).refused(400);
    let body = json!({"email": person.email, "recoveryCode": recovery});
    server.browser().post(RECOVER, &body).expect(200);

    let (client, secret) = vendors::add(server, &["--name", "Acme"]);
    let token = vendors::authenticate(server, &client, &secret).expect(200).text("token");
    let mut service = server.browser().with_bearer(&token);
    let report = json!({"userId": answer.text("userId"), "event": "SignOutEverywhere"});
    service.post(VENDOR_LIFECYCLE, &report).expect(200);
    amiss(server, &mfa_token);
    codes
}

/// Requests that no route can read, full of secrets: the browser of the tests looks for them in each refusal.
fn amiss(server: &Server, mfa_token: &str) {
    let mut browser = server.browser().with_bearer("a bearer token that is none, 4711");
    let secrets = json!({"password": "a misplaced password", "mfaToken": mfa_token});
    for route in [AUTH, VERIFY, RECOVER, VENDOR_LIFECYCLE, "users/v2/me"] {
        for body in [secrets.clone(), json!([secrets]), json!({"mfaToken": secrets})] {
            browser.post(route, &body);
        }
        let path = browser.path(route);
        let cut = secrets.to_string();
        browser.send(Method::POST, &path, cut.as_bytes()[..cut.len() - 2].to_vec());
        browser.send(Method::PUT, &path, cut.into_bytes());
    }
    browser
        .get(&format!("configurations/v1/mfa-policy/allow-remember-device?mfaToken={mfa_token}"));
}

/// Looks everywhere for everything that was said, and for the keys.
fn search(server: &Server, said: &mut Canaries) {
    said.add(&known(&server.url));
    for line in std::fs::read_to_string(server.data().join("keys")).unwrap().lines() {
        for key in line.split(' ').filter(|word| word.len() > 30) {
            mark(said, "a key of the ring", key);
        }
    }
    assert!(said.len() > 60, "only {} values", said.len());

    // The log as it is read: without times, whose fractions have six digits.
    let log: String = server.log().lines().map(|line| untimed(line) + "\n").collect();
    absent(said, "the log", log.as_bytes());
    for (place, shown) in outputs(server) {
        absent(said, place, &shown);
    }
    let data = server.data();
    for (place, file) in [("the database", ""), ("its log", "-wal"), ("its index", "-shm")] {
        let file = std::fs::read(data.join(format!("countersign.sqlite{file}"))).unwrap();
        // Codes would be found there by chance.
        absent(&known(&server.url), place, &file);
    }
}

/// None of it shows here; and each of it would be found.
#[track_caller]
fn absent(said: &Canaries, place: &str, shown: &[u8]) {
    assert_none(said, place, shown);
    let mut control = Canaries::new();
    control.mark_text("a planted password", "a planted password, 48151623");
    let middle = shown.len() / 2;
    let planted = [&shown[..middle], b"{\"p\":\"a planted password, 48151623\"}", &shown[middle..]];
    assert!(!control.find(&planted.concat()).unwrap().is_empty(), "{place}: the search is blind");
}

fn untimed(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(mut fields) => {
            fields["timestamp"] = Value::Null;
            fields.to_string()
        }
        Err(_) => line.split_once(' ').map_or(String::new(), |(_, rest)| rest.to_owned()),
    }
}

/// What commands print.
fn outputs(server: &Server) -> Vec<(&'static str, Vec<u8>)> {
    let elsewhere = tempfile::tempdir().unwrap();
    let export = elsewhere.path().join("export");
    let file = export.to_str().unwrap();
    let data = server.data();
    let run = |arguments: &[&str]| printed(arguments, &data);
    vec![
        ("countersign events", run(&["events"])),
        ("countersign export", run(&["export", "--with-secrets", "--out", file])),
        ("countersign import", run(&["import", file])),
        ("countersign vendor list", run(&["vendor", "list"])),
        ("countersign keys list", run(&["keys", "list"])),
        ("countersign store check", run(&["store", "check"])),
    ]
}

fn printed(arguments: &[&str], data: &Path) -> Vec<u8> {
    let mut command = countersign();
    command.args(arguments).arg("--data").arg(data).env(NOISE.0, NOISE.1);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let shown = String::from_utf8_lossy(&stderr);
    assert!(status.success() || arguments[0] == "import", "{arguments:?}: {shown}");
    assert!(!stdout.is_empty(), "{arguments:?} prints something: {shown}");
    [stdout, stderr].concat()
}
