//! Users move in and out: `countersign import`, `export` and `user erase`, beside a running server.

use std::fmt::Write;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::authenticator::Authenticator;
use super::support::browser::Browser;
use super::support::config::Config;
use super::support::events::Events;
use super::support::person::{AUTH, Person, VERIFY};
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
