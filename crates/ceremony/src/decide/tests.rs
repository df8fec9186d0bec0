//! Properties of decide as a function: what holds for every record, event and time.

use countersign_device::{EmailFactor, RealmId, TenantId, UserId, UserKey};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_remember::Cookie;
use countersign_token::RecoveryCode;
use countersign_vault::Ring;
use proptest::prelude::*;

use super::*;
use crate::audit::{Verdict, What};
use crate::policy::{Enforce, Strategies};
use crate::record::{Ledger, Price};
use crate::rules::{GUESSES_A_LOGIN, LEDGER_UNITS, TOUCHED_BY_STRANGERS, TOUCHED_LOGINS};

mod delivered;

const START: u64 = 1_800_000_000;

pub(super) struct World {
    user: UserKey,
    pub(super) policy: Policy,
    vault: Ring,
    pub(super) record: Record,
    pub(super) now: UnixTime,
    seeds: u64,
    pub(super) audits: Vec<Audit>,
    pub(super) notices: Vec<Notice>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut n = 0_u8;
        let fill = |buf: &mut [u8]| {
            buf.iter_mut().for_each(|byte| {
                n = n.wrapping_mul(5).wrapping_add(17);
                *byte = n;
            });
            Ok::<(), std::fmt::Error>(())
        };
        Self {
            user: UserKey::new(RealmId::parse("main").unwrap(), UserId::parse("alice").unwrap()),
            policy: Policy {
                enforce: Enforce::Force,
                remember: countersign_remember::Policy::new(true, 14 * 24 * 3600).unwrap(),
                strategies: Strategies {
                    authenticator: true,
                    email: true,
                    ..Strategies::default()
                },
                ..Policy::default()
            },
            vault: Ring::try_new(fill).unwrap(),
            record: Record::default(),
            now: UnixTime::from_secs(START),
            seeds: 0,
            audits: Vec::new(),
            notices: Vec::new(),
        }
    }

    pub(super) fn decide(&mut self, event: Event) -> Outcome {
        let given =
            Given { user: &self.user, policy: &self.policy, vault: &self.vault, node: "test" };
        self.seeds += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.to_be_bytes());
        let before = format!("{:?}", self.record);
        let decision = decide(self.record.clone(), &given, event, self.now, seed);
        assert!(decision.changed || decision.audits.is_empty(), "an event is worth a settle");
        assert!(decision.changed || before == format!("{:?}", decision.record));
        self.record = decision.record;
        self.audits.extend(decision.audits);
        let told = decision.told.open(&Commit::proven());
        self.notices.extend(told.notices);
        told.outcome
    }

    fn begin(&mut self, cookie: &Cookie) -> Outcome {
        self.decide(Event::Begin(Begin {
            tenant: TenantId::parse("acme").unwrap(),
            also: Vec::new(),
            application: None,
            email: Some(EmailAddress::parse("alice@example.com").unwrap()),
            first: FirstFactor::Password,
            epoch: None,
            nonce: None,
            cookie: cookie.clone(),
            agent: Label::default(),
        }))
    }

    pub(super) fn step(
        &mut self,
        login: &Login,
        cookie: &Cookie,
        ask: Ask,
        remember: bool,
    ) -> Outcome {
        let (login, cookie) = (login.clone(), cookie.clone());
        self.decide(Event::Step(Box::new(Step {
            login,
            cookie,
            agent: Label::default(),
            nonce: None,
            session: None,
            ask,
            remember,
        })))
    }

    pub(super) fn login(&mut self) -> Challenged {
        match self.begin(&Cookie::default()) {
            Outcome::Challenged(challenged) => *challenged,
            other => panic!("{other:?}"),
        }
    }

    fn code(&self, secret: &Secret, steps: i8) -> Code {
        let totp = Totp::DEFAULT;
        let step = totp.step_at(self.now).checked_offset(steps).unwrap();
        totp.code(&totp.key(secret), step)
    }

    /// Enrols an app, and returns its secret.
    pub(super) fn enrolled() -> (Self, Secret) {
        let mut world = Self::new();
        let challenged = world.login();
        let secret = challenged.enrolment.unwrap().secret;
        let code = world.code(&secret, 0);
        let recovery = Some(world.fresh_recovery());
        let ask = Ask::Confirm { code, recovery };
        let outcome = world.step(&challenged.login, &Cookie::default(), ask, false);
        assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
        world.now = world.now.saturating_add(300);
        (world, secret)
    }

    /// What a fresh session of the user asks.
    pub(super) fn act(&mut self, deed: Deed) -> Outcome {
        let (epoch, auth_time) = (self.record.epoch, self.now);
        self.decide(Event::Act(Box::new(super::Act {
            actor: Actor::Session(ActingSession {
                id: SessionId::from_random_bytes([5; 16]),
                epoch,
                first: FirstFactor::Password,
                proved: true,
                auth_time,
            }),
            tenant: TenantId::parse("acme").unwrap(),
            also: Vec::new(),
            application: None,
            email: None,
            cookie: Cookie::default(),
            agent: Label::default(),
            deed,
        })))
    }

    pub(super) fn fresh_recovery(&self) -> FreshRecovery {
        let code = RecoveryCode::parse("0123456789ABCDEF").unwrap();
        let params = countersign_token::Params::INSECURE_FOR_TESTS;
        let pepper = countersign_token::Pepper::of(&self.vault);
        FreshRecovery(vec![FreshCode {
            tag: code.tag(&self.vault, &[]),
            hash: code.hash(&pepper, &[7; 32], params).unwrap(),
            code,
        }])
    }
}

