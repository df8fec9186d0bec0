//! The attack suite on the memory store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use countersign_ceremony::memory::MemoryStore;
use countersign_conformance::Fresh;
use countersign_conformance::attacks::{IDS, Schedules, attack};

/// How often CI runs each race; `COUNTERSIGN_SCHEDULES=1000` is the long run.
const SCHEDULES: usize = 50;

#[test]
fn every_attack_fails_on_the_memory_store() {
    let schedules = std::env::var("COUNTERSIGN_SCHEDULES").ok().and_then(|n| n.parse().ok());
    let schedules = Schedules(schedules.unwrap_or(SCHEDULES));
    let fresh = |fresh: Fresh| MemoryStore::with_outbox(fresh.clock, fresh.outbox);
    match attack(fresh, schedules) {
        Ok(tried) => assert!(tried >= IDS.len() + 8 * (schedules.0 - 1), "{tried}"),
        Err(fell) => {
            let told: Vec<String> = fell.iter().map(ToString::to_string).collect();
            panic!("{}", told.join("\n"));
        }
    }
}
