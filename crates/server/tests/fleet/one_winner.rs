//! One code, sent to all nodes at once, has one winner.

use std::collections::BTreeMap;

use serde_json::json;

use super::fleet::Fleet;
use super::postgres::Postgres;
use super::support::authenticator::Authenticator;
use super::support::clock::now;
use super::support::person::{ENROL_VERIFY, VENDOR_LOGINS, VERIFY};
use super::support::qr;
use super::support::race::race;

/// How many send it.
const CONTENDERS: usize = 64;

#[test]
fn one_code_spread_over_three_nodes_wins_once() {
    let Some(database) = Postgres::start("one_code_spread_over_three_nodes_wins_once") else {
        return;
    };
    wins_once(&Fleet::on(&database.url()));
}

/// Somebody's code, sent to all nodes at once.
pub(crate) fn wins_once(fleet: &Fleet) {
    let who = json!({
        "tenantId": "acme",
        "userId": "ada",
        "email": "ada@example.com",
        "firstFactor": "password",
    });
    let login = |node| {
        let mut vendor = fleet.browser(node).with_bearer(&fleet.vendor_token);
        vendor.post(VENDOR_LOGINS, &who).expect(200)
    };
    // Enrolled at one node, logged in at the others.
    let first = login(0);
    let app = Authenticator::scan(&qr::read(&first));
    let step = now() / app.period();
    let body = json!({"mfaToken": first.text("mfaToken"), "token": app.at_step(step)});
    fleet.browser(0).post(ENROL_VERIFY, &body).expect(201);

    let code = app.at_step(step + 1);
    let bodies: Vec<_> = (0..CONTENDERS)
        .map(|node| json!({"mfaToken": login(node).text("mfaToken"), "value": code}))
        .collect();
    let contenders = bodies.into_iter().enumerate().map(|(node, body)| {
        let mut browser = fleet.browser(node).connected();
        move || browser.post(VERIFY, &body).status
    });
    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for status in race(contenders.collect()) {
        *counted.entry(status).or_default() += 1;
    }
    assert_eq!(counted.get(&201), Some(&1), "{counted:?}");
    assert!(counted.keys().all(|status| [201, 400, 401, 429].contains(status)), "{counted:?}");
}
