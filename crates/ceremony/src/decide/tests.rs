//! Tests of decide as a function, and the world that they share.

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

mod browsers;
mod delivered;
mod ledger;
mod phone;
mod scripts;
mod step_up;

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

    /// Enrols an app: its secret, and what the login brought.
    fn enrol(&mut self) -> (Secret, Granted) {
        let challenged = self.login();
        let secret = challenged.enrolment.unwrap().secret;
        let (code, recovery) = (self.code(&secret, 0), Some(self.fresh_recovery()));
        let ask = Ask::Confirm { code, recovery };
        match self.step(&challenged.login, &Cookie::default(), ask, false) {
            Outcome::Granted(granted) => (secret, *granted),
            other => panic!("{other:?}"),
        }
    }

    /// A user whose app is enrolled for five minutes, and its secret.
    pub(super) fn enrolled() -> (Self, Secret) {
        let mut world = Self::new();
        let (secret, _) = world.enrol();
        world.now = world.now.saturating_add(300);
        (world, secret)
    }

    /// What a fresh session of the user asks.
    pub(super) fn act(&mut self, deed: Deed) -> Outcome {
        self.act_since(self.now, deed)
    }

    /// What a session asks that was proved then.
    fn act_since(&mut self, auth_time: UnixTime, deed: Deed) -> Outcome {
        let epoch = self.record.epoch;
        self.decide(Event::Act(Box::new(Act {
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
