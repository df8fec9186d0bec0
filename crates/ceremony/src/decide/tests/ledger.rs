//! What a guess costs, whom it is held against, and what forgives it.

use super::*;
use crate::record::Class;

/// RULES: what could win nothing costs nothing, and counts in the window all the same.
#[test]
fn a_replayed_code_charges_nothing_and_counts() {
    let (mut world, secret) = World::enrolled();
    let code = world.code(&secret, 0);
    let first = world.login().login;
    let won = world.step(&first, &Cookie::default(), ask(code.clone()), false);
    assert!(matches!(won, Outcome::Granted(_)), "{won:?}");
    for n in 1..=world.policy.max_attempts {
        let login = world.login().login;
        let again = world.step(&login, &Cookie::default(), ask(code.clone()), false);
        assert!(matches!(again, Outcome::Refused(Refusal::Code)), "{n}: {again:?}");
        assert_eq!(world.record.ledger.units(), 0);
    }
    world.now = world.now.saturating_add(1);
    let login = world.login().login;
    let full = world.step(&login, &Cookie::default(), ask(code), false);
    assert!(matches!(full, Outcome::Refused(Refusal::TooMany(Some(_)))), "{full:?}");
}

/// C-13: a success forgives the failures of its own login, and of no other.
#[test]
fn a_success_forgives_its_own_login_alone() {
    let (mut world, secret) = World::enrolled();
    let price = Price::of(3, 6).units();
    let (mine, other) = (world.login().login, world.login().login);
    for (login, spent) in [(&mine, 1), (&other, 2), (&mine, 3)] {
        let code = wrong(&world, &secret, 0);
        let outcome = world.step(login, &Cookie::default(), ask(code), false);
        assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
        assert_eq!(world.record.ledger.units(), spent * price);
    }
    let code = world.code(&secret, 0);
    let outcome = world.step(&mine, &Cookie::default(), ask(code), false);
    assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
    assert_eq!(world.record.ledger.units(), price, "what the other login cost stays");
}

/// Strangers touch two thirds of the logins that a record keeps, and each of them gives way at its end.
#[test]
fn strangers_leave_the_owners_logins_their_third() {
    let (mut world, secret) = World::enrolled();
    world.record.logins.clear();
    let begun = world.now;
    for n in 0..TOUCHED_BY_STRANGERS {
        // Each of them fails a while after the one before, so that no window fills.
        world.record.ledger = Ledger::default();
        let login = world.login().login;
        assert_eq!(world.record.logins.len(), n);
        let code = wrong(&world, &secret, 0);
        let outcome = world.step(&login, &Cookie::default(), ask(code), false);
        assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{n}: {outcome:?}");
    }
    world.record.ledger = Ledger::default();
    let login = world.login().login;
    let code = world.code(&secret, 0);
    let crowded = world.step(&login, &Cookie::default(), ask(code.clone()), false);
    let wait = login.ends().since(begun);
    assert!(
        matches!(crowded, Outcome::Refused(Refusal::TooMany(Some(secs))) if secs == wait),
        "{crowded:?}"
    );
    // At the second at which the others end there is room again.
    world.now = login.ends();
    let login = world.login().login;
    let code = world.code(&secret, 0);
    let outcome = world.step(&login, &Cookie::default(), ask(code), false);
    assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
}

#[test]
fn the_tenth_failure_in_a_window_kills_the_logins_issued_before() {
    let (mut world, secret) = World::enrolled();
    let bystander = world.login();
    world.now = world.now.saturating_add(1);
    for login in 0..2 {
        let challenged = world.login();
        for guess in 0..GUESSES_A_LOGIN {
            let code = wrong(&world, &secret, u32::from(login * 10 + guess));
            let outcome = world.step(&challenged.login, &Cookie::default(), ask(code), false);
            assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
        }
    }
    let code = world.code(&secret, 0);
    let dead = world.step(&bystander.login, &Cookie::default(), ask(code), false);
    assert!(matches!(dead, Outcome::Refused(Refusal::LoginOver)), "{dead:?}");
    assert!(world.audits.iter().any(|audit| matches!(audit.what, What::LoginsKilled { .. })));
    world.now = world.now.saturating_add(1);
    let next = world.login();
    let code = world.code(&secret, 0);
    let wait = world.step(&next.login, &Cookie::default(), ask(code), false);
    assert!(matches!(wait, Outcome::Refused(Refusal::TooMany(Some(_)))), "{wait:?}");
}

/// A session that has guessed five times tries again once they are forgotten, at that second.
#[test]
fn a_session_guesses_again_when_its_entry_ends() {
    let (mut world, secret) = World::enrolled();
    let device = world.record.authenticators[0].id();
    let guess = |world: &mut World| {
        let proof = Proof::Code(wrong(world, &secret, 0));
        world.act(Deed::RemoveAuthenticator { device, proof })
    };
    world.policy.enforce = Enforce::DontForce;
    for _ in 0..GUESSES_A_LOGIN {
        let told = guess(&mut world);
        assert!(matches!(told, Outcome::Refused(Refusal::Code)), "{told:?}");
    }
    let ends = world.record.logins.last().unwrap().ends;
    world.now = UnixTime::from_secs(ends.secs() - 1);
    let waits = guess(&mut world);
    assert!(matches!(waits, Outcome::Refused(Refusal::TooMany(Some(1)))), "{waits:?}");
    world.now = ends;
    let told = guess(&mut world);
    assert!(matches!(told, Outcome::Refused(Refusal::Code)), "{told:?}");
}

/// The owner is mailed the link that refills the ledger by the guess that reaches half of it, and
/// not by one that comes after.
#[test]
fn a_link_is_mailed_when_half_of_the_ledger_is_reached() {
    // A code of six digits is 100 units, and one of an app, at three steps, 300.
    for (codes, mailed) in [(46, false), (47, true), (49, true), (50, false)] {
        let (mut world, secret) = World::enrolled();
        let (spent, now) = (Price::of(codes, 6), world.now);
        let _ = world.record.ledger.charge(Class::Stranger, spent, u8::MAX, now);
        let login = world.login().login;
        let code = wrong(&world, &secret, 0);
        let told = world.step(&login, &Cookie::default(), ask(code), false);
        assert!(matches!(told, Outcome::Refused(Refusal::Code)), "{told:?}");
        let offered = world.audits.iter().any(|audit| matches!(audit.what, What::RefillOffered));
        assert_eq!(offered, mailed, "after {} units", spent.units());
    }
}
