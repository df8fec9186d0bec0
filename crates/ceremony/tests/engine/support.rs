//! A world with one engine, and a person in it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use countersign_ceremony::assertion::{Assertion, FirstFactor};
use countersign_ceremony::audit::{Audit, Verdict, What};
use countersign_ceremony::codec;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{
    ChallengedReply, Client, Engine, GrantedReply, Passed, Reply, Settings, Tokens,
};
use countersign_ceremony::env::{Clock, Env, FrozenClock, NotedMail};
use countersign_ceremony::incarnation;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::Store;
use countersign_device::{EmailAddress, Label, RealmId, SessionId, TenantId, UserId};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_remember::Cookie;
use countersign_token::Params;

pub(crate) struct World {
    pub(crate) engine: Arc<Engine<MemoryStore>>,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) mail: Arc<NotedMail>,
    store: Arc<MemoryStore>,
    held: Held,
}

/// The tokens of every login, minted when it was granted: what is looked at later is what is held.
pub(crate) type Held = Arc<Mutex<HashMap<SessionId, Tokens>>>;

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_store_clock(0)
    }

    /// A world whose engine is set otherwise.
    pub(crate) fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with(0, change)
    }

    /// A world whose store's clock is so many seconds ahead of the node's.
    pub(crate) fn with_store_clock(ahead: u64) -> Self {
        Self::with(ahead, |_| {})
    }

    fn with(ahead: u64, change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(1_800_000_000)));
        let mail = Arc::new(NotedMail::default());
        let store_clock: Arc<dyn Clock> = match ahead {
            0 => clock.clone(),
            _ => Arc::new(FrozenClock::at(clock.now().saturating_add(ahead))),
        };
        let env = Env { clock: clock.clone(), deliver: mail.clone(), ..Env::for_tests().unwrap() };
        let realm = RealmId::parse("main").unwrap();
        let mut settings = Settings::new(realm, "https://id.example".into(), "app".into());
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        settings.policy = Policy {
            enforce: Enforce::Force,
            remember: countersign_remember::Policy::new(true, 14 * 24 * 3600).unwrap(),
            strategies: Strategies { authenticator: true, email: true, ..Strategies::default() },
            ..Policy::default()
        };
        change(&mut settings);
        let store = Arc::new(MemoryStore::new(store_clock));
        let engine = Engine::new(Arc::clone(&store), env, settings).unwrap();
        Self { engine: Arc::new(engine), clock, mail, store, held: Held::default() }
    }

    /// The store, restored from a backup of this moment, and a node that starts on it.
    pub(crate) async fn restored(self) -> Self {
        let mut env = self.engine.env().clone();
        incarnation::begin(&*self.store, &env).await.unwrap();
        env.incarnation = incarnation::of(&*self.store, &env).await.unwrap();
        let settings = self.engine.settings().clone();
        let engine = Engine::new(Arc::clone(&self.store), env, settings).unwrap();
        Self { engine: Arc::new(engine), ..self }
    }

    /// The tokens that a login brought.
    pub(crate) fn tokens(&self, assertion: &Assertion) -> Tokens {
        held(&self.held, &self.engine, assertion)
    }

    pub(crate) fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.store)
    }

    pub(crate) fn advance(&self, secs: u64) {
        self.clock.advance(secs);
    }

    pub(crate) fn policy(&self) -> Policy {
        self.engine.settings().policy.clone()
    }

    pub(crate) async fn set_policy(&self, policy: Policy) {
        policy.check().unwrap();
        self.engine.set_policy(&tenant(), &policy).await.unwrap();
    }

    pub(crate) async fn events(&self) -> Vec<Audit> {
        let rows = self.engine.store().events(100_000).await.unwrap();
        let vault = &*self.engine.env().vault;
        rows.iter().map(|row| codec::open_event(vault, row).unwrap()).collect()
    }

    pub(crate) async fn verdicts(&self) -> Vec<Verdict> {
        let events = self.events().await.into_iter();
        let judged = events.filter_map(|event| match event.what {
            What::Judged { verdict, .. } => Some(verdict),
            _ => None,
        });
        judged.collect()
    }
}

fn held(held: &Held, engine: &Engine<MemoryStore>, assertion: &Assertion) -> Tokens {
    let mut held = held.lock().unwrap();
    let mint = || engine.mint(assertion).unwrap();
    held.entry(assertion.subject().session).or_insert_with(mint).clone()
}

pub(crate) fn granted(reply: Reply) -> GrantedReply {
    match reply {
        Reply::Granted(granted) => *granted,
        other => panic!("not granted: {other:?}"),
    }
}

