//! The nodes: each a real engine, with a clock of its own, that may die and come back.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_ceremony::codec::Encoding;
use countersign_ceremony::engine::{Engine, Error, Reply, Settings, Tokens};
use countersign_ceremony::env::{
    Busy, Clock, Env, Later, NoPasskeys, NoRandomness, NotedMail, Random, Workers,
};
use countersign_ceremony::names::Names;
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_ceremony::record::Class;
use countersign_device::{RealmId, UserId, UserKey};
use countersign_otp::UnixTime;
use countersign_token::{Ed25519, Params};
use countersign_vault::{Ring, Vault};
use tokio::sync::oneshot;

use super::bug::Bug;
use super::clockwork::{Clockwork, Group};
use super::disk::{Disk, Kept, Platter};
use super::plan::Plan;

/// When the world begins, in seconds since 1970.
const BEGINNING: u64 = 1_800_000_000;

/// The time that a right clock shows.
pub(super) fn true_time(world: &Clockwork) -> UnixTime {
    UnixTime::from_secs(BEGINNING.saturating_add(world.now() / 1_000))
}

/// A clock that may be off.
pub(super) struct Dial {
    world: Clockwork,
    off: AtomicI64,
}

impl Dial {
    pub(super) fn new(world: &Clockwork, off: i64) -> Arc<Self> {
        Arc::new(Self { world: world.clone(), off: AtomicI64::new(off) })
    }

    pub(super) fn turn(&self, seconds: i64) {
        self.off.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for Dial {
    fn now(&self) -> UnixTime {
        let now = true_time(&self.world).secs();
        UnixTime::from_secs(now.saturating_add_signed(self.off.load(Ordering::Relaxed)))
    }

    fn pause(&self, millis: u64) -> Later<'_, ()> {
        Box::pin(self.world.sleep(millis))
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

/// Everything random comes from the one seed.
#[derive(Debug)]
struct Dice(Clockwork);

impl Random for Dice {
    fn try_fill(&self, buf: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(buf);
        Ok(())
    }
}

/// Costly work is done at once: its cost is none of this simulation's.
#[derive(Debug)]
struct AtOnce;

impl Workers for AtOnce {
    fn run(&self, _: Class, job: Box<dyn FnOnce() + Send>) -> Later<'_, Result<(), Busy>> {
        job();
        Box::pin(std::future::ready(Ok(())))
    }
}

/// All nodes, and what they share.
pub(super) struct Site {
    pub(super) world: Clockwork,
    pub(super) platter: Arc<Platter>,
    pub(super) store_clock: Arc<Dial>,
    nodes: Vec<Node>,
    plan: Plan,
    env: Env,
    settings: Settings,
}

struct Node {
    clock: Arc<Dial>,
    /// Every second node writes the next one, as in the middle of a rolling upgrade.
    encoding: Encoding,
    running: Mutex<Running>,
}

#[derive(Clone)]
struct Running {
    group: Group,
    engine: Arc<Engine<Disk>>,
}

/// What a node says, with the tokens of a login that it granted.
pub(super) type Answer = (Reply, Option<Tokens>);

/// A node answers as the server does: it mints before it answers.
pub(super) fn answered(node: &Engine<Disk>, reply: Reply) -> Result<Answer, Error> {
    let tokens = match &reply {
        Reply::Granted(granted) => Some(node.mint(&granted.assertion)?),
        _ => None,
    };
    Ok((reply, tokens))
}

/// No answer: the node died, or said that no decision was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoAnswer {
    Died,
    Failed(Error),
}

/// Why a world did not come up: its settings do not fit together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NoWorld;

impl Site {
    pub(super) fn build(
        world: &Clockwork,
        plan: &Plan,
        users: &[UserId],
        bug: Option<Bug>,
    ) -> Result<Arc<Self>, NoWorld> {
        let dice = Arc::new(Dice(world.clone()));
        let ring = Ring::try_new(|buf| dice.try_fill(buf)).map_err(|_| NoWorld)?;
        let vault: Arc<dyn Vault> = Arc::new(ring);
        let sign = Ed25519::try_new(|buf| dice.try_fill(buf)).map_err(|_| NoWorld)?;
        let realm = RealmId::parse("main").map_err(|_| NoWorld)?;
        let mut settings = Settings::new(realm.clone(), "https://id.example".into(), "app".into());
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        settings.policy = Policy {
            enforce: Enforce::Force,
            remember: countersign_remember::Policy::new(true, 14 * 24 * 3_600)
                .map_err(|_| NoWorld)?,
            ..Policy::default()
        };
        let store_clock = Dial::new(world, 0);
        let names = Names(&*vault);
        let keys = users.iter().map(|user| names.user(&UserKey::new(realm.clone(), user.clone())));
        let platter = Arc::new(Platter {
            clockwork: world.clone(),
            clock: store_clock.clone(),
            users: keys.collect(),
            vault: Arc::clone(&vault),
            bug,
            kept: Mutex::new(Kept::new(store_clock.clone())),
        });
        let env = Env {
            clock: store_clock.clone(),
            random: dice,
            vault,
            sign: Arc::new(sign),
            deliver: Arc::new(NotedMail::default()),
            workers: Arc::new(AtOnce),
            relying_party: Arc::new(NoPasskeys),
            node: "simulated".into(),
            incarnation: countersign_ceremony::incarnation::Incarnation::default(),
            encoding: Encoding::default(),
        };
        let mut site = Self {
            world: world.clone(),
            platter,
            store_clock,
            nodes: Vec::new(),
            plan: plan.clone(),
            env,
            settings,
        };
        for (skew, encoding) in plan.skews.iter().zip(Encoding::ALL.into_iter().cycle()) {
            let clock = Dial::new(world, *skew);
            let running = site.start(&clock, encoding, &site.platter)?;
            site.nodes.push(Node { clock, encoding, running: Mutex::new(running) });
        }
        Ok(Arc::new(site))
    }

