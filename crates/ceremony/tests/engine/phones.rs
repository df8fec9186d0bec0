//! Phones: added by proof, answered by codes, and never by a code that was sent for something else.

use std::sync::Arc;

use countersign_ceremony::assertion::{Assertion, FirstFactor};
use countersign_ceremony::audit::{Verdict, What};
use countersign_ceremony::decide::{NoticeOf, Refusal};
use countersign_ceremony::engine::{ChallengedReply, Client, GrantedReply, Reply};
use countersign_ceremony::env::{Body, To};
use countersign_ceremony::policy::{Policy, Strategies};
use countersign_ceremony::record::CodePurpose;
use countersign_device::{DeviceId, FactorKind, PhoneChannel, PhoneNumber};
use tokio::sync::Barrier;

use crate::support::{Person, World, granted, refused};

const HOME: &str = "+15555550100";
const WORK: &str = "+442071838750";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

async fn world() -> World {
    let world = World::new();
    let strategies = Strategies { authenticator: true, sms: true, ..Strategies::default() };
    world.set_policy(Policy { strategies, ..world.policy() }).await;
    world
}

/// Sends a code to a new number; its challenge, and the code.
async fn ask_for(
    world: &World,
    person: &Person,
    asked: &ChallengedReply,
    to: &str,
) -> (String, String) {
    let (token, client) = (asked.token.as_str(), person.client());
    let reply = world.engine.enrol_phone(token, &client, number(to), PhoneChannel::Sms).await;
    sent(world, reply.unwrap())
}

#[track_caller]
fn sent(world: &World, reply: Reply) -> (String, String) {
    let Reply::Sent { token, .. } = reply else { panic!("not sent: {reply:?}") };
    (token.as_str().to_owned(), world.mail.last_code().unwrap())
}

/// A forced login that ends with this phone.
async fn enrol(world: &World, person: &mut Person, to: &str) -> GrantedReply {
    let asked = person.challenged().await;
    let (challenge, code) = ask_for(world, person, &asked, to).await;
    granted(confirm(world, person, &asked, &challenge, &code).await)
}

async fn confirm(
    world: &World,
    person: &mut Person,
    asked: &ChallengedReply,
    challenge: &str,
    code: &str,
) -> Reply {
    let (token, client) = (asked.token.as_str(), person.client());
    let reply = world.engine.confirm_phone(token, &client, challenge, code, false).await;
    person.keep(reply.unwrap())
}

async fn send_to(
    world: &World,
    person: &Person,
    asked: &ChallengedReply,
    device: DeviceId,
    by: PhoneChannel,
) -> Reply {
    let (token, client) = (asked.token.as_str(), person.client());
    world.engine.send_to_phone(token, &client, &device.to_string(), by).await.unwrap()
}

async fn answer(
    world: &World,
    person: &mut Person,
    asked: &ChallengedReply,
    device: DeviceId,
    (challenge, code): (&str, &str),
) -> Reply {
    let (token, client, device) = (asked.token.as_str(), person.client(), device.to_string());
    let reply = world.engine.phone_code(token, &client, &device, challenge, code, false).await;
    person.keep(reply.unwrap())
}

fn other_than(code: &str) -> String {
    let digit = if code.starts_with('0') { "1" } else { "0" };
    format!("{digit}{}", &code[1..])
}

