//! The world that is attacked: two nodes over one store, an owner, and whoever would be the owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::audit::{Audit, Verdict, What};
use countersign_ceremony::codec::{self, Encoding};
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{
    ChallengedReply, Client, Engine, Error, GrantedReply, Passed, Reply, Settings, Tokens,
};
use countersign_ceremony::env::{Clock, Env, FrozenClock, NotedMail};
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_ceremony::port::{Outbox, Store};
use countersign_device::{EmailAddress, RealmId, TenantId, UserId};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_remember::Cookie;
use countersign_token::Params;
use tokio::sync::Barrier;

use super::retimed::Retimed;
use crate::ground::Fresh;

/// When the world begins.
const BEGINNING: u64 = 1_800_000_000;
/// How many events a test of this suite makes at most.
const MANY: usize = 100_000;
/// How long one step of an app lasts.
pub(super) const STEP: u64 = 30;
pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 86_400;

/// Fails the attack's test unless this holds.
macro_rules! hold {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(super) use hold;

/// Two nodes over one store.
pub(super) struct World<S> {
    pub(super) nodes: Vec<Arc<Engine<Retimed<S>>>>,
    pub(super) store: Arc<Retimed<S>>,
    pub(super) clock: Arc<FrozenClock>,
    pub(super) mail: Arc<NotedMail>,
    env: Env,
    settings: Settings,
}

pub(super) fn tenant() -> TenantId {
    TenantId::parse("acme").expect("an id")
}

pub(super) fn alice() -> UserId {
    UserId::parse("alice").expect("an id")
}

pub(super) fn address() -> EmailAddress {
    EmailAddress::parse("alice@example.com").expect("an address")
}

impl<S: Store> World<S> {
    pub(super) fn new(fresh: impl FnOnce(Fresh) -> S) -> Self {
        let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(BEGINNING)));
        let mail = Arc::new(NotedMail::default());
        let store = fresh(Fresh { clock: clock.clone(), outbox: Outbox::default() });
        let store = Arc::new(Retimed { store, clock: clock.clone(), away: AtomicBool::new(false) });
        let env = Env::for_tests().expect("the system gives threads");
        let env = Env { clock: clock.clone(), deliver: mail.clone(), ..env };
        let realm = RealmId::parse("main").expect("an id");
        let mut settings = Settings::new(realm, "https://id.example".into(), "app".into());
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        let usual = Policy::default();
        settings.policy = Policy {
            enforce: Enforce::Force,
            remember: countersign_remember::Policy::new(true, 14 * DAY).expect("a lifetime"),
            strategies: countersign_ceremony::policy::Strategies {
                email: true,
                ..usual.strategies
            },
            ..usual
        };
        let mut world = Self { nodes: Vec::new(), store, clock, mail, env, settings };
        world.restart();
        world
    }

    /// All nodes end, and others take their place.
    pub(super) fn restart(&mut self) {
        let node = |encoding| {
            let (env, settings) = (Env { encoding, ..self.env.clone() }, self.settings.clone());
            Arc::new(Engine::new(Arc::clone(&self.store), env, settings).expect("a key"))
        };
        // As in the middle of a rolling upgrade.
        self.nodes = Encoding::ALL.map(node).into();
    }

    pub(super) fn node(&self) -> &Arc<Engine<Retimed<S>>> {
        self.nodes.first().expect("a node")
    }

    pub(super) fn advance(&self, secs: u64) {
        self.clock.advance(secs);
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn away(&self, away: bool) {
        self.store.away.store(away, Ordering::SeqCst);
    }

    pub(super) fn policy(&self) -> Policy {
        self.settings.policy.clone()
    }

    pub(super) async fn set_policy(&self, policy: Policy) {
        self.node().set_policy(&tenant(), &policy).await.expect("the store answers");
    }

    pub(super) async fn report(&self, report: Lifecycle) -> bool {
        self.node().report(alice(), report).await.expect("the store answers")
    }

    /// What was written down.
    pub(super) async fn events(&self) -> Vec<Audit> {
        let rows = self.store.events(MANY).await.expect("the store answers");
        rows.iter().map(|row| codec::open_event(&*self.env.vault, row).expect("ours")).collect()
    }

    /// How often a verdict was written down.
    pub(super) async fn verdicts(&self, wanted: Verdict) -> usize {
        let events = self.events().await;
        let judged = events.iter().filter(|event| match event.what {
            What::Judged { verdict, .. } => verdict == wanted,
            _ => false,
        });
        judged.count()
    }

    /// A person at a browser of their own.
    pub(super) fn person(&self) -> Person<S> {
        Person {
            nodes: self.nodes.clone(),
            clock: self.clock.clone(),
            cookie: Cookie::default(),
            first: FirstFactor::Password,
            secret: None,
        }
    }

    /// An owner whose app is enrolled, one step later.
    pub(super) async fn owner(&self) -> (Person<S>, GrantedReply) {
        let mut owner = self.person();
        let granted = owner.enrol().await;
        self.advance(STEP);
        (owner, granted)
    }

    /// An owner whose browser is remembered, one step later.
    pub(super) async fn remembered(&self) -> Person<S> {
        let (mut owner, _) = self.owner().await;
        let asked = owner.challenged().await;
        let code = owner.totp(0);
        granted(owner.code(&asked, &code, true).await);
        self.advance(STEP);
        owner
    }
}

