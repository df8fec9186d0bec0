//! The page in a real Chromium, walked as its user would: `tests/node-page/walk.mjs`, with playwright-core. This test is
//! the person before the screen, who holds the phone and reads the mails. Where `COUNTERSIGN_PICTURES` names a directory,
//! pictures of each view are left in it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use super::support::authenticator::Authenticator;
use super::support::events::Events;
use super::support::outbox::Outbox;
use super::support::person::VENDOR_LIFECYCLE;
use super::support::phone::outbox_text;
use super::support::qr;
use super::support::server::Server;
use super::support::tool::Tool;

const FILES: [&str; 5] =
    ["package.json", "package-lock.json", "walk.mjs", "screen.mjs", "person.mjs"];

#[test]
fn page_does_the_whole_job_and_every_view_of_it_is_accessible() {
    let test = "page_does_the_whole_job_and_every_view_of_it_is_accessible";
    let tools = Tool::find(["node", "npm", "chromium"], test);
    let Some([node, npm, chromium]) = tools else { return };
    let copy = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node-page");
    for file in FILES {
        std::fs::copy(source.join(file), copy.path().join(file)).unwrap();
    }
    let directory = copy.path().to_str().unwrap();
    npm.run(&["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", directory]);

    let server = Server::demo();
    // A passkey belongs to a name.
    let url = format!("http://localhost:{}/", server.address().port());
    let errors = copy.path().join("stderr");
    let mut walker = node
        .command()
        .args(["walk.mjs", &chromium.path(), &url, &server.email, &server.password])
        .current_dir(copy.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let mut person =
        Person { apps: BTreeMap::new(), outbox: server.outbox(), texts: 0, server: &server };
    let mut say = walker.stdin.take().unwrap();
    let mut told = Vec::new();
    for line in BufReader::new(walker.stdout.take().unwrap()).lines().map(Result::unwrap) {
        if let Some(answer) = person.answer(&line) {
            // A walker that has died is told below, with its own words.
            writeln!(say, "{answer}").ok();
        }
        told.push(line.chars().take(80).collect::<String>());
    }
    let status = walker.wait().unwrap();
    let errors = std::fs::read_to_string(&errors).unwrap_or_default();
    assert!(status.success(), "after {told:#?}\n{errors}");
    assert_eq!(told.last().map(String::as_str), Some("done"));
}

/// Who answers the walker's questions.
struct Person<'a> {
    apps: BTreeMap<String, Authenticator>,
    outbox: Outbox,
    /// How many messages to the phone were read.
    texts: usize,
    server: &'a Server,
}

impl Person<'_> {
    fn answer(&mut self, question: &str) -> Option<String> {
        let words: Vec<&str> = question.split(' ').collect();
        match words.as_slice() {
            ["scan", app, picture] => {
                let scanned = Authenticator::scan(&qr::read_uri(picture));
                self.apps.insert((*app).to_owned(), scanned);
                Some("scanned".to_owned())
            }
            ["app", app] => self.apps.get_mut(*app).map(Authenticator::code),
            ["moves", address] => {
                let token = self.server.vendor_token();
                let mut vendor = self.server.browser().with_bearer(&token);
                let events = Events::read(&self.server.data());
                let user = &events.of_kind("judged")[0]["user"];
                let body = json!({"tenantId": "demo", "userId": user, "event": "AddressChanged", "email": address});
                vendor.post(VENDOR_LIFECYCLE, &body).expect(200);
                Some("moved".to_owned())
            }
            ["mail"] => Some(self.outbox.next_code()),
            ["text-by"] => Some(outbox_text(self.server, self.texts - 1).1),
            ["text"] => {
                self.texts += 1;
                Some(outbox_text(self.server, self.texts - 1).2)
            }
            _ => None,
        }
    }
}
