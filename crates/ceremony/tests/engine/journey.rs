//! The main job on the engine, over the memory store: enrol, log in, remember, email, recover.

use countersign_ceremony::assertion::{Assertion, FirstFactor};
use countersign_ceremony::audit::{Verdict, What};
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Reply};
use countersign_ceremony::env::{Body, To};
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_device::{EmailAddress, FactorKind, UserId};

use crate::support::{self, Person, World, granted, refused};

#[tokio::test]
async fn enrol_then_log_in_with_the_app_and_never_with_a_code_twice() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let first = alice.enrol().await;
    assert!(first.recovery.is_some() && !world.tokens(&first.assertion).access.is_empty());

    // The code that confirmed is spent.
    let asked = alice.challenged().await;
    assert!(asked.challenged.enrolled && asked.challenged.enrolment.is_none());
    assert_eq!(asked.challenged.authenticators.len(), 1);
    let reply = alice.code(&asked, alice.totp(0).as_str(), false).await;
    assert_eq!(refused(reply), Refusal::Code);

    world.advance(30);
    let code = alice.totp(0);
    let won = granted(alice.code(&asked, code.as_str(), false).await);
    assert!(won.recovery.is_none(), "shown once");
    assert_eq!(world.tokens(&won.assertion).claims.acr.as_deref(), Some(Assertion::MULTI_FACTOR));
    assert_eq!(world.tokens(&won.assertion).claims.amr, ["pwd", "mfa", "otp"]);

    // The same code under another login, and the same login again.
    let other = alice.challenged().await;
    assert_eq!(refused(alice.code(&other, code.as_str(), false).await), Refusal::Code);
    assert_eq!(refused(alice.code(&asked, code.as_str(), false).await), Refusal::LoginOver);
    let verdicts = world.verdicts().await;
    assert_eq!(
        verdicts,
        [Verdict::Won, Verdict::Replayed, Verdict::Won, Verdict::Replayed],
        "the truth is written down"
    );
}

#[tokio::test]
async fn a_remembered_browser_skips_the_step_and_its_secret_rotates() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), true).await);
    let first = alice.cookie.to_string();

    let skipped = granted(alice.begin().await);
    assert_eq!(world.tokens(&skipped.assertion).claims.acr, None, "one factor, and remembered");
    assert_eq!(world.tokens(&skipped.assertion).claims.amr, ["pwd", "remembered"]);
    assert_ne!(alice.cookie.to_string(), first, "rotated");

    // Elsewhere the code is asked for (D-13), and after a reset here as well (D-04).
    let mut elsewhere = Person::new(&world);
    assert!(matches!(elsewhere.begin().await, Reply::Challenged(_)));
    let user = UserId::parse("alice").unwrap();
    let changed = Lifecycle::PasswordChanged { through_mailbox: None };
    assert!(world.engine.report(user, changed).await.unwrap());
    assert!(matches!(alice.begin().await, Reply::Challenged(_)));
}

#[tokio::test]
async fn a_copied_cookie_ends_its_family_and_tells_the_owner() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), true).await);
    let copied = alice.cookie.clone();
    granted(alice.begin().await);
    world.advance(3_600);
    granted(alice.begin().await);
    world.advance(3_600);

    let mut thief = Person { cookie: copied, ..Person::new(&world) };
    assert!(matches!(thief.begin().await, Reply::Challenged(_)));
    assert!(matches!(alice.begin().await, Reply::Challenged(_)), "the family is gone");
    let events = world.events().await;
    assert!(events.iter().any(|event| event.what == What::BrowserStolen));
    let mails = world.mail.all();
    let told = |of: &Body| {
        matches!(of, Body::Notice(countersign_ceremony::decide::NoticeOf::BrowserStolen))
    };
    assert!(mails.iter().any(|mail| told(&mail.body)));
}

