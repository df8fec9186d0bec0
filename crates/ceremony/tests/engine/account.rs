//! What a session asks for its own account, and the administrator for a user's.

use std::sync::Arc;

use countersign_ceremony::audit::{By, What};
use countersign_ceremony::decide::{NoticeOf, RecoveryCodes, Refusal};
use countersign_ceremony::engine::{Account, GrantedReply, Reply};
use countersign_ceremony::env::Body;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::vendor::{Powers, TokenId, VendorClaims};
use countersign_device::{ClientId, FactorKind, TenantId, UserId};
use countersign_otp::UnixTime;

use crate::support::{Person, World, granted, refused, tenant};

/// A world that forces nobody, so that the last factor may go.
async fn free() -> World {
    let world = World::new();
    world.set_policy(Policy { enforce: Enforce::DontForce, ..world.policy() }).await;
    world
}

/// The account that a login opened.
async fn account(world: &World, granted: &GrantedReply) -> Account {
    let authenticated =
        world.engine.authenticate(&world.tokens(&granted.assertion).access).await.unwrap();
    authenticated.unwrap().account().clone()
}

async fn lives(world: &World, granted: &GrantedReply) -> bool {
    world.engine.authenticate(&world.tokens(&granted.assertion).access).await.unwrap().is_some()
}

/// A vendor token's claims, for one tenant or for all.
fn vendor(tenant: Option<TenantId>) -> VendorClaims {
    VendorClaims {
        client: ClientId::parse("ops").unwrap(),
        epoch: 0,
        id: TokenId([7; 8]),
        powers: Powers::all(),
        tenant,
        ends: UnixTime::from_secs(u64::MAX),
    }
}

async fn administrator(world: &World) -> Account {
    administered(world, None, Some(tenant())).await
}

/// The account of alice for a vendor token of `own`, in the tenant that is `named`.
async fn administered(world: &World, own: Option<TenantId>, named: Option<TenantId>) -> Account {
    let user = UserId::parse("alice").unwrap();
    world.engine.administered(user, named, &vendor(own)).await.unwrap().unwrap()
}

/// Adds an app under a session; its owner, with the secret.
async fn add_app(world: &World, alice: &Person, account: &Account, label: &str) -> (Person, Reply) {
    let shown = world.engine.enrol_app(account, &alice.client()).await.unwrap();
    let Reply::Enrolment(enrolment) = shown else { panic!("not shown: {shown:?}") };
    let mut app = Person::new(world);
    app.secret = Some(enrolment.secret);
    let (client, code) = (alice.client(), app.totp(0));
    let reply = world.engine.confirm_app(account, &client, code.as_str(), label).await.unwrap();
    (app, reply)
}

#[tokio::test]
async fn a_fresh_session_adds_the_first_app_and_a_second_needs_the_first_proved() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let again = world.engine.enrol_app(&session, &alice.client()).await.unwrap();
    let (app, reply) = add_app(&world, &alice, &session, "Phone").await;
    let Reply::Enrolment(again) = again else { panic!("not shown: {again:?}") };
    assert_eq!(again.secret.expose(), app.secret.as_ref().unwrap().expose(), "the same each time");
    assert!(matches!(reply, Reply::Added { recovery: Some(_) }), "{reply:?}");

    // The session lives on, and is not worth a second factor: E-03.
    assert!(lives(&world, &first).await);
    let refusal = world.engine.enrol_app(&session, &alice.client()).await.unwrap();
    assert_eq!(refused(refusal), Refusal::StepUp);

    world.advance(30);
    alice.secret = app.secret;
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    let second = granted(alice.code(&asked, code.as_str(), false).await);
    let session = account(&world, &second).await;
    let (tablet, reply) = add_app(&world, &alice, &session, "Tablet").await;
    assert!(matches!(reply, Reply::Added { recovery: None }), "{reply:?}");

    // Both apps log in now, and five minutes later the session adds nothing more.
    world.advance(60);
    for app in [&alice, &tablet] {
        let asked = Person::new(&world).challenged().await;
        let code = app.totp(0);
        granted(Person::new(&world).code(&asked, code.as_str(), false).await);
    }
    world.advance(5 * 60);
    let refusal = world.engine.enrol_app(&session, &alice.client()).await.unwrap();
    assert_eq!(refused(refusal), Refusal::StepUp);
}

