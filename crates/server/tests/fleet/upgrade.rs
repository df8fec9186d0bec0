//! A rolling upgrade under load: nodes are replaced one by one, the next encoding is named node by node, and no client is
//! told of it.
//!
//! Before the flip a node of this release writes what the one before it wrote, so that is what the old nodes here do; that
//! one which cannot read the next encoding refuses it and drops nothing is shown in `ceremony`, by a vault that hides it.

use super::fleet::{Fleet, NODES};
use super::history::History;
use super::postgres::Postgres;

/// How many clients there are.
const CLIENTS: usize = 4;

/// How many enrolments are acknowledged between two steps, at least.
const BETWEEN: usize = 3;

#[test]
fn an_encoding_is_flipped_and_taken_back_node_by_node_and_no_client_is_told() {
    let test = "an_encoding_is_flipped_and_taken_back_node_by_node_and_no_client_is_told";
    let Some(database) = Postgres::start(test) else { return };
    let fleet = Fleet::on(&database.url());
    let history = History::without_faults(&fleet);
    history.while_clients_live(CLIENTS, |history| steps(&fleet, history));
}

fn steps(fleet: &Fleet, history: &History<'_>) {
    // Replaced one by one; the first is taken back before the flip, and replaced again.
    for (node, encoding) in [(0, 1), (0, 1), (1, 1), (2, 1)] {
        fleet.turn(node, encoding);
        history.goes_on(BETWEEN, &format!("node {node}"));
    }
    assert!(!written(fleet).contains("encoding 2"), "{}", written(fleet));

    // The flip: nodes that write the next encoding beside nodes that do not, over the same records.
    for node in 0..NODES {
        fleet.turn(node, 2);
        history.goes_on(BETWEEN, &format!("node {node}"));
    }
    let both = written(fleet);
    assert!(both.contains("in encoding 1") && both.contains("in encoding 2"), "{both}");
    fleet.told(&["keys", "reseal"]);
    assert!(!written(fleet).contains("in encoding 1"), "{}", written(fleet));

    // And back: once everything is written anew, the release before this one reads it all again.
    for node in 0..NODES {
        fleet.turn(node, 1);
        history.goes_on(BETWEEN, &format!("node {node}"));
    }
    fleet.told(&["keys", "reseal"]);
    assert!(!written(fleet).contains("in encoding 2"), "{}", written(fleet));
}

/// How many records are written in which encoding.
fn written(fleet: &Fleet) -> String {
    fleet.told(&["store", "check"])
}
