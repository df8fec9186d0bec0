//! A session that proves its user anew.

use super::*;
use crate::policy::profile::Profile;

/// A session that was proved five minutes ago asks to be proved anew, with a nonce perhaps.
fn step_up(world: &mut World, nonce: Option<[u8; 32]>) -> Outcome {
    let since = UnixTime::from_secs(world.now.secs() - 300);
    world.act_since(since, Deed::StepUp { max_age: 60, nonce })
}

fn asked(outcome: Outcome) -> Login {
    match outcome {
        Outcome::Challenged(challenged) => challenged.login,
        other => panic!("{other:?}"),
    }
}

/// Each is a login of its own: what was guessed under one is not held against the next.
#[test]
fn every_step_up_is_another_login() {
    let (mut world, secret) = World::enrolled();
    let login = asked(step_up(&mut world, None));
    for n in 0..GUESSES_A_LOGIN {
        let code = wrong(&world, &secret, n.into());
        let told = world.step(&login, &Cookie::default(), ask(code), false);
        assert!(matches!(told, Outcome::Refused(Refusal::Code)), "{told:?}");
    }
    let again = asked(step_up(&mut world, None));
    assert_eq!((login.session, login.id == again.id), (again.session, false));
    let code = world.code(&secret, 0);
    let told = world.step(&login, &Cookie::default(), ask(code.clone()), false);
    assert!(matches!(told, Outcome::Refused(Refusal::LoginOver)), "{told:?}");
    let won = world.step(&again, &Cookie::default(), ask(code), false);
    assert!(matches!(won, Outcome::Granted(_)), "{won:?}");
}

/// Whoever keeps a nonce for it finishes it, and a strict profile asks for one.
#[test]
fn a_step_up_is_bound_to_its_nonce() {
    let (mut world, secret) = World::enrolled();
    let login = asked(step_up(&mut world, None));
    assert_eq!(login.binding, None, "nothing was offered to bind it to");
    let nonce = [7; 32];
    let login = asked(step_up(&mut world, Some(nonce)));
    assert_eq!(login.binding, Some(crate::claims::Binding::Nonce(nonce)));
    let code = world.code(&secret, 0);
    let told = world.step(&login, &Cookie::default(), ask(code), false);
    assert!(matches!(told, Outcome::Refused(Refusal::LoginOver)), "without it: {told:?}");
    world.policy.profile = Profile::AsvsL3;
    let told = step_up(&mut world, None);
    assert!(matches!(told, Outcome::Refused(Refusal::Unbound)), "{told:?}");
    let bound = asked(step_up(&mut world, Some(nonce)));
    assert_eq!(bound.binding, login.binding);
}