/// E-03, D-16: a remembered browser is no proof.
#[tokio::test]
async fn a_remembered_login_adds_and_removes_nothing_by_itself() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let (app, _) = add_app(&world, &alice, &session, "").await;
    alice.secret = app.secret;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), true).await);
    let remembered = granted(alice.begin().await);
    let session = account(&world, &remembered).await;
    let engine = &world.engine;
    let client = alice.client();
    assert_eq!(refused(engine.enrol_app(&session, &client).await.unwrap()), Refusal::StepUp);
    assert_eq!(refused(engine.remove_all(&session, &client, None).await.unwrap()), Refusal::StepUp);
    let wrong = other_than(alice.totp(0).as_str());
    let reply = engine.remove_all(&session, &client, Some(&wrong)).await.unwrap();
    assert_eq!(refused(reply), Refusal::Code);
    world.advance(60);
    let right = alice.totp(0);
    let reply = engine.remove_all(&session, &client, Some(right.as_str())).await.unwrap();
    assert!(matches!(reply, Reply::Done), "a right code is a proof: {reply:?}");
}

/// D-04: what a removal ends, and what it leaves.
#[tokio::test]
async fn removing_ends_all_but_the_session_that_removed() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let (app, _) = add_app(&world, &alice, &session, "").await;
    alice.secret = app.secret;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    let acting = granted(alice.code(&asked, code.as_str(), true).await);
    let open = Person::new(&world).challenged().await;
    let device = acting_device(&world).await;

    let session = account(&world, &acting).await;
    let reply = world.engine.remove_app(&session, &alice.client(), &device, None).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert!(lives(&world, &acting).await, "the survivor");
    assert!(!lives(&world, &first).await, "another session");
    assert!(world.engine.refresh(&world.tokens(&first.assertion).refresh).await.unwrap().is_none());
    assert!(
        world.engine.refresh(&world.tokens(&acting.assertion).refresh).await.unwrap().is_some()
    );
    let code = alice.totp(1);
    let reply = Person::new(&world).code(&open, code.as_str(), false).await;
    assert_eq!(refused(reply), Refusal::LoginOver, "an open login");

    // The address is a factor of its own where the tenant takes codes by email: it is asked for.
    let asked = alice.challenged().await;
    assert_eq!(asked.challenged.strategies, [FactorKind::Email]);
    assert!(asked.challenged.authenticators.is_empty());
    let events = world.events().await;
    let removed = events.iter().find(|event| matches!(event.what, What::FactorRemoved { .. }));
    assert!(matches!(removed.unwrap().by, By::Session(_)));
    assert!(told(&world, NoticeOf::FactorRemoved(FactorKind::Authenticator)));
}

