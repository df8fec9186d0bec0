//! Step-up, and what a user sees and ends of what is open: browsers and sessions.

use countersign_ceremony::assertion::Assertion;
use countersign_ceremony::audit::{By, What};
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Account, ChallengedReply, Client, GrantedReply, Reply};
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_device::{Label, SessionId};

use crate::support::{Person, World, granted, refused};

async fn account(world: &World, granted: &GrantedReply) -> Account {
    let authenticated =
        world.engine.authenticate(&world.tokens(&granted.assertion).access).await.unwrap();
    authenticated.unwrap().account().clone()
}

fn challenged(reply: Reply) -> ChallengedReply {
    match reply {
        Reply::Challenged(challenged) => *challenged,
        other => panic!("not challenged: {other:?}"),
    }
}

/// Somebody whose browser is remembered, logged in by it.
async fn remembered(world: &World) -> (Person, GrantedReply) {
    let mut alice = Person::new(world);
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), true).await);
    let skipped = granted(alice.begin().await);
    (alice, skipped)
}

/// B-14, D-16: what was remembered is asked for, and what follows is a new session.
#[tokio::test]
async fn a_step_up_asks_whom_a_browser_let_in_and_begins_a_new_session() {
    let world = World::new();
    let (mut alice, old) = remembered(&world).await;
    let session = account(&world, &old).await;
    let reply = world.engine.step_up(&session, &alice.client(), u64::MAX).await.unwrap();
    let asked = challenged(reply);
    assert!(asked.challenged.enrolled && asked.challenged.authenticators.len() == 1);

    world.advance(30);
    let code = alice.totp(0);
    let new = granted(alice.code(&asked, code.as_str(), false).await);
    let (before, after) =
        (&world.tokens(&old.assertion).claims, &world.tokens(&new.assertion).claims);
    assert_eq!(after.amr, ["pwd", "mfa", "otp"]);
    assert_eq!(after.acr.as_deref(), Some(Assertion::MULTI_FACTOR));
    assert_eq!(after.auth_time, before.auth_time.saturating_add(30));
    assert_ne!(after.sid, before.sid);
    // The session before it is refreshed no more, and the new one is.
    assert!(world.engine.refresh(&world.tokens(&old.assertion).refresh).await.unwrap().is_none());
    assert!(world.engine.refresh(&world.tokens(&new.assertion).refresh).await.unwrap().is_some());
    let events = world.events().await;
    let replaced = SessionId::parse(&before.sid).unwrap();
    assert!(events.iter().any(|event| {
        matches!(&event.what, What::Granted { replaces: Some(of), .. } if *of == replaced)
    }));

    // Fresh now: nothing is asked, for as long as the client says.
    let session = account(&world, &new).await;
    let client = alice.client();
    let fresh = world.engine.step_up(&session, &client, 0).await.unwrap();
    assert!(matches!(fresh, Reply::Done), "{fresh:?}");
    world.advance(60);
    let fresh = world.engine.step_up(&session, &client, 60).await.unwrap();
    assert!(matches!(fresh, Reply::Done), "{fresh:?}");
    challenged(world.engine.step_up(&session, &client, 59).await.unwrap());
}

/// The refused acts of a session that is no longer fresh are mended by a step-up.
#[tokio::test]
async fn a_step_up_is_what_an_act_asked_for() {
    let world = World::new();
    let (mut alice, old) = remembered(&world).await;
    let session = account(&world, &old).await;
    let reply = world.engine.enrol_app(&session, &alice.client()).await.unwrap();
    assert_eq!(refused(reply), Refusal::StepUp);
    let reply = world.engine.step_up(&session, &alice.client(), 300).await.unwrap();
    let asked = challenged(reply);
    world.advance(30);
    let code = alice.totp(0);
    let new = granted(alice.code(&asked, code.as_str(), false).await);
    let session = account(&world, &new).await;
    let reply = world.engine.enrol_app(&session, &alice.client()).await.unwrap();
    assert!(matches!(reply, Reply::Enrolment(_)), "{reply:?}");
}

