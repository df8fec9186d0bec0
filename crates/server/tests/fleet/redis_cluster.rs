//! The same on a Redis Cluster whose settles wait for a replica: in the middle of load a master is killed, one is failed
//! over by hand, a node and a replica are killed. `COUNTERSIGN_FLEET_ROUNDS` makes it longer.

use std::time::Duration;

use super::fleet::{Fleet, NODES};
use super::history::History;
use super::kills::rounds;
use super::one_winner::wins_once;
use super::redis_servers::{Fleet as Masters, Server, installed, until};

/// How many clients there are.
const CLIENTS: usize = 6;

/// How many enrolments are acknowledged before and between and after what happens to the masters.
const BETWEEN: usize = 6;

fn url(masters: &Masters, wait_ms: u32) -> String {
    let host = |url: String| url.trim_start_matches("redis://").to_owned();
    let hosts: Vec<String> = masters.urls().into_iter().map(host).collect();
    format!("redis://{}?replicas=1&wait_ms={wait_ms}", hosts.join(","))
}

#[test]
fn one_code_spread_over_three_nodes_of_a_redis_cluster_wins_once() {
    if !installed("one_code_spread_over_three_nodes_of_a_redis_cluster_wins_once") {
        return;
    }
    let masters = Masters::start(3, true);
    wins_once(&Fleet::on(&url(&masters, 20_000)));
}

#[test]
fn a_master_failed_over_under_load_loses_nothing_and_accepts_nothing_twice() {
    if !installed("a_master_failed_over_under_load_loses_nothing_and_accepts_nothing_twice") {
        return;
    }
    let mut masters = Masters::start(3, true);
    let fleet = Fleet::on(&url(&masters, 500));
    History::of(&fleet).while_clients_live(CLIENTS, |history| {
        for round in 0..rounds() {
            history.goes_on(BETWEEN, &format!("round {round}"));
            disturb(&mut masters, &fleet, round);
            history.served_again(round);
        }
        history.goes_on(BETWEEN, "after the last round");
    });
}

/// A master is killed, one is failed over by hand, a node is killed, a replica is killed: in turn, each time at another place.
fn disturb(masters: &mut Masters, fleet: &Fleet, round: usize) {
    // Longer than the cluster waits before a replica takes over.
    let away = Duration::from_millis(2500);
    let place = round / 4 % masters.masters.len();
    match round % 4 {
        0 => {
            masters.masters[place].kill();
            std::thread::sleep(away);
            masters.masters[place].start_again();
        }
        1 => {
            let pair = [&masters.masters[place], &masters.replicas[place]];
            let follower = pair.into_iter().find(|of| of.says("INFO replication", "role:slave"));
            let _ok: String = follower.expect("a replica").ask("CLUSTER FAILOVER");
        }
        2 => fleet.kill_and_restart(place % NODES),
        _ => {
            masters.replicas[place].kill();
            std::thread::sleep(away);
            masters.replicas[place].start_again();
        }
    }
    // Each pair is a master with a replica again, or the next kill would take both.
    until("every master has its replica", || {
        masters.masters.iter().zip(&masters.replicas).all(|(one, other)| {
            let linked = |of: &Server| of.says("INFO replication", "connected_slaves:1");
            linked(one) || linked(other)
        })
    });
}
