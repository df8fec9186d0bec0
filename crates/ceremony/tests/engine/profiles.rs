//! Compliance profiles: what they refuse, and what they hold a policy to that was written without them.

use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Reply, Settings};
use countersign_ceremony::env::Clock as _;
use countersign_ceremony::policy::change::{Change, How, NotChanged};
use countersign_ceremony::policy::profile::{Profile, Requirement};
use countersign_ceremony::policy::scope::Scope;
use countersign_ceremony::policy::{Enforce, Policy, PolicyError, Strategies};
use countersign_device::{ClientId, FactorKind};

use super::support::{Person, World, granted, refused, tenant};

const PERIOD: u64 = 30;
const HOUR: u64 = 60 * 60;

/// An engine under a profile, whose tenant's policy was written without one.
fn under(profile: Profile) -> World {
    World::with_settings(|settings: &mut Settings| *settings = settings.clone().under(profile))
}

#[tokio::test]
async fn a_strict_login_is_bound_to_its_client() {
    for profile in [Profile::AsvsL2, Profile::AsvsL3, Profile::NistAal2] {
        let world = under(profile);
        let mut person = Person::new(&world);
        assert_eq!(refused(person.begin().await), Refusal::Unbound, "{profile:?}");
        person.nonce = Some([7; 32]);
        person.enrol().await;
        // From now on the browser is known, and its cookie is enough.
        person.nonce = None;
        world.advance(PERIOD);
        let asked = person.challenged().await;
        let code = person.totp(0);
        granted(person.code(&asked, code.as_str(), false).await);

        // Elsewhere only the client that began may finish.
        world.advance(PERIOD);
        let mut elsewhere = Person { cookie: Default::default(), nonce: Some([1; 32]), ..person };
        let asked = elsewhere.challenged().await;
        elsewhere.nonce = Some([2; 32]);
        let code = elsewhere.totp(0);
        assert_eq!(refused(elsewhere.code(&asked, code.as_str(), false).await), Refusal::LoginOver);
    }
    // The rules alone ask for none.
    Person::new(&under(Profile::Compatible)).challenged().await;
}

#[tokio::test]
async fn a_strict_window_is_one_step_at_the_drift_that_the_enrolment_found() {
    let world = under(Profile::AsvsL2);
    let mut person = Person { nonce: Some([7; 32]), ..Person::new(&world) };
    // This phone is a step behind when it enrols.
    person.enrolled(-1, false).await;
    world.advance(2 * PERIOD);
    for (steps, accepted) in [(0, false), (-2, false), (-1, true)] {
        let asked = person.challenged().await;
        let code = person.totp(steps);
        let reply = person.code(&asked, code.as_str(), false).await;
        assert_eq!(matches!(reply, Reply::Granted(_)), accepted, "{steps}: {reply:?}");
    }
}

#[tokio::test]
async fn what_was_written_without_the_profile_is_held_within_it() {
    let world = under(Profile::NistAal2);
    let lax = Policy {
        profile: Profile::Compatible,
        enforce: Enforce::DontForce,
        strategies: Strategies {
            authenticator: true,
            email: true,
            sms: true,
            ..Strategies::default()
        },
        remember: countersign_remember::Policy::new(true, 3600).unwrap(),
        ..Policy::default()
    };
    world.set_policy(lax).await;
    let held = world.engine.policy(&tenant(), None).await.unwrap();
    assert_eq!(held.contradictions().count(), 0, "{held:?}");
    // So it is decided: everybody is asked, email is none of the factors, no browser is remembered.
    let mut person = Person { nonce: Some([7; 32]), ..Person::new(&world) };
    person.enrolled(0, true).await;
    world.advance(PERIOD);
    let asked = person.challenged().await;
    assert_eq!(asked.challenged.strategies, [FactorKind::Authenticator]);
    let sent = person.send_email(&asked).await;
    assert_eq!(refused(sent), Refusal::NoSuchFactor);
}

#[tokio::test]
async fn an_operator_cannot_change_a_policy_out_of_the_profile() {
    let world = under(Profile::NistAal2);
    world.set_policy(Profile::NistAal2.within(world.policy())).await;
    let scope = Scope { tenant: Some(tenant()), application: None };
    let by = ClientId::parse("service").unwrap();
    let mfa =
        |enforce, remember| Change::Mfa { how: How::Put, enforce, remember, remember_secs: None };
    for (change, requirement) in [
        (Change::Strategy(FactorKind::Email, true), Requirement::NoEmail),
        (mfa(Some(Enforce::DontForce), None), Requirement::Enforced),
        (mfa(None, Some(true)), Requirement::NothingRemembered),
    ] {
        let told = world.engine.change_policy(&scope, &change, &by).await.unwrap();
        let Err(NotChanged::Policy(PolicyError::Profile(found))) = told else {
            panic!("{change:?}: {told:?}");
        };
        assert_eq!(found.requirement, requirement);
    }
    // Stricter is always allowed, and so is what mends.
    let stricter = Change::Strategy(FactorKind::Authenticator, false);
    world.engine.change_policy(&scope, &stricter, &by).await.unwrap().unwrap();
    let lax = Policy { enforce: Enforce::DontForce, ..world.policy() };
    world.set_policy(lax).await;
    world.engine.change_policy(&scope, &mfa(None, Some(false)), &by).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_session_of_aal2_ends_after_a_day_and_after_an_hour_without_use() {
    let world = under(Profile::NistAal2);
    let mut person = Person { nonce: Some([7; 32]), ..Person::new(&world) };
    let mut tokens = world.tokens(&person.enrol().await.assertion);
    assert!(tokens.session_ends.since(world.clock.now()) <= 24 * HOUR);
    // Used every hour it lives for a day.
    for hour in 1..24 {
        world.advance(HOUR);
        let refreshed = world.engine.refresh(&tokens.refresh).await.unwrap();
        tokens = refreshed.unwrap_or_else(|| panic!("ended after {hour} hours"));
    }
    world.advance(HOUR);
    assert!(world.engine.refresh(&tokens.refresh).await.unwrap().is_none(), "a day");

    for refreshes in [0, 1] {
        world.advance(PERIOD);
        let asked = person.challenged().await;
        let code = person.totp(0);
        let mut tokens =
            world.tokens(&granted(person.code(&asked, code.as_str(), false).await).assertion);
        for _ in 0..refreshes {
            tokens = world.engine.refresh(&tokens.refresh).await.unwrap().unwrap();
        }
        world.advance(HOUR + 1);
        assert!(world.engine.refresh(&tokens.refresh).await.unwrap().is_none(), "{refreshes}");
    }
    // The rules alone know no such end.
    let world = under(Profile::Compatible);
    let tokens = world.tokens(&Person::new(&world).enrol().await.assertion);
    world.advance(25 * HOUR);
    assert!(world.engine.refresh(&tokens.refresh).await.unwrap().is_some());
}
