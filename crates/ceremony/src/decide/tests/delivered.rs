//! Codes that are sent: from which budget, while what lives, and what a wrong one counts against.

use countersign_token::FamilyId;

use super::*;
use crate::record::{CodePurpose, Gateway};

/// A mailbox that was never proven has the smaller budget; a login that is over sends nothing.
#[test]
fn a_code_may_be_sent_while_the_login_lives_and_from_the_budget_of_its_mailbox() {
    let mut world = World::new();
    // Codes by mail alone: nothing is enrolled before the first of them.
    world.policy.strategies = Strategies { email: true, ..Strategies::default() };
    let challenged = world.login();
    let may = |world: &World| {
        let given =
            Given { user: &world.user, policy: &world.policy, vault: &world.vault, node: "test" };
        let step = Step {
            login: challenged.login.clone(),
            cookie: Cookie::default(),
            agent: Label::default(),
            nonce: None,
            session: None,
            ask: Ask::Send(Target::Mailbox),
            remember: false,
        };
        may_send(world.record.clone(), &given, &step, Target::Mailbox, world.now)
    };
    let address = EmailAddress::parse("alice@example.com").unwrap();
    let to = Address::Mailbox(address.clone());
    assert_eq!(may(&world).unwrap(), (to.clone(), Pool::Unproven));
    world.record.email = Some(EmailFactor::active(address, world.now));
    assert_eq!(may(&world).unwrap(), (to, Pool::Proven));
    world.decide(Event::Report(Lifecycle::SignOutEverywhere));
    assert_eq!(may(&world).unwrap_err(), Refusal::LoginOver);
}

/// A wrong code counts against its factor; one that was judged against nothing does not.
#[test]
fn only_a_wrong_code_counts_against_the_mailbox() {
    let mut world = World::new();
    let address = EmailAddress::parse("alice@example.com").unwrap();
    world.record.email = Some(EmailFactor::active(address, world.now));
    let challenged = world.login();
    let login = &challenged.login;
    let sent = world.step(login, &Cookie::default(), Ask::Send(Target::Mailbox), false);
    let Outcome::Send(sent) = sent else { panic!("{sent:?}") };
    let failures = |world: &World| world.record.email.as_ref().map(EmailFactor::failures);
    let wrong = Code::parse(if sent.code.as_str() == "000000" { "111111" } else { "000000" });
    let wrong = wrong.unwrap();
    let mut dead = sent.challenge.clone();
    dead.purpose = CodePurpose::Disable;
    let ask = |challenge, code| Ask::EmailCode { challenge, code };
    world.step(login, &Cookie::default(), ask(dead.clone(), wrong.clone()), false);
    assert_eq!(failures(&world), Some(0));
    let right = world.step(login, &Cookie::default(), ask(dead, sent.code.clone()), false);
    assert!(matches!(right, Outcome::Refused(_)), "for another purpose: {right:?}");
    world.step(login, &Cookie::default(), ask(sent.challenge.clone(), wrong), false);
    assert_eq!(failures(&world), Some(1));
    let right = ask(sent.challenge.clone(), sent.code.clone());
    let right = world.step(login, &Cookie::default(), right, false);
    assert!(matches!(right, Outcome::Granted(_)), "{right:?}");
}

