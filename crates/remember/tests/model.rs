//! Random interleavings of use, theft, parallel tabs, lost answers, revocation, policy changes, new
//! epochs and wrong clocks, against a model that keeps the whole history and knows the rules alone.
//!
//! `COUNTERSIGN_INTERLEAVINGS=1000000` makes the long run of it.
#![allow(clippy::unwrap_used, reason = "a test stops where its own world is wrong")]

use std::collections::BTreeMap;

use countersign_otp::UnixTime;
use countersign_remember::{Browsers, GRACE_SECS, MOST, Policy, Presented};
use countersign_token::FamilyId;
use countersign_vault::Digest;
use proptest::prelude::*;

const START: u64 = 1_800_000_000;
const SKEW: u64 = 30;
/// How many interleavings are told at each push.
const INTERLEAVINGS: u32 = 2_000;

/// What may happen next. Numbers choose among what there is, and wrap.
#[derive(Clone, Debug)]
enum Event {
    /// Seconds pass.
    Pass(u32),
    /// A login completes in a browser that is not known.
    Meet { remember: bool },
    /// A browser presents a secret that it, or its thief, ever had: `back` steps before the newest.
    Present { family: usize, back: usize, completes: bool, remember: bool },
    /// Somebody presents what never was a secret of the family.
    Forge { family: usize },
    /// The user ends a browser.
    Revoke { family: usize },
    /// A reset, a password change, a sign-out everywhere.
    NewEpoch,
    /// The tenant changes its policy.
    Allow { allow: bool, secs: u64 },
    /// A node whose clock is off judges, and settles nothing.
    WrongClock { family: usize, back: usize, now: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    let family = || 0..12_usize;
    let pass = prop_oneof![0..5_u32, 55..65_u32, 100..100_000_u32];
    let back = || prop_oneof![6 => Just(0_usize), 3 => Just(1), 1 => 2..5_usize];
    let now = prop_oneof![Just(0), Just(u64::MAX), START - 100..START + 100_000];
    prop_oneof![
        6 => pass.prop_map(Event::Pass),
        3 => any::<bool>().prop_map(|remember| Event::Meet { remember }),
        16 => (family(), back(), prop::bool::weighted(0.8), any::<bool>()).prop_map(
            |(family, back, completes, remember)| {
                Event::Present { family, back, completes, remember }
            },
        ),
        1 => family().prop_map(|family| Event::Forge { family }),
        1 => family().prop_map(|family| Event::Revoke { family }),
        1 => Just(Event::NewEpoch),
        2 => (any::<bool>(), 1..200_000_u64).prop_map(|(allow, secs)| Event::Allow { allow, secs }),
        2 => (family(), back(), now)
            .prop_map(|(family, back, now)| Event::WrongClock { family, back, now }),
    ]
}

/// One family, as a history: every secret it ever gave out, and when; whether it came back.
#[derive(Clone, Debug, Default)]
struct History {
    secrets: Vec<Given>,
    granted: Option<u64>,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Given {
    secret: u64,
    at: u64,
    came: bool,
}

impl History {
    /// RULES, said naively: from the whole history.
    fn judge(&self, family: FamilyId, secret: u64, policy: &Policy, now: u64) -> Presented {
        let Some(newest) = self.secrets.last().filter(|_| !self.ended) else {
            return Presented::Unknown;
        };
        let remembered = self.remembered(policy, now);
        let age = self.secrets.iter().rev().position(|given| given.secret == secret);
        let replaced = i128::from(now) - i128::from(newest.at);
        let grace = -i128::from(SKEW)..i128::from(GRACE_SECS);
        match age {
            Some(0) => Presented::Known { family, remembered, rotate: true },
            Some(1) if grace.contains(&replaced) => {
                Presented::Known { family, remembered, rotate: false }
            }
            Some(1) if !newest.came => Presented::AnswerLost(family),
            _ => Presented::Stolen(family),
        }
    }

    fn remembered(&self, policy: &Policy, now: u64) -> bool {
        self.granted.is_some_and(|granted| {
            let age = i128::from(now) - i128::from(granted);
            policy.allows() && (-i128::from(SKEW)..i128::from(policy.secs())).contains(&age)
        })
    }

