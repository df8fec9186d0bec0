//! The vendor's own client, `@frontegg/rest-api`, unmodified, in Node: every function of its that asks for something of
//! MFA. The driver is `tests/node/drive.mjs`, which calls them and looks at what came of each; this test is the person
//! before its screen, who holds the phone and reads the mails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use countersign_passkey::software;
use serde_json::json;

use super::support::authenticator::Authenticator;
use super::support::config::{PASSWORD, with_input};
use super::support::outbox::Outbox;
use super::support::phone::outbox_text;
use super::support::qr;
use super::support::server::{Server, countersign};
use super::support::tool::Tool;

/// What the client was measured to ask for, in the order of the contract's table: its functions, and one as it tells of
/// a refusal.
const FUNCTIONS: [&str; 48] = [
    "login",
    "loginv2",
    "checkIfAllowToRememberMfaDevice",
    "loginWithMfa",
    "loginWithMfaV2",
    "recoverMfaToken",
    "preEnrollMFAAuthenticatorAppForLogin",
    "enrollMFAAuthenticatorAppForLogin",
    "enrollMFAAuthenticatorAppForLoginV2",
    "verifyMFAAuthenticatorAppForLogin",
    "preVerifyMFAEmailCode",
    "verifyMFAEmailCode",
    "verifyMFAEmailCodeV2",
    "preEnrollMFASMSForLogin",
    "enrollMFASMSForLogin",
    "enrollMFASMSForLoginV2",
    "preVerifyMFASMSForLogin",
    "verifyMFASMSForLogin",
    "verifyMFASMSForLoginV2",
    "preEnrollMFAWebAuthnForLogin",
    "enrollMFAWebAuthnForLogin",
    "enrollMFAWebAuthnForLoginV2",
    "preVerifyMFAWebAuthnForLogin",
    "verifyMFAWebAuthnForLogin",
    "verifyMFAWebAuthnForLoginV2",
    "generateStepupSession",
    "getMFADevices",
    "getMFAStrategiesConfig",
    "enrollMfa",
    "verifyMfa",
    "preEnrollMFAAuthenticatorApp",
    "enrollMFAAuthenticatorApp",
    "preEnrollMFASMS",
    "enrollMFASMS",
    "preEnrollMFAWebAuthn",
    "enrollMFAWebAuthn",
    "disableMfa",
    "disableMFAAuthenticatorApp",
    "preDisableMFASMS",
    "disableMFASMS",
    "preDisableMFAWebAuthn",
    "disableMFAWebAuthn",
    "getMfaPolicy",
    "getVendorMfaPolicy",
    "saveMfaPolicy(create)",
    "saveMfaPolicy(update)",
    "refreshTokenV3",
    "ERROR loginWithMfa",
];

#[test]
fn every_function_of_the_unmodified_client_has_its_effect() {
    let test = "every_function_of_the_unmodified_client_has_its_effect";
    let Some([node, npm]) = Tool::find(["node", "npm"], test) else { return };
    let copy = tempfile::tempdir().unwrap();
    copy_driver(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node"), copy.path());
    let directory = copy.path().to_str().unwrap();
    npm.run(&["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", directory]);

    let server = Server::demo();
    let errors = copy.path().join("stderr");
    let mut driver = node
        .command()
        .args(["drive.mjs", &server.url])
        .current_dir(copy.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let mut person = Person::before(&server);
    let mut say = driver.stdin.take().unwrap();
    let mut told = Vec::new();
    for line in BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap) {
        if let Some(answer) = person.answer(&line) {
            // A driver that has died is told below, with its own words.
            writeln!(say, "{answer}").ok();
        }
        told.push(line.chars().take(80).collect::<String>());
    }
    let status = driver.wait().unwrap();
    assert!(status.success(), "after {told:#?}\n{}", read(&errors));
    let missing: Vec<&str> =
        FUNCTIONS.into_iter().filter(|function| !person.called.contains(*function)).collect();
    assert!(missing.is_empty(), "the driver did not call {missing:?}");
}

/// The driver without what an `npm install` left beside it.
fn copy_driver(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if entry.path().is_file() {
            fs::copy(entry.path(), target).unwrap();
        } else if name != "node_modules" {
            fs::create_dir(&target).unwrap();
            copy_driver(&entry.path(), &target);
        }
    }
}

/// Who answers the driver's questions.
struct Person<'s> {
    server: &'s Server,
    outbox: Outbox,
    /// The messages to phones that were read.
    texts: usize,
    /// Of the page that the login box would be on.
    origin: String,
    apps: BTreeMap<String, Authenticator>,
    keys: BTreeMap<String, software::Authenticator>,
    /// What the driver says at its end.
    called: BTreeSet<String>,
}

impl<'s> Person<'s> {
    fn before(server: &'s Server) -> Self {
        let origin = format!("http://localhost:{}", server.address().port());
        let (apps, keys, called) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { server, outbox: server.outbox(), texts: 0, origin, apps, keys, called }
    }

    fn answer(&mut self, question: &str) -> Option<String> {
        let (word, rest) = question.split_once(' ').unwrap_or((question, ""));
        match word {
            "user" => Some(self.sign_up(rest)),
            "vendor" => Some(self.server.vendor_token()),
            "scan" => {
                let (name, qr_code) = rest.split_once(' ').unwrap();
                self.apps.insert(name.to_owned(), Authenticator::scan(&qr::read_uri(qr_code)));
                Some("scanned".to_owned())
            }
            "app" => self.apps.get_mut(rest).map(Authenticator::code),
            "wrong" => self.apps.get(rest).map(Authenticator::wrong_code),
            "mail" => Some(self.outbox.next_code()),
            "text" => Some(self.text()),
            "make" | "sign" => Some(self.passkey(word, rest)),
            "called" => {
                self.called = serde_json::from_str(rest).unwrap();
                None
            }
            _ => None,
        }
    }

    /// A user without a second factor, and what the login box is told.
    fn sign_up(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        let mut command = countersign();
        command.args(["user", "add", "--email", &email, "--config"]);
        with_input(command.arg(self.server.data().join("countersign.toml")), PASSWORD);
        json!({"email": email, "password": PASSWORD}).to_string()
    }

    /// The code of the next message to a phone.
    fn text(&mut self) -> String {
        let (_, _, code) = outbox_text(self.server, self.texts);
        self.texts += 1;
        code
    }

    fn passkey(&mut self, word: &str, rest: &str) -> String {
        let (name, options) = rest.split_once(' ').unwrap();
        let options = serde_json::from_str(options).unwrap();
        let seed = [u8::try_from(self.keys.len()).unwrap(); 32];
        let fresh = || software::Authenticator::new(seed, &self.origin);
        let key = self.keys.entry(name.to_owned()).or_insert_with(fresh);
        let answer = if word == "make" { key.create(&options) } else { key.get(&options) };
        answer.unwrap().to_string()
    }
}

fn read(errors: &PathBuf) -> String {
    fs::read_to_string(errors).unwrap_or_default()
}
