//! `kill -9` in the middle of it: what was acknowledged is there after the restart, and what was spent stays spent.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_passkey::software;
use serde_json::json;
use ureq::http::Method;

use super::support::authenticator::Authenticator;
use super::support::browser::Browser;
use super::support::clock::{now, wait_for};
use super::support::person::{
    EMAIL_VERIFY, ENROL_VERIFY, Enrolled, Person, VERIFY, demo_tenant, email_verification,
};
use super::support::qr;
use super::support::server::Server;

const PASSKEY_ENROL: &str = "auth/v1/user/mfa/webauthn/enroll";

/// Rounds of the race against the kill; each kills at another moment.
const ROUNDS: u64 = 5;

#[test]
fn acknowledged_enrolments_survive_and_their_codes_stay_spent() {
    let server = Server::demo();
    let tenant = demo_tenant(&server);
    let vendor_token = server.vendor_token();
    let acknowledged = Mutex::new(Vec::new());
    let killed = AtomicBool::new(false);
    let id = server.id();

    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (server, vendor_token, tenant) = (&server, &vendor_token, &tenant);
            let (acknowledged, killed) = (&acknowledged, &killed);
            scope.spawn(move || {
                for round in 0.. {
                    let user = format!("worker{worker}-{round}");
                    let person = Person::vouched(server, vendor_token, tenant, &user);
                    let Some(app) = enrol_or_die(person) else { break };
                    acknowledged.lock().unwrap().push((user, app));
                    if killed.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
        }
        wait_for(Duration::from_secs(60), || {
            (acknowledged.lock().unwrap().len() >= 12).then_some(())
        })
        .expect("a dozen enrolments");
        killed.store(true, Ordering::SeqCst);
        kill_nine(id);
    });
    let acknowledged = acknowledged.into_inner().unwrap();

    let server = Server::demo_again(server.kill());
    let vendor_token = server.vendor_token();
    for (user, (app, step)) in acknowledged {
        let mut person = Person::vouched(&server, &vendor_token, &tenant, &user);
        let login = person.login();
        assert_ne!(login.body["mfaEnrolled"], json!(false), "{user} was told 201");
        let mfa_token = login.text("mfaToken");
        person.verify(&mfa_token, &app.at_step(step)).refused(400);
        person.verify(&mfa_token, &app.at_step(step + 1)).expect(201);
    }
}

#[test]
fn code_raced_against_the_kill_wins_at_most_once() {
    let mut server = Server::demo();
    let tenant = demo_tenant(&server);
    for round in 0..ROUNDS {
        let vendor_token = server.vendor_token();
        let mut person = Person::vouched(&server, &vendor_token, &tenant, &format!("raced{round}"));
        let Enrolled { mut app, .. } = person.enrol();
        let bodies: Vec<Vec<u8>> = {
            let tokens: Vec<String> = (0..16).map(|_| person.elsewhere().mfa_token()).collect();
            let code = app.code();
            let body = |token| json!({"mfaToken": token, "value": code}).to_string().into_bytes();
            tokens.into_iter().map(body).collect()
        };
        let browsers: Vec<Browser> = bodies.iter().map(|_| person.browser.another()).collect();
        let path = person.browser.path(VERIFY);
        let id = server.id();

        let won_before: usize = std::thread::scope(|scope| {
            let path = &path;
            let runners: Vec<_> = browsers
                .into_iter()
                .zip(bodies.clone())
                .map(|(mut browser, body)| {
                    scope.spawn(move || browser.try_send(Method::POST, path, body))
                })
                .collect();
            std::thread::sleep(Duration::from_millis(4 * round));
            kill_nine(id);
            let answers = runners.into_iter().map(|runner| runner.join().unwrap());
            answers.flatten().filter(|answer| answer.status == 201).count()
        });
        server = Server::demo_again(server.kill());
        let mut browser = server.browser();
        let won_after = bodies
            .into_iter()
            .map(|body| browser.another().send(Method::POST, &path, body))
            .filter(|answer| answer.status == 201)
            .count();
        assert!(won_before + won_after <= 1, "round {round}: {won_before} and {won_after}");
        browser.send(Method::GET, "/.well-known/jwks.json", Vec::new()).expect(200);
    }
}

