//! The simulation: the real engine in a world that is drawn from one seed.
//!
//! Because decide is a function and a store is two verbs, several nodes with skewed clocks, owners,
//! attackers, and a store that delays, fails, loses requests and replies, lets settles arrive after
//! their senders died, and forgets what it acknowledged, all run on one thread in virtual time.
//! Nodes die between any two moves. A story is the same whenever its seed is: a seed that breaks an
//! invariant is printed by whoever runs many, and replays.
//!
//! A checker reads what people saw and what is on the disk; [`Bug`] plants what each of its
//! invariants must find.

mod bug;
mod checker;
mod clockwork;
mod disk;
mod epilogue;
mod history;
mod people;
mod plan;
mod site;
mod thieves;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_ceremony::port::{EventId, Store};
use countersign_device::{EmailAddress, TenantId, UserId};

pub use bug::{Bug, Invariant};

use checker::Remains;
use clockwork::{Clockwork, Group};
use history::{History, Seen};
use people::{Account, Person};
use plan::{Attack, Plan};
use site::{NoWorld, Site};

/// How a story went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Story {
    /// Its seed.
    pub seed: u64,
    /// Logins that were granted.
    pub granted: usize,
    /// Codes that were judged and refused.
    pub refused: usize,
    /// Questions without an answer.
    pub unanswered: usize,
    /// How often an owner was let in.
    pub let_in: usize,
    /// Events that were delivered.
    pub events: usize,
    /// What was seen broken.
    pub broken: Vec<(Invariant, String)>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, granted, refused, unanswered, let_in, events, broken } = self;
        write!(f, "seed {seed}: {granted} granted ({let_in} to owners), {refused} refused, ")?;
        write!(f, "{unanswered} unanswered, {events} events")?;
        for (invariant, what) in broken.iter().take(TOLD) {
            write!(f, "\nBROKEN: {invariant}: {what}")?;
        }
        match broken.len().checked_sub(TOLD) {
            Some(more) if more > 0 => write!(f, "\nand {more} more"),
            _ => Ok(()),
        }
    }
}

/// How many broken things are told one by one.
const TOLD: usize = 6;

/// Tells the story of a seed, with a bug planted where one is named.
///
/// # Panics
/// Never: a world that cannot be built is a story in which nothing happened.
#[must_use]
pub fn simulate(seed: u64, bug: Option<Bug>) -> Story {
    tell(seed, bug).unwrap_or(Story {
        seed,
        granted: 0,
        refused: 0,
        unanswered: 0,
        let_in: 0,
        events: 0,
        broken: Vec::new(),
    })
}

