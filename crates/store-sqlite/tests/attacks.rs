//! The attack suite on SQLite: the engine over a real file, one for each attack.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use countersign_conformance::Fresh;
use countersign_conformance::attacks::{Schedules, attack};
use countersign_store_sqlite::SqliteStore;

/// How often each race is run; `COUNTERSIGN_SCHEDULES=1000` is the long run.
const SCHEDULES: usize = 50;

#[test]
fn every_attack_fails_on_sqlite() {
    let schedules = std::env::var("COUNTERSIGN_SCHEDULES").ok().and_then(|n| n.parse().ok());
    let dir = tempfile::tempdir().unwrap();
    let mut number = 0;
    let fresh = |fresh: Fresh| {
        number += 1;
        let file = dir.path().join(format!("{number}"));
        SqliteStore::open(file, fresh.clock, fresh.outbox).unwrap()
    };
    if let Err(fell) = attack(fresh, Schedules(schedules.unwrap_or(SCHEDULES))) {
        let told: Vec<String> = fell.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"));
    }
}
