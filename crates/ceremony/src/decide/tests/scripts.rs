//! Whatever is done, in whatever order: what holds for every record, event and time.

use super::*;

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