    fn start(
        &self,
        clock: &Arc<Dial>,
        encoding: Encoding,
        platter: &Arc<Platter>,
    ) -> Result<Running, NoWorld> {
        let disk = Disk { platter: Arc::clone(platter), weather: self.plan.weather };
        let env = Env { clock: clock.clone(), encoding, ..self.env.clone() };
        let engine = Engine::new(Arc::new(disk), env, self.settings.clone());
        let engine = Arc::new(engine.map_err(|_| NoWorld)?);
        Ok(Running { group: self.world.group(), engine })
    }

    pub(super) fn vault(&self) -> &dyn Vault {
        &*self.env.vault
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    pub(super) fn realm(&self) -> RealmId {
        self.settings.realm.clone()
    }

    fn running(node: &Node) -> MutexGuard<'_, Running> {
        node.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks some node something, as a client does over a connection that may break.
    pub(super) async fn ask<T, F>(
        &self,
        question: impl FnOnce(Arc<Engine<Disk>>) -> F,
    ) -> Result<T, NoAnswer>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let drawn = self.world.below(self.nodes.len() as u64);
        let drawn = usize::try_from(drawn).unwrap_or(0);
        let Some(node) = self.nodes.get(drawn) else { return Err(NoAnswer::Died) };
        let Running { group, engine } = Self::running(node).clone();
        let (tell, told) = oneshot::channel();
        let question = question(engine);
        self.world.spawn(group, async move {
            // Nobody listens any more where the client is gone.
            let _ = tell.send(question.await);
        });
        match told.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(NoAnswer::Failed(error)),
            Err(_) => Err(NoAnswer::Died),
        }
    }

    /// A node dies between two moves, and another process takes its place.
    pub(super) fn crash(&self, node: usize) {
        let Some(node) = self.nodes.get(node) else { return };
        let platter = Arc::clone(&Self::running(node).engine.store().platter);
        let Ok(next) = self.start(&node.clock, node.encoding, &platter) else { return };
        let died = std::mem::replace(&mut *Self::running(node), next);
        self.world.kill(died.group);
    }

    /// The last node goes on with a copy of everything, as after a failover that went wrong.
    pub(super) async fn split(&self) {
        let Some(node) = self.nodes.last() else { return };
        let copy = Arc::new(self.platter.copied().await);
        let Ok(next) = self.start(&node.clock, node.encoding, &copy) else { return };
        let died = std::mem::replace(&mut *Self::running(node), next);
        self.world.kill(died.group);
    }

    /// Turns the clock of the first node, and the store's with it.
    pub(super) fn turn(&self, seconds: i64, with_store: bool) {
        if let Some(node) = self.nodes.first() {
            node.clock.turn(seconds);
        }
        if with_store {
            self.store_clock.turn(seconds);
        }
    }
}