/// B-04: the step-up of one session is finished in no other, and by no other user.
#[tokio::test]
async fn a_step_up_is_finished_in_its_own_session() {
    let world = World::new();
    let (alice, old) = remembered(&world).await;
    let mut bob = Person::new(&world);
    bob.user = "bob".into();
    let bobs = bob.enrol().await;
    let bobs_session = SessionId::parse(&world.tokens(&bobs.assertion).claims.sid).ok();
    let own_session = SessionId::parse(&world.tokens(&old.assertion).claims.sid).ok();
    assert!(bobs_session.is_some() && own_session.is_some());

    let session = account(&world, &old).await;
    let reply = world.engine.step_up(&session, &alice.client(), 0).await.unwrap();
    let asked = challenged(reply);
    world.advance(30);
    let code = alice.totp(0);
    let (token, code) = (asked.token.as_str(), code.as_str());
    let engine = &world.engine;
    let foreign = Client { session: bobs_session, ..alice.client() };
    let reply = engine.code(token, &foreign, None, code, false).await.unwrap();
    assert_eq!(refused(reply), Refusal::LoginOver);
    // Bob's code answers nothing of hers either.
    let bobs_code = bob.totp(0);
    let own = Client { session: own_session, ..alice.client() };
    if bobs_code.as_str() != code {
        let reply = engine.code(token, &own, None, bobs_code.as_str(), false).await.unwrap();
        assert_eq!(refused(reply), Refusal::Code);
    }
    granted(engine.code(token, &own, None, code, false).await.unwrap());
}

/// A step-up dies with the epoch that it was asked in.
#[tokio::test]
async fn a_step_up_ends_with_its_session() {
    let world = World::new();
    let (mut alice, old) = remembered(&world).await;
    let session = account(&world, &old).await;
    let reply = world.engine.step_up(&session, &alice.client(), 0).await.unwrap();
    let asked = challenged(reply);
    let client = alice.client();
    let done = world.engine.sign_out_everywhere(&session, &client).await.unwrap();
    assert!(matches!(done, Reply::Done), "{done:?}");
    world.advance(30);
    let code = alice.totp(0);
    assert_eq!(refused(alice.code(&asked, code.as_str(), false).await), Refusal::LoginOver);
    let again = world.engine.step_up(&session, &client, 0).await.unwrap();
    assert_eq!(refused(again), Refusal::SessionOver);
    assert!(world.engine.refresh(&world.tokens(&old.assertion).refresh).await.unwrap().is_none());
    assert!(matches!(alice.begin().await, Reply::Challenged(_)), "nor is the browser remembered");
    let events = world.events().await;
    let told = events.iter().find(|event| matches!(event.what, What::Lifecycle(_))).unwrap();
    assert!(matches!(told.by, By::Session(_)), "who did it is written down");
}

