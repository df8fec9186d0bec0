//! Compliance profiles through the binary: what does not load, what `doctor` says, and what a strict server refuses.

use std::process::Output;

use serde_json::{Value, json};
use ureq::http::Method;

use super::support::authenticator::Authenticator;
use super::support::config::Config;
use super::support::person::{AUTH, ENROL_VERIFY, Person};
use super::support::qr;
use super::support::server::countersign;

const PROFILES: [&str; 3] = ["AsvsL2", "AsvsL3", "NistAal2"];

/// Runs a command on this configuration.
fn run(arguments: &[&str], config: &Config) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("countersign.toml");
    std::fs::write(&file, config.toml(&directory.path().join("data"), 0)).unwrap();
    countersign().args(arguments).arg("--config").arg(file).output().unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_server_that_contradicts_its_profile_does_not_start() {
    for (profile, requirement) in
        [("NistAal2", "NIST SP 800-63B-4, 3.1.3.1"), ("AsvsL3", "ASVS 5.0, 6.3.6")]
    {
        let config = Config::new().line(&format!("profile = '{profile}'"));
        let output = run(&["serve"], &config);
        let complaint = said(&output.stderr);
        assert!(!output.status.success(), "{complaint}");
        assert!(complaint.contains("tenants[0].strategies"), "{complaint}");
        assert!(complaint.contains(requirement), "{complaint}");
        assert!(complaint.contains("EmailCode"), "how to mend it: {complaint}");
    }
}

#[test]
fn doctor_says_how_each_requirement_is_answered() {
    let config = Config::new().line("profile = 'AsvsL2'");
    let output = run(&["doctor"], &config);
    let told = said(&output.stdout);
    assert!(output.status.success(), "{told}{}", said(&output.stderr));
    assert!(told.starts_with("profile AsvsL2\n"), "{told}");
    for section in ["6.3.3", "6.5.1", "6.5.5", "12.2.1"] {
        assert!(told.contains(&format!("ASVS 5.0, {section}")), "{section}: {told}");
    }
    assert!(!told.contains("NOT MET"), "{told}");

    // Under another profile it says what would have to change, and ends with 1.
    for profile in ["AsvsL3", "NistAal2"] {
        let output = run(&["doctor", "--json", "--profile", profile], &config);
        assert_eq!(output.status.code(), Some(1), "{profile}");
        let lines: Vec<Value> =
            said(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let unmet: Vec<&str> = lines
            .iter()
            .filter(|line| line["answer"] == "NOT MET")
            .map(|line| line["asks"].as_str().unwrap())
            .collect();
        // This tenant takes codes by email and no passkey, and lets browsers be remembered.
        assert_eq!(
            unmet,
            [
                "no code goes by email",
                "a factor that resists phishing is offered",
                "no browser stands in for the second factor",
            ],
            "{profile}"
        );
        assert!(lines.iter().all(|line| line["profile"] == profile && line["how"] != ""));
    }
}

#[cfg(unix)]
#[test]
fn doctor_finds_a_key_ring_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("ring");
    std::fs::write(&keys, "").unwrap();
    for (mode, found) in [(0o600, false), (0o640, true)] {
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(mode)).unwrap();
        let line = format!("keys_file = '{}'", keys.display());
        let output = run(&["doctor"], &Config::new().line(&line));
        assert_eq!(output.status.success(), !found, "{}", said(&output.stdout));
        assert_eq!(said(&output.stdout).contains("its mode is 640"), found);
    }
}

#[test]
fn a_strict_server_binds_each_login_and_keeps_its_policies_within_the_profile() {
    for profile in PROFILES {
        let strategies: &[&str] = match profile {
            "AsvsL2" => &["AuthenticatorApp"],
            _ => &["AuthenticatorApp", "WebAuthnPlatform"],
        };
        let line = format!(
            "profile = '{profile}'\npasskeys = {{domain = 'localhost', origins = ['http://localhost:1']}}"
        );
        let config = Config::new().line(&line).strategies(strategies).remember(profile == "AsvsL2");
        let server = config.serve();
        let body = json!({"email": server.email, "password": server.password});
        let told = server.browser().post(AUTH, &body).refused(400);
        assert_eq!(told.body["errorCode"], "ER-00464", "{profile}: {}", told.body);
        let mut nothing = server.browser().with_header("countersign-nonce", "");
        nothing.post(AUTH, &body).refused(400);
        // Whether the password is right is told as ever.
        let wrong = json!({"email": server.email, "password": "not this one"});
        server.browser().post(AUTH, &wrong).refused(401);

        let browser = server.browser().with_header("countersign-nonce", "of this client");
        let mut person = Person::with_password(browser, &server.email, &server.password);
        let login = person.login();
        let mut app = Authenticator::scan(&qr::read(&login));
        let confirmation = json!({"mfaToken": login.text("mfaToken"), "token": app.code()});
        let mut other = server.browser().with_header("countersign-nonce", "of another");
        other.post(ENROL_VERIFY, &confirmation).refused(401);
        person.browser.post(ENROL_VERIFY, &confirmation).expect(201);

        let mut vendor = server
            .browser()
            .with_bearer(&server.vendor_token())
            .with_header("frontegg-tenant-id", "acme");
        let path = vendor.path("configurations/v1/mfa-policy");
        let lax = json!({"enforceMFAType": "DontForce"}).to_string().into_bytes();
        let told = vendor.send(Method::PATCH, &path, lax).refused(400);
        let sentence = told.body["errors"][0].as_str().unwrap();
        assert!(sentence.contains(profile) && sentence.contains("two factors"), "{sentence}");
        assert_eq!(vendor.get("configurations/v1/mfa-policy").body["enforceMFAType"], "Force");
    }
}