pub(super) fn granted(reply: Reply) -> GrantedReply {
    match reply {
        Reply::Granted(granted) => *granted,
        other => panic!("not granted: {other:?}"),
    }
}

pub(super) fn is_granted(reply: &Reply) -> bool {
    matches!(reply, Reply::Granted(_))
}

pub(super) fn refusal(reply: &Reply) -> Option<Refusal> {
    match reply {
        Reply::Refused(refusal) => Some(*refusal),
        _ => None,
    }
}

/// Somebody at a browser, and perhaps with an app.
pub(super) struct Person<S> {
    pub(super) nodes: Vec<Arc<Engine<Retimed<S>>>>,
    pub(super) clock: Arc<FrozenClock>,
    pub(super) cookie: Cookie,
    pub(super) first: FirstFactor,
    pub(super) secret: Option<Secret>,
}

impl<S: Store> Person<S> {
    pub(super) fn node(&self) -> &Arc<Engine<Retimed<S>>> {
        self.nodes.first().expect("a node")
    }

    pub(super) fn client(&self) -> Client {
        Client { cookie: self.cookie.clone(), ..Client::default() }
    }

    pub(super) fn passed(&self) -> Passed {
        Passed {
            user: alice(),
            tenant: tenant(),
            also: Vec::new(),
            application: None,
            email: Some(address()),
            first: self.first,
            epoch: None,
        }
    }

    pub(super) async fn tried(&mut self) -> Result<Reply, Error> {
        let reply = self.node().begin(self.passed(), &self.client()).await?;
        Ok(self.keep(reply))
    }

    /// The tokens of a login.
    pub(super) fn tokens(&self, granted: &GrantedReply) -> Tokens {
        self.node().mint(&granted.assertion).expect("tokens")
    }

    pub(super) async fn begin(&mut self) -> Reply {
        self.tried().await.expect("the store answers")
    }

    pub(super) async fn challenged(&mut self) -> ChallengedReply {
        match self.begin().await {
            Reply::Challenged(asked) => *asked,
            other => panic!("not asked: {other:?}"),
        }
    }

    pub(super) async fn enrol(&mut self) -> GrantedReply {
        let asked = self.challenged().await;
        self.secret = asked.challenged.enrolment.map(|shown| shown.secret);
        let code = self.totp(0);
        let client = self.client();
        let confirmed = self.node().confirm(asked.token.as_str(), &client, &code, false);
        let reply = confirmed.await.expect("the store answers");
        granted(self.keep(reply))
    }

    /// What the app shows, so many steps from now.
    pub(super) fn totp(&self, steps: i8) -> String {
        let totp = Totp::DEFAULT;
        let step = totp.step_at(self.clock.now()).checked_offset(steps).expect("a step");
        let key = totp.key(self.secret.as_ref().expect("an app"));
        let code: Code = totp.code(&key, step);
        code.as_str().to_owned()
    }

    /// A code that no step near now has.
    pub(super) fn wrong(&self) -> String {
        let near: Vec<String> = (-3..=3).map(|steps| self.totp(steps)).collect();
        let mut codes = (0..10_000).map(|n| format!("{n:06}"));
        codes.find(|code| !near.contains(code)).expect("some code is wrong")
    }

    pub(super) async fn code(
        &mut self,
        asked: &ChallengedReply,
        code: &str,
        remember: bool,
    ) -> Reply {
        let client = self.client();
        let judged = self.node().code(asked.token.as_str(), &client, None, code, remember);
        let reply = judged.await.expect("the store answers");
        self.keep(reply)
    }

    /// One more login by the app.
    pub(super) async fn log_in(&mut self) -> Reply {
        let asked = self.challenged().await;
        let code = self.totp(0);
        self.code(&asked, &code, false).await
    }

    /// Has a code sent by mail; what names it afterwards.
    pub(super) async fn send(&self, asked: &ChallengedReply) -> Result<String, Refusal> {
        let client = self.client();
        let sent = self.node().send_email(asked.token.as_str(), &client);
        match sent.await.expect("the store answers") {
            Reply::Sent { token, .. } => Ok(token.as_str().to_owned()),
            Reply::Refused(refusal) => Err(refusal),
            other => panic!("not sent: {other:?}"),
        }
    }

    pub(super) async fn email_code(
        &mut self,
        asked: &ChallengedReply,
        challenge: &str,
        code: &str,
    ) -> Reply {
        let (token, client) = (asked.token.as_str(), self.client());
        let judged = self.node().email_code(token, &client, challenge, code, false);
        let reply = judged.await.expect("the store answers");
        self.keep(reply)
    }

    /// Keeps the cookie that an answer sets, as a browser does.
    pub(super) fn keep(&mut self, reply: Reply) -> Reply {
        if let Some(cookie) = reply.cookie() {
            self.cookie = cookie.clone();
        }
        reply
    }
}

/// Releases `tasks` at once on real threads, and collects what they answer.
pub(super) async fn race<F, T>(tasks: Vec<F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks.len()));
    let running: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in running {
        answers.push(task.await.expect("no task panics"));
    }
    answers
}