#[tokio::test]
async fn a_forced_login_ends_with_a_phone_and_the_next_one_is_answered_by_it() {
    let world = world().await;
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    assert_eq!(asked.challenged.strategies, [FactorKind::Authenticator, FactorKind::Sms]);
    assert!(!asked.challenged.enrolled && asked.challenged.phones.is_empty());

    let (token, client) = (asked.token.as_str(), alice.client());
    let by = PhoneChannel::Sms;
    let reply = world.engine.enrol_phone(token, &client, number(HOME), by).await.unwrap();
    let Reply::Sent { ref to, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(to, HOME, "whoever typed it sees what was made of it");
    let (challenge, code) = sent(&world, reply);
    let message = world.mail.all().pop().unwrap();
    assert_eq!(message.to, To::Phone(number(HOME), PhoneChannel::Sms));
    assert!(matches!(message.body, Body::Code { purpose: CodePurpose::Enrol, .. }));

    let wrong = confirm(&world, &mut alice, &asked, &challenge, &other_than(&code)).await;
    assert_eq!(refused(wrong), Refusal::Code);
    let first = granted(confirm(&world, &mut alice, &asked, &challenge, &code).await);
    assert!(first.recovery.is_some(), "the first factor brings the recovery code");
    assert_eq!(world.tokens(&first.assertion).claims.amr, ["pwd", "mfa", "sms"]);
    assert_eq!(world.tokens(&first.assertion).claims.acr.as_deref(), Some(Assertion::MULTI_FACTOR));
    let told = world.mail.all().into_iter().any(|mail| {
        matches!(mail.body, Body::Notice(NoticeOf::FactorAdded(FactorKind::Sms)))
            && matches!(mail.to, To::Mailbox(_))
    });
    assert!(told, "the owner is told by mail, not at the number that was added");

    let asked = alice.challenged().await;
    assert!(asked.challenged.enrolled && asked.challenged.enrolment.is_none());
    assert_eq!(asked.challenged.strategies, [FactorKind::Sms]);
    let [(device, masked)] = &asked.challenged.phones[..] else { panic!() };
    assert_eq!(masked, "+***00");
    let reply = send_to(&world, &alice, &asked, *device, PhoneChannel::WhatsApp).await;
    let Reply::Sent { ref to, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(to, "+***00", "a password alone shows no number");
    let (challenge, code) = sent(&world, reply);
    let message = world.mail.all().pop().unwrap();
    assert_eq!(message.to, To::Phone(number(HOME), PhoneChannel::WhatsApp));
    let won = answer(&world, &mut alice, &asked, *device, (&challenge, &code)).await;
    assert!(granted(won).recovery.is_none());
    let again = answer(&world, &mut alice, &asked, *device, (&challenge, &code)).await;
    assert_eq!(refused(again), Refusal::LoginOver);
}

/// B-07: what was sent for one thing is taken for nothing else, whatever the client says it is.
#[tokio::test]
async fn a_code_is_taken_for_what_it_was_sent_for_alone() {
    let world = world().await;
    let usual = Policy::default().strategies;
    let both = Strategies { authenticator: true, sms: true, email: true, ..usual };
    world.set_policy(Policy { strategies: both, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let forced = alice.challenged().await;
    let (enrol_challenge, enrol_code) = ask_for(&world, &alice, &forced, HOME).await;
    // An enrolment's code answers no login by mail.
    let (token, client) = (forced.token.as_str(), alice.client());
    let by_mail = world.engine.email_code(token, &client, &enrol_challenge, &enrol_code, false);
    assert_eq!(refused(by_mail.await.unwrap()), Refusal::Code);
    granted(confirm(&world, &mut alice, &forced, &enrol_challenge, &enrol_code).await);

    let asked = alice.challenged().await;
    let (device, _) = asked.challenged.phones[0].clone();
    let used = answer(&world, &mut alice, &asked, device, (&enrol_challenge, &enrol_code)).await;
    assert_eq!(refused(used), Refusal::Code, "another login's, and for another purpose");

    world.advance(30);
    let (challenge, code) =
        sent(&world, send_to(&world, &alice, &asked, device, PhoneChannel::Sms).await);
    // A login's code confirms no enrolment, and answers no other factor and no other device.
    let confirmed = confirm(&world, &mut alice, &asked, &challenge, &code).await;
    assert_eq!(refused(confirmed), Refusal::Code);
    let by_mail = alice.email_code(&asked, &challenge, &code, false).await;
    assert_eq!(refused(by_mail), Refusal::Code);
    let elsewhere = answer(&world, &mut alice, &asked, DeviceId::NONE, (&challenge, &code)).await;
    assert_eq!(refused(elsewhere), Refusal::Code);
    granted(answer(&world, &mut alice, &asked, device, (&challenge, &code)).await);
    let dead = world.verdicts().await.into_iter().filter(|of| *of == Verdict::DeadChallenge);
    assert_eq!(dead.count(), 3, "none of these was compared with a code");
}

#[tokio::test]
async fn mail_and_phone_have_a_live_code_each_and_a_resend_replaces_its_own() {
    let world = world().await;
    let usual = Policy::default().strategies;
    let both = Strategies { authenticator: true, sms: true, email: true, ..usual };
    world.set_policy(Policy { strategies: both, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    enrol(&world, &mut alice, HOME).await;
    world.advance(30);
    let asked = alice.challenged().await;
    assert_eq!(asked.challenged.strategies, [FactorKind::Sms, FactorKind::Email]);
    let (device, _) = asked.challenged.phones[0].clone();
    let first = sent(&world, send_to(&world, &alice, &asked, device, PhoneChannel::Sms).await);
    let mailed = sent(&world, alice.send_email(&asked).await);
    let cooling = send_to(&world, &alice, &asked, device, PhoneChannel::WhatsApp).await;
    assert_eq!(refused(cooling), Refusal::TooMany(Some(30)), "another channel is no way round");
    world.advance(30);
    let second = sent(&world, send_to(&world, &alice, &asked, device, PhoneChannel::Sms).await);
    let old = answer(&world, &mut alice, &asked, device, (&first.0, &first.1)).await;
    assert_eq!(refused(old), Refusal::Code);
    let mixed = answer(&world, &mut alice, &asked, device, (&first.0, &second.1)).await;
    assert_eq!(refused(mixed), Refusal::Code, "the right code, by a token that is dead");
    granted(alice.email_code(&asked, &mailed.0, &mailed.1, false).await);
}

/// C-07: five judged guesses a login, however often its code is sent.
#[tokio::test]
async fn a_resend_adds_no_guess() {
    let world = world().await;
    let mut alice = Person::new(&world);
    enrol(&world, &mut alice, HOME).await;
    world.advance(30);
    let asked = alice.challenged().await;
    let (device, _) = asked.challenged.phones[0].clone();
    for guess in 0..5 {
        let (challenge, code) =
            sent(&world, send_to(&world, &alice, &asked, device, PhoneChannel::Sms).await);
        let wrong = other_than(&code);
        let reply = answer(&world, &mut alice, &asked, device, (&challenge, &wrong)).await;
        assert_eq!(refused(reply), Refusal::Code, "{guess}");
        world.advance(31);
    }
    let over = send_to(&world, &alice, &asked, device, PhoneChannel::Sms).await;
    assert_eq!(refused(over), Refusal::LoginOver);
}

#[tokio::test]
async fn a_login_that_names_another_number_leaves_the_first_one_dead() {
    let world = world().await;
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    let mistyped = ask_for(&world, &alice, &asked, HOME).await;
    let right = ask_for(&world, &alice, &asked, WORK).await;
    let late = confirm(&world, &mut alice, &asked, &mistyped.0, &mistyped.1).await;
    assert_eq!(refused(late), Refusal::Code);
    granted(confirm(&world, &mut alice, &asked, &right.0, &right.1).await);
    let next = alice.challenged().await;
    let masks: Vec<_> = next.challenged.phones.iter().map(|(_, mask)| mask.as_str()).collect();
    assert_eq!(masks, ["+***50"]);
}

/// E-01, E-05, A-12: an enrolment is its opener's, and a password alone adds nothing to an account.
#[tokio::test]
async fn nobody_confirms_what_another_login_began_and_a_password_alone_adds_no_phone() {
    let world = world().await;
    let mut alice = Person::new(&world);
    let one = alice.challenged().await;
    let two = alice.challenged().await;
    let (challenge, code) = ask_for(&world, &alice, &one, HOME).await;
    let stolen = confirm(&world, &mut alice, &two, &challenge, &code).await;
    assert_eq!(refused(stolen), Refusal::Code);
    granted(confirm(&world, &mut alice, &one, &challenge, &code).await);

    let mut thief = Person::new(&world);
    let asked = thief.challenged().await;
    let (token, client) = (asked.token.as_str(), thief.client());
    let by = PhoneChannel::Sms;
    let reply = world.engine.enrol_phone(token, &client, number(WORK), by).await.unwrap();
    assert_eq!(refused(reply), Refusal::AlreadyEnrolled);
    let unknown = send_to(&world, &thief, &asked, DeviceId::NONE, by).await;
    assert_eq!(refused(unknown), Refusal::NoSuchFactor);
    // The login that was open beside it cannot add one either: it has a factor to answer with.
    let (token, client) = (two.token.as_str(), Client::default());
    let reply = world.engine.enrol_phone(token, &client, number(WORK), by).await.unwrap();
    assert_eq!(refused(reply), Refusal::AlreadyEnrolled);
}

#[tokio::test]
async fn sms_is_off_unless_the_tenant_takes_it_and_follows_no_first_factor_by_sms() {
    let world = world().await;
    let mut alice = Person::new(&world);
    alice.first = FirstFactor::Sms;
    let asked = alice.challenged().await;
    assert_eq!(asked.challenged.strategies, [FactorKind::Authenticator], "B-12");
    let (token, client) = (asked.token.as_str(), alice.client());
    let by = PhoneChannel::Sms;
    let reply = world.engine.enrol_phone(token, &client, number(HOME), by).await.unwrap();
    assert_eq!(refused(reply), Refusal::NoSuchFactor);

    alice.first = FirstFactor::Password;
    enrol(&world, &mut alice, HOME).await;
    let app = Strategies { authenticator: true, ..Strategies::default() };
    world.set_policy(Policy { strategies: app, ..world.policy() }).await;
    let asked = alice.challenged().await;
    assert!(asked.challenged.phones.is_empty() && !asked.challenged.enrolled);
    assert!(asked.challenged.enrolment.is_none(), "a password alone takes no factor's place");
    assert_eq!(asked.challenged.emails.len(), 1, "the mailbox is proven first");
}

/// C-05: the ledger closes on codes that are sent as it does on those of an app.
#[tokio::test]
async fn guessing_at_a_phone_ends_with_the_ledger_and_the_owner_still_recovers() {
    let world = world().await;
    let mut alice = Person::new(&world);
    let recovery = enrol(&world, &mut alice, HOME).await.recovery.unwrap().reveal().to_string();
    let mut wrong = 0;
    let mut closed = false;
    while !closed && wrong <= 100 {
        world.advance(2 * 3600);
        // Somebody else, who knows the password.
        let mut thief = Person::new(&world);
        let asked = thief.challenged().await;
        let (device, _) = asked.challenged.phones[0].clone();
        let token = match send_to(&world, &thief, &asked, device, PhoneChannel::Sms).await {
            Reply::Sent { token, .. } => token,
            // What could not be judged is not sent.
            other => {
                assert_eq!(refused(other), Refusal::TooMany(None), "two hours later it is sent");
                closed = true;
                continue;
            }
        };
        let guess = other_than(&world.mail.last_code().unwrap());
        let reply = answer(&world, &mut thief, &asked, device, (token.as_str(), &guess)).await;
        match refused(reply) {
            Refusal::Code => wrong += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong, 66, "a stranger's two thirds of the ledger, at 100 units each");
    // Recovery has a cap of its own, and still works (C-21).
    let address = countersign_device::EmailAddress::parse("alice@example.com").unwrap();
    let reply = world.engine.recover(&address, &recovery, &alice.client()).await.unwrap();
    assert!(matches!(reply, Reply::Recovered { .. }), "{reply:?}");
}

#[tokio::test]
async fn recovery_removes_the_phones() {
    let world = world().await;
    let mut alice = Person::new(&world);
    let code = enrol(&world, &mut alice, HOME).await.recovery.unwrap().reveal().to_string();
    let address = countersign_device::EmailAddress::parse("alice@example.com").unwrap();
    let reply = world.engine.recover(&address, &code, &alice.client()).await.unwrap();
    let reply = alice.keep(reply);
    assert!(matches!(reply, Reply::Recovered { .. }), "{reply:?}");
    let asked = alice.challenged().await;
    assert!(!asked.challenged.enrolled && asked.challenged.phones.is_empty());
    world.advance(30);
    granted({
        let (challenge, code) = ask_for(&world, &alice, &asked, WORK).await;
        confirm(&world, &mut alice, &asked, &challenge, &code).await
    });
}

/// C-22, C-23: a number, a user and a block of numbers have budgets, and another login renews none.
#[tokio::test]
async fn enrolments_send_no_more_than_the_budgets_of_number_user_and_block() {
    let world = world().await;
    let by = PhoneChannel::Sms;
    let mut alice = Person::new(&world);
    let mut taken = 0;
    for _ in 0..8 {
        let asked = alice.challenged().await;
        let (token, client) = (asked.token.as_str(), alice.client());
        match world.engine.enrol_phone(token, &client, number(HOME), by).await.unwrap() {
            Reply::Sent { .. } => taken += 1,
            reply => assert!(matches!(refused(reply), Refusal::TooMany(Some(_)))),
        }
    }
    assert_eq!(taken, 3, "one number, all its logins");
    for n in 0..8 {
        let asked = alice.challenged().await;
        let (token, client) = (asked.token.as_str(), alice.client());
        let other = number(&format!("+4420718387{n:02}"));
        match world.engine.enrol_phone(token, &client, other, by).await.unwrap() {
            Reply::Sent { .. } => taken += 1,
            reply => assert!(matches!(refused(reply), Refusal::TooMany(Some(_)))),
        }
    }
    assert_eq!(taken, 5, "one user, all numbers");

    let mut pumped = 0;
    for n in 0..40 {
        let mut mule = Person { user: format!("mule-{n}"), ..Person::new(&world) };
        let asked = mule.challenged().await;
        let (token, client) = (asked.token.as_str(), mule.client());
        let fee = number(&format!("+88213000{n:04}"));
        match world.engine.enrol_phone(token, &client, fee, by).await.unwrap() {
            Reply::Sent { .. } => pumped += 1,
            reply => assert!(matches!(refused(reply), Refusal::TooMany(Some(_)))),
        }
    }
    assert_eq!(pumped, 30, "one block, all users");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_right_codes_one_enrols_and_of_64_one_logs_in() {
    let world = world().await;
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    let (challenge, code) = ask_for(&world, &alice, &asked, HOME).await;
    let token = asked.token.as_str().to_owned();
    let replies = race(64, |_| {
        let (engine, token) = (world.engine.clone(), token.clone());
        let (challenge, code) = (challenge.clone(), code.clone());
        async move {
            engine
                .confirm_phone(&token, &Client::default(), &challenge, &code, false)
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(wins(&replies), 1);
    let added = |what: &What| matches!(what, What::FactorAdded { .. });
    assert_eq!(world.events().await.iter().filter(|event| added(&event.what)).count(), 1);

    world.advance(30);
    let asked = alice.challenged().await;
    let (device, _) = asked.challenged.phones[0].clone();
    let (challenge, code) =
        sent(&world, send_to(&world, &alice, &asked, device, PhoneChannel::Sms).await);
    let token = asked.token.as_str().to_owned();
    let replies = race(64, |_| {
        let (engine, token, device) = (world.engine.clone(), token.clone(), device.to_string());
        let (challenge, code) = (challenge.clone(), code.clone());
        async move {
            let client = Client::default();
            engine.phone_code(&token, &client, &device, &challenge, &code, false).await.unwrap()
        }
    })
    .await;
    assert_eq!(wins(&replies), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_sends_send_one_message_a_login_and_three_a_number() {
    let world = world().await;
    let mut tokens = Vec::new();
    for n in 0..16 {
        let mut person = Person { user: format!("user-{n}"), ..Person::new(&world) };
        tokens.push(person.challenged().await.token.as_str().to_owned());
    }
    let replies = race(64, |n| {
        let (engine, token) = (world.engine.clone(), tokens[n % tokens.len()].clone());
        async move {
            let (client, by) = (Client::default(), PhoneChannel::Sms);
            match engine.enrol_phone(&token, &client, number(HOME), by).await {
                Ok(reply) => reply,
                // Lost sixteen swaps of one record: nothing was decided, and nothing sent.
                Err(_) => Reply::Refused(Refusal::TooMany(None)),
            }
        }
    })
    .await;
    let sent = replies.iter().filter(|reply| matches!(reply, Reply::Sent { .. })).count();
    assert!((1..=3).contains(&sent), "{sent}");
    let to_phones = world.mail.all().into_iter().filter(|of| matches!(of.to, To::Phone(..)));
    assert_eq!(to_phones.count(), sent);
}

async fn race<F>(count: usize, task: impl Fn(usize) -> F) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let spawn = |task: F| {
        let barrier = barrier.clone();
        tokio::spawn(async move {
            barrier.wait().await;
            task.await
        })
    };
    let running: Vec<_> = (0..count).map(|n| spawn(task(n))).collect();
    let mut replies = Vec::new();
    for task in running {
        replies.push(task.await.unwrap());
    }
    replies
}

fn wins(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| matches!(reply, Reply::Granted(_))).count()
}