fn ask(code: Code) -> Ask {
    Ask::Code { device: None, code, recovery: None }
}

/// A code that is right nowhere in the window.
fn wrong(world: &World, secret: &Secret, n: u32) -> Code {
    let right: Vec<_> = (-3..=3).map(|at| world.code(secret, at)).collect();
    (n..)
        .map(|n| Code::parse(&format!("{:06}", n % 1_000_000)).unwrap())
        .find(|code| right.iter().all(|other| other != code))
        .unwrap()
}

#[test]
fn a_right_code_that_is_confirmed_needs_a_recovery_code_first_and_decides_nothing_before() {
    let mut world = World::new();
    let challenged = world.login();
    let secret = challenged.enrolment.unwrap().secret;
    let code = world.code(&secret, 0);
    let (audits, ledger) = (world.audits.len(), world.record.ledger.clone());
    let without = Ask::Confirm { code: code.clone(), recovery: None };
    let outcome = world.step(&challenged.login, &Cookie::default(), without, false);
    assert!(matches!(outcome, Outcome::NeedsRecovery));
    assert_eq!((world.audits.len(), &world.record.ledger), (audits, &ledger));
    assert!(!world.record.is_enrolled());
    let with = Ask::Confirm { code, recovery: Some(world.fresh_recovery()) };
    let outcome = world.step(&challenged.login, &Cookie::default(), with, false);
    assert!(matches!(outcome, Outcome::Granted(_)), "{outcome:?}");
}

#[test]
fn a_browser_is_known_by_its_secret_and_says_no_secret() {
    let mut world = World::new();
    let challenged = world.login();
    let secret = challenged.enrolment.unwrap().secret;
    let code = world.code(&secret, 0);
    let ask = Ask::Confirm { code, recovery: Some(world.fresh_recovery()) };
    let outcome = world.step(&challenged.login, &Cookie::default(), ask, false);
    let Outcome::Granted(granted) = outcome else { panic!("{outcome:?}") };
    let fresh = granted.browser.unwrap();
    let known = |world: &World, secret: [u8; 32]| {
        let cookie = Cookie::default().with(fresh.family, secret);
        is_known(&world.record, &cookie, &world.vault, world.now)
    };
    assert!(known(&world, fresh.secret));
    assert!(!known(&world, [7; 32]));
    assert!(!is_known(&world.record, &Cookie::default(), &world.vault, world.now));
    let shown = format!("{fresh:?}");
    assert!(shown.contains(&format!("{:?}", fresh.family)) && !shown.contains("secret"), "{shown}");
}

