//! The attack suite on Redis: the engine on one server and on a cluster, a prefix for each attack.

use countersign_conformance::Fresh;
use countersign_conformance::attacks::{Schedules, attack};
use countersign_store_redis::{Config, RedisStore};
use tokio::runtime::Handle;

use crate::machines::{Fleet, Server, installed};

/// How often each race is run; `COUNTERSIGN_SCHEDULES=1000` is the long run.
const SCHEDULES: usize = 5;

fn all_fail(config: &Config) {
    let schedules = std::env::var("COUNTERSIGN_SCHEDULES").ok().and_then(|n| n.parse().ok());
    let mut number = 0;
    let fresh = |fresh: Fresh| {
        number += 1;
        let config = Config { prefix: format!("a{number}"), ..config.clone() };
        Handle::current().block_on(RedisStore::open(&config, fresh.outbox)).unwrap()
    };
    if let Err(fell) = attack(fresh, Schedules(schedules.unwrap_or(SCHEDULES))) {
        let told: Vec<String> = fell.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"));
    }
}

#[test]
fn every_attack_fails_on_one_server() {
    if installed("every_attack_fails_on_one_server") {
        let server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
        all_fail(&Config::new([server.url()]));
    }
}

#[test]
fn every_attack_fails_on_a_cluster() {
    if installed("every_attack_fails_on_a_cluster") {
        let fleet = Fleet::start(3, false);
        all_fail(&Config::new(fleet.urls()));
    }
}
