//! The vendor's own client, `@frontegg/rest-api`, unmodified, in Node. The driver is `tests/node/drive.mjs`; this test
//! is the person before its screen, who holds the phone and reads the mails.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use countersign_passkey::software;

use super::support::authenticator::Authenticator;
use super::support::outbox::Outbox;
use super::support::qr;
use super::support::server::Server;
use super::support::tool::Tool;

const FILES: [&str; 5] =
    ["package.json", "package-lock.json", "drive.mjs", "jar.mjs", "person.mjs"];

#[test]
fn unmodified_client_completes_the_main_job() {
    let test = "unmodified_client_completes_the_main_job";
    let Some([node, npm]) = Tool::find(["node", "npm"], test) else { return };
    let copy = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    for file in FILES {
        std::fs::copy(source.join(file), copy.path().join(file)).unwrap();
    }
    let directory = copy.path().to_str().unwrap();
    npm.run(&["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", directory]);

    let server = Server::demo();
    let errors = copy.path().join("stderr");
    let mut driver = node
        .command()
        .args(["drive.mjs", &server.url, &server.email, &server.password])
        .current_dir(copy.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let origin = format!("http://localhost:{}", server.address().port());
    let mut person = Person { app: None, outbox: server.outbox(), origin, keys: BTreeMap::new() };
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
    assert_eq!(told.last().map(String::as_str), Some("done"));
}

/// Who answers the driver's questions.
struct Person {
    app: Option<Authenticator>,
    outbox: Outbox,
    /// Of the page that the login box would be on.
    origin: String,
    keys: BTreeMap<String, software::Authenticator>,
}

impl Person {
    fn answer(&mut self, question: &str) -> Option<String> {
        let (word, rest) = question.split_once(' ').unwrap_or((question, ""));
        match word {
            "scan" => {
                self.app = Some(Authenticator::scan(&qr::read_uri(rest)));
                Some("scanned".to_owned())
            }
            "app" => self.app.as_mut().map(Authenticator::code),
            "wrong" => self.app.as_ref().map(Authenticator::wrong_code),
            "mail" => Some(self.outbox.next_code()),
            "make" | "sign" => Some(self.passkey(word, rest)),
            _ => None,
        }
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
    std::fs::read_to_string(errors).unwrap_or_default()
}
