//! Tokens are made of an assertion, once or more often: nobody gets more by it.

use countersign_ceremony::lifecycle::Lifecycle;
use countersign_device::UserId;

use crate::support::{Person, World};

#[tokio::test]
async fn who_mints_twice_or_late_has_one_session_with_one_end() {
    let world = World::new();
    let assertion = Person::new(&world).enrol().await.assertion;
    let first = world.tokens(&assertion);
    world.advance(3_600);
    let second = world.tokens(&assertion);
    assert_eq!(first.claims.sid, second.claims.sid);
    assert_eq!(first.claims.auth_time, second.claims.auth_time);
    assert_eq!(first.session_ends, second.session_ends);
    assert!(first.expires < second.expires && second.expires < second.session_ends);
    // Two copies of one thing do not both live on.
    let next = world.engine.refresh(&first.refresh).await.unwrap().unwrap();
    assert!(world.engine.refresh(&second.refresh).await.unwrap().is_none());
    assert!(world.engine.refresh(&next.refresh).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_minted_after_the_session_has_ended_is_worth_nothing() {
    let world = World::new();
    let assertion = Person::new(&world).enrol().await.assertion;
    let user = UserId::parse("alice").unwrap();
    world.engine.report(user, Lifecycle::SignOutEverywhere).await.unwrap();
    let tokens = world.tokens(&assertion);
    assert!(world.engine.authenticate(&tokens.access).await.unwrap().is_none());
    assert!(world.engine.refresh(&tokens.refresh).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_minted_at_the_end_of_the_session_is_worth_nothing() {
    let world = World::new();
    let assertion = Person::new(&world).enrol().await.assertion;
    world.advance(world.engine.settings().session_secs);
    let tokens = world.tokens(&assertion);
    assert!(world.engine.authenticate(&tokens.access).await.unwrap().is_none());
    assert!(world.engine.refresh(&tokens.refresh).await.unwrap().is_none());
}