#[tokio::test]
async fn a_code_by_email_wins_once_and_only_the_last_one_sent() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let asked = alice.challenged().await;
    assert_eq!(asked.challenged.emails, ["a***@e***.com"]);
    let Reply::Sent { token: first, .. } = alice.send_email(&asked).await else { panic!() };
    let old = world.mail.last_code().unwrap();
    let cooling = refused(alice.send_email(&asked).await);
    assert_eq!(cooling, Refusal::TooMany(Some(30)));
    world.advance(30);
    let Reply::Sent { token: second, .. } = alice.send_email(&asked).await else { panic!() };
    let new = world.mail.last_code().unwrap();

    let reply = alice.email_code(&asked, first.as_str(), &old, false).await;
    assert_eq!(refused(reply), Refusal::Code, "replaced");
    let reply = alice.email_code(&asked, "not a token", &new, false).await;
    assert_eq!(refused(reply), Refusal::LoginOver, "no token of ours");
    let won = granted(alice.email_code(&asked, second.as_str(), &new, false).await);
    assert_eq!(world.tokens(&won.assertion).claims.amr, ["pwd", "mfa", "otp"]);
    let again = alice.email_code(&asked, second.as_str(), &new, false).await;
    assert_eq!(refused(again), Refusal::LoginOver);
}

#[tokio::test]
async fn a_code_by_email_ends_at_its_last_second() {
    let world = World::new();
    world.set_policy(Policy { delivered_secs: 300, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    alice.enrol().await;
    for (secs, wins) in [(299, true), (300, false), (301, false)] {
        let asked = alice.challenged().await;
        let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
        let code = world.mail.last_code().unwrap();
        world.advance(secs);
        let reply = alice.email_code(&asked, challenge.as_str(), &code, false).await;
        assert_eq!(matches!(reply, Reply::Granted(_)), wins, "after {secs} s");
    }
}

#[tokio::test]
async fn one_logins_challenge_answers_no_other() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let one = alice.challenged().await;
    let two = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&one).await else { panic!() };
    let code = world.mail.last_code().unwrap();
    let reply = alice.email_code(&two, challenge.as_str(), &code, false).await;
    assert_eq!(refused(reply), Refusal::Code);
    granted(alice.email_code(&one, challenge.as_str(), &code, false).await);
}

#[tokio::test]
async fn an_email_login_is_not_answered_by_email() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    alice.first = FirstFactor::Email;
    let asked = alice.challenged().await;
    assert!(asked.challenged.emails.is_empty());
    assert_eq!(refused(alice.send_email(&asked).await), Refusal::NoSuchFactor);
}

#[tokio::test]
async fn email_is_offered_only_where_the_tenant_takes_it_and_the_address_is_bound() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let forced = alice.challenged().await;
    assert!(!forced.challenged.enrolled && forced.challenged.emails.is_empty());
    assert_eq!(forced.challenged.strategies, [FactorKind::Authenticator]);
    assert_eq!(refused(alice.send_email(&forced).await), Refusal::NoSuchFactor);

    let only = Strategies { authenticator: false, email: true, ..Strategies::default() };
    world.set_policy(Policy { strategies: only, ..world.policy() }).await;
    let forced = alice.challenged().await;
    assert_eq!(forced.challenged.emails.len(), 1);
    assert_eq!(forced.challenged.strategies, [FactorKind::Email]);
    let Reply::Sent { token: challenge, .. } = alice.send_email(&forced).await else { panic!() };
    let code = world.mail.last_code().unwrap();
    let won = granted(alice.email_code(&forced, challenge.as_str(), &code, true).await);
    assert_eq!(world.tokens(&won.assertion).claims.acr.as_deref(), Some(Assertion::MULTI_FACTOR));
    let skipped = granted(alice.begin().await);
    assert_eq!(world.tokens(&skipped.assertion).claims.acr, None);
}