#[tokio::test]
async fn the_last_factor_stays_where_the_tenant_forces_one() {
    let world = World::new();
    let strategies = Strategies { authenticator: true, ..Strategies::default() };
    world.set_policy(Policy { strategies, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let acting = alice.enrol().await;
    let session = account(&world, &acting).await;
    let device = acting_device(&world).await;
    let (engine, client) = (&world.engine, alice.client());
    for code in [None, Some(alice.totp(1).as_str())] {
        let all = engine.remove_all(&session, &client, code).await.unwrap();
        assert_eq!(refused(all), Refusal::Forced);
        let one = engine.remove_app(&session, &client, &device, code).await.unwrap();
        assert_eq!(refused(one), Refusal::Forced);
    }
    // With a second app the first may go, and then the second is the last.
    let (tablet, _) = add_app(&world, &alice, &session, "Tablet").await;
    let reply = engine.remove_app(&session, &client, &device, None).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert_eq!(refused(engine.remove_all(&session, &client, None).await.unwrap()), Refusal::Forced);
    world.advance(30);
    let asked = alice.challenged().await;
    assert_eq!(asked.challenged.authenticators.len(), 1);
    let code = tablet.totp(0);
    granted(alice.code(&asked, code.as_str(), false).await);
}

/// Where the tenant takes no code by email, the address is no factor without the app.
#[tokio::test]
async fn the_address_goes_with_the_last_app_where_it_answers_nothing() {
    let world = World::new();
    let strategies = Strategies { authenticator: true, ..Strategies::default() };
    let enforce = Enforce::DontForce;
    world.set_policy(Policy { strategies, enforce, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let acting = granted(alice.begin().await);
    let session = account(&world, &acting).await;
    let (app, _) = add_app(&world, &alice, &session, "").await;
    world.advance(30);
    let device = acting_device(&world).await;
    let code = app.totp(0);
    let (client, code) = (alice.client(), Some(code.as_str()));
    let reply = world.engine.remove_app(&session, &client, &device, code).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    let free = granted(alice.begin().await);
    assert_eq!(world.tokens(&free.assertion).claims.acr, None, "nothing is asked for");
    let nothing = account(&world, &free).await;
    let reply = world.engine.remove_all(&nothing, &alice.client(), None).await.unwrap();
    assert_eq!(refused(reply), Refusal::NotEnrolled);
}

/// E-19, D-04: the administrator's reset, in the user's tenant and in no other.
#[tokio::test]
async fn a_reset_ends_everything_and_needs_the_users_own_tenant() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let session = alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), true).await);

    let engine = &world.engine;
    let foreign = administered(&world, None, TenantId::parse("globex").ok()).await;
    let reply = engine.remove_all(&foreign, &alice.client(), None).await.unwrap();
    assert_eq!(refused(reply), Refusal::UnknownUser);
    let shown = engine.enrol_app(&foreign, &alice.client()).await.unwrap();
    assert_eq!(refused(shown), Refusal::UnknownUser);
    let events = world.events().await;
    assert!(matches!(events.last().unwrap().what, What::ForeignTenant));
    assert!(lives(&world, &session).await);

    let ours = administrator(&world).await;
    let reply = engine.remove_all(&ours, &Person::new(&world).client(), None).await.unwrap();
    assert!(matches!(reply, Reply::Done), "forced or not: {reply:?}");
    assert!(!lives(&world, &session).await);
    assert!(engine.refresh(&world.tokens(&session.assertion).refresh).await.unwrap().is_none());
    let events = world.events().await;
    let removed = events.iter().find(|event| event.what == What::FactorsRemoved).unwrap();
    assert_eq!(removed.by, By::Administrator(ClientId::parse("ops").unwrap()));
    let again = engine.remove_all(&ours, &alice.client(), None).await.unwrap();
    assert_eq!(refused(again), Refusal::NotEnrolled);
    let asked = alice.challenged().await;
    assert!(!asked.challenged.enrolled && asked.challenged.enrolment.is_some(), "and enrols anew");
    assert!(told(&world, NoticeOf::FactorsRemoved));
}

/// E-19: whoever manages one tenant alone takes no factor from a user of another.
#[tokio::test]
async fn a_client_of_one_tenant_resets_no_user_of_two() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let globex = TenantId::parse("globex").unwrap();
    let (user, unknown) = (UserId::parse("alice").unwrap(), UserId::parse("nobody").unwrap());
    let engine = &world.engine;
    assert!(engine.administered(unknown, None, &vendor(None)).await.unwrap().is_none());
    let named = Some(globex.clone());
    let foreign = engine.administered(user, named, &vendor(Some(tenant()))).await.unwrap();
    assert!(foreign.is_none(), "another tenant than the client's own");

    world.advance(30);
    let asked = alice.challenged_in(&globex).await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), false).await);
    let own = administered(&world, Some(tenant()), None).await;
    let reply = engine.remove_all(&own, &alice.client(), None).await.unwrap();
    assert_eq!(refused(reply), Refusal::UnknownUser);
    let all = administered(&world, None, None).await;
    assert_eq!(*all.tenant(), globex, "the latest");
    let reply = engine.remove_all(&all, &alice.client(), None).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
}

