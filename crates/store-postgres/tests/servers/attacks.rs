//! The attack suite on PostgreSQL: the engine over a namespace of its own for each attack.

use countersign_conformance::Fresh;
use countersign_conformance::attacks::{Schedules, attack};
use tokio::runtime::Handle;

use super::support::{Postgres, fresh_name, open_with};

/// How often each race is run; `COUNTERSIGN_SCHEDULES=1000` is the long run.
const SCHEDULES: usize = 5;

#[test]
fn every_attack_fails_on_postgres() {
    let Some(server) = Postgres::start("every_attack_fails_on_postgres") else { return };
    let schedules = std::env::var("COUNTERSIGN_SCHEDULES").ok().and_then(|n| n.parse().ok());
    let fresh = |fresh: Fresh| {
        let url = server.namespace(&fresh_name());
        Handle::current().block_on(open_with(&url, fresh.outbox))
    };
    if let Err(fell) = attack(fresh, Schedules(schedules.unwrap_or(SCHEDULES))) {
        let told: Vec<String> = fell.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"));
    }
}