    fn last_used(&self) -> u64 {
        self.secrets.last().map_or(0, |given| given.at)
    }
}

/// The real thing, its model, and the world around them.
struct World {
    browsers: Browsers,
    model: BTreeMap<FamilyId, History>,
    order: Vec<FamilyId>,
    policy: Policy,
    now: u64,
    drawn: u64,
}

impl World {
    fn new() -> Self {
        Self {
            browsers: Browsers::default(),
            model: BTreeMap::new(),
            order: Vec::new(),
            policy: Policy::new(true, Policy::DEFAULT_SECS).unwrap(),
            now: START,
            drawn: 0,
        }
    }

    /// A number that was never drawn before: a secret, or a family.
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    fn time(&self) -> UnixTime {
        UnixTime::from_secs(self.now)
    }

    fn family(&self, chosen: usize) -> Option<FamilyId> {
        let at = chosen.checked_rem(self.order.len())?;
        self.order.iter().rev().nth(at).copied()
    }

    fn secret(&self, family: FamilyId, back: usize) -> u64 {
        let secrets = &self.model[&family].secrets;
        secrets[secrets.len().saturating_sub(1 + back)].secret
    }

    fn step(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match *event {
            Event::Pass(secs) => self.now += u64::from(secs),
            Event::Meet { remember } => self.meet(remember),
            Event::Present { family, back, completes, remember } => {
                let Some(family) = self.family(family) else { return Ok(()) };
                let secret = self.secret(family, back);
                self.present(family, secret, completes, remember)?;
            }
            Event::Forge { family } => {
                let Some(family) = self.family(family) else { return Ok(()) };
                let secret = self.draw();
                self.present(family, secret, true, true)?;
            }
            Event::Revoke { family } => {
                let Some(family) = self.family(family) else { return Ok(()) };
                prop_assert_eq!(self.browsers.revoke(family), !self.model[&family].ended);
                self.end(family);
            }
            Event::NewEpoch => {
                self.browsers.revoke_all();
                self.model.values_mut().for_each(|history| history.ended = true);
            }
            Event::Allow { allow, secs } => self.policy = Policy::new(allow, secs).unwrap(),
            Event::WrongClock { family, back, now } => {
                let Some(family) = self.family(family) else { return Ok(()) };
                let secret = self.secret(family, back);
                let _ = self.agree(family, secret, now)?;
            }
        }
        self.check()
    }

    fn meet(&mut self, remember: bool) {
        let family = FamilyId::from_bytes(u128::from(self.draw()).to_be_bytes());
        let secret = self.draw();
        let living = |(_, history): &(&FamilyId, &History)| !history.ended;
        if self.model.iter().filter(living).count() >= MOST {
            // The first known among the least recently used gives way.
            let used = |family: &&FamilyId| self.model[*family].last_used();
            let lived = self.order.iter().filter(|family| !self.model[*family].ended);
            let oldest = *lived.min_by_key(used).unwrap();
            self.end(oldest);
        }
        self.browsers.meet(family, &digest(secret), self.time());
        let given = Given { secret, at: self.now, came: false };
        self.model.insert(family, History { secrets: vec![given], ..History::default() });
        self.order.push(family);
        self.grant(family, remember);
    }

    /// What decide does with a presented secret.
    fn present(
        &mut self,
        family: FamilyId,
        secret: u64,
        completes: bool,
        remember: bool,
    ) -> Result<(), TestCaseError> {
        match self.agree(family, secret, self.now)? {
            Presented::Unknown => {}
            Presented::Known { rotate, .. } => {
                self.browsers.note_presented(family, &digest(secret));
                let drawn = self.draw();
                let history = self.model.get_mut(&family).unwrap();
                let newest = history.secrets.last_mut().unwrap();
                newest.came |= newest.secret == secret;
                if completes && rotate {
                    history.secrets.push(Given { secret: drawn, at: self.now, came: false });
                    self.browsers.rotate(family, &digest(drawn), self.time());
                }
                self.grant(family, completes && remember);
            }
            Presented::AnswerLost(ended) | Presented::Stolen(ended) => {
                prop_assert_eq!(ended, family, "no other family suffers");
                self.browsers.revoke(family);
                self.end(family);
            }
        }
        Ok(())
    }

    fn grant(&mut self, family: FamilyId, remember: bool) {
        if remember {
            let granted = self.browsers.remember(family, &self.policy, self.time());
            let history = self.model.get_mut(&family).unwrap();
            let begins = self.policy.allows() && !history.remembered(&self.policy, self.now);
            assert_eq!(granted, begins, "a grant that runs is not extended");
            if begins {
                history.granted = Some(self.now);
            }
        }
    }

    fn end(&mut self, family: FamilyId) {
        self.model.get_mut(&family).unwrap().ended = true;
    }