/// A user of two tenants of which one enforces keeps a factor in both.
#[tokio::test]
async fn the_strictest_of_a_users_tenants_keeps_the_last_factor() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let globex = TenantId::parse("globex").unwrap();
    let lax = Policy { enforce: Enforce::DontForce, ..world.policy() };
    world.engine.set_policy(&globex, &lax).await.unwrap();
    world.advance(30);
    let asked = alice.challenged_in(&globex).await;
    let code = alice.totp(0);
    let there = granted(alice.code(&asked, code.as_str(), false).await);
    let session = account(&world, &there).await;
    let reply = world.engine.remove_all(&session, &alice.client(), None).await.unwrap();
    assert_eq!(refused(reply), Refusal::Forced);
}

/// A session of an epoch that has ended does nothing, even where its token was verified before.
#[tokio::test]
async fn a_session_that_ended_meanwhile_acts_no_more() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let session = alice.enrol().await;
    let session = account(&world, &session).await;
    let ours = administrator(&world).await;
    let reply = world.engine.remove_all(&ours, &alice.client(), None).await.unwrap();
    assert!(matches!(reply, Reply::Done));
    for reply in [
        world.engine.enrol_app(&session, &alice.client()).await,
        world.engine.confirm_app(&session, &alice.client(), "123456", "").await,
        world.engine.remove_all(&session, &alice.client(), None).await,
    ] {
        assert_eq!(refused(reply.unwrap()), Refusal::SessionOver);
    }
}

/// C-15, C-10: a session guesses as a login does, at the same ledger, and no more often.
#[tokio::test]
async fn a_session_that_guesses_is_stopped() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let (app, _) = add_app(&world, &alice, &session, "").await;
    world.advance(30);
    let (engine, client) = (&world.engine, alice.client());
    let wrong = other_than(app.totp(0).as_str());
    for _ in 0..5 {
        let reply = engine.remove_all(&session, &client, Some(&wrong)).await.unwrap();
        assert_eq!(refused(reply), Refusal::Code);
    }
    let right = app.totp(0);
    let reply = engine.remove_all(&session, &client, Some(right.as_str())).await.unwrap();
    // Its entry is as old as its first judged code, which confirmed the app.
    assert_eq!(refused(reply), Refusal::TooMany(Some(570)), "nor is the right one judged");
    world.advance(600);
    let right = app.totp(0);
    let reply = engine.remove_all(&session, &client, Some(right.as_str())).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
}

/// E-07: 64 removals with one recovery code: it proves once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_recovery_code_proves_one_removal_of_many() {
    let world = Arc::new(free().await);
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let (_, reply) = add_app(&world, &alice, &session, "").await;
    let Reply::Added { recovery: Some(code) } = reply else { panic!("no code: {reply:?}") };
    let tries: Vec<_> = (0..64)
        .map(|_| {
            let (world, session, client) = (world.clone(), session.clone(), alice.client());
            let code = code.reveal().to_string();
            tokio::spawn(async move {
                let reply = world.engine.remove_all(&session, &client, Some(&code)).await;
                matches!(reply.unwrap(), Reply::Done)
            })
        })
        .collect();
    let mut won = 0;
    for one in tries {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
    assert!(lives(&world, &first).await);
}

/// The id of the one app, as a login lists it.
async fn acting_device(world: &World) -> String {
    let asked = Person::new(world).challenged().await;
    asked.challenged.authenticators[0].to_string()
}

fn told(world: &World, of: NoticeOf) -> bool {
    world.mail.all().iter().any(|message| matches!(message.body, Body::Notice(it) if it == of))
}

fn other_than(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 500_001) % 1_000_000)
}