#[tokio::test]
async fn recovery_removes_the_factors_once_and_a_password_alone_inherits_nothing() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let first = alice.enrol().await;
    let code = first.recovery.unwrap().reveal().to_string();
    let address = EmailAddress::parse("alice@example.com").unwrap();

    let wrong = world.engine.recover(&address, "0000-0000-0000-0000", &Client::default()).await;
    assert_eq!(refused(wrong.unwrap()), Refusal::Code);
    let nobody = EmailAddress::parse("nobody@example.com").unwrap();
    let unknown = world.engine.recover(&nobody, &code, &Client::default()).await;
    assert_eq!(refused(unknown.unwrap()), Refusal::Code);

    let typed = code.to_lowercase();
    let reply = world.engine.recover(&address, &typed, &alice.client()).await.unwrap();
    let Reply::Recovered { cookie } = reply else { panic!("{reply:?}") };
    alice.cookie = cookie;
    let again = world.engine.recover(&address, &typed, &alice.client()).await.unwrap();
    assert_eq!(refused(again), Refusal::Code, "spent");
    assert!(
        world.engine.refresh(&world.tokens(&first.assertion).refresh).await.unwrap().is_none(),
        "session dead"
    );

    // Elsewhere a password is not enough: the mailbox must be proven before anything is enrolled.
    let mut thief = Person::new(&world);
    let asked = thief.challenged().await;
    assert!(asked.challenged.enrolment.is_none());
    assert_eq!(asked.challenged.emails.len(), 1);
    let pre = world.engine.pre_enrol(asked.token.as_str(), &thief.client()).await.unwrap();
    assert_eq!(refused(pre), Refusal::AlreadyEnrolled);

    // With the mailbox it is; and the code that proves it grants no tokens.
    let Reply::Sent { token: challenge, .. } = thief.send_email(&asked).await else { panic!() };
    let mailed = world.mail.last_code().unwrap();
    let reply = thief.email_code(&asked, challenge.as_str(), &mailed, true).await;
    let Reply::Challenged(proven) = reply else { panic!("{reply:?}") };
    assert!(proven.challenged.enrolment.is_some() && !proven.challenged.enrolled);

    // Here, the browser that recovered enrols again, for a quarter of an hour.
    let asked = alice.challenged().await;
    assert!(asked.challenged.enrolment.is_some());
    world.advance(15 * 60);
    let asked = alice.challenged().await;
    assert!(asked.challenged.enrolment.is_none(), "the grant is over");
}

#[tokio::test]
async fn a_mailbox_that_reset_the_password_is_no_second_factor_for_a_day() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    let address = EmailAddress::parse("alice@example.com").unwrap();
    let reset = Lifecycle::PasswordChanged { through_mailbox: Some(address) };
    assert!(world.engine.report(UserId::parse("alice").unwrap(), reset).await.unwrap());
    let asked = alice.challenged().await;
    assert!(asked.challenged.emails.is_empty());
    assert_eq!(refused(alice.send_email(&asked).await), Refusal::NoSuchFactor);
    world.advance(24 * 3600);
    let asked = alice.challenged().await;
    assert!(matches!(alice.send_email(&asked).await, Reply::Sent { .. }));
}

#[tokio::test]
async fn every_report_ends_what_is_open() {
    let reports = [
        Lifecycle::PasswordChanged { through_mailbox: None },
        Lifecycle::Disabled,
        Lifecycle::Enabled,
        Lifecycle::AddressChanged { to: EmailAddress::parse("new@example.com").unwrap() },
        Lifecycle::SignOutEverywhere,
        Lifecycle::Erased,
    ];
    for report in reports {
        let world = World::new();
        let mut alice = Person::new(&world);
        alice.enrol().await;
        world.advance(30);
        let asked = alice.challenged().await;
        let code = alice.totp(0);
        let won = granted(alice.code(&asked, code.as_str(), true).await);
        let open = {
            let mut elsewhere = Person::new(&world);
            elsewhere.challenged().await
        };
        let access = &world.tokens(&won.assertion).access;
        assert!(world.engine.authenticate(access).await.unwrap().is_some());

        let user = UserId::parse("alice").unwrap();
        assert!(world.engine.report(user, report.clone()).await.unwrap(), "{report:?}");
        world.advance(30);
        assert!(world.engine.authenticate(access).await.unwrap().is_none(), "{report:?}");
        assert!(
            world.engine.refresh(&world.tokens(&won.assertion).refresh).await.unwrap().is_none(),
            "{report:?}"
        );
        let code = alice.totp(0);
        let late = world
            .engine
            .code(open.token.as_str(), &Client::default(), None, code.as_str(), false)
            .await;
        assert_eq!(refused(late.unwrap()), Refusal::LoginOver, "{report:?}");
        match alice.begin().await {
            Reply::Challenged(_) => {}
            Reply::Refused(Refusal::Disabled) => {
                assert!(matches!(report, Lifecycle::Disabled | Lifecycle::Erased));
            }
            other => panic!("{report:?}: the browser is still remembered: {other:?}"),
        }
    }
}