/// An address that is unproven, or locked, is bound by a code to it; one that answers is not bound
/// again. Recovery codes are issued with it where there are none, and the ledger is refilled where
/// it was locked.
#[test]
fn a_session_binds_its_address() {
    let address = EmailAddress::parse("alice@example.com").unwrap();
    for (locked, has_recovery) in [(false, true), (false, false), (true, true)] {
        let (mut world, secret) = World::enrolled();
        let challenged = world.login();
        let wrong = wrong(&world, &secret, 0);
        world.step(&challenged.login, &Cookie::default(), ask(wrong), false);
        assert!(world.record.ledger.units() > 0);
        world.record.email = Some(EmailFactor::active(address.clone(), world.now));
        let refused = world.act(Deed::Send(Target::BoundMailbox));
        assert!(matches!(refused, Outcome::Refused(Refusal::NoSuchFactor)), "{refused:?}");
        let mut factor = EmailFactor::unproven(address.clone(), world.now);
        if locked {
            factor = EmailFactor::active(address.clone(), world.now);
            while !factor.is_locked() {
                factor.fail();
            }
        }
        world.record.email = Some(factor);
        if !has_recovery {
            world.record.recovery = std::iter::empty::<crate::record::Recovery>().collect();
        }
        let sent = world.act(Deed::Send(Target::BoundMailbox));
        let Outcome::Send(sent) = sent else { panic!("{sent:?}") };
        let confirm = |recovery| Deed::ConfirmEmail {
            challenge: sent.challenge.clone(),
            code: sent.code.clone(),
            recovery,
        };
        if !has_recovery {
            let before = format!("{:?}", world.record);
            assert!(matches!(world.act(confirm(None)), Outcome::NeedsRecovery));
            assert_eq!(format!("{:?}", world.record), before, "nothing is decided yet");
        }
        let fresh = world.fresh_recovery();
        let added = world.act(confirm(Some(fresh)));
        let Outcome::Added { recovery } = added else { panic!("{added:?}") };
        assert_eq!(recovery.is_some(), !has_recovery);
        assert_eq!(world.record.active_email(), Some(&address));
        assert_eq!(world.record.ledger.units() == 0, locked);
    }
}

/// After a recovery the mailbox of the directory is proven first, and then a login goes on in which
/// a factor may be enrolled: a new one, of that mailbox.
#[test]
fn a_proven_mailbox_opens_another_login() {
    let mut world = World::new();
    let gateway =
        Gateway { browser: FamilyId::from_bytes([3; 16]), until: world.now.saturating_add(600) };
    world.record.gateway = Some(gateway);
    // The directory has another address for the user by now than the login was opened with.
    let bound = EmailAddress::parse("new@example.com").unwrap();
    world.record.email = Some(EmailFactor::unproven(bound.clone(), world.now));
    world.policy.strategies.email = false;
    let asked = world.login();
    assert_ne!(asked.login.email.as_ref(), Some(&bound));
    assert!(asked.enrolment.is_none(), "in another browser than the one that recovered");
    let sent = world.step(&asked.login, &Cookie::default(), Ask::Send(Target::Mailbox), false);
    let Outcome::Send(sent) = sent else { panic!("{sent:?}") };
    world.now = world.now.saturating_add(30);
    let ask = || Ask::EmailCode { challenge: sent.challenge.clone(), code: sent.code.clone() };
    let proven = world.step(&asked.login, &Cookie::default(), ask(), false);
    let Outcome::Challenged(proven) = proven else { panic!("{proven:?}") };
    assert!(proven.login.mailbox_proven && proven.enrolment.is_some());
    assert_ne!(proven.login.id, asked.login.id);
    assert_eq!(proven.login.issued, world.now);
    assert_eq!(proven.login.email, Some(bound));
    let again = world.step(&asked.login, &Cookie::default(), ask(), false);
    assert!(matches!(again, Outcome::Refused(_)), "the first login is over: {again:?}");
}

/// A right answer takes its own login's code, and no other login's.
#[test]
fn a_code_that_is_answered_leaves_the_one_of_another_login() {
    let mut world = World::new();
    let address = EmailAddress::parse("alice@example.com").unwrap();
    world.record.email = Some(EmailFactor::active(address, world.now));
    let sent: Vec<_> = (0..2)
        .map(|_| {
            let login = world.login().login;
            let sent = world.step(&login, &Cookie::default(), Ask::Send(Target::Mailbox), false);
            let Outcome::Send(sent) = sent else { panic!("{sent:?}") };
            (login, sent)
        })
        .collect();
    for (login, sent) in sent {
        let ask = Ask::EmailCode { challenge: sent.challenge, code: sent.code };
        let won = world.step(&login, &Cookie::default(), ask, false);
        assert!(matches!(won, Outcome::Granted(_)), "{won:?}");
    }
}