/// What holds a secret prints its name, and how many it holds at most.
#[test]
fn debug_says_what_it_is() {
    let mut world = World::new();
    let enrolment = world.login().enrolment.unwrap();
    assert_eq!(format!("{enrolment:?}"), "Enrolment(..)");
    assert_eq!(format!("{:?}", Seed::new([7; 32])), "Seed(..)");
    let fresh = world.fresh_recovery();
    assert_eq!(format!("{:?} {:?}", fresh, fresh.0[0]), "FreshRecovery(..) FreshCode(..)");
    let challenged = world.login();
    let code = world.code(&challenged.enrolment.unwrap().secret, 0);
    let ask = Ask::Confirm { code, recovery: Some(fresh) };
    let outcome = world.step(&challenged.login, &Cookie::default(), ask, false);
    let Outcome::Granted(granted) = outcome else { panic!("{outcome:?}") };
    assert_eq!(format!("{:?}", granted.recovery.unwrap()), "RecoveryCodes(1)");
    let app = ImportedApp {
        secret: enrolment.secret,
        totp: enrolment.totp,
        spent: None,
        label: Label::default(),
        is_locked: false,
    };
    let shown = format!("{app:?}");
    assert!(
        shown.starts_with("ImportedApp") && shown.contains("totp") && !shown.contains("secret")
    );
}

/// Whoever comes with a secret that was replaced is asked, and the browser is told to forget it.
#[test]
fn a_browser_that_was_copied_is_told_to_forget() {
    let (mut world, secret) = World::enrolled();
    let mut cookie = Cookie::default();
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let Outcome::Challenged(challenged) = world.begin(&cookie) else { panic!("let in") };
        assert!(challenged.forget_browser.is_empty(), "{:?}", challenged.forget_browser);
        let code = world.code(&secret, 0);
        let outcome = world.step(&challenged.login, &cookie, ask(code), false);
        let Outcome::Granted(granted) = outcome else { panic!("{outcome:?}") };
        if let Some(FreshBrowser { family, secret, .. }) = granted.browser {
            cookie = Cookie::default().with(family, secret);
            cookies.push((family, cookie.clone()));
        }
        world.now = world.now.saturating_add(24 * 3600);
    }
    let (family, copied) = &cookies[0];
    assert!(cookies.len() > 1, "no secret was ever replaced");
    let Outcome::Challenged(challenged) = world.begin(copied) else { panic!("let in") };
    assert_eq!(challenged.forget_browser, [*family]);
}

/// The audit tells a login that a remembered browser skipped from one that was proved.
#[test]
fn a_login_is_written_down_as_what_it_was() {
    let (mut world, secret) = World::enrolled();
    let granted = |world: &World| match world.audits.last().map(|audit| &audit.what) {
        Some(What::Granted { second, remembered, .. }) => (*second, *remembered),
        other => panic!("{other:?}"),
    };
    let challenged = world.login();
    let code = world.code(&secret, 0);
    let outcome = world.step(&challenged.login, &Cookie::default(), ask(code), true);
    let Outcome::Granted(first) = outcome else { panic!("{outcome:?}") };
    assert_eq!(granted(&world), (Some(FactorKind::Authenticator), false));
    let fresh = first.browser.unwrap();
    world.now = world.now.saturating_add(3600);
    let skipped = world.begin(&Cookie::default().with(fresh.family, fresh.secret));
    assert!(matches!(skipped, Outcome::Granted(_)), "{skipped:?}");
    assert_eq!(granted(&world), (None, true));
}

