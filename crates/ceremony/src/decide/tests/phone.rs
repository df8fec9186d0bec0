//! Phones: bound, answered, locked, removed.

use countersign_device::{PhoneChannel, PhoneNumber};

use super::*;
use crate::rules::{DAY_SECS, PHONES};

const HOME: &str = "+15555550100";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn world() -> World {
    let mut world = World::new();
    world.policy.strategies = Strategies { sms: true, ..Strategies::default() };
    world
}

fn send(world: &mut World, login: &Login, target: Target) -> Send {
    match world.step(login, &Cookie::default(), Ask::Send(target), false) {
        Outcome::Send(send) => *send,
        other => panic!("{other:?}"),
    }
}

fn enrolled() -> (World, Challenged) {
    let mut world = world();
    let asked = world.login();
    let target = Target::NewPhone(number(HOME), PhoneChannel::Sms);
    let Send { challenge, code, .. } = send(&mut world, &asked.login, target);
    let recovery = Some(world.fresh_recovery());
    let ask = Ask::ConfirmPhone { challenge, code, recovery };
    let outcome = world.step(&asked.login, &Cookie::default(), ask, false);
    assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
    world.now = world.now.saturating_add(300);
    let asked = world.login();
    (world, asked)
}

/// A fresh session adds a number.
fn add(world: &mut World, to: PhoneNumber) -> Outcome {
    let sent = match world.act(Deed::Send(Target::NewPhone(to, PhoneChannel::Sms))) {
        Outcome::Send(sent) => sent,
        other => return other,
    };
    world.act(Deed::ConfirmPhone {
        challenge: sent.challenge,
        code: sent.code,
        label: Label::default(),
        recovery: None,
    })
}

fn answer(world: &mut World, login: &Login, device: DeviceId, sent: &Send) -> Outcome {
    let (challenge, code) = (sent.challenge.clone(), sent.code.clone());
    let ask = Ask::PhoneCode { device, challenge, code };
    world.step(login, &Cookie::default(), ask, false)
}

/// RULES: binding a factor again, by proof, refills the ledger. Binding a number that was not
/// locked forgives nothing.
#[test]
fn a_locked_number_that_is_bound_again_refills_the_ledger() {
    for locked in [true, false] {
        let (mut world, asked) = enrolled();
        let (device, _) = asked.phones[0].clone();
        let sent = send(&mut world, &asked.login, Target::Phone(device, PhoneChannel::Sms));
        let wrong = Send { code: Code::parse("000000").unwrap(), ..sent };
        answer(&mut world, &asked.login, device, &wrong);
        assert!(world.record.ledger.units() > 0);
        let to = if locked {
            world.record.phones[0].lock();
            number(HOME)
        } else {
            number("+15555550199")
        };
        let outcome = add(&mut world, to);
        assert!(matches!(outcome, Outcome::Added { .. }), "{outcome:?}");
        assert_eq!(world.record.ledger.units() == 0, locked);
    }
}

/// NIST SP 800-63B-4, 3.2.2: what is locked is bound, and answers nothing.
#[test]
fn a_phone_that_is_locked_while_its_code_is_on_the_way_answers_nothing() {
    let (mut world, asked) = enrolled();
    let (device, _) = asked.phones[0].clone();
    let sent = send(&mut world, &asked.login, Target::Phone(device, PhoneChannel::Sms));
    (0..99).for_each(|_| world.record.phones[0].fail());
    let mut before = world.record.clone();
    world.record.phones[0].fail();
    let outcome = answer(&mut world, &asked.login, device, &sent);
    assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
    let again = world.login();
    assert!(!again.enrolled && again.phones.is_empty());
    assert!(world.record.is_enrolled() && again.enrolment.is_none());
    // At 99 failures the same code is right, and forgives them.
    std::mem::swap(&mut world.record, &mut before);
    let outcome = answer(&mut world, &asked.login, device, &sent);
    assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
    assert_eq!(world.record.phones[0].failures(), 0);
    assert_eq!(world.record.phones[0].last_used(), Some(world.now));
}

#[test]
fn a_code_ends_with_its_ten_minutes_and_with_its_login() {
    let (mut world, asked) = enrolled();
    world.policy.sms_secs = 60;
    let (device, _) = asked.phones[0].clone();
    let target = Target::Phone(device, PhoneChannel::Sms);
    let sent = send(&mut world, &asked.login, target);
    assert_eq!(sent.ends, world.now.saturating_add(60));
    world.now = sent.ends;
    let late = answer(&mut world, &asked.login, device, &sent);
    assert!(matches!(late, Outcome::Refused(Refusal::Code)), "{late:?}");
    world.policy.sms_secs = 600;
    let sent = send(&mut world, &asked.login, target);
    assert_eq!(sent.ends, asked.login.ends(), "no code outlives its login");
}

#[test]
fn pending_phones_and_apps_are_three_together_and_the_oldest_gives_way() {
    let mut world = world();
    world.policy.strategies.authenticator = true;
    let logins: Vec<_> = (0..4)
        .map(|n| {
            // Each begins with a pending app, and adds a pending phone.
            let asked = world.login();
            let to = number(&format!("+155555501{n:02}"));
            world.now = world.now.saturating_add(1);
            let target = Target::NewPhone(to, PhoneChannel::Sms);
            (asked.login.clone(), send(&mut world, &asked.login, target))
        })
        .collect();
    assert_eq!(world.record.pending.len() + world.record.pending_phones.len(), 3);
    let confirm = |world: &mut World, (login, sent): &(Login, Send)| {
        let (challenge, code) = (sent.challenge.clone(), sent.code.clone());
        let recovery = Some(world.fresh_recovery());
        let ask = Ask::ConfirmPhone { challenge, code, recovery };
        world.step(login, &Cookie::default(), ask, false)
    };
    let gone = confirm(&mut world, &logins[0]);
    assert!(matches!(gone, Outcome::Refused(Refusal::Code)), "{gone:?}");
    let won = confirm(&mut world, &logins[3]);
    assert!(matches!(won, Outcome::Granted(_)), "{won:?}");
    assert!(world.record.pending.is_empty() && world.record.pending_phones.is_empty());
}

