//! Users move in and out: `countersign import`, `export` and `user erase`, beside a running server.

use std::fmt::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use countersign_passkey::software;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::authenticator::Authenticator;
use super::support::browser::Browser;
use super::support::config::Config;
use super::support::events::Events;
use super::support::person::{AUTH, Person, VERIFY};
use super::support::phone::outbox_text;
use super::support::server::{Server, countersign};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// `countersign import ...`, whatever comes of it.
fn try_import(server: &Server, arguments: &[&str], text: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rows");
    std::fs::write(&file, text).unwrap();
    let mut command = countersign();
    command.args(["import", "--data"]).arg(server.data()).args(arguments).arg(&file);
    command.output().unwrap()
}

/// The lines that it prints, the sum last; and whether no row was left out.
#[track_caller]
fn import(server: &Server, arguments: &[&str], text: &str) -> (Vec<Value>, bool) {
    let output = try_import(server, arguments, text);
    let shown = String::from_utf8_lossy(&output.stderr);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{shown}")))
        .collect();
    assert!(!lines.is_empty(), "{shown}");
    (lines, output.status.success())
}

#[track_caller]
fn export(server: &Server, to: &Path) -> String {
    let mut command = countersign();
    command.args(["export", "--with-secrets", "--data"]).arg(server.data()).arg("--out").arg(to);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(to).unwrap()
}

/// The app answers a login: by its next code or, where the import took so long that this was spent with it, by the one
/// after.
#[track_caller]
fn comes_in(browser: &mut Browser, mfa_token: &str, app: &mut Authenticator) {
    let statuses: Vec<u16> = (0..2)
        .map(|_| {
            let body = json!({"mfaToken": mfa_token, "value": app.code()});
            browser.post(VERIFY, &body).status
        })
        .collect();
    assert!(statuses.contains(&201), "{statuses:?}");
}

fn user(id: &str) -> Value {
    let app = json!({"secret": SECRET, "label": "Phone"});
    json!({"userId": id, "tenants": ["demo"], "authenticators": [app]})
}

#[test]
fn a_user_who_moved_in_answers_with_the_app_of_before() {
    let server = Server::demo();
    let mut app = Authenticator::scan(&format!("otpauth://totp/x:ada?secret={SECRET}&issuer=x"));
    let before = app.code();
    let (told, whole) = import(&server, &[], &format!("{}\n\n", user("ada")));
    assert!(whole);
    assert_eq!(told, [json!({"rows": 1, "imported": 1, "alreadyThere": 0, "refused": 0})]);
    let token = server.vendor_token();
    let mut ada = Person::vouched(&server, &token, "demo", "ada");
    let login = ada.login();
    assert_eq!(login.body["mfaEnrolled"], true, "{}", login.body);
    let mfa_token = login.text("mfaToken");
    // What the other system may have taken up to the import is spent.
    ada.verify(&mfa_token, &before).refused(400);
    comes_in(&mut ada.browser, &mfa_token, &mut app);

    let (told, whole) = import(&server, &[], &user("ada").to_string());
    assert!(whole, "told again it changes nothing");
    assert_eq!(told[0]["alreadyThere"], 1);
    assert_eq!(Events::read(&server.data()).of_kind("factor_added").len(), 1);
}

