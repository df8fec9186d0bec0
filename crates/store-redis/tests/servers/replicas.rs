//! Replicas that are waited for, and a failover that forgets where they are not.

use std::time::Duration;

use countersign_ceremony::port::{Settled, Store, StoreError, Version};
use countersign_store_redis::{Config, RedisStore, Replicas};

use crate::machines::{Server, installed, until};
use crate::support::{ROOMY, block_on, key, stands, write};

/// A master and its replica, no cluster.
fn pair() -> (Server, Server) {
    let master = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", master.port)]);
    until("the replica follows", || replica.says("INFO replication", "master_link_status:up"));
    (master, replica)
}

#[test]
fn what_its_replicas_have_not_is_unknown_and_nobody_is_told_of_it() {
    if !installed("what_its_replicas_have_not_is_unknown_and_nobody_is_told_of_it") {
        return;
    }
    let (master, replica) = pair();
    let within = |millis| {
        let patience = Duration::from_millis(millis);
        let replicas = Some(Replicas { patience, ..Replicas::of(1) });
        Config { replicas, ..Config::new([master.url()]) }
    };
    block_on(async {
        let patient = RedisStore::open(&within(20_000), ROOMY).await.unwrap();
        assert_eq!(patient.durability().connected, 1);
        assert!(patient.durability().to_string().contains("forgets nothing"));
        let first = write(key(1), Version::ABSENT);
        assert_eq!(patient.settle(first.clone()).await, Ok(Settled::Won));

        let store = RedisStore::open(&within(100), ROOMY).await.unwrap();
        replica.signal("STOP");
        let second = write(key(1), first.next);
        assert_eq!(store.settle(second.clone()).await, Err(StoreError::Unknown));
        let told = stands(&store, key(1)).await;
        assert_eq!(told, Err(StoreError::Unavailable), "it may yet be forgotten");
        assert!(stands(&store, key(2)).await.is_ok(), "nothing is unsure there");
        replica.signal("CONT");

        let found = loop {
            match stands(&store, key(1)).await {
                Ok(found) => break found.unwrap(),
                Err(error) => assert_eq!(error, StoreError::Unavailable),
            }
        };
        assert_eq!(found.version, second.next, "the replica has it now");
        assert_eq!(patient.settle(write(key(1), second.next)).await, Ok(Settled::Won));
    });
}

#[test]
fn a_version_that_a_failover_forgot_never_matches_again() {
    if !installed("a_version_that_a_failover_forgot_never_matches_again") {
        return;
    }
    let (master, replica) = pair();
    let _first_master = &master;
    block_on(async {
        let before = RedisStore::open(&Config::new([master.url()]), ROOMY).await.unwrap();
        assert!(before.durability().to_string().contains("failover forgets"));
        let first = write(key(1), Version::ABSENT);
        assert_eq!(before.settle(first.clone()).await, Ok(Settled::Won));
        until("the replica has it", || replica.ask::<i64>("DBSIZE") > 0);

        // Its master loses it between an acknowledgement and its replica.
        let _ok: String = replica.ask("REPLICAOF NO ONE");
        let forgotten = write(key(1), first.next);
        assert_eq!(before.settle(forgotten.clone()).await, Ok(Settled::Won));

        let after = RedisStore::open(&Config::new([replica.url()]), ROOMY).await.unwrap();
        let lost = write(key(1), forgotten.next);
        assert_eq!(after.settle(lost).await, Ok(Settled::Lost), "who saw it decides again");
        let mut other = write(key(1), first.next);
        other.next = first.next.next(countersign_ceremony::port::WriteId([9; 8]));
        assert_eq!(after.settle(other.clone()).await, Ok(Settled::Won));
        assert_eq!(other.next.counter(), forgotten.next.counter());
        let late = write(key(1), forgotten.next);
        assert_eq!(after.settle(late).await, Ok(Settled::Lost), "the same counter, another write");
    });
}