/// E-21 for passkeys: enrolled, asked, signed and removed, with `kill -9` at any moment between.
#[test]
fn acknowledged_passkeys_survive_the_kill_and_no_signature_wins_twice() {
    let mut server = Server::demo();
    let tenant = demo_tenant(&server);
    for round in 0..ROUNDS {
        let vendor_token = server.vendor_token();
        let user = format!("keyed{round}");
        let mut person = Person::vouched(&server, &vendor_token, &tenant, &user);
        let origin = |server: &Server| format!("http://localhost:{}", server.address().port());
        let mut key = software::Authenticator::new([9; 32], &origin(&server));
        let mfa_token = person.mfa_token();
        let offer = person.browser.post(PASSKEY_ENROL, &json!({"mfaToken": mfa_token})).expect(201);
        let body = json!({
            "mfaToken": mfa_token,
            "webauthnToken": offer.text("webauthnToken"),
            "deviceType": "Platform",
            "options": key.create(&offer.body["options"]).unwrap(),
        });
        let path = person.browser.path(&format!("{PASSKEY_ENROL}/verify"));
        // The end of the enrolment is raced against the kill: told means there.
        let (id, mut browser) = (server.id(), person.browser.clone());
        let enrolled = std::thread::scope(|scope| {
            let body = body.to_string().into_bytes();
            let ending = scope.spawn(move || browser.try_send(Method::POST, &path, body));
            std::thread::sleep(Duration::from_millis(9 * round));
            kill_nine(id);
            ending.join().unwrap().is_ok_and(|answer| answer.status == 201)
        });
        server = Server::demo_again(server.kill());
        key.origin = origin(&server);
        let vendor_token = server.vendor_token();
        let mut person = Person::vouched(&server, &vendor_token, &tenant, &user);
        let login = person.login();
        if login.body["mfaEnrolled"] == json!(false) {
            assert!(!enrolled, "round {round}: it was told 201, and is not there");
            continue;
        }

        // One challenge, answered by eight at once, while the process is killed.
        let mfa_token = login.text("mfaToken");
        let device = login.body["mfaDevices"]["webauthn"][0]["id"].as_str().unwrap().to_owned();
        let challenge = format!("auth/v1/user/mfa/webauthn/{device}");
        let asked = person.browser.post(&challenge, &json!({"mfaToken": mfa_token})).expect(201);
        let body = json!({
            "mfaToken": mfa_token,
            "webauthnToken": asked.text("webauthnToken"),
            "options": key.get(&asked.body["options"]).unwrap(),
        });
        let path = person.browser.path(&format!("{challenge}/verify"));
        let (id, bytes) = (server.id(), body.to_string().into_bytes());
        let won_before: usize = std::thread::scope(|scope| {
            let runners: Vec<_> = (0..8)
                .map(|_| {
                    let (mut browser, path, bytes) =
                        (person.browser.another(), &path, bytes.clone());
                    scope.spawn(move || browser.try_send(Method::POST, path, bytes))
                })
                .collect();
            std::thread::sleep(Duration::from_millis(5 * round));
            kill_nine(id);
            let answers = runners.into_iter().map(|runner| runner.join().unwrap());
            answers.flatten().filter(|answer| answer.status == 201).count()
        });
        server = Server::demo_again(server.kill());
        let won_after = (0..4)
            .map(|_| server.browser().send(Method::POST, &path, bytes.clone()))
            .filter(|answer| answer.status == 201)
            .count();
        assert!(won_before + won_after <= 1, "round {round}: {won_before} and {won_after}");

        // Removed by the administrator, and acknowledged: gone after the next kill.
        let vendor = server.browser().with_bearer(&server.vendor_token());
        let mut vendor = vendor
            .with_header("frontegg-tenant-id", &tenant)
            .with_header("frontegg-user-id", &user);
        vendor.post("users/v1/mfa/disable", &json!({})).expect(200);
        server = Server::demo_again(server.kill());
        let mut person = Person::vouched(&server, &server.vendor_token(), &tenant, &user);
        assert_eq!(person.login().body["mfaEnrolled"], json!(false), "round {round}");
    }
}

#[test]
fn code_sent_before_the_kill_verifies_once_after_it() {
    let server = Server::demo();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    person.enrol();
    let mfa_token = person.mfa_token();
    let otc_token = person.request_email_code(&mfa_token);
    let body = email_verification(&mfa_token, &otc_token, &outbox.next_code());

    let server = Server::demo_again(server.kill());
    person.browser.moved_to(&server.url).post(EMAIL_VERIFY, &body).expect(201);
    person.browser.moved_to(&server.url).post(EMAIL_VERIFY, &body).refused(401);
    let server = Server::demo_again(server.kill());
    person.browser.moved_to(&server.url).post(EMAIL_VERIFY, &body).refused(401);
}

/// Enrols with the code of the present step, which the window holds for half a minute more; `None` once the server is
/// gone.
fn enrol_or_die(mut person: Person) -> Option<(Authenticator, u64)> {
    let login = person.open_login().ok()?;
    let app = Authenticator::scan(&qr::read(&login));
    let step = now() / app.period();
    let body = json!({"mfaToken": login.text("mfaToken"), "token": app.at_step(step)});
    let path = person.browser.path(ENROL_VERIFY);
    let answer =
        person.browser.try_send(Method::POST, &path, body.to_string().into_bytes()).ok()?;
    answer.expect(201);
    Some((app, step))
}

/// SIGKILL by process id, while others still talk to it.
fn kill_nine(id: u32) {
    let status = std::process::Command::new("kill").arg("-9").arg(id.to_string()).status().unwrap();
    assert!(status.success());
}
