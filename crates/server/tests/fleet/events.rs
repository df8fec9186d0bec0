//! Audit events of a fleet: one node at a time hands them out, and when it is killed another goes on; none is lost.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::fleet::{Fleet, NODES};
use super::postgres::Postgres;
use super::redis_servers::{Fleet as Masters, installed};
use super::support::clock::wait_for;
use super::support::person::VENDOR_LOGINS;

/// How many log in before the kill, and after it.
const USERS: usize = 12;

/// A node that was killed holds the outbox for 20 s.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn events_on_postgres_reach_a_sink_also_when_the_node_that_hands_them_out_is_killed() {
    let test = "events_on_postgres_reach_a_sink_also_when_the_node_that_hands_them_out_is_killed";
    let Some(database) = Postgres::start(test) else { return };
    handed_out(&Fleet::with_sinks(&database.url()));
}

#[test]
fn events_on_a_redis_cluster_reach_a_sink_also_when_the_node_that_hands_them_out_is_killed() {
    let test =
        "events_on_a_redis_cluster_reach_a_sink_also_when_the_node_that_hands_them_out_is_killed";
    if !installed(test) {
        return;
    }
    let masters = Masters::start(3, false);
    let hosts = masters.urls().join(",").replace("redis://", "");
    handed_out(&Fleet::with_sinks(&format!("redis://{hosts}")));
}

fn handed_out(fleet: &Fleet) {
    log_in(fleet, "before");
    all_are_there(fleet, USERS);
    let holder = fleet.event_files().iter().position(|file| !events(file).is_empty()).unwrap();
    fleet.kill_and_restart(holder);
    log_in(fleet, "after");
    all_are_there(fleet, 2 * USERS);
}

/// Logins of users of their own, spread over the nodes; each writes an event.
fn log_in(fleet: &Fleet, name: &str) {
    for n in 0..USERS {
        let user = format!("{name}{n}");
        let who = json!({
            "tenantId": "acme",
            "userId": user,
            "email": format!("{user}@example.com"),
            "firstFactor": "password",
        });
        let mut vendor = fleet.browser(n % NODES).with_bearer(&fleet.vendor_token);
        vendor.post(VENDOR_LOGINS, &who).expect(200);
    }
}

/// Every user's event is in some node's file, and none waits in the database.
fn all_are_there(fleet: &Fleet, count: usize) {
    let users = || -> BTreeSet<String> {
        let all = fleet.event_files().into_iter().flat_map(|file| events(&file));
        all.filter_map(|event| event["user"].as_str().map(str::to_owned)).collect()
    };
    let there = wait_for(PATIENCE, || (users().len() >= count).then_some(()));
    assert!(there.is_some(), "{} of {count} users have an event", users().len());
    assert_eq!(users().len(), count);
    let empty = wait_for(PATIENCE, || fleet.told(&["events"]).is_empty().then_some(()));
    assert!(empty.is_some(), "events wait: {}", fleet.told(&["events"]));
}

/// The events of a file of JSON lines, where there is one yet.
fn events(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // A reader may come in the middle of a line.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