/// RULES: a code that no device of the user could show, of no usual length either, is not judged.
#[test]
fn a_code_of_a_length_that_nobody_shows_is_not_judged() {
    let (mut world, _) = World::enrolled();
    let challenged = world.login();
    for (code, judged) in [("12345678", false), ("000000", true)] {
        let before = (world.audits.len(), world.record.ledger.units());
        let code = Code::parse(code).unwrap();
        let outcome = world.step(&challenged.login, &Cookie::default(), ask(code), false);
        assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
        let after = (world.audits.len(), world.record.ledger.units());
        assert_eq!(after.0 > before.0 && after.1 > before.1, judged);
    }
    // Of an app that the user does not have, six digits are judged all the same: the answer tells
    // nothing of which there are.
    let device = Some(DeviceId::from_random_bytes([9; 16]));
    for (code, judged) in [("12345678", 0), ("000000", 1)] {
        let before = world.audits.len();
        let code = Code::parse(code).unwrap();
        let ask = Ask::Code { device, code, recovery: None };
        let outcome = world.step(&challenged.login, &Cookie::default(), ask, false);
        assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
        let verdicts = world.audits.iter().skip(before);
        let verdicts = verdicts.filter(|audit| matches!(audit.what, What::Judged { .. }));
        assert_eq!(verdicts.count(), judged);
    }
}

/// With its first factor a user's address is bound, but not in the place of another.
#[test]
fn the_address_of_the_login_is_bound_with_the_first_factor() {
    let address = |name: &str| EmailAddress::parse(&format!("{name}@example.com")).unwrap();
    for (before, bound) in [(None, true), (Some("alice"), true), (Some("bob"), false)] {
        let mut world = World::new();
        let now = world.now;
        let mut challenged = world.login();
        // Where an address is unproven, a mailbox was proven first; the directory had another then.
        challenged.login.mailbox_proven = before.is_some();
        world.record.email = before.map(|name| EmailFactor::unproven(address(name), now));
        let code = world.code(&challenged.enrolment.unwrap().secret, 0);
        let ask = Ask::Confirm { code, recovery: Some(world.fresh_recovery()) };
        let outcome = world.step(&challenged.login, &Cookie::default(), ask, false);
        assert!(matches!(outcome, Outcome::Granted(_)), "{before:?}: {outcome:?}");
        let alice = address("alice");
        assert_eq!(world.record.active_email(), bound.then_some(&alice), "{before:?}");
    }
}

/// An enrolment that another overtook, to the last place that there was, is no longer open.
#[test]
fn nobody_has_more_apps_than_there_are_places() {
    for places in [1, 0] {
        let (mut world, _) = World::enrolled();
        let Outcome::Enrolment(shown) = world.act(Deed::PreEnrol) else { panic!("not begun") };
        let code = world.code(&shown.secret, 0);
        let app = ImportedApp {
            secret: Secret::from_bytes(&[7; 20]).unwrap(),
            totp: Totp::DEFAULT,
            spent: None,
            label: Label::default(),
            is_locked: true,
        };
        let mut other = World::new();
        let apps = vec![app; crate::rules::AUTHENTICATORS - places];
        other.decide(Event::Import(Box::new(Import { apps, ..Import::default() })));
        world.record.authenticators = other.record.authenticators;
        let (label, recovery) = (Label::default(), None);
        let outcome = world.act(Deed::Confirm { code, label, recovery });
        assert_eq!(matches!(outcome, Outcome::Added { .. }), places == 1, "{outcome:?}");
        assert_eq!(world.record.authenticators.len(), crate::rules::AUTHENTICATORS);
    }
}

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
fn a_pending_enrolment_is_its_openers_alone() {
    let mut world = World::new();
    let one = world.login();
    let two = world.login();
    let (first, second) = (one.enrolment.unwrap().secret, two.enrolment.unwrap().secret);
    assert_ne!(first.expose(), second.expose());
    let Outcome::Enrolment(again) =
        world.step(&one.login, &Cookie::default(), Ask::PreEnrol, false)
    else {
        panic!()
    };
    assert_eq!(again.secret.expose(), first.expose());
    let code = world.code(&second, 0);
    let ask = Ask::Confirm { code, recovery: Some(world.fresh_recovery()) };
    let outcome = world.step(&one.login, &Cookie::default(), ask, false);
    assert!(matches!(outcome, Outcome::Refused(Refusal::Code)), "{outcome:?}");
}