#[test]
fn each_row_that_is_left_out_is_told_with_its_place_and_no_secret() {
    let server = Server::demo();
    let too_many: Vec<Value> = vec![json!({"secret": SECRET}); 11];
    let rows = [
        user("ada").to_string(),
        "no json, SECRETSECRET".to_owned(),
        json!({"authenticators": [{"secret": SECRET}]}).to_string(),
        json!({"userId": "b", "authenticators": [{"secret": "1!SECRETSECRET"}]}).to_string(),
        json!({"userId": "c", "authenticators": [{"secret": SECRET, "digits": 5}]}).to_string(),
        json!({"userId": "d", "authenticators": too_many}).to_string(),
        json!({"email": "e@example.com", "tenants": ["demo"], "passwordHash": "$2b$10$SECRETSECRET"}).to_string(),
        json!({"email": server.email, "userId": "f"}).to_string(),
        json!({"userId": "g h"}).to_string(),
        format!("{{\"userId\": \"{}\"}}", "x".repeat(70_000)),
        user("i").to_string(),
    ];
    let output = try_import(&server, &[], &rows.join("\n"));
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let shown = format!("{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!shown.contains("SECRETSECRET") && !shown.contains(SECRET), "{shown}");
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<u64> = lines.iter().filter_map(|line| line["row"].as_u64()).collect();
    assert_eq!(places, [2, 3, 4, 5, 6, 7, 8, 9, 10], "{told}");
    let sum = lines.last().unwrap();
    assert_eq!(*sum, json!({"rows": 11, "imported": 2, "alreadyThere": 0, "refused": 9}));
}

#[test]
fn otpauth_uris_and_key_containers_move_in() {
    let server = Server::demo();
    let uris = format!(
        "otpauth://totp/Example:ada?secret={SECRET}&issuer=Example\n\
         otpauth://totp/Example:{}?secret={SECRET}&issuer=Example\n\
         otpauth://hotp/Example:bob?secret={SECRET}&issuer=Example&counter=1\n",
        server.email.replace('@', "%40"),
    );
    let (told, whole) = import(&server, &["--format", "otpauth", "--tenant", "demo"], &uris);
    assert!(!whole);
    assert_eq!(told[0]["row"], 3);
    assert_eq!(told[1], json!({"rows": 3, "imported": 2, "alreadyThere": 0, "refused": 1}));
    let body = json!({"email": server.email, "password": server.password});
    let login = server.browser().post(AUTH, &body).expect(200);
    assert_eq!(login.body["mfaEnrolled"], true, "the address led to the user of the directory");

    // RFC 6030, section 4: a key in plain.
    let container = r#"<?xml version="1.0"?>
        <KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
          <KeyPackage>
            <DeviceInfo><Manufacturer>Acme</Manufacturer><SerialNo>1</SerialNo></DeviceInfo>
            <Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
              <Issuer>Acme</Issuer>
              <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
              <Data>
                <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>
                <Time><PlainValue>0</PlainValue></Time>
                <TimeInterval><PlainValue>30</PlainValue></TimeInterval>
              </Data>
              <UserId>grace</UserId>
            </Key>
          </KeyPackage>
        </KeyContainer>"#;
    let (told, _) = import(&server, &["--format", "pskc", "--tenant", "demo"], container);
    assert_eq!(told, [json!({"rows": 1, "imported": 1, "alreadyThere": 0, "refused": 0})]);
    let token = server.vendor_token();
    let login = Person::vouched(&server, &token, "demo", "grace").login();
    assert_eq!(login.body["mfaEnrolled"], true);
}

#[test]
fn what_is_exported_is_imported_elsewhere() {
    let server = Config::new().serve();
    let mut enrolled = Person::known_to(&server).enrol();
    let directory = TempDir::new().unwrap();
    let refused = countersign()
        .args(["export", "--data"])
        .arg(server.data())
        .arg("--out")
        .arg(directory.path().join("no"))
        .output()
        .unwrap();
    assert!(!refused.status.success(), "nobody exports secrets unawares");
    let lines = export(&server, &directory.path().join("out"));
    assert_eq!(lines.lines().count(), 2, "{lines}");

    let elsewhere = Server::demo();
    let lines = lines.replace("\"acme\"", "\"demo\"");
    let (told, whole) = import(&elsewhere, &[], &lines);
    assert!(whole, "{told:?}");
    // Password and app of before.
    let body = json!({"email": server.email, "password": server.password});
    let mut browser = elsewhere.browser();
    let login = browser.post(AUTH, &body).expect(200);
    assert_eq!(login.body["mfaEnrolled"], true, "{}", login.body);
    let body = json!({"mfaToken": login.text("mfaToken"), "value": enrolled.spent});
    browser.post(VERIFY, &body).refused(400);
    comes_in(&mut browser, &login.text("mfaToken"), &mut enrolled.app);
}

#[test]
fn every_factor_moves_and_a_recovery_code_where_the_root_does() {
    let server = Server::demo();
    let mut person = Person::known_to(&server);
    let mut key = software::Authenticator::new([3; 32], &origin(&server));
    let mfa_token = person.mfa_token();
    let offer =
        person.browser.post("auth/v1/user/mfa/webauthn/enroll", &json!({"mfaToken": mfa_token}));
    let offer = offer.expect(201);
    let body = json!({
        "mfaToken": mfa_token,
        "webauthnToken": offer.text("webauthnToken"),
        "deviceType": "Platform",
        "options": key.create(&offer.body["options"]).unwrap(),
    });
    let done = person.browser.post("auth/v1/user/mfa/webauthn/enroll/verify", &body).expect(201);
    let recovery_code = done.text("recoveryCode");
    let mut session = person.browser.clone().with_bearer(&done.text("accessToken"));
    let sent = session
        .post("users/v1/mfa/sms/enroll", &json!({"phoneNumber": "+12025550143"}))
        .expect(200);
    let code = outbox_text(&server, 0).2;
    let body = json!({"otcToken": sent.text("otcToken"), "code": code, "label": "Work"});
    session.post("users/v1/mfa/sms/enroll/verify", &body).expect(200);
    let directory = TempDir::new().unwrap();
    let lines = export(&server, &directory.path().join("out"));

    // A fresh database with the ring of before, and one with a ring of its own.
    let twin = tempfile::tempdir().unwrap();
    std::fs::create_dir(twin.path().join("data")).unwrap();
    std::fs::copy(server.data().join("keys"), twin.path().join("data").join("keys")).unwrap();
    for (elsewhere, same_root) in [(Server::demo_again(twin), true), (Server::demo(), false)] {
        // The demo has a user of this address already: the one who moves in has another.
        let lines = lines.replace("demo@example.com", "ada@example.com");
        let (told, whole) = import(&elsewhere, &[], &lines);
        assert!(whole, "{told:?}");
        let body = json!({"email": "ada@example.com", "password": server.password});
        let mut browser = elsewhere.browser();
        let login = browser.post(AUTH, &body).expect(200);
        let devices = &login.body["mfaDevices"];
        let mfa_token = login.text("mfaToken");

        let passkey =
            format!("auth/v1/user/mfa/webauthn/{}", devices["webauthn"][0]["id"].as_str().unwrap());
        let asked = browser.post(&passkey, &json!({"mfaToken": mfa_token})).expect(201);
        key.origin = origin(&elsewhere);
        let body = json!({
            "mfaToken": mfa_token,
            "webauthnToken": asked.text("webauthnToken"),
            "options": key.get(&asked.body["options"]).unwrap(),
        });
        browser.post(&format!("{passkey}/verify"), &body).expect(201);

        let body = json!({"email": "ada@example.com", "password": server.password});
        let login = browser.another().post(AUTH, &body).expect(200);
        let (mfa_token, phone) = (login.text("mfaToken"), &login.body["mfaDevices"]["phones"][0]);
        assert_eq!(phone["phoneNumber"], "+***43");
        let phone = format!("auth/v1/user/mfa/sms/{}", phone["id"].as_str().unwrap());
        let sent = browser.post(&phone, &json!({"mfaToken": mfa_token})).expect(201);
        let code = outbox_text(&elsewhere, 0).2;
        let body = json!({"mfaToken": mfa_token, "otcToken": sent.text("otcToken"), "code": code});
        browser.post(&format!("{phone}/verify"), &body).expect(201);

        let body = json!({"email": "ada@example.com", "recoveryCode": recovery_code});
        let recovered = browser.post("auth/v1/user/mfa/recover", &body);
        assert_eq!(recovered.status == 200, same_root, "{}", recovered.body);
    }
}

fn origin(server: &Server) -> String {
    format!("http://localhost:{}", server.address().port())
}

#[test]
fn a_locked_device_stays_locked_where_it_moves() {
    let server = Server::demo();
    let mut row = user("ada");
    row["authenticators"][0]["locked"] = json!(true);
    row["phones"] = json!([{"number": "+12025550143", "locked": true}]);
    let (told, whole) = import(&server, &[], &row.to_string());
    assert!(whole, "{told:?}");
    let directory = TempDir::new().unwrap();
    let out = export(&server, &directory.path().join("out"));
    let out: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ada = out.iter().find(|row| row["userId"] == "ada").unwrap();
    assert_eq!(ada["authenticators"][0]["locked"], true);
    assert_eq!(ada["phones"][0]["locked"], true);
    // It answers no login, and a password alone does not take its place.
    let mut ada = Person::vouched(&server, &server.vendor_token(), "demo", "ada");
    let login = ada.login();
    assert_eq!(login.body["mfaEnrolled"], true);
    assert_eq!(login.body["mfaDevices"]["phones"], json!([]));
    let mut app = Authenticator::scan(&format!("otpauth://totp/x:ada?secret={SECRET}&issuer=x"));
    app.code();
    ada.verify(&login.text("mfaToken"), &app.code()).refused(400);
}

#[test]
fn what_is_wrong_about_a_factor_is_named() {
    let server = Server::demo();
    for (field, value, why) in [
        ("phones", json!([{"number": "0123"}]), "phones: number: "),
        ("passkeys", json!([{"credentialId": "+"}]), "passkeys: credentialId: "),
        ("recovery", json!({"codes": ["AA"]}), "recovery: codes: "),
        ("recovery", json!({"root": "x"}), "recovery: root: "),
        ("phones", json!(vec![json!({"number": "+12025550143"}); 6]), "a user has "),
    ] {
        let mut row = user("ada");
        row[field] = value;
        let (told, whole) = import(&server, &[], &row.to_string());
        let reason = told[0]["reason"].as_str().unwrap();
        assert!(!whole && reason.starts_with(why), "{reason}");
    }
}

/// Memory does not grow with the file, and what broke off goes on. 100,000 rows by `COUNTERSIGN_LONG=1`.
#[test]
fn a_large_file_moves_in_within_bounded_memory() {
    let rows: usize = if std::env::var_os("COUNTERSIGN_LONG").is_some() { 100_000 } else { 5_000 };
    let server = Config::new().serve();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("rows");
    let mut text = String::new();
    for row in 0..rows {
        writeln!(text, "{}", user(&format!("u{row}"))).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    // The first try is ended with SIGKILL.
    let mut command = countersign();
    command.args(["import", "--data"]).arg(server.data()).arg(&file);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut first = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    first.kill().unwrap();
    first.wait().unwrap();

    command.stdout(Stdio::piped());
    let mut second = command.spawn().unwrap();
    let status = format!("/proc/{}/status", second.id());
    let mut peak = 0_u64;
    while second.try_wait().unwrap().is_none() {
        let read = std::fs::read_to_string(&status).unwrap_or_default();
        let line = read.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = second.wait_with_output().unwrap();
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{progress}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["rows"], &told["refused"]), (&json!(rows), &json!(0)));
    let there = told["alreadyThere"].as_u64().unwrap();
    assert!(there > 0 && there < rows as u64, "it went on where it broke off: {told}");
    assert!(progress.contains(&format!("{rows} rows, 0 left out")), "progress: {progress}");
    eprintln!("{rows} rows at a peak of {peak} kB, {there} of them there from before");
    assert!((1..64 * 1024).contains(&peak), "{peak} kB");
}

#[test]
fn thousands_of_rows_are_told_of_in_order_and_go_on_after_any() {
    let server = Server::demo();
    let mut text = String::new();
    for row in 0..1_500 {
        // Most are left out before they reach the database: what is tested is the reading.
        let line =
            if row % 50 == 0 { user(&format!("u{row}")).to_string() } else { "{".to_owned() };
        writeln!(text, "{line}").unwrap();
    }
    let (told, _) = import(&server, &["--after", "1000"], &text);
    assert_eq!(
        *told.last().unwrap(),
        json!({"rows": 1500, "imported": 10, "alreadyThere": 0, "refused": 490})
    );
    let (told, _) = import(&server, &[], &text);
    assert_eq!(
        *told.last().unwrap(),
        json!({"rows": 1500, "imported": 20, "alreadyThere": 10, "refused": 1470})
    );
    let places: Vec<u64> = told.iter().filter_map(|line| line["row"].as_u64()).collect();
    assert!(places.is_sorted() && places.len() == 1470);
}

#[test]
fn an_erased_user_is_nobodys_to_be() {
    let server = Config::new().serve();
    Person::known_to(&server).enrol();
    let mut command = countersign();
    command.args(["user", "erase", "--email", &server.email, "--config"]).arg(server.config());
    assert!(command.output().unwrap().status.success());
    let body = json!({"email": server.email, "password": server.password});
    server.browser().post(AUTH, &body).refused(401);
    let directory = TempDir::new().unwrap();
    let lines = export(&server, &directory.path().join("out"));
    assert!(!lines.contains("\"secret\"") && !lines.contains("argon2"), "{lines}");
    let mut command = countersign();
    command
        .args(["user", "erase", "--email", "nobody@example.com", "--config"])
        .arg(server.config());
    assert!(!command.output().unwrap().status.success());
}
