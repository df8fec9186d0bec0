//! Nodes and the database are killed in the middle of load, in rounds that a seed chooses.
//!
//! `COUNTERSIGN_FLEET_ROUNDS` makes it longer; the nightly run has 20.

use std::sync::Mutex;
use std::time::Duration;

use super::fleet::{Fleet, NODES};
use super::history::History;
use super::postgres::Postgres;

/// How many clients there are.
const CLIENTS: usize = 6;

/// How many enrolments are acknowledged between two kills, at least.
const BETWEEN: usize = 4;

pub(crate) fn rounds() -> usize {
    let given = std::env::var("COUNTERSIGN_FLEET_ROUNDS").ok();
    given.map_or(3, |rounds| rounds.parse().expect("a number of rounds"))
}

#[test]
fn what_is_killed_under_load_loses_nothing_and_accepts_nothing_twice() {
    let test = "what_is_killed_under_load_loses_nothing_and_accepts_nothing_twice";
    let Some(database) = Postgres::start(test) else { return };
    let fleet = Fleet::on(&database.url());
    let database = Mutex::new(database);
    History::of(&fleet).while_clients_live(CLIENTS, |history| {
        for round in 0..rounds() {
            history.goes_on(BETWEEN, &format!("round {round}"));
            match round % 3 {
                0 => kill(history, &database),
                1 => fleet.kill_and_restart(round / 3 % NODES),
                _ => restart(history, &database),
            }
            history.served_again(round);
        }
    });
}

fn kill(history: &History<'_>, database: &Mutex<Postgres>) {
    let mut database = database.lock().unwrap();
    database.kill();
    away(history, &mut database);
}

fn restart(history: &History<'_>, database: &Mutex<Postgres>) {
    let mut database = database.lock().unwrap();
    database.down();
    away(history, &mut database);
}

/// Long enough that clients are refused meanwhile.
fn away(history: &History<'_>, database: &mut Postgres) {
    history.turned();
    std::thread::sleep(Duration::from_millis(500));
    history.turned();
    database.up();
}