#[test]
fn a_password_alone_adds_no_factor_to_an_account_that_has_one() {
    let (mut world, _) = World::enrolled();
    let challenged = world.login();
    assert!(challenged.enrolment.is_none() && challenged.enrolled);
    let outcome = world.step(&challenged.login, &Cookie::default(), Ask::PreEnrol, false);
    assert!(matches!(outcome, Outcome::Refused(Refusal::AlreadyEnrolled)));
}

#[test]
fn every_login_ends_with_its_epoch_its_time_and_its_win() {
    let (mut world, secret) = World::enrolled();
    let challenged = world.login();
    let code = world.code(&secret, 0);
    let won = world.step(&challenged.login, &Cookie::default(), ask(code), false);
    assert!(matches!(won, Outcome::Granted(_)));
    world.now = world.now.saturating_add(60);
    let code = world.code(&secret, 0);
    let spent = world.step(&challenged.login, &Cookie::default(), ask(code.clone()), false);
    assert!(matches!(spent, Outcome::Refused(Refusal::LoginOver)));

    let old = world.login();
    world.now = world.now.saturating_add(600);
    let code_later = world.code(&secret, 0);
    let over = world.step(&old.login, &Cookie::default(), ask(code_later), false);
    assert!(matches!(over, Outcome::Refused(Refusal::LoginOver)));

    let open = world.login();
    let _ = world.decide(Event::Report(Lifecycle::SignOutEverywhere));
    let code = world.code(&secret, 0);
    let dead = world.step(&open.login, &Cookie::default(), ask(code), false);
    assert!(matches!(dead, Outcome::Refused(Refusal::LoginOver)));
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

#[test]
fn a_clock_that_was_a_year_ahead_costs_one_login_and_no_more() {
    let (mut world, secret) = World::enrolled();
    world.record.settled = world.now.saturating_add(365 * 24 * 3600);
    world.record.strangers_floor = world.record.settled;
    let challenged = world.login();
    let code = world.code(&secret, 0);
    let dead = world.step(&challenged.login, &Cookie::default(), ask(code.clone()), false);
    assert!(
        matches!(dead, Outcome::Refused(Refusal::LoginOver)) || matches!(dead, Outcome::Granted(_))
    );
    world.now = world.now.saturating_add(1);
    let again = world.login();
    let won = world.step(&again.login, &Cookie::default(), ask(code), false);
    assert!(matches!(won, Outcome::Granted(_)), "{won:?}");
}

/// What somebody does who knows the password.
#[derive(Clone, Debug)]
enum Act {
    Begin,
    Guess { login: usize, code: u32 },
    Right { login: usize, steps: i8 },
    Email { login: usize },
    EmailGuess { login: usize, code: u32 },
    Wait { secs: u64 },
    SignOut,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Begin),
        8 => (any::<prop::sample::Index>(), 0_u32..1_000_000)
            .prop_map(|(login, code)| Act::Guess { login: login.index(8), code }),
        2 => (0_usize..8, -2_i8..=2).prop_map(|(login, steps)| Act::Right { login, steps }),
        2 => (0_usize..8).prop_map(|login| Act::Email { login }),
        4 => (0_usize..8, 0_u32..1_000_000)
            .prop_map(|(login, code)| Act::EmailGuess { login, code }),
        3 => (0_u64..2_000).prop_map(|secs| Act::Wait { secs }),
        1 => Just(Act::SignOut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is done, in whatever order: no step is spent twice, what was charged and not
    /// forgiven never passes the ledger, no login is won twice, and the lists stay bounded.
    #[test]
    fn the_invariants_hold_for_any_script(acts in prop::collection::vec(act(), 1..120)) {
        let (mut world, secret) = World::enrolled();
        let mut logins: Vec<(Login, Option<ChallengeClaims>)> = Vec::new();
        let mut spent = world.record.authenticators[0].spent();
        let mut won = std::collections::HashSet::new();
        for act in acts {
            let none = Cookie::default();
            match act {
                Act::Begin => {
                    if let Outcome::Challenged(challenged) = world.begin(&none) {
                        if logins.len() == 8 { logins.remove(0); }
                        logins.push((challenged.login, None));
                    }
                }
                Act::Guess { login, code } => {
                    let Some((login, _)) = logins.get(login).cloned() else { continue };
                    let code = wrong(&world, &secret, code);
                    let outcome = world.step(&login, &none, ask(code), false);
                    prop_assert!(matches!(outcome, Outcome::Refused(_)));
                }
                Act::Right { login, steps } => {
                    let Some((login, _)) = logins.get(login).cloned() else { continue };
                    let code = world.code(&secret, steps);
                    if let Outcome::Granted(_) = world.step(&login, &none, ask(code), false) {
                        let now_spent = world.record.authenticators[0].spent();
                        prop_assert!(now_spent > spent, "a step was spent twice");
                        spent = now_spent;
                        prop_assert!(won.insert(login.id), "a login was won twice");
                    }
                }
                Act::Email { login } => {
                    let Some((login, challenge)) = logins.get_mut(login) else { continue };
                    if let Outcome::Send(send) = world.step(&login.clone(), &none, Ask::Send(Target::Mailbox), false) {
                        *challenge = Some(send.challenge);
                    }
                }
                Act::EmailGuess { login, code } => {
                    let Some((login, challenge)) = logins.get(login).cloned() else { continue };
                    let code = Code::parse(&format!("{code:06}")).unwrap();
                    let Some(challenge) = challenge else { continue };
                    let ask = Ask::EmailCode { challenge, code };
                    if let Outcome::Granted(_) = world.step(&login, &none, ask, false) {
                        prop_assert!(won.insert(login.id), "a login was won twice");
                    }
                }
                Act::Wait { secs } => world.now = world.now.saturating_add(secs),
                Act::SignOut => { let _ = world.decide(Event::Report(Lifecycle::SignOutEverywhere)); }
            }
            prop_assert!(world.record.ledger.units() <= LEDGER_UNITS);
            prop_assert!(world.record.logins.len() <= TOUCHED_LOGINS);
            prop_assert!(world.record.browsers.list().len() <= countersign_remember::MOST);
        }
        let wins = world.audits.iter().filter(|audit| {
            matches!(audit.what, What::Judged { verdict: Verdict::Won, .. })
        });
        prop_assert_eq!(wins.count(), won.len() + 1, "each win has one event, and enrolling one");
    }

    /// decide is a function: the same arguments, the same record, events and outcome.
    #[test]
    fn it_is_a_function(seed: [u8; 32], secs in 0_u64..u64::from(u32::MAX)) {
        let world = World::new();
        let given = Given { user: &world.user, policy: &world.policy, vault: &world.vault, node: "n" };
        let event = Event::Begin(Begin {
            tenant: TenantId::parse("acme").unwrap(),
            also: Vec::new(),
            application: None,
            email: None,
            first: FirstFactor::Password,
            epoch: None,
            nonce: None,
            cookie: Cookie::default(),
            agent: Label::default(),
        });
        let now = UnixTime::from_secs(secs);
        let once = decide(Record::default(), &given, event.clone(), now, seed);
        let twice = decide(Record::default(), &given, event, now, seed);
        prop_assert_eq!(postcard::to_allocvec(&once.record), postcard::to_allocvec(&twice.record));
        prop_assert_eq!(once.audits, twice.audits);
        prop_assert_eq!(format!("{:?}", once.told), format!("{:?}", twice.told));
    }
}
