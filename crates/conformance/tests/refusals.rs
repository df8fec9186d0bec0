//! Refusals of one class are told alike and cost alike, in trips, writes, events and costly work. How long they take is
//! what `refusal-times` measures.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use countersign_conformance::refusals::{CLASSES, Case, Refusals};
use countersign_token::Params;

/// What a case is told, and what it costs: looks, records looked at, settles, events, costly jobs.
async fn refused(world: &mut Refusals, case: Case) -> (String, [u64; 5]) {
    let ready = world.ready(case).await;
    let _ = world.work();
    let told = world.refuse(&ready).await;
    (format!("{told:?}"), world.work())
}

#[tokio::test]
async fn refusals_of_a_class_are_told_alike_at_one_cost() {
    let mut world = Refusals::new(Params::INSECURE_FOR_TESTS).await;
    for (class, cases) in CLASSES {
        let first = refused(&mut world, cases[0]).await;
        for case in &cases[1..] {
            assert_eq!(refused(&mut world, *case).await, first, "{class}: {case:?}");
        }
    }
    let (_, password) = refused(&mut world, Case::WrongPassword).await;
    assert_eq!((password[2], password[4]), (0, 1), "no write, one Argon2");
    let (_, recovery) = refused(&mut world, Case::WrongRecovery).await;
    assert_eq!((recovery[2], recovery[4]), (0, 0), "no write, no Argon2");
    let (_, code) = refused(&mut world, Case::WrongCode).await;
    assert_eq!((code[2], code[3]), (1, 1), "one commit, one event");
}

/// What is never judged costs less, and the count sees it.
#[tokio::test]
async fn another_cost_is_seen() {
    let mut world = Refusals::new(Params::INSECURE_FOR_TESTS).await;
    let (told, judged) = refused(&mut world, Case::WrongCode).await;
    let (same, malformed) = refused(&mut world, Case::MalformedCode).await;
    assert_eq!(told, same);
    assert_ne!(judged, malformed);
}
