//! Passkeys over HTTP, by an authenticator in software that is no part of the server: enrolled, answering a login, and
//! everything that is refused.

use serde_json::{Value, json};

use countersign_passkey::software::Authenticator;

use super::support::browser::{Answer, Browser};
use super::support::events::Events;
use super::support::person::{Person, VENDOR_LOGINS, with};
use super::support::race::race;
use super::support::server::Server;

const ENROL: &str = "auth/v1/user/mfa/webauthn/enroll";
const ENROL_VERIFY: &str = "auth/v1/user/mfa/webauthn/enroll/verify";

/// The authenticator of somebody who has the page open under the name that passkeys can be made for.
pub(crate) fn authenticator(server: &Server) -> Authenticator {
    let port = server.address().port();
    Authenticator::new([3; 32], &format!("http://localhost:{port}"))
}

fn challenge_of(device: &str) -> String {
    format!("auth/v1/user/mfa/webauthn/{device}")
}

/// The body of an enrolment's end, with the fields that the real client sends beside those of the contract.
fn enrolment(mfa_token: &str, offer: &Answer, key: &mut Authenticator) -> Value {
    json!({
        "mfaToken": mfa_token,
        "webauthnToken": offer.text("webauthnToken"),
        "deviceType": "Platform",
        "options": key.create(&offer.body["options"]).unwrap(),
        "publicKey": {"rp": {"id": "localhost"}},
        "rememberDevice": false,
    })
}

pub(crate) fn enrol(person: &mut Person, key: &mut Authenticator) -> Answer {
    let mfa_token = person.mfa_token();
    let offer = person.browser.post(ENROL, &json!({"mfaToken": mfa_token})).expect(201);
    let body = enrolment(&mfa_token, &offer, key);
    person.browser.post(ENROL_VERIFY, &body).expect(201)
}

/// An open login, its passkey, and the challenge that it was asked.
struct Asked {
    mfa_token: String,
    device: String,
    challenge: Answer,
}

impl Asked {
    fn of(person: &mut Person) -> Self {
        let login = person.login();
        let device = login.body["mfaDevices"]["webauthn"][0]["id"].as_str().unwrap().to_owned();
        let mfa_token = login.text("mfaToken");
        let body = json!({"mfaToken": mfa_token});
        let challenge = person.browser.post(&challenge_of(&device), &body).expect(201);
        Self { mfa_token, device, challenge }
    }

    fn route(&self) -> String {
        format!("{}/verify", challenge_of(&self.device))
    }

    fn body(&self, key: &mut Authenticator) -> Value {
        let options = key.get(&self.challenge.body["options"]).unwrap();
        let token = self.challenge.text("webauthnToken");
        json!({"mfaToken": self.mfa_token, "webauthnToken": token, "options": options})
    }
}

#[test]
fn a_passkey_is_enrolled_and_answers_a_login() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    let forced = person.login();
    let strategies = ["WebAuthnPlatform", "WebAuthnCrossPlatform", "AuthenticatorApp", "SMS"];
    assert_eq!(forced.body["mfaStrategies"], json!(strategies));
    let done = enrol(&mut person, &mut key);
    assert!(done.body["recoveryCode"].is_string());
    assert_eq!(done.claims()["amr"], json!(["pwd", "mfa", "hwk"]));
    assert!(done.set_cookie("fe_device_").is_some());

    let asked = Asked::of(&mut person);
    let login = person.login();
    let listed = json!([{"id": asked.device, "deviceType": "Platform", "name": "Passkey"}]);
    assert_eq!(login.body["mfaDevices"]["webauthn"], listed);
    assert_eq!(asked.challenge.body["options"]["rpId"], "localhost");
    let answer = person.browser.post(&asked.route(), &asked.body(&mut key)).expect(201);
    assert_eq!(answer.body["mfaRequired"], false);
    assert!(answer.body["recoveryCode"].is_null());
    let events = Events::read(&server.data());
    assert_eq!(events.of_kind("factor_added").len(), 1);
    assert_eq!(events.of_kind("judged").last().unwrap()["factor"], "passkey_platform");
}

#[test]
fn an_answer_from_another_page_or_for_another_login_is_refused() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    enrol(&mut person, &mut key);
    let asked = Asked::of(&mut person);
    let mut phished = key.clone();
    phished.origin = "http://127.0.0.1:1".to_owned();
    let refused = person.browser.post(&asked.route(), &asked.body(&mut phished)).refused(400);
    assert_eq!(refused.text("errorCode"), "ER-01011");
    // The challenge is spent by it, and the right answer comes too late.
    let late = person.browser.post(&asked.route(), &asked.body(&mut key)).refused(400);
    assert_eq!(late.body, refused.body, "what is judged and refused is told alike");

    let (one, two) = (Asked::of(&mut person), Asked::of(&mut person));
    let crossed = with(one.body(&mut key), "mfaToken", two.mfa_token.as_str());
    let foreign = person.browser.post(&two.route(), &crossed).refused(400);
    assert_eq!(foreign.body, refused.body);
    let body = two.body(&mut key);
    person.browser.post(&two.route(), &body).expect(201);
    person.browser.post(&two.route(), &body).refused(401);
}

