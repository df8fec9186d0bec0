//! Phones that a session adds to its account, or removes from it.

use countersign_ceremony::audit::What;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Account, GrantedReply, Reply};
use countersign_ceremony::env::Body;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::record::CodePurpose;
use countersign_device::{DeviceId, FactorKind, PhoneChannel, PhoneNumber};

use crate::support::{Person, World, granted, refused};

const SMS: PhoneChannel = PhoneChannel::Sms;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

/// A world that takes phones and forces nobody.
async fn free() -> World {
    let world = World::new();
    let strategies = Strategies { authenticator: true, sms: true, ..Strategies::default() };
    let enforce = Enforce::DontForce;
    world.set_policy(Policy { enforce, strategies, ..world.policy() }).await;
    world
}

async fn account(world: &World, granted: &GrantedReply) -> Account {
    let authenticated =
        world.engine.authenticate(&world.tokens(&granted.assertion).access).await.unwrap();
    authenticated.unwrap().account().clone()
}

async fn lives(world: &World, granted: &GrantedReply) -> bool {
    world.engine.authenticate(&world.tokens(&granted.assertion).access).await.unwrap().is_some()
}

#[track_caller]
fn sent(world: &World, reply: Reply) -> (String, String) {
    let Reply::Sent { token, .. } = reply else { panic!("not sent: {reply:?}") };
    (token.as_str().to_owned(), world.mail.last_code().unwrap())
}

async fn ask(world: &World, alice: &Person, account: &Account, to: &str) -> Reply {
    world.engine.add_phone(account, &alice.client(), number(to), SMS).await.unwrap()
}

async fn confirm(
    world: &World,
    alice: &Person,
    account: &Account,
    (challenge, code): &(String, String),
) -> Reply {
    let client = alice.client();
    world.engine.confirm_added(account, &client, challenge, code, "Mobile").await.unwrap()
}

/// Logs in by the first phone, whose code proves the session.
async fn log_in(world: &World, alice: &mut Person) -> GrantedReply {
    world.advance(30);
    let asked = alice.challenged().await;
    let device = asked.challenged.phones[0].0.to_string();
    let (token, client) = (asked.token.as_str(), alice.client());
    let reply = world.engine.send_to_phone(token, &client, &device, SMS).await.unwrap();
    let (challenge, code) = sent(world, reply);
    let reply = world.engine.phone_code(token, &client, &device, &challenge, &code, false).await;
    granted(alice.keep(reply.unwrap()))
}

async fn send_removal(world: &World, alice: &Person, account: &Account, device: &str) -> Reply {
    world.engine.send_removal(account, &alice.client(), device, SMS).await.unwrap()
}

async fn remove(
    world: &World,
    alice: &Person,
    account: &Account,
    device: &str,
    proof: Option<&(String, String)>,
) -> Reply {
    let challenge = proof.map(|(challenge, _)| challenge.as_str());
    let code = proof.map(|(_, code)| code.as_str());
    let client = alice.client();
    world.engine.remove_phone(account, &client, device, challenge, code).await.unwrap()
}