fn tell(seed: u64, bug: Option<Bug>) -> Result<Story, NoWorld> {
    let world = Clockwork::new(seed);
    let plan = match bug {
        Some(bug) => Plan::draw(&world).for_bug(bug),
        None => Plan::draw(&world),
    };
    let accounts: Vec<Arc<Account>> = ["alice", "bob"]
        .iter()
        .enumerate()
        .map(|(n, name)| account(n, name))
        .collect::<Result<_, _>>()?;
    let users: Vec<UserId> = accounts.iter().map(|account| account.user.clone()).collect();
    let site = Site::build(&world, &plan, &users, bug)?;
    let history = History::default();
    let drain = Drain::default();
    for account in &accounts {
        let person = || Person {
            site: Arc::clone(&site),
            history: history.clone(),
            account: Arc::clone(account),
            watched: plan.attack == Attack::Password,
        };
        world.spawn(Group::WORLD, person().own(plan.acts));
        for _ in 0..3 {
            match plan.attack {
                Attack::Password => world.spawn(Group::WORLD, person().steal()),
                Attack::Name if bug == Some(Bug::NoPassword) => {
                    world.spawn(Group::WORLD, person().steal());
                }
                Attack::Name => world.spawn(Group::WORLD, person().rattle()),
            }
        }
    }
    misfortunes(&site, &plan, bug, &drain);
    world.run();
    for account in &accounts {
        let person = Person {
            site: Arc::clone(&site),
            history: history.clone(),
            account: Arc::clone(account),
            watched: plan.attack == Attack::Password,
        };
        world.spawn(Group::WORLD, person.copy(!plan.failovers.is_empty()));
        world.run();
    }
    let broken = Arc::new(Mutex::new(Vec::new()));
    let (found, heard) = (Arc::clone(&broken), history.clone());
    let (last, told) = (Arc::clone(&site), drain.clone());
    world.spawn(Group::WORLD, async move {
        told.empty(&last, usize::MAX).await;
        let (seen, delivered) = (heard.all(), told.all());
        let remains = Remains { site: &last, plan: &plan, users: &users, seen, delivered };
        let checked = remains.check().await;
        found.lock().unwrap_or_else(PoisonError::into_inner).extend(checked);
    });
    world.run();
    let broken = std::mem::take(&mut *broken.lock().unwrap_or_else(PoisonError::into_inner));
    let seen = history.all();
    let count = |of: fn(&Seen) -> bool| seen.iter().filter(|(_, seen)| of(seen)).count();
    Ok(Story {
        seed,
        granted: count(|seen| matches!(seen, Seen::Granted { .. })),
        refused: count(|seen| matches!(seen, Seen::Refused { .. })),
        unanswered: count(|seen| matches!(seen, Seen::Silence { .. })),
        let_in: count(|seen| matches!(seen, Seen::LetIn { .. })),
        events: drain.all().len(),
        broken,
    })
}

fn account(number: usize, name: &str) -> Result<Arc<Account>, NoWorld> {
    let user = UserId::parse(name).map_err(|_| NoWorld)?;
    let tenant = TenantId::parse("acme").map_err(|_| NoWorld)?;
    let address = EmailAddress::parse(&format!("{name}@example.com")).map_err(|_| NoWorld)?;
    Ok(Arc::new(Account::new(number, user, tenant, address)))
}

/// What befalls the site, each at its time.
fn misfortunes(site: &Arc<Site>, plan: &Plan, bug: Option<Bug>, drain: &Drain) {
    let world = &site.world;
    for (node, at) in plan.crashes.clone() {
        let site = Arc::clone(site);
        world.spawn(Group::WORLD, async move {
            site.world.sleep(at).await;
            site.crash(node);
        });
    }
    for at in plan.failovers.clone() {
        let site = Arc::clone(site);
        world.spawn(Group::WORLD, async move {
            site.world.sleep(at).await;
            let last = 1_u64.saturating_add(site.world.below(3));
            site.platter.forget(usize::try_from(last).unwrap_or(1)).await;
        });
    }
    if let Some(jump) = plan.jump {
        let site = Arc::clone(site);
        world.spawn(Group::WORLD, async move {
            site.world.sleep(jump.at).await;
            site.turn(jump.seconds, jump.with_store);
            site.world.sleep(jump.lasts).await;
            site.turn(jump.seconds.saturating_neg(), jump.with_store);
        });
    }
    if bug == Some(Bug::SplitBrain) {
        let site = Arc::clone(site);
        world.spawn(Group::WORLD, async move {
            site.world.sleep(8 * 60_000).await;
            site.split().await;
        });
    }
    let (site, drain) = (Arc::clone(site), drain.clone());
    world.spawn(Group::WORLD, async move {
        for _ in 0..20 {
            site.world.sleep(site.world.below(60_000)).await;
            drain.empty(&site, 20).await;
        }
    });
}

/// Whoever delivers events: reads some, and forgets what was read.
#[derive(Clone, Default)]
struct Drain(Arc<Mutex<Vec<EventId>>>);

impl Drain {
    async fn empty(&self, site: &Site, limit: usize) {
        let memory = site.platter.memory();
        let Ok(rows) = memory.events(limit).await else { return };
        let ids: Vec<EventId> = rows.iter().map(|row| row.id).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(&ids);
        let _ = memory.forget(&ids).await;
    }

    fn all(&self) -> Vec<EventId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
