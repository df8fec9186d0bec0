//! Races, with real threads released by one barrier.

use std::sync::Arc;

use countersign_ceremony::audit::{Verdict, What};
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Reply};
use countersign_device::EmailAddress;
use tokio::sync::Barrier;

use crate::support::{Person, World};

/// Releases `tasks` at once, and collects what they answer.
async fn race<F>(tasks: Vec<F>) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks.len()));
    let running: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for task in running {
        replies.push(task.await.unwrap());
    }
    replies
}

fn granted(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| matches!(reply, Reply::Granted(_))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_has_one_winner_under_one_login_and_under_64() {
    for logins in [1, 64] {
        let world = World::new();
        let mut alice = Person::new(&world);
        alice.enrol().await;
        world.advance(30);
        let mut elsewhere = Person::new(&world);
        elsewhere.secret = alice.secret.clone();
        let mut tokens = Vec::new();
        for _ in 0..logins {
            tokens.push(elsewhere.challenged().await.token);
        }
        let code = alice.totp(0).as_str().to_owned();
        let tasks = (0..64_usize).map(|n| {
            let (engine, code) = (world.engine.clone(), code.clone());
            let token = tokens[n % tokens.len()].as_str().to_owned();
            async move {
                engine.code(&token, &Client::default(), None, &code, false).await.unwrap()
            }
        });
        let replies = race(tasks.collect()).await;
        assert_eq!(granted(&replies), 1, "{logins} logins");
        let won = world.verdicts().await.into_iter().filter(|verdict| *verdict == Verdict::Won);
        assert_eq!(won.count(), 2, "the enrolment's, and this one");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_wrong_guesses_reveal_the_budget_and_no_more() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let mut thief = Person::new(&world);
    let mut tokens = Vec::new();
    for _ in 0..200 {
        tokens.push(thief.challenged().await.token.as_str().to_owned());
    }
    let tasks = tokens.into_iter().map(|token| {
        let engine = world.engine.clone();
        async move { engine.code(&token, &Client::default(), None, "000000", false).await.unwrap() }
    });
    let replies = race(tasks.collect()).await;
    let of = |wanted: fn(&Refusal) -> bool| {
        replies.iter().filter(|reply| matches!(reply, Reply::Refused(of) if wanted(of))).count()
    };
    let judged = of(|refusal| *refusal == Refusal::Code);
    let others = of(|refusal| matches!(refusal, Refusal::TooMany(_) | Refusal::LoginOver));
    assert_eq!(judged + others, 200);
    let wrong = world.verdicts().await.into_iter().filter(|verdict| *verdict == Verdict::Wrong);
    assert_eq!(wrong.count(), judged, "what was told is what was judged");
    assert_eq!(judged, 10, "a window's worth");
    let killed = |what: &What| matches!(what, What::LoginsKilled { .. });
    assert!(world.events().await.iter().any(|event| killed(&event.what)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_email_code_and_one_recovery_code_have_one_winner() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let recovery = alice.enrol().await.recovery.unwrap().reveal().to_string();
    let asked = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
    let code = world.mail.last_code().unwrap();
    let tasks = (0..64).map(|_| {
        let (engine, client, code) = (world.engine.clone(), alice.client(), code.clone());
        let (token, challenge) = (asked.token.clone(), challenge.clone());
        async move {
            let (token, challenge) = (token.as_str(), challenge.as_str());
            engine.email_code(token, &client, challenge, &code, false).await.unwrap()
        }
    });
    assert_eq!(granted(&race(tasks.collect()).await), 1);

    let tasks = (0..64).map(|_| {
        let (engine, recovery) = (world.engine.clone(), recovery.clone());
        async move {
            let address = EmailAddress::parse("alice@example.com").unwrap();
            match engine.recover(&address, &recovery, &Client::default()).await {
                Ok(reply) => reply,
                Err(_) => Reply::Refused(Refusal::TooMany(None)),
            }
        }
    });
    let replies = race(tasks.collect()).await;
    let recovered = replies.iter().filter(|reply| matches!(reply, Reply::Recovered { .. }));
    assert_eq!(recovered.count(), 1);
    let removed = |what: &What| *what == What::FactorsRemoved;
    assert_eq!(world.events().await.iter().filter(|event| removed(&event.what)).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_resends_send_one_mail() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let asked = alice.challenged().await;
    let tasks = (0..64).map(|_| {
        let (engine, client, token) = (world.engine.clone(), alice.client(), asked.token.clone());
        async move {
            match engine.send_email(token.as_str(), &client).await {
                Ok(reply) => reply,
                Err(_) => Reply::Refused(Refusal::TooMany(None)),
            }
        }
    });
    let replies = race(tasks.collect()).await;
    assert_eq!(replies.iter().filter(|reply| matches!(reply, Reply::Sent { .. })).count(), 1);
    assert_eq!(world.mail.all().iter().filter(|mail| is_code(mail)).count(), 1);
}

fn is_code(mail: &countersign_ceremony::env::Message) -> bool {
    matches!(mail.body, countersign_ceremony::env::Body::Code { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_logins_of_a_remembered_browser_rotate_it_once() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    assert_eq!(granted(&[alice.code(&asked, code.as_str(), true).await]), 1);
    let cookies: Vec<_> =
        (0..24).map(|_| Person { cookie: alice.cookie.clone(), ..Person::new(&world) }).collect();
    let tasks = cookies.into_iter().map(|mut tab| async move { tab.begin().await });
    let replies = race(tasks.collect()).await;
    assert_eq!(granted(&replies), 24, "the others are in the grace");
    let rotated = replies.iter().filter(|reply| match reply {
        Reply::Granted(granted) => granted.cookie.is_some(),
        _ => false,
    });
    assert_eq!(rotated.count(), 1, "never two living successors");
}