#[tokio::test]
async fn refreshing_rotates_and_a_reuse_ends_the_session() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let first = world.tokens(&alice.enrol().await.assertion);
    let second = world.engine.refresh(&first.refresh).await.unwrap().unwrap();
    let third = world.engine.refresh(&second.refresh).await.unwrap().unwrap();
    assert_eq!(third.claims.auth_time, first.claims.auth_time);
    assert_eq!(third.claims.amr, first.claims.amr);
    assert!(world.engine.refresh(&second.refresh).await.unwrap().is_none(), "reused");
    assert!(world.engine.refresh(&third.refresh).await.unwrap().is_none(), "the family ended");
    assert!(world.engine.refresh(&first.refresh).await.unwrap().is_none());
    let events = world.events().await;
    assert!(events.iter().any(|event| matches!(event.what, What::SessionReplayed { .. })));
}

#[tokio::test]
async fn a_token_of_one_kind_is_refused_as_any_other() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let tokens = world.tokens(&alice.enrol().await.assertion);
    let asked = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
    let (login, challenge) = (asked.token.as_str(), challenge.as_str());
    let client = Client::default();
    for token in [challenge, &tokens.refresh, &tokens.access, "", "x", &"A".repeat(1_000_000)] {
        let reply = world.engine.code(token, &client, None, "123456", false).await.unwrap();
        assert_eq!(refused(reply), Refusal::LoginOver);
    }
    for token in [challenge, login, &tokens.access] {
        assert!(world.engine.refresh(token).await.unwrap().is_none());
    }
    for token in [challenge, login, &tokens.refresh] {
        assert!(world.engine.authenticate(token).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_is_forced_and_saml_answers_for_itself() {
    let world = World::new();
    let mut alice = Person::new(&world);
    world.set_policy(Policy { enforce: Enforce::ForceExceptSaml, ..world.policy() }).await;
    assert!(matches!(alice.begin().await, Reply::Challenged(_)));
    alice.first = FirstFactor::Saml;
    assert_eq!(world.tokens(&granted(alice.begin().await).assertion).claims.amr, ["sso"]);
    world.set_policy(Policy { enforce: Enforce::DontForce, ..world.policy() }).await;
    alice.first = FirstFactor::Password;
    let plain = granted(alice.begin().await);
    assert_eq!(world.tokens(&plain.assertion).claims.amr, ["pwd"]);
    // A user who has a factor is asked, whatever the tenant says.
    world.set_policy(Policy { enforce: Enforce::Force, ..world.policy() }).await;
    alice.enrol().await;
    world.set_policy(Policy { enforce: Enforce::DontForce, ..world.policy() }).await;
    assert!(matches!(Person::new(&world).begin().await, Reply::Challenged(_)));
}

#[tokio::test]
async fn a_login_that_began_in_a_known_browser_is_finished_in_no_other() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    let elsewhere = Client::default();
    let token = asked.token.as_str();
    let stolen = world.engine.code(token, &elsewhere, None, code.as_str(), false).await.unwrap();
    assert_eq!(refused(stolen), Refusal::LoginOver);
    granted(alice.code(&asked, code.as_str(), false).await);
}

#[tokio::test]
async fn our_own_users_log_in_with_their_password_and_changing_it_ends_what_is_open() {
    let world = World::new();
    let address = EmailAddress::parse("Bob@Example.com").unwrap();
    let password = |text: &str| zeroize::Zeroizing::new(text.as_bytes().to_vec());
    let tenants = vec![support::tenant()];
    let directory = world.engine.directory();
    let added = directory.add(&address, password("correct horse"), tenants.clone()).await.unwrap();
    assert!(added.is_ok());
    assert!(directory.add(&address, password("x"), tenants).await.unwrap().is_err());
    let client = Client::default();
    let log_in = |text: &'static str| world.engine.log_in(&address, password(text), None, &client);
    assert!(log_in("wrong").await.unwrap().is_none());
    let Some(Reply::Challenged(asked)) = log_in("correct horse").await.unwrap() else { panic!() };

    assert!(world.engine.change_password(&address, password("battery staple")).await.unwrap());
    assert!(log_in("correct horse").await.unwrap().is_none());
    assert!(matches!(log_in("battery staple").await.unwrap(), Some(Reply::Challenged(_))));
    let token = asked.token.as_str();
    let dead = world.engine.pre_enrol(token, &client).await.unwrap();
    assert_eq!(refused(dead), Refusal::LoginOver);
}

#[tokio::test]
async fn a_password_alone_takes_no_place_of_a_factor_that_is_locked_or_moved() {
    let world = World::new();
    let only = Strategies { authenticator: false, email: true, ..Strategies::default() };
    let both = world.policy();
    world.set_policy(Policy { strategies: only, ..world.policy() }).await;
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
    let code = world.mail.last_code().unwrap();
    granted(alice.email_code(&asked, challenge.as_str(), &code, false).await);

    // A tenant that takes no email asks this user to prove the mailbox first, and then enrols.
    let app_only = Strategies { authenticator: true, email: false, ..Strategies::default() };
    world.set_policy(Policy { strategies: app_only, ..both.clone() }).await;
    let mut thief = Person::new(&world);
    let asked = thief.challenged().await;
    assert!(asked.challenged.enrolment.is_none() && !asked.challenged.enrolled);
    assert_eq!(asked.challenged.emails.len(), 1);

    // So does a changed address: the new one is proven before anything is enrolled.
    world.set_policy(both).await;
    let to = EmailAddress::parse("new@example.com").unwrap();
    let user = UserId::parse("alice").unwrap();
    assert!(world.engine.report(user, Lifecycle::AddressChanged { to }).await.unwrap());
    let asked = thief.challenged().await;
    assert!(asked.challenged.enrolment.is_none());
    assert_eq!(asked.challenged.emails, ["n***@e***.com"]);
}

#[tokio::test]
async fn the_owner_is_told_of_what_happens_and_of_who_fails_after_a_right_password() {
    use countersign_ceremony::decide::NoticeOf;
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let mut thief = Person::new(&world);
    for _ in 0..2 {
        let asked = thief.challenged().await;
        for _ in 0..5 {
            assert_eq!(refused(thief.code(&asked, "000000", false).await), Refusal::Code);
        }
    }
    let told = |world: &World| {
        let mails = world.mail.all().into_iter();
        let notices = mails.filter_map(|mail| match mail.body {
            Body::Notice(of) => Some((mail.to.address().canonical(), of)),
            Body::Code { .. } | Body::Refill { .. } => None,
        });
        notices.collect::<Vec<_>>()
    };
    let alice_at = |of| ("alice@example.com".to_owned(), of);
    assert_eq!(
        told(&world),
        [
            alice_at(NoticeOf::FactorAdded(FactorKind::Authenticator)),
            alice_at(NoticeOf::GuessingStopped)
        ]
    );
}

#[tokio::test]
async fn a_node_whose_clock_is_off_the_stores_stops_deciding() {
    let passed = || countersign_ceremony::engine::Passed {
        user: UserId::parse("alice").unwrap(),
        tenant: support::tenant(),
        also: Vec::new(),
        application: None,
        email: None,
        first: FirstFactor::Password,
        epoch: None,
    };
    let client = Client::default();
    let near = World::with_store_clock(30);
    assert!(near.engine.begin(passed(), &client).await.is_ok());
    let far = World::with_store_clock(31);
    let error = far.engine.begin(passed(), &client).await.unwrap_err();
    assert_eq!(error, countersign_ceremony::engine::Error::Skew);
}

#[tokio::test]
async fn a_code_of_another_length_is_not_judged() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    let token = asked.token.as_str();
    for code in ["1234567", "12345678", "1234567890", "12345", "12a456", "", "１２３４５６"] {
        let reply = world.engine.confirm(token, &alice.client(), code, false).await.unwrap();
        assert_eq!(refused(reply), Refusal::Code, "{code:?}");
    }
    assert!(world.verdicts().await.is_empty());
    alice.enrol().await;
    world.advance(30);
    let asked = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
    let judged = world.verdicts().await.len();
    for _ in 0..20 {
        assert_eq!(refused(alice.code(&asked, "12345678", false).await), Refusal::Code);
        let reply = alice.email_code(&asked, challenge.as_str(), "12345678", false).await;
        assert_eq!(refused(reply), Refusal::Code);
    }
    assert_eq!(world.verdicts().await.len(), judged, "nothing judged, nothing counted");
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), false).await);
}

