//! A restored backup begins a new incarnation: what was open before is dead, what was enrolled is
//! there.

use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::Reply;

use crate::support::{Person, World, granted, refused};

#[tokio::test]
async fn a_restored_store_honours_nothing_from_before_and_keeps_the_factors() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    let session = world.tokens(&granted(alice.code(&asked, code.as_str(), true).await).assertion);
    let rotated = world.engine.refresh(&session.refresh).await.unwrap().unwrap();
    let mut elsewhere = Person::new(&world);
    elsewhere.secret.clone_from(&alice.secret);
    let open = elsewhere.challenged().await;
    let mut newcomer = Person::new(&world);
    newcomer.user = "bob".into();
    let unwritten = newcomer.challenged().await;
    assert!(world.engine.authenticate(&rotated.access).await.unwrap().is_some());

    let world = world.restored().await;
    let engine = &world.engine;
    for person in [&mut alice, &mut elsewhere, &mut newcomer] {
        person.engine = engine.clone();
    }
    assert!(engine.authenticate(&rotated.access).await.unwrap().is_none());
    assert!(engine.refresh(&rotated.refresh).await.unwrap().is_none());
    world.advance(30);
    let code = elsewhere.totp(0);
    let refusal = refused(elsewhere.code(&open, code.as_str(), false).await);
    assert_eq!(refusal, Refusal::LoginOver, "a login that was open");
    newcomer.secret = unwritten.challenged.enrolment.as_ref().map(|e| e.secret.clone());
    let code = newcomer.totp(0);
    let refusal = refused(newcomer.code(&unwritten, code.as_str(), false).await);
    assert_eq!(refusal, Refusal::LoginOver, "also of a user who has no record");

    // The browser is remembered no more, and the app works, once a code.
    let Reply::Challenged(asked) = alice.begin().await else { panic!("still remembered") };
    let code = alice.totp(0);
    let session = world.tokens(&granted(alice.code(&asked, code.as_str(), true).await).assertion);
    assert!(engine.authenticate(&session.access).await.unwrap().is_some());
    assert!(matches!(alice.begin().await, Reply::Granted(_)), "remembered anew");
    assert!(engine.authenticate(&session.access).await.unwrap().is_some());
    assert!(engine.refresh(&session.refresh).await.unwrap().is_some());
}
