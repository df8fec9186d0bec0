//! A dump of a fleet's database, with its logs, holds no secret, no code's key, no token and no address.

use std::path::Path;

use countersign_conformance::canary::{Canaries, Leak, Search};
use serde_json::json;

use super::fleet::Fleet;
use super::postgres::Postgres;
use super::redis_servers::{Fleet as Masters, Server as Machine, installed};
use super::support::authenticator::Authenticator;
use super::support::clock::wait_for;
use super::support::person::{ENROL_VERIFY, RECOVER, VENDOR_LOGINS, VERIFY};
use super::support::qr;

/// Stored on purpose, so that it is known that the search looks where records are.
const PLANTED: &str = "planted-4815162342";
const ADDRESS: &str = "ada.of.the.dump@example.com";

#[test]
fn files_of_postgres_hold_nothing_in_the_clear() {
    let Some(database) = Postgres::start("files_of_postgres_hold_nothing_in_the_clear") else {
        return;
    };
    let known = walk(&Fleet::on(&database.url()));
    database.sql(&format!("CREATE TABLE planted AS SELECT '{PLANTED}'::text; CHECKPOINT"));
    judge(&known, |search| found(search, &[&database.data()]));
}

#[test]
fn files_of_redis_hold_nothing_in_the_clear() {
    if !installed("files_of_redis_hold_nothing_in_the_clear") {
        return;
    }
    let masters = Masters::start(3, true);
    let hosts: Vec<_> = masters
        .urls()
        .into_iter()
        .map(|url| url.trim_start_matches("redis://").to_owned())
        .collect();
    let known = walk(&Fleet::on(&format!("redis://{}?replicas=1&wait_ms=20000", hosts.join(","))));
    // One of them has its slot.
    let planted = masters.masters.iter().any(|master| {
        let mut set = redis::cmd("SET");
        set.arg("planted").arg(PLANTED).query::<()>(&mut master.connection()).is_ok()
    });
    assert!(planted);
    let servers = masters.masters.iter().chain(&masters.replicas);
    let files: Vec<_> = servers.map(Machine::directory).collect();
    judge(&known, |search| found(search, &files));
}

/// Enrolment, login and a recovery, each at another node; what must not show.
fn walk(fleet: &Fleet) -> Canaries {
    let who =
        json!({"tenantId": "acme", "userId": "ada", "email": ADDRESS, "firstFactor": "password"});
    let login = |node| {
        let mut vendor = fleet.browser(node).with_bearer(&fleet.vendor_token);
        vendor.post(VENDOR_LOGINS, &who).expect(200)
    };
    let first = login(0);
    let mut app = Authenticator::scan(&qr::read(&first));
    let body = json!({"mfaToken": first.text("mfaToken"), "token": app.code()});
    let done = fleet.browser(0).post(ENROL_VERIFY, &body).expect(201);
    let body = json!({"mfaToken": login(1).text("mfaToken"), "value": app.code()});
    fleet.browser(1).post(VERIFY, &body).expect(201);
    let body = json!({"email": ADDRESS, "recoveryCode": done.text("recoveryCode")});
    fleet.browser(2).post(RECOVER, &body).expect(200);
    let mut known = fleet.known();
    known.mark_text("the address", ADDRESS);
    known.mark_text("planted", PLANTED);
    assert!(known.len() > 20, "{known:?}");
    known
}

/// Nothing but what was planted shows; and that does.
fn judge(known: &Canaries, look: impl Fn(&Search) -> Vec<Leak>) {
    let search = known.search().unwrap();
    // What was planted may still be on its way to the disk.
    let found = wait_for(std::time::Duration::from_secs(20), || {
        let found = look(&search);
        found.iter().any(|leak| leak.name == "planted").then_some(found)
    });
    let found = found.unwrap_or_else(|| panic!("the search is blind: {known:?}"));
    let leaks: Vec<_> = found.iter().filter(|leak| leak.name != "planted").collect();
    assert!(leaks.is_empty(), "{leaks:?}");
}

fn found(search: &Search, directories: &[&Path]) -> Vec<Leak> {
    let mut found = Vec::new();
    for directory in directories {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self::found(search, &[&path]));
            } else if let Ok(bytes) = std::fs::read(&path) {
                // A database may take a file away at any time.
                found.extend(search.find(&bytes));
            }
        }
    }
    found
}