#[tokio::test]
async fn guesses_that_can_win_nothing_still_run_out_and_leave_the_owners_browser_alone() {
    let world = World::new();
    let mut alice = Person::new(&world);
    alice.enrol().await;
    world.advance(30);
    let mut thief = Person::new(&world);
    for _ in 0..40 {
        let asked = thief.challenged().await;
        let device = Some("11111111-1111-4111-8111-111111111111");
        let token = asked.token.as_str();
        let reply = world.engine.code(token, &thief.client(), device, "123456", false).await;
        refused(reply.unwrap());
    }
    assert_eq!(world.verdicts().await.len(), 11, "the enrolment's, and a window's worth");
    let asked = alice.challenged().await;
    let code = alice.totp(0);
    granted(alice.code(&asked, code.as_str(), false).await);
}

#[tokio::test]
async fn a_first_factor_that_was_checked_under_another_epoch_logs_nobody_in() {
    let world = World::new();
    let mut alice = Person::new(&world);
    let before = alice.enrol().await.assertion.subject().epoch;
    let user = UserId::parse("alice").unwrap();
    let changed = Lifecycle::PasswordChanged { through_mailbox: None };
    assert!(world.engine.report(user.clone(), changed).await.unwrap());
    let passed = countersign_ceremony::engine::Passed {
        user,
        tenant: support::tenant(),
        also: Vec::new(),
        application: None,
        email: None,
        first: FirstFactor::Password,
        epoch: Some(before),
    };
    let reply = world.engine.begin(passed, &Client::default()).await.unwrap();
    assert_eq!(refused(reply), Refusal::LoginOver);
}

