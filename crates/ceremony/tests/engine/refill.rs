//! The link that refills the ledger, mailed to the owner: when, to whom, how often, and what it does.

use countersign_ceremony::audit::What;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::Reply;
use countersign_ceremony::env::Body;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::rules::{DAY_SECS, REFILL_LINK_SECS};
use countersign_device::{EmailAddress, UserId};

use super::support::{Person, World, granted, refused};

/// Guesses at one app of six digits: half of the ledger, and the strangers' share of it.
const HALF: usize = 17;
const SHARE: usize = 22;

/// Somebody with the password guesses, a guess every two hours, until the ledger closes or as often as this.
async fn guess(world: &World, owner: &Person, most: usize) -> (usize, bool) {
    for judged in 0..most {
        world.advance(2 * 3600);
        let mut thief = Person::new(world);
        let asked = thief.challenged().await;
        let right = [-1, 0, 1].map(|steps| owner.totp(steps));
        let wrong = (0..4_u32).map(|n| format!("{n:06}"));
        let wrong = wrong.into_iter().find(|it| right.iter().all(|code| code.as_str() != it));
        match refused(thief.code(&asked, &wrong.unwrap(), false).await) {
            Refusal::Code => {}
            Refusal::TooMany(None) => return (judged, true),
            other => panic!("{other:?}"),
        }
    }
    (most, false)
}

fn links(world: &World) -> Vec<String> {
    let links = world.mail.all().into_iter().filter_map(|mail| match mail.body {
        Body::Refill { link, .. } => Some(link.into_string()),
        _ => None,
    });
    links.collect()
}

#[tokio::test]
async fn links_are_mailed_at_half_and_at_the_end_and_the_last_one_refills_once() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    assert_eq!(guess(&world, &alice, HALF - 1).await, (HALF - 1, false));
    assert_eq!(links(&world).len(), 0, "less than half is spent");
    guess(&world, &alice, 1).await;
    assert_eq!(links(&world).len(), 1, "half is spent");
    assert_eq!(guess(&world, &alice, 100).await, (SHARE - HALF, true));
    let mailed = links(&world);
    assert_eq!(mailed.len(), 2, "it is closed");
    let to = world.mail.all().pop().unwrap().to.address().canonical();
    assert_eq!(to, "alice@example.com");

    let engine = &world.engine;
    assert_eq!(engine.refill(&mailed[0]).await.unwrap(), Err(Refusal::LinkOver), "replaced");
    assert_eq!(engine.refill("no link").await.unwrap(), Err(Refusal::LinkOver));
    assert_eq!(engine.refill(&mailed[1]).await.unwrap(), Ok(()));
    assert_eq!(engine.refill(&mailed[1]).await.unwrap(), Err(Refusal::LinkOver), "it was opened");
    let told = world.events().await.into_iter().map(|event| event.what);
    let told: Vec<What> = told.filter(|what| !matches!(what, What::Judged { .. })).collect();
    assert_eq!(told.iter().filter(|what| **what == What::RefillOffered).count(), 2);
    assert_eq!(told.iter().filter(|what| **what == What::LedgerRefilled).count(), 1);

    // The owner is judged again, at a new browser too; and so is the thief, by a whole share.
    let mut elsewhere = Person { secret: alice.secret.clone(), ..Person::new(&world) };
    let asked = elsewhere.challenged().await;
    let code = elsewhere.totp(0);
    granted(elsewhere.code(&asked, code.as_str(), false).await);
    assert_eq!(guess(&world, &alice, 100).await, (SHARE, true));
    assert_eq!(links(&world).len(), 2, "two a year");
}

#[tokio::test]
async fn a_link_lives_thirty_days_and_dies_with_what_it_was_for() {
    for (pass, recovered) in [(REFILL_LINK_SECS - 1, false), (REFILL_LINK_SECS, false), (60, true)]
    {
        let world = World::new();
        let mut alice = Person::new(&world);
        let code = alice.enrol().await.recovery.unwrap().reveal().to_string();
        guess(&world, &alice, HALF).await;
        let link = links(&world).pop().unwrap();
        world.advance(pass);
        if recovered {
            let address = EmailAddress::parse("alice@example.com").unwrap();
            let reply = world.engine.recover(&address, &code, &alice.client()).await.unwrap();
            assert!(matches!(reply, Reply::Recovered { .. }));
        }
        let opened = world.engine.refill(&link).await.unwrap();
        let lives = pass < REFILL_LINK_SECS && !recovered;
        assert_eq!(opened, if lives { Ok(()) } else { Err(Refusal::LinkOver) }, "{pass}");
    }
}

/// Whoever took the mailbox over, and the password with it, buys no guesses at once.
#[tokio::test]
async fn a_mailbox_that_has_just_reset_the_password_gets_no_link() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    assert_eq!(guess(&world, &alice, HALF - 1).await, (HALF - 1, false));
    let user = UserId::parse("alice").unwrap();
    let address = EmailAddress::parse("alice@example.com").unwrap();
    let report = Lifecycle::PasswordChanged { through_mailbox: Some(address) };
    assert!(world.engine.report(user, report).await.unwrap());
    assert_eq!(guess(&world, &alice, 100).await, (SHARE - HALF + 1, true));
    assert_eq!(links(&world).len(), 0);
}

/// Who is told to change the password does so, and may open the link afterwards all the same.
#[tokio::test]
async fn a_changed_password_leaves_the_link_alive_and_a_restored_backup_does_not() {
    let mut world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    guess(&world, &alice, HALF).await;
    let link = links(&world).pop().unwrap();
    let user = UserId::parse("alice").unwrap();
    let report = Lifecycle::PasswordChanged { through_mailbox: None };
    assert!(world.engine.report(user, report).await.unwrap());
    assert_eq!(world.engine.refill(&link).await.unwrap(), Ok(()));
    guess(&world, &alice, HALF).await;
    let link = links(&world).pop().unwrap();
    world = world.restored().await;
    assert_eq!(world.engine.refill(&link).await.unwrap(), Err(Refusal::LinkOver));
}

#[tokio::test]
async fn a_closed_ledger_sends_no_code() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    guess(&world, &alice, 100).await;
    let mut thief = Person::new(&world);
    world.advance(DAY_SECS);
    let (asked, before) = (thief.challenged().await, world.mail.all().len());
    assert_eq!(refused(thief.send_email(&asked).await), Refusal::TooMany(None));
    assert_eq!(world.mail.all().len(), before);
    // The owner's own browser has its share of the ledger, and is mailed.
    let asked = alice.challenged().await;
    assert!(matches!(alice.send_email(&asked).await, Reply::Sent { .. }));
}