pub(crate) fn refused(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Somebody with a browser, and perhaps an app.
pub(crate) struct Person {
    pub(crate) engine: Arc<Engine<MemoryStore>>,
    pub(crate) clock: Arc<FrozenClock>,
    pub(crate) cookie: Cookie,
    pub(crate) user: String,
    pub(crate) first: FirstFactor,
    pub(crate) secret: Option<Secret>,
    /// What a client without cookies keeps.
    pub(crate) nonce: Option<[u8; 32]>,
    /// What the browser says that it is.
    pub(crate) agent: Label,
    pub(crate) held: Held,
}

impl Person {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            engine: world.engine.clone(),
            clock: world.clock.clone(),
            cookie: Cookie::default(),
            user: "alice".into(),
            first: FirstFactor::Password,
            secret: None,
            nonce: None,
            agent: Label::default(),
            held: Arc::clone(&world.held),
        }
    }

    pub(crate) fn client(&self) -> Client {
        let (cookie, agent) = (self.cookie.clone(), self.agent.clone());
        Client { cookie, agent, nonce: self.nonce, ..Client::default() }
    }

    pub(crate) async fn begin(&mut self) -> Reply {
        self.begin_in(&tenant()).await
    }

    /// That the first factor passed.
    pub(crate) fn passed(&self, tenant: &TenantId) -> Passed {
        Passed {
            user: UserId::parse(&self.user).unwrap(),
            tenant: tenant.clone(),
            also: Vec::new(),
            application: None,
            email: Some(EmailAddress::parse(&format!("{}@example.com", self.user)).unwrap()),
            first: self.first,
            epoch: None,
        }
    }

    pub(crate) async fn begin_in(&mut self, tenant: &TenantId) -> Reply {
        let reply = self.engine.begin(self.passed(tenant), &self.client()).await.unwrap();
        self.keep(reply)
    }

    pub(crate) async fn challenged(&mut self) -> ChallengedReply {
        self.challenged_in(&tenant()).await
    }

    pub(crate) async fn challenged_in(&mut self, tenant: &TenantId) -> ChallengedReply {
        match self.begin_in(tenant).await {
            Reply::Challenged(challenged) => *challenged,
            other => panic!("not challenged: {other:?}"),
        }
    }

    pub(crate) async fn enrol(&mut self) -> GrantedReply {
        self.enrolled(0, false).await
    }

    /// Enrols an app whose clock is so many steps ahead; perhaps this browser is to be remembered.
    pub(crate) async fn enrolled(&mut self, steps: i8, remember: bool) -> GrantedReply {
        let asked = self.challenged().await;
        self.secret = Some(asked.challenged.enrolment.unwrap().secret);
        let (token, code) = (asked.token.as_str(), self.totp(steps));
        let reply = self.engine.confirm(token, &self.client(), code.as_str(), remember).await;
        granted(self.keep(reply.unwrap()))
    }

    /// The code that the app shows, so many steps from now.
    pub(crate) fn totp(&self, steps: i8) -> Code {
        let totp = Totp::DEFAULT;
        let step = totp.step_at(self.clock.now()).checked_offset(steps).unwrap();
        totp.code(&totp.key(self.secret.as_ref().unwrap()), step)
    }

    pub(crate) async fn code(
        &mut self,
        asked: &ChallengedReply,
        code: &str,
        remember: bool,
    ) -> Reply {
        let token = asked.token.as_str();
        let reply = self.engine.code(token, &self.client(), None, code, remember).await.unwrap();
        self.keep(reply)
    }

    pub(crate) async fn send_email(&mut self, asked: &ChallengedReply) -> Reply {
        self.engine.send_email(asked.token.as_str(), &self.client()).await.unwrap()
    }

    pub(crate) async fn email_code(
        &mut self,
        asked: &ChallengedReply,
        challenge: &str,
        code: &str,
        remember: bool,
    ) -> Reply {
        let (token, client) = (asked.token.as_str(), self.client());
        let reply = self.engine.email_code(token, &client, challenge, code, remember).await;
        self.keep(reply.unwrap())
    }

    /// Keeps the cookie that an answer sets, and the tokens that it brings, as a browser does.
    pub(crate) fn keep(&mut self, reply: Reply) -> Reply {
        if let Reply::Granted(granted) = &reply {
            let _ = held(&self.held, &self.engine, &granted.assertion);
        }
        if let Some(cookie) = reply.cookie() {
            self.cookie = cookie.clone();
        }
        reply
    }
}