#[tokio::test]
async fn a_fresh_session_adds_phones_and_removing_one_ends_every_other_session() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let home = sent(&world, ask(&world, &alice, &session, "+15555550100").await);
    let added = confirm(&world, &alice, &session, &home).await;
    assert!(matches!(added, Reply::Added { recovery: Some(_) }), "{added:?}");
    assert!(lives(&world, &first).await, "adding ends nothing");
    let refusal = ask(&world, &alice, &session, "+442071838750").await;
    assert_eq!(refused(refusal), Refusal::StepUp, "it is worth one factor, and the user has two");

    let proved = log_in(&world, &mut alice).await;
    let session = account(&world, &proved).await;
    let again = ask(&world, &alice, &session, "+15555550100").await;
    assert_eq!(refused(again), Refusal::AlreadyEnrolled, "one number, one phone");
    let work = sent(&world, ask(&world, &alice, &session, "+442071838750").await);
    let added = confirm(&world, &alice, &session, &work).await;
    assert!(matches!(added, Reply::Added { recovery: None }), "{added:?}");
    let asked = Person::new(&world).challenged().await;
    let masks: Vec<_> = asked.challenged.phones.iter().map(|(_, mask)| mask.as_str()).collect();
    assert_eq!(masks, ["+***00", "+***50"]);

    // Ten minutes later only a code removes one, and only the code that was sent to remove it.
    world.advance(600);
    let (home, work) = (asked.challenged.phones[0].0, asked.challenged.phones[1].0);
    let (home, work) = (home.to_string(), work.to_string());
    let stale = remove(&world, &alice, &session, &home, None).await;
    assert_eq!(refused(stale), Refusal::StepUp);
    let code = sent(&world, send_removal(&world, &alice, &session, &home).await);
    let message = world.mail.all().pop().unwrap();
    assert!(matches!(message.body, Body::Code { purpose: CodePurpose::Disable, .. }));
    let other = remove(&world, &alice, &session, &work, Some(&code)).await;
    assert_eq!(refused(other), Refusal::Code, "it was sent to remove another phone");
    let enrols = confirm(&world, &alice, &session, &code).await;
    assert_eq!(refused(enrols), Refusal::Code, "B-07");
    assert!(lives(&world, &first).await);
    let gone = remove(&world, &alice, &session, &home, Some(&code)).await;
    assert!(matches!(gone, Reply::Done), "{gone:?}");
    assert!(lives(&world, &proved).await, "the session that removed it lives on");
    assert!(!lives(&world, &first).await, "every other has ended");
    let removed = |what: &What| matches!(what, What::FactorRemoved { factor: FactorKind::Sms, .. });
    assert_eq!(world.events().await.iter().filter(|event| removed(&event.what)).count(), 1);
    let twice = remove(&world, &alice, &session, &home, Some(&code)).await;
    assert_eq!(refused(twice), Refusal::NoSuchFactor);
    let asked = Person::new(&world).challenged().await;
    assert_eq!(asked.challenged.phones.len(), 1);
}

#[tokio::test]
async fn a_code_for_a_session_is_taken_under_that_session_alone() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let one = granted(alice.begin().await);
    let two = granted(Person::new(&world).begin().await);
    let (one, two) = (account(&world, &one).await, account(&world, &two).await);
    let code = sent(&world, ask(&world, &alice, &one, "+15555550100").await);
    assert_eq!(refused(confirm(&world, &alice, &two, &code).await), Refusal::Code);
    assert!(matches!(confirm(&world, &alice, &one, &code).await, Reply::Added { .. }));
}

#[tokio::test]
async fn the_last_phone_stays_where_the_tenant_forces_and_goes_with_a_fresh_session_elsewhere() {
    let world = free().await;
    let mut alice = Person::new(&world);
    let first = granted(alice.begin().await);
    let session = account(&world, &first).await;
    let code = sent(&world, ask(&world, &alice, &session, "+15555550100").await);
    confirm(&world, &alice, &session, &code).await;
    let proved = log_in(&world, &mut alice).await;
    let session = account(&world, &proved).await;
    let asked = Person::new(&world).challenged().await;
    let device = asked.challenged.phones[0].0.to_string();

    let unknown = send_removal(&world, &alice, &session, &DeviceId::NONE.to_string()).await;
    assert_eq!(refused(unknown), Refusal::NoSuchFactor);
    let policy = world.engine.policy(&crate::support::tenant(), None).await.unwrap();
    let forced = Policy { enforce: Enforce::Force, ..policy.clone() };
    world.set_policy(forced).await;
    let stays = send_removal(&world, &alice, &session, &device).await;
    assert_eq!(refused(stays), Refusal::Forced, "no message for what would be refused");
    let stays = remove(&world, &alice, &session, &device, None).await;
    assert_eq!(refused(stays), Refusal::Forced);
    world.set_policy(policy).await;
    let gone = remove(&world, &alice, &session, &device, None).await;
    assert!(matches!(gone, Reply::Done), "{gone:?}");
    assert!(matches!(alice.begin().await, Reply::Granted(_)), "nobody is forced");
}
