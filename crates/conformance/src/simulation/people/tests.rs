//! What the simulated owner does where chance rarely leads.

use super::super::clockwork::{Clockwork, Group};
use super::super::plan::{Attack, Plan, Weather};
use super::*;

/// A person at a site where nothing is lost, and no clock is off.
fn owner() -> Person {
    let world = Clockwork::new(0);
    let weather = Weather { lag: 0, away: 0, request_lost: 0, reply_lost: 0, late: 0 };
    let plan = Plan {
        skews: vec![0],
        attack: Attack::Name,
        weather,
        crashes: Vec::new(),
        jump: None,
        failovers: Vec::new(),
        acts: 0,
    };
    let user = UserId::parse("alice").unwrap();
    let site = Site::build(&world, &plan, std::slice::from_ref(&user), None).unwrap();
    let mail = EmailAddress::parse("alice@example.com").unwrap();
    let account = Account::new(0, user, TenantId::parse("acme").unwrap(), mail);
    let (history, account) = (History::default(), Arc::new(account));
    Person { site, history, account, watched: false }
}

/// A slip may be the code of the next step: its owner is let in, and waits for another one.
#[test]
fn a_code_that_was_mistyped_may_be_right() {
    let owner = owner();
    let world = owner.site.world.clone();
    world.spawn(Group::WORLD, owner.clone().own(0));
    world.run();
    assert!(owner.account.is_settled());
    let (person, done) = (owner.clone(), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&done);
    world.spawn(Group::WORLD, async move {
        person.site.world.sleep(60_000).await;
        let cookie = Cookie::default();
        let Ok((Reply::Challenged(asked), _)) = person.begin(&cookie).await else { return };
        let secret = person.account.pocket().scanned.last().cloned().unwrap();
        let (code, step) = person.shown(&secret).unwrap();
        let token = asked.token.as_str();
        assert_eq!(person.slips(token, &cookie, &typo(&code), step).await, Ok(false));
        let totp = Totp::DEFAULT;
        let next = step.checked_offset(1).unwrap();
        let typed = totp.code(&totp.key(&secret), next);
        assert_eq!(person.slips(token, &cookie, typed.as_str(), step).await, Ok(true));
        assert_eq!(person.account.pocket().last, Some(next));
        told.store(true, Ordering::Relaxed);
    });
    world.run();
    assert!(done.load(Ordering::Relaxed));
    let seen: Vec<Seen> = owner.history.all().into_iter().map(|(_, seen)| seen).collect();
    let owners = |of: &Seen| seen.iter().filter(|seen| *seen == of).count();
    assert_eq!(owners(&Seen::Refused { user: 0, stranger: false }), 1);
    assert_eq!(owners(&Seen::LetIn { user: 0 }), 1);
}

/// What is told of a code names its step: the same digits at another step are another code.
#[test]
fn a_code_is_told_with_its_step() {
    let owner = owner();
    let secret = Secret::from_bytes(&[7; 20]).unwrap();
    owner.account.pocket().scanned.push(secret.clone());
    let totp = Totp::DEFAULT;
    let now = totp.step_at(true_time(&owner.site.world));
    let told: Vec<String> = [0, -2]
        .map(|steps| now.checked_offset(steps).unwrap())
        .map(|step| owner.of_its_step(totp.code(&totp.key(&secret), step).as_str()))
        .into();
    let steps: Vec<&str> = told.iter().map(|told| told.split(':').next().unwrap()).collect();
    let earlier = now.checked_offset(-2).unwrap();
    assert_eq!(steps, [format!("{:?}", Some(now)), format!("{:?}", Some(earlier))]);
}
