//! Tokens are made of an assertion: once or more often, soon, in its own realm.

use std::sync::Arc;

use countersign_ceremony::engine::{Engine, Error, Settings};
use countersign_ceremony::env::Clock as _;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_device::{RealmId, UserId};
use countersign_otp::UnixTime;

use crate::support::{Person, World, granted};

#[tokio::test]
async fn who_mints_twice_has_one_session_with_one_end() {
    let world = World::new();
    let assertion = Person::new(&world).enrol().await.assertion;
    let first = world.tokens(&assertion);
    world.advance(60);
    let second = world.engine.mint(&assertion).unwrap();
    assert_eq!(first.claims.sid, second.claims.sid);
    assert_eq!(first.claims.auth_time, second.claims.auth_time);
    assert_eq!(first.session_ends, second.session_ends);
    assert_eq!(first.expires, second.expires);
    assert_eq!((first.expires_in, second.expires_in), (900, 840));
    // Two copies of one thing do not both live on.
    let next = world.engine.refresh(&first.refresh).await.unwrap().unwrap();
    assert!(world.engine.refresh(&second.refresh).await.unwrap().is_none());
    assert!(world.engine.refresh(&next.refresh).await.unwrap().is_none());
}

#[tokio::test]
async fn an_assertion_mints_for_as_long_as_an_access_token_lives() {
    for (access, session) in [(900, 86_400), (900, 600)] {
        let world = World::with_settings(|settings| {
            (settings.access_secs, settings.session_secs) = (access, session);
        });
        let assertion = Person::new(&world).enrol().await.assertion;
        world.advance(access.min(session) - 1);
        assert!(world.engine.mint(&assertion).is_ok());
        world.advance(1);
        assert_eq!(world.engine.mint(&assertion).unwrap_err(), Error::Assertion);
    }
}

#[tokio::test]
async fn what_is_minted_after_the_epoch_is_worth_nothing() {
    let world = World::new();
    let assertion = Person::new(&world).enrol().await.assertion;
    let user = UserId::parse("alice").unwrap();
    world.engine.report(user, Lifecycle::SignOutEverywhere).await.unwrap();
    let tokens = world.engine.mint(&assertion).unwrap();
    assert!(world.engine.authenticate(&tokens.access).await.unwrap().is_none());
    assert!(world.engine.refresh(&tokens.refresh).await.unwrap().is_none());
}

/// A clock that was ahead at the login makes no session longer, and no access token.
#[tokio::test]
async fn a_clock_that_is_set_back_lengthens_nothing() {
    let world = World::new();
    let assertion = Person::new(&world).enrol().await.assertion;
    let before = world.clock.now();
    world.clock.set(UnixTime::from_secs(before.secs() - 600));
    let tokens = world.engine.mint(&assertion).unwrap();
    assert_eq!(tokens.claims.auth_time, before);
    assert_eq!(tokens.expires_in, world.engine.settings().access_secs);
    let session_secs = world.engine.settings().session_secs;
    assert_eq!(tokens.session_ends, world.clock.now().saturating_add(session_secs));
}

/// Two realms in one process have an alice each.
#[tokio::test]
async fn the_login_of_one_realm_is_none_in_another() {
    let world = World::new();
    let (store, env) = (world.store(), world.engine.env().clone());
    let realm = RealmId::parse("other").unwrap();
    let settings = Settings { realm, ..world.engine.settings().clone() };
    let other = Arc::new(Engine::new(store, env, settings).unwrap());
    let mut alice = Person::new(&world);
    let here = alice.enrol().await.assertion;
    assert_eq!(other.mint(&here).unwrap_err(), Error::Assertion);
    let mut namesake = Person { engine: other, ..Person::new(&world) };
    let there = namesake.enrol().await.assertion;
    assert_eq!(world.engine.mint(&there).unwrap_err(), Error::Assertion);
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    let again = granted(alice.code(&asked, code.as_str(), false).await);
    assert!(world.engine.mint(&again.assertion).is_ok());
}