/// B-11: a credential id that is empty, forged, or of another user.
#[test]
fn a_forged_credential_is_refused() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    enrol(&mut person, &mut key);
    let tenant = enrolled_tenant(&mut person, &mut key);
    let mut mallory = Person::vouched(&server, &server.vendor_token(), &tenant, "mallory");
    let mut hers = Authenticator::new([66; 32], &key.origin);
    enrol(&mut mallory, &mut hers);
    let theirs = Asked::of(&mut mallory);

    for id in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let asked = Asked::of(&mut person);
        let mut body = asked.body(&mut key);
        body["options"]["id"] = json!(id);
        person.browser.post(&asked.route(), &body).refused(400);
    }
    let asked = Asked::of(&mut person);
    let credential = hers.credentials()[0].clone();
    let mut body = asked.body(&mut key);
    body["options"] = hers.sign(&credential, &asked.challenge.body["options"]).unwrap();
    person.browser.post(&asked.route(), &body).refused(400);
    // Her device under his login, asked and answered.
    let body = json!({"mfaToken": asked.mfa_token});
    let unknown = person.browser.post(&challenge_of(&theirs.device), &body).refused(400);
    assert_eq!(unknown.text("errorCode"), "ER-01016");
    let asked = Asked::of(&mut person);
    let body = with(theirs.body(&mut hers), "mfaToken", asked.mfa_token.as_str());
    person.browser.post(&theirs.route(), &body).refused(400);
}

fn enrolled_tenant(person: &mut Person, key: &mut Authenticator) -> String {
    let asked = Asked::of(person);
    let answer = person.browser.post(&asked.route(), &asked.body(key)).expect(201);
    answer.claims()["tenantId"].as_str().unwrap().to_owned()
}

#[test]
fn a_field_that_is_missing_is_named() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    let mfa_token = person.mfa_token();
    let offer = person.browser.post(ENROL, &json!({"mfaToken": mfa_token})).expect(201);
    let whole = enrolment(&mfa_token, &offer, &mut key);
    for (field, named) in [
        ("mfaToken", "mfaToken"),
        ("webauthnToken", "webauthnToken"),
        ("deviceType", "deviceType"),
        ("options", "options.id"),
    ] {
        for value in [Value::Null, json!(7)] {
            let body = with(whole.clone(), field, value);
            let refused = person.browser.post(ENROL_VERIFY, &body).refused(400);
            let told = refused.body["errors"][0].as_str().unwrap();
            assert!(told.starts_with(named), "{told}");
        }
    }
    let foreign = with(whole.clone(), "webauthnToken", "nonsense");
    person.browser.post(ENROL_VERIFY, &foreign).refused(401);
    // None of that was judged.
    person.browser.post(ENROL_VERIFY, &whole).expect(201);
}

#[test]
fn of_64_answers_at_once_one_wins() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    enrol(&mut person, &mut key);
    let asked = Asked::of(&mut person);
    let (route, body) = (asked.route(), asked.body(&mut key));
    let mut browsers: Vec<_> = (0..64).map(|_| person.browser.clone()).collect();
    let submit = |browser: &mut Browser| browser.post(&route, &body);
    let answers = race(browsers.iter_mut().map(|browser| || submit(browser)).collect());
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(won, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 400 | 401 | 429)));
}

/// WebAuthn, 6.1.1: whoever has a copy of the key is found out by its counter, and the owner is told.
#[test]
fn a_copied_authenticator_is_refused_and_told() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    enrol(&mut person, &mut key);
    let mut copy = key.clone();
    for _ in 0..2 {
        let asked = Asked::of(&mut person);
        person.browser.post(&asked.route(), &asked.body(&mut key)).expect(201);
    }
    let asked = Asked::of(&mut person);
    person.browser.post(&asked.route(), &asked.body(&mut copy)).refused(400);
    let events = Events::read(&server.data());
    assert_eq!(events.of_kind("judged").last().unwrap()["verdict"], "count_went_back");
    let asked = Asked::of(&mut person);
    person.browser.post(&asked.route(), &asked.body(&mut key)).expect(201);
}

/// A first factor that was a passkey is followed by another kind (B-12).
#[test]
fn a_login_by_passkey_asks_for_another_factor() {
    let server = Server::demo();
    let (mut person, mut key) = (Person::known_to(&server), authenticator(&server));
    enrol(&mut person, &mut key);
    let tenant = enrolled_tenant(&mut person, &mut key);
    let vendor = server.vendor_token();
    let mut bob = Person::vouched(&server, &vendor, &tenant, "bob");
    enrol(&mut bob, &mut Authenticator::new([4; 32], &key.origin));
    let who = json!({"tenantId": tenant, "userId": "bob", "email": "bob@example.com"});
    let mut service = server.browser().with_bearer(&vendor);
    let login = service.post(VENDOR_LOGINS, &with(who, "firstFactor", "passkey")).expect(200);
    assert_eq!(login.body["mfaDevices"]["webauthn"], json!([]));
    assert_eq!(login.body["mfaStrategies"], json!(["EmailCode"]));
}