#[tokio::test]
async fn a_user_without_a_factor_is_told_so() {
    let world = World::new();
    world.set_policy(Policy { enforce: Enforce::DontForce, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let free = granted(alice.begin().await);
    let session = account(&world, &free).await;
    let reply = world.engine.step_up(&session, &alice.client(), 300).await.unwrap();
    assert_eq!(refused(reply), Refusal::NotEnrolled);
}

/// A recovery's grace is not widened by a session: a password alone inherits nothing there either.
#[tokio::test]
async fn after_a_recovery_another_browsers_session_proves_the_mailbox_first() {
    let world = World::new();
    world.set_policy(Policy { enforce: Enforce::Force, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let recovery = alice.enrol().await.recovery.unwrap().reveal().to_string();
    world.set_policy(Policy { enforce: Enforce::DontForce, ..world.policy() }).await;
    let email = countersign_device::EmailAddress::parse("alice@example.com").unwrap();
    let reply = world.engine.recover(&email, &recovery, &alice.client()).await.unwrap();
    let Reply::Recovered { cookie } = reply else { panic!("not recovered: {reply:?}") };
    alice.cookie = cookie;

    let mut thief = Person::new(&world);
    let stolen = granted(thief.begin().await);
    let session = account(&world, &stolen).await;
    let reply = world.engine.enrol_app(&session, &thief.client()).await.unwrap();
    assert_eq!(refused(reply), Refusal::StepUp);
    let all = world.engine.remove_all(&session, &thief.client(), None).await.unwrap();
    assert_eq!(refused(all), Refusal::NotEnrolled, "and lifts nothing");
    let reply = world.engine.step_up(&session, &thief.client(), 300).await.unwrap();
    let asked = challenged(reply);
    assert!(!asked.challenged.enrolled && asked.challenged.enrolment.is_none());
    assert_eq!(asked.challenged.emails.len(), 1, "the mailbox is asked for");

    // The browser that recovered adds its app at once.
    let own = granted(alice.begin().await);
    let session = account(&world, &own).await;
    let reply = world.engine.enrol_app(&session, &alice.client()).await.unwrap();
    assert!(matches!(reply, Reply::Enrolment(_)), "{reply:?}");
}

/// D-08: what is listed, and what ends at the next request.
#[tokio::test]
async fn browsers_are_listed_and_one_or_all_forgotten() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let mut elsewhere = Person::new(&world);
    elsewhere.secret.clone_from(&alice.secret);
    for person in [&mut alice, &mut elsewhere] {
        world.advance(30);
        let asked = person.challenged().await;
        let code = person.totp(0);
        person.agent = Label::clean("Firefox on Linux");
        let (client, token) = (person.client(), asked.token.as_str());
        let reply = world.engine.code(token, &client, None, code.as_str(), true).await.unwrap();
        person.cookie = granted(reply).cookie.unwrap();
    }
    let session = granted(alice.begin().await);
    let session = account(&world, &session).await;
    let (engine, client) = (&world.engine, alice.client());
    let listed = engine.browsers(&session, &client).await.unwrap().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed.iter().filter(|browser| browser.is_this).count(), 1);
    assert!(listed.iter().all(|browser| browser.remembered_until.is_some()));
    assert!(listed.iter().all(|browser| browser.label.as_str() == "Firefox on Linux"));

    let other = listed.iter().find(|browser| !browser.is_this).unwrap().family;
    let reply = engine.forget_browsers(&session, &client, Some(other)).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert!(matches!(elsewhere.begin().await, Reply::Challenged(_)));
    let reply = engine.forget_browsers(&session, &client, Some(other)).await.unwrap();
    assert_eq!(refused(reply), Refusal::NoSuchFactor, "it is gone");
    granted(alice.begin().await);

    let reply = engine.forget_browsers(&session, &client, None).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert!(engine.browsers(&session, &client).await.unwrap().unwrap().is_empty());
    assert!(matches!(alice.begin().await, Reply::Challenged(_)));
    let forgotten: Vec<_> = world.events().await;
    let forgotten = forgotten.iter().filter_map(|event| match event.what {
        What::BrowsersForgotten { count } => Some(count),
        _ => None,
    });
    assert_eq!(forgotten.collect::<Vec<_>>(), [1, 1]);
}

/// Addresses are whole for whoever proved a second factor, and for nobody else.
#[tokio::test]
async fn what_is_listed_shows_addresses_to_their_proven_owner() {
    let world = World::new();
    let (alice, skipped) = remembered(&world).await;
    let weak = account(&world, &skipped).await;
    let factors = world.engine.factors(&weak).await.unwrap().unwrap();
    assert_eq!(factors.emails, ["a***@e***.com"]);
    assert_eq!((factors.authenticators.len(), factors.phones.len()), (1, 0));
    let app = &factors.authenticators[0];
    assert!(app.last_used.is_some_and(|used| used > app.created) && !app.locked);
    let asked = Person::new(&world).challenged().await;
    world.advance(30);
    let code = alice.totp(0);
    let strong = granted(Person::new(&world).code(&asked, code.as_str(), false).await);
    let strong = account(&world, &strong).await;
    let factors = world.engine.factors(&strong).await.unwrap().unwrap();
    assert_eq!(factors.emails, ["alice@example.com"]);
}
