//! The same on a Redis Cluster whose settles wait for a replica; a master is killed in the middle of
//! load, and one is failed over by hand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fleet::Fleet;
use super::history::History;
use super::one_winner::wins_once;
use super::redis_servers::{Fleet as Masters, installed};
use super::support::clock::wait_for;

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
    let history = History::of(&fleet);
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
        let loaded = || {
            let enough = history.acknowledged() + BETWEEN;
            let loaded = wait_for(Duration::from_secs(60), || {
                (history.acknowledged() >= enough).then_some(())
            });
            loaded.is_some()
        };
        // Should something fail, the clients end with it.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert!(loaded(), "no load");
            masters.masters[0].kill();
            // Its replica takes over; it has none of its own until the old master follows it.
            std::thread::sleep(Duration::from_millis(2500));
            masters.masters[0].start_again();
            history.served_again(0);
            assert!(loaded(), "no load after a master was killed");
            let _ok: String = masters.replicas[1].ask("CLUSTER FAILOVER");
            history.served_again(1);
            assert!(loaded(), "no load after a failover by hand");
        }));
        over.store(true, Ordering::SeqCst);
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
    history.judge();
}