#[tokio::test]
async fn what_is_bound_after_a_changed_address_is_the_address_that_was_proven() {
    let world = World::new();
    let to = EmailAddress::parse("new@example.com").unwrap();
    let user = || UserId::parse("alice").unwrap();
    let change = || Lifecycle::AddressChanged { to: to.clone() };
    assert!(world.engine.report(user(), change()).await.unwrap());
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
    assert_eq!(world.mail.all().last().unwrap().to, To::Mailbox(to.clone()));
    let code = world.mail.last_code().unwrap();
    // The changed address is the user's only factor: its first right code binds it.
    granted(alice.email_code(&asked, challenge.as_str(), &code, false).await);
    assert!(world.engine.report(user(), change()).await.unwrap(), "told twice");
    let asked = Person::new(&world).challenged().await;
    assert_eq!(asked.challenged.emails, ["n***@e***.com"], "and takes nothing back");
}

#[tokio::test]
async fn a_changed_address_asks_nobody_for_a_factor_who_never_had_one() {
    let world = World::new();
    world.set_policy(Policy { enforce: Enforce::DontForce, ..world.policy() }).await;
    let user = || UserId::parse("alice").unwrap();
    let to = |text: &str| Lifecycle::AddressChanged { to: EmailAddress::parse(text).unwrap() };
    assert!(world.engine.report(user(), to("new@example.com")).await.unwrap());
    granted(Person::new(&world).begin().await);

    // Whoever had one, if only that address, is asked to prove the new one.
    let only = Strategies { authenticator: false, email: true, ..Strategies::default() };
    let forced = Policy { enforce: Enforce::Force, strategies: only, ..world.policy() };
    world.set_policy(forced.clone()).await;
    let mut alice = Person::new(&world);
    let asked = alice.challenged().await;
    let Reply::Sent { token: challenge, .. } = alice.send_email(&asked).await else { panic!() };
    let code = world.mail.last_code().unwrap();
    granted(alice.email_code(&asked, challenge.as_str(), &code, false).await);
    world.set_policy(Policy { enforce: Enforce::DontForce, ..forced }).await;
    assert!(world.engine.report(user(), to("third@example.com")).await.unwrap());
    let asked = Person::new(&world).challenged().await;
    assert_eq!(asked.challenged.emails, ["t***@e***.com"]);
}