/// E-11: regenerating needs a fresh session or a code, and the old set is dead in the same write.
#[tokio::test]
async fn recovery_codes_are_a_set_and_a_new_set_ends_the_old_one() {
    let world = World::with_settings(|settings| settings.recovery_codes = 10);
    let mut alice = Person::new(&world);
    let first = alice.enrol().await;
    let old: Vec<String> = revealed(first.recovery.as_ref().unwrap());
    assert_eq!(old.len(), 10);
    assert_eq!(old.iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
    let session = account(&world, &first).await;
    let (engine, client) = (&world.engine, alice.client());
    assert_eq!(engine.recovery_left(&session).await.unwrap().unwrap(), 10);

    world.advance(5 * 60 + 1);
    let reply = engine.regenerate_recovery(&session, &client, None).await.unwrap();
    assert_eq!(refused(reply), Refusal::StepUp);
    let wrong = other_than(alice.totp(0).as_str());
    let reply = engine.regenerate_recovery(&session, &client, Some(&wrong)).await.unwrap();
    assert_eq!(refused(reply), Refusal::Code);
    assert_eq!(engine.recovery_left(&session).await.unwrap().unwrap(), 10, "nothing was replaced");
    let right = alice.totp(0);
    let reply = engine.regenerate_recovery(&session, &client, Some(right.as_str())).await.unwrap();
    let Reply::Added { recovery: Some(fresh) } = reply else { panic!("no codes: {reply:?}") };
    let fresh = revealed(&fresh);
    assert!(lives(&world, &first).await, "no session ends by it");
    assert!(told(&world, NoticeOf::RecoveryIssued));

    // None of the old ones is worth anything; each of the new ones is worth one thing.
    for code in &old {
        let reply = engine.regenerate_recovery(&session, &client, Some(code)).await.unwrap();
        assert_eq!(refused(reply), Refusal::Code);
    }
    let email = countersign_device::EmailAddress::parse("alice@example.com").unwrap();
    let reply = engine.recover(&email, &fresh[3], &client).await.unwrap();
    assert!(matches!(reply, Reply::Recovered { .. }), "{reply:?}");
    let reply = engine.recover(&email, &fresh[4], &client).await.unwrap();
    assert_eq!(refused(reply), Refusal::Code, "a recovery spends the set");
}

/// E-07: a code of a set proves one thing, and leaves the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_of_a_set_is_spent_once_and_alone() {
    let world = World::with_settings(|settings| settings.recovery_codes = 3);
    let strategies = Strategies { authenticator: true, ..Strategies::default() };
    let enforce = Enforce::DontForce;
    world.set_policy(Policy { strategies, enforce, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let free = granted(alice.begin().await);
    let session = account(&world, &free).await;
    let (app, reply) = add_app(&world, &alice, &session, "").await;
    let Reply::Added { recovery: Some(codes) } = reply else { panic!("no codes: {reply:?}") };
    let codes = revealed(&codes);
    alice.secret = app.secret;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    let strong = granted(alice.code(&asked, code.as_str(), false).await);
    let session = account(&world, &strong).await;
    add_app(&world, &alice, &session, "Tablet").await;
    let devices = world.engine.factors(&session).await.unwrap().unwrap().authenticators;
    let device = devices.iter().find(|app| app.label.as_str() == "Tablet").unwrap().id.to_string();

    let world = Arc::new(world);
    let tries: Vec<_> = (0..64)
        .map(|_| {
            let (world, session, client) = (world.clone(), session.clone(), alice.client());
            let (device, code) = (device.clone(), codes[0].clone());
            tokio::spawn(async move {
                let reply = world.engine.remove_app(&session, &client, &device, Some(&code)).await;
                matches!(reply.unwrap(), Reply::Done)
            })
        })
        .collect();
    let mut won = 0;
    for one in tries {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(world.engine.recovery_left(&session).await.unwrap().unwrap(), 2);
    let reply = world.engine.remove_all(&session, &alice.client(), Some(&codes[0])).await.unwrap();
    assert_eq!(refused(reply), Refusal::Code, "spent");
    let reply = world.engine.remove_all(&session, &alice.client(), Some(&codes[1])).await.unwrap();
    assert!(matches!(reply, Reply::Done), "{reply:?}");
    assert_eq!(world.engine.recovery_left(&session).await.unwrap().unwrap(), 0);
}

fn revealed(codes: &RecoveryCodes) -> Vec<String> {
    codes.reveal_all().map(|code| code.to_string()).collect()
}
