//! Who hands events out, and what waits for a sink: at least once, in order, whatever crashes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use countersign_ceremony::audit::{Audit, By, Id, What};
use countersign_ceremony::codec::{self, Encoding};
use countersign_ceremony::env::{Env, FrozenClock};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::names::Names;
use countersign_ceremony::outbox::{Backlog, LEASE, Lease};
use countersign_ceremony::port::{Settle, Settled, Store, Version, WriteId};
use countersign_otp::UnixTime;
use countersign_vault::Vault;

const BOUND: u64 = 1000;

fn world() -> (Arc<FrozenClock>, Env, MemoryStore) {
    let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(1_800_000_000)));
    let env = Env { clock: clock.clone(), ..Env::for_tests().unwrap() };
    let store = MemoryStore::new(clock.clone());
    (clock, env, store)
}

fn event(n: u8) -> Audit {
    Audit {
        id: Id([n; 16]),
        at: UnixTime::from_secs(n.into()),
        node: "n".to_owned(),
        user: None,
        tenant: None,
        login: None,
        by: By::Anybody,
        what: What::BrowserStolen,
    }
}

fn events(numbers: std::ops::Range<u8>) -> Vec<Audit> {
    numbers.map(event).collect()
}

/// All that waits, taken page by page: the numbers of the events.
async fn emptied(backlog: &Backlog, store: &MemoryStore, env: &Env) -> Vec<u8> {
    let mut numbers = Vec::new();
    while let Some(page) = backlog.oldest(store, env).await.unwrap() {
        numbers.extend(page.events.iter().map(|event| event.id.0[0]));
        backlog.taken(store, env, &page).await.unwrap();
    }
    numbers
}

#[tokio::test]
async fn one_node_at_a_time_holds_the_lease_and_a_dead_one_loses_it() {
    let (clock, env, store) = world();
    let (mut one, mut two) = (Lease::new(&env).unwrap(), Lease::new(&env).unwrap());
    assert!(one.hold(&store, &env).await.unwrap());
    assert!(!two.hold(&store, &env).await.unwrap());
    // It is renewed as long as its node lives.
    for _ in 0..10 {
        clock.advance(LEASE / 2);
        assert!(one.hold(&store, &env).await.unwrap());
        assert!(!two.hold(&store, &env).await.unwrap());
    }
    clock.advance(LEASE - 1);
    assert!(!two.hold(&store, &env).await.unwrap());
    clock.advance(1);
    assert!(two.hold(&store, &env).await.unwrap());
    assert!(!one.hold(&store, &env).await.unwrap(), "it was dead for too long");
    two.release(&store, &env).await.unwrap();
    assert!(one.hold(&store, &env).await.unwrap(), "given back, nobody waits");
    // Released by whoever lost it, it stays with whoever has it.
    two.release(&store, &env).await.unwrap();
    assert!(!two.hold(&store, &env).await.unwrap());
}

#[tokio::test]
async fn a_clock_a_year_ahead_holds_the_lease_for_nobody() {
    let (clock, env, store) = world();
    let (mut one, mut two) = (Lease::new(&env).unwrap(), Lease::new(&env).unwrap());
    clock.advance(365 * 86_400);
    assert!(one.hold(&store, &env).await.unwrap());
    clock.set(UnixTime::from_secs(1_800_000_000));
    assert!(two.hold(&store, &env).await.unwrap());
}

#[tokio::test]
async fn what_waits_comes_in_its_order_and_each_sink_has_its_own() {
    let (_, env, store) = world();
    let (one, two) = (Backlog::of("one"), Backlog::of("two"));
    for first in [0, 10, 20] {
        one.append(&store, &env, &events(first..first + 10), BOUND).await.unwrap();
    }
    two.append(&store, &env, &events(40..41), BOUND).await.unwrap();
    assert_eq!(one.behind(&store, &env).await.unwrap().events, 30);
    // Not taken, it is still there.
    for _ in 0..2 {
        let page = one.oldest(&store, &env).await.unwrap().unwrap();
        assert_eq!(page.events, events(0..10));
    }
    assert_eq!(emptied(&one, &store, &env).await, (0..30).collect::<Vec<u8>>());
    let behind = one.behind(&store, &env).await.unwrap();
    assert!(behind.is_empty() && behind.events == 0, "{behind:?}");
    assert_eq!(emptied(&two, &store, &env).await, [40]);
    // Pages that were taken leave nothing behind but where the rows end.
    assert_eq!(store.walk(None, 100).await.unwrap().len(), 2);
}

#[tokio::test]
async fn beyond_the_bound_the_oldest_pages_give_way_and_are_counted() {
    let (_, env, store) = world();
    let backlog = Backlog::of("sink");
    let mut dropped = 0;
    for first in (0..100).step_by(10) {
        let appended = backlog.append(&store, &env, &events(first..first + 10), 35).await.unwrap();
        assert!(appended.behind.events <= 35, "{appended:?}");
        dropped += appended.dropped;
    }
    assert_eq!(dropped, 70);
    assert_eq!(emptied(&backlog, &store, &env).await, (70..100).collect::<Vec<u8>>());
    // A page larger than the bound is kept: somebody has to have it.
    let appended = backlog.append(&store, &env, &events(0..10), 3).await.unwrap();
    assert_eq!((appended.behind.events, appended.dropped), (10, 0));
}

#[tokio::test]
async fn a_crash_between_the_page_and_the_end_of_the_row_loses_nothing() {
    let (_, env, store) = world();
    let backlog = Backlog::of("sink");
    backlog.append(&store, &env, &events(0..5), BOUND).await.unwrap();
    // The page was written, and then the node died.
    let vault: &dyn Vault = &*env.vault;
    let key = Names(vault).backlog_page("sink", 1);
    let settle = Settle {
        key,
        expected: Version::ABSENT,
        next: Version::ABSENT.next(WriteId(env.draw().unwrap())),
        bytes: codec::seal(vault, Encoding::default(), key, env.draw().unwrap(), &events(5..8))
            .unwrap(),
        events: Vec::new(),
        expiry: None,
    };
    assert_eq!(store.settle(settle).await.unwrap(), Settled::Won);
    // Whoever comes after has the same events again, since they were not forgotten.
    backlog.append(&store, &env, &events(5..10), BOUND).await.unwrap();
    let all = emptied(&backlog, &store, &env).await;
    assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 9]);
    assert_eq!(backlog.behind(&store, &env).await.unwrap().events, 0);
}

#[tokio::test]
async fn a_page_that_is_gone_is_passed_over() {
    let (_, env, store) = world();
    let backlog = Backlog::of("sink");
    backlog.append(&store, &env, &events(0..5), BOUND).await.unwrap();
    backlog.append(&store, &env, &events(5..9), BOUND).await.unwrap();
    // Taken by two nodes at once: the page went once, and so did the beginning of the row.
    let page = backlog.oldest(&store, &env).await.unwrap().unwrap();
    backlog.taken(&store, &env, &page).await.unwrap();
    backlog.taken(&store, &env, &page).await.unwrap();
    assert_eq!(backlog.behind(&store, &env).await.unwrap().events, 4);
    assert_eq!(emptied(&backlog, &store, &env).await, (5..9).collect::<Vec<u8>>());
}