    fn agree(&self, family: FamilyId, secret: u64, now: u64) -> Result<Presented, TestCaseError> {
        let time = UnixTime::from_secs(now);
        let said = self.browsers.judge(family, &digest(secret), &self.policy, time);
        prop_assert_eq!(said, self.model[&family].judge(family, secret, &self.policy, now));
        Ok(said)
    }

    /// What holds at any time, over every secret that was ever given out.
    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert!(self.browsers.list().len() <= MOST);
        let after_grace = self.now + GRACE_SECS;
        for (family, history) in &self.model {
            let known = self.browsers.list().iter().any(|browser| browser.family() == *family);
            prop_assert_eq!(known, !history.ended, "what ended is gone at once");
            let (mut successors, mut lasting) = (0, 0);
            for given in &history.secrets {
                if let Presented::Known { rotate, remembered, .. } =
                    self.agree(*family, given.secret, self.now)?
                {
                    successors += u32::from(rotate);
                    prop_assert!(!remembered || self.policy.allows());
                }
                let later = self.agree(*family, given.secret, after_grace)?;
                lasting += u32::from(matches!(later, Presented::Known { .. }));
            }
            // No fork: one secret alone leads on, and it alone outlives the grace.
            let living = u32::from(!history.ended);
            prop_assert_eq!((successors, lasting), (living, living));
        }
        Ok(())
    }
}

fn config() -> ProptestConfig {
    let asked = std::env::var("COUNTERSIGN_INTERLEAVINGS").ok();
    let cases = asked.map_or(INTERLEAVINGS, |cases| cases.parse().unwrap());
    ProptestConfig::with_cases(cases)
}

fn digest(secret: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&secret.to_be_bytes());
    Digest::from_bytes(bytes)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn browsers_do_what_their_history_says(
        events in prop::collection::vec(event(), 1..120),
    ) {
        let mut world = World::new();
        for event in &events {
            world.step(event)?;
        }
        // And so they do after their encoding.
        let bytes = postcard::to_allocvec(&world.browsers).unwrap();
        world.browsers = postcard::from_bytes(&bytes).unwrap();
        world.check()?;
    }

    /// Owners with tabs and lost answers, and no thief: nobody is told of a theft. A tab logs in with
    /// the cookie as it was when the tab began, at most 59 s before.
    #[test]
    fn an_owner_alone_is_no_thief(
        logins in prop::collection::vec((0..100_000_u64, 1..4_usize, 0..60_u64, any::<bool>()), 1..60),
    ) {
        let mut world = World::new();
        world.meet(true);
        let mut family = world.order[0];
        let mut jar = world.secret(family, 0);
        for (pause, tabs, spread, lost) in logins {
            world.now += GRACE_SECS + pause;
            let began_with = jar;
            for tab in 0..tabs {
                world.now += if tab == 0 { 0 } else { spread / 3 };
                match world.agree(family, began_with, world.now)? {
                    Presented::Stolen(_) => prop_assert!(false, "a false theft"),
                    Presented::Known { rotate, .. } => {
                        world.present(family, began_with, true, false)?;
                        if rotate && !lost {
                            jar = world.secret(family, 0);
                        }
                    }
                    Presented::AnswerLost(_) | Presented::Unknown => {
                        // The second factor is asked, and the browser met again.
                        world.present(family, began_with, true, false)?;
                        world.meet(false);
                        family = *world.order.last().unwrap();
                        jar = world.secret(family, 0);
                        break;
                    }
                }
            }
        }
    }

    /// A thief copies the cookie at some time, and both go on using theirs as they come. By the
    /// time both have used it, the family has ended; neither keeps a secret that works.
    #[test]
    fn a_copy_ends_the_family(
        uses in prop::collection::vec((any::<bool>(), GRACE_SECS..100_000_u64), 3..40),
    ) {
        let mut world = World::new();
        world.meet(true);
        let family = world.order[0];
        let mut jars = [world.secret(family, 0); 2];
        for (thief, pause) in &uses {
            world.now += pause;
            let jar = &mut jars[usize::from(*thief)];
            let said = world.agree(family, *jar, world.now)?;
            world.present(family, *jar, true, false)?;
            if matches!(said, Presented::Known { .. }) {
                *jar = world.secret(family, 0);
            }
        }
        let both = uses.iter().any(|(thief, _)| *thief) && uses.iter().any(|(thief, _)| !thief);
        prop_assert_eq!(world.browsers.list().is_empty(), both);
    }
}