#[test]
fn a_right_code_needs_a_recovery_code_first_and_decides_nothing_before() {
    let mut world = world();
    let asked = world.login();
    let target = Target::NewPhone(number(HOME), PhoneChannel::Sms);
    let Send { challenge, code, .. } = send(&mut world, &asked.login, target);
    let audits = world.audits.len();
    let ask =
        |recovery| Ask::ConfirmPhone { challenge: challenge.clone(), code: code.clone(), recovery };
    let outcome = world.step(&asked.login, &Cookie::default(), ask(None), false);
    assert!(matches!(outcome, Outcome::NeedsRecovery));
    assert_eq!((world.audits.len(), world.record.phones.len()), (audits, 0));
    let fresh = Some(world.fresh_recovery());
    let outcome = world.step(&asked.login, &Cookie::default(), ask(fresh), false);
    assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
}

/// Three may wait, apps and phones together: the oldest gives way, whichever it is.
#[test]
fn the_oldest_enrolment_gives_way() {
    for (phone_at, waiting) in [(0, (3, 0)), (1, (2, 1)), (3, (2, 1))] {
        let mut world = world();
        for at in 0..4 {
            world.now = world.now.saturating_add(1);
            // Where an app may be enrolled, a login begins with one.
            world.policy.strategies.authenticator = at != phone_at;
            let asked = world.login();
            assert_eq!(asked.enrolment.is_some(), at != phone_at);
            if at == phone_at {
                let target = Target::NewPhone(number(HOME), PhoneChannel::Sms);
                send(&mut world, &asked.login, target);
            }
        }
        let wait = (world.record.pending.len(), world.record.pending_phones.len());
        assert_eq!(wait, waiting, "a phone as number {phone_at}");
    }
}

/// An address is bound under a session: a login that has passed one factor binds none.
#[test]
fn a_login_binds_no_address() {
    let (mut world, asked) = enrolled();
    world.policy.strategies.email = true;
    let address = asked.login.email.clone().unwrap();
    world.record.email = Some(EmailFactor::unproven(address, world.now));
    let ask = Ask::Send(Target::BoundMailbox);
    let outcome = world.step(&asked.login, &Cookie::default(), ask, false);
    assert!(matches!(outcome, Outcome::Refused(Refusal::NoSuchFactor)), "{outcome:?}");
}

/// Only a session has a code sent to a phone in order to remove it, and only to one that still
/// answers.
#[test]
fn a_locked_phone_is_sent_nothing_to_remove_it_by() {
    for locked in [false, true] {
        let (mut world, asked) = enrolled();
        world.policy.enforce = Enforce::DontForce;
        let target = Target::RemovedPhone(asked.phones[0].0, PhoneChannel::Sms);
        if locked {
            world.record.phones[0].lock();
        }
        let sent = world.act(Deed::Send(target));
        assert_eq!(matches!(sent, Outcome::Send(_)), !locked, "{sent:?}");
        let ask = Ask::Send(target);
        let by_login = world.step(&asked.login, &Cookie::default(), ask, false);
        assert!(matches!(by_login, Outcome::Refused(Refusal::NoSuchFactor)), "{by_login:?}");
    }
}

/// RULES: five phones a user. One that is locked does not stand in the way of its own number.
#[test]
fn nobody_has_more_phones_than_there_are_places() {
    let (mut world, _) = enrolled();
    for n in 1..PHONES {
        world.now = world.now.saturating_add(DAY_SECS);
        let added = add(&mut world, number(&format!("+155555502{n:02}")));
        assert!(matches!(added, Outcome::Added { .. }), "{added:?}");
    }
    world.now = world.now.saturating_add(DAY_SECS);
    let full = add(&mut world, number("+15555550299"));
    assert!(matches!(full, Outcome::Refused(Refusal::AlreadyEnrolled)), "{full:?}");
    assert_eq!(world.record.phones.len(), PHONES);
    world.record.phones[0].lock();
    let bound = add(&mut world, number(HOME));
    assert!(matches!(bound, Outcome::Added { .. }), "{bound:?}");
    assert_eq!(world.record.phones.len(), PHONES);
    assert!(world.record.phones.iter().all(|phone| !phone.is_locked()));
}

/// Where a second factor is forced, no code is sent to remove the last one by.
#[test]
fn a_last_phone_that_is_forced_is_sent_nothing_to_remove_it_by() {
    let (mut world, asked) = enrolled();
    let target = Target::RemovedPhone(asked.phones[0].0, PhoneChannel::Sms);
    let last = world.act(Deed::Send(target));
    assert!(matches!(last, Outcome::Refused(Refusal::Forced)), "{last:?}");
    let added = add(&mut world, number("+15555550199"));
    assert!(matches!(added, Outcome::Added { .. }), "{added:?}");
    let sent = world.act(Deed::Send(target));
    assert!(matches!(sent, Outcome::Send(_)), "{sent:?}");
}
