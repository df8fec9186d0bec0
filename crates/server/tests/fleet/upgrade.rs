//! A rolling upgrade under load: nodes are replaced one by one, the next encoding is named node by node, and no client is
//! told of it.
//!
//! Before the flip a node of this release writes what the one before it wrote, so that is what the old nodes here do; that
//! one which cannot read the next encoding refuses it and drops nothing is shown in `ceremony`, by a vault that hides it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fleet::{Fleet, NODES};
use super::history::History;
use super::postgres::Postgres;
use super::support::clock::wait_for;

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
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (history, over) = (&history, &over);
            scope.spawn(move || {
                for n in 0.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    history.live(&format!("user{client}-{n}"), client + n);
                }
            });
        }
        // Should a step fail, the clients end with it.
        let ended =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| steps(&fleet, &history)));
        over.store(true, Ordering::SeqCst);
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
    history.judge();
}

fn steps(fleet: &Fleet, history: &History<'_>) {
    // Replaced one by one; the first is taken back before the flip, and replaced again.
    for (node, encoding) in [(0, 1), (0, 1), (1, 1), (2, 1)] {
        fleet.turn(node, encoding);
        under_load(history);
    }
    assert!(!written(fleet).contains("encoding 2"), "{}", written(fleet));

    // The flip: nodes that write the next encoding beside nodes that do not, over the same records.
    for node in 0..NODES {
        fleet.turn(node, 2);
        under_load(history);
    }
    let both = written(fleet);
    assert!(both.contains("in encoding 1") && both.contains("in encoding 2"), "{both}");
    fleet.told(&["keys", "reseal"]);
    assert!(!written(fleet).contains("in encoding 1"), "{}", written(fleet));

    // And back: once everything is written anew, the release before this one reads it all again.
    for node in 0..NODES {
        fleet.turn(node, 1);
        under_load(history);
    }
    fleet.told(&["keys", "reseal"]);
    assert!(!written(fleet).contains("in encoding 2"), "{}", written(fleet));
}

fn under_load(history: &History<'_>) {
    let enough = history.acknowledged() + BETWEEN;
    let loaded =
        wait_for(Duration::from_secs(60), || (history.acknowledged() >= enough).then_some(()));
    assert!(loaded.is_some(), "no load");
}

/// How many records are written in which encoding.
fn written(fleet: &Fleet) -> String {
    fleet.told(&["store", "check"])
}
