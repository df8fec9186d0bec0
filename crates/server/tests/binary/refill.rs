//! The link that is mailed when strangers have guessed too often: read in the mail, opened on the page, confirmed there.

use std::time::Duration;

use serde_json::json;
use ureq::http::Method;

use super::support::authenticator::Authenticator;
use super::support::chromium::Chromium;
use super::support::clock::wait_for;
use super::support::mail::Mail;
use super::support::person::{Enrolled, Person};
use super::support::qr;
use super::support::server::Server;

const REFILL: &str = "auth/v1/user/mfa/refill";
/// Wrong codes, each judged against three apps, until half of the ledger is spent, and until it is closed.
const HALF: usize = 6;
const SHARE: usize = 7;

/// Somebody with three apps.
fn with_three_apps(server: &Server) -> (Person, Vec<Authenticator>) {
    let mut person = Person::known_to(server);
    let Enrolled { app, answer, .. } = person.enrol();
    let mut own = person.browser.clone().with_bearer(&answer.text("accessToken"));
    let mut apps = vec![app];
    for label in ["second", "third"] {
        let offer = own.post("users/v1/mfa/enroll", &json!({})).expect(200);
        let mut app = Authenticator::scan(&qr::read(&offer));
        let body = json!({"token": app.code(), "label": label});
        own.post("users/v1/mfa/enroll/verify", &body).expect(200);
        apps.push(app);
    }
    (person, apps)
}

/// A code that none of the apps shows now, or in a while.
fn wrong(apps: &[Authenticator]) -> String {
    let shown: Vec<String> = apps
        .iter()
        .flat_map(|app| (0..8).map(|ahead| app.at_step(app.next_step().saturating_sub(3) + ahead)))
        .collect();
    let code = (0..100).map(|n| format!("{n:06}")).find(|code| !shown.contains(code));
    code.unwrap()
}

/// A stranger with the password guesses: the last answer.
fn guess(owner: &Person, apps: &[Authenticator], times: usize) -> u16 {
    let mut status = 0;
    let mut thief = owner.elsewhere();
    let mut token = thief.mfa_token();
    for n in 0..times {
        if n % 4 == 0 {
            token = thief.mfa_token();
        }
        status = thief.verify(&token, &wrong(apps)).status;
    }
    status
}

/// The link of the newest mail that has one: the address, and what stands after `tries=`.
fn link(mails: &[Mail]) -> Option<(String, String)> {
    let text = &mails.iter().rev().find(|mail| mail.text.contains("/#tries="))?.text;
    let line = text.lines().find(|line| line.contains("/#tries="))?;
    Some((line.to_owned(), line.split_once("#tries=")?.1.to_owned()))
}

#[test]
fn a_closed_ledger_is_opened_by_its_owner_and_the_link_works_once() {
    let server = Server::demo();
    let (owner, mut apps) = with_three_apps(&server);
    let mut outbox = server.outbox();
    assert_eq!(guess(&owner, &apps, HALF - 1), 400);
    assert!(link(&outbox.unread()).is_none());
    assert_eq!(guess(&owner, &apps, 1), 400);
    let first =
        wait_for(Duration::from_secs(20), || link(&outbox.unread())).expect("a link at half");
    assert_eq!(guess(&owner, &apps, SHARE - HALF), 400);
    let second =
        wait_for(Duration::from_secs(20), || link(&outbox.unread())).expect("a link at the end");
    assert_eq!(guess(&owner, &apps, 1), 429, "it is closed");

    let mut anybody = server.browser();
    let mut open = |token: &str| anybody.post(REFILL, &json!({"token": token}));
    open(&first.1).refused(401).assert_code("ER-01014");
    open("no link").refused(401).assert_code("ER-01014");
    open(&"x".repeat(10_000)).refused(401).assert_code("ER-01014");
    // A program that looks at links asks for the page, without what follows the `#`: nothing is done by that.
    server.browser().send(Method::GET, "/", Vec::new()).expect(200);
    assert_eq!(guess(&owner, &apps, 1), 429, "by looking");
    open(&second.1).expect(200);
    open(&second.1).refused(401).assert_code("ER-01014");
    let mut elsewhere = owner.elsewhere();
    let token = elsewhere.mfa_token();
    elsewhere.verify(&token, &apps[0].code()).expect(201);
}

#[test]
fn the_page_behind_the_link_asks_first() {
    let Some(chromium) = Chromium::start("the_page_behind_the_link_asks_first") else { return };
    let server = Server::demo();
    let (owner, apps) = with_three_apps(&server);
    let mut outbox = server.outbox();
    guess(&owner, &apps, SHARE);
    let (address, token) =
        wait_for(Duration::from_secs(20), || link(&outbox.unread())).expect("a link");
    chromium.open(&address);
    chromium.sees("tries");
    chromium.picture("tries");
    assert_eq!(guess(&owner, &apps, 1), 429, "nothing was done by looking");
    chromium.click("[data-view='tries'] [type='submit']");
    chromium.sees("login");
    assert!(chromium.text("[data-view='login'] [data-note]").contains("accepted again"));
    chromium.picture("tries-done");
    server.browser().post(REFILL, &json!({"token": token})).refused(401);
    assert_eq!(guess(&owner, &apps, 1), 400, "judged again");
    assert_eq!(chromium.errors(), [] as [serde_json::Value; 0]);
}
