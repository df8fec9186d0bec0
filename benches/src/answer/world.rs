//! A node over a store, and people with authenticator apps.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::engine::{Client, Passed, Reply, Settings};
use countersign_ceremony::env::{Clock, Env, FrozenClock};
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_ceremony::port::Store;
use countersign_device::{RealmId, TenantId, UserId};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_server::config::Config;
use countersign_server::node::Node;
use countersign_server::random::SystemRandom;
use countersign_token::Params;

use super::Outcome;
use super::counted::Counted;
use super::pass::at_once;

/// How many enrol at once.
const ENROLLING: usize = 64;

const CONFIG: &str = r#"
    listen = "127.0.0.1:0"
    client_id = "b6adfe4c-d695-4c04-b95f-3ec9fd0c6cca"
    data = "unused"
    outbox = "unused"
    deadline_seconds = 60
    [[tenants]]
    id = "acme"
"#;

/// A node, its people, and their clock.
#[derive(Debug)]
pub struct World<S> {
    /// The node.
    pub node: Arc<Node<Counted<S>>>,
    clock: Arc<FrozenClock>,
    people: Vec<Person>,
}

/// Somebody with an app.
#[derive(Debug)]
struct Person {
    id: UserId,
    secret: Secret,
}

/// What somebody answers with: an open login, and the code that the app shows.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The login's token.
    pub token: String,
    /// The code.
    pub code: Code,
}

impl<S: Store> World<S> {
    /// Enrols so many people, all through the engine. Their clock begins at the system's time.
    ///
    /// # Errors
    /// Whatever keeps somebody from enrolling.
    pub async fn populate(store: S, people: usize) -> Outcome<Self> {
        let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let clock = Arc::new(FrozenClock::at(now));
        let store = Arc::new(Counted::new(store, Arc::clone(&clock) as Arc<dyn Clock>));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            ..Env::for_tests()?
        };
        let config = Config::parse("bench", CONFIG, [])?;
        let mut settings =
            Settings::new(RealmId::parse("main")?, config.issuer.clone(), config.client_id.clone());
        // A verification computes none; enrolling so many people would take an hour of it.
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        let node = Arc::new(Node::new(store, env, settings, config)?);
        // Nobody would be asked to enrol otherwise.
        let policy = Policy { enforce: Enforce::Force, ..node.engine().settings().policy.clone() };
        node.engine().set_policy(&tenant()?, &policy).await?;

        let mut enrolled = Vec::new();
        let enrolling = |task| {
            let (node, clock) = (Arc::clone(&node), Arc::clone(&clock));
            async move {
                let mut own = Vec::new();
                for n in (task..people).step_by(ENROLLING) {
                    own.push((n, enrol(&node, &clock, n).await?));
                }
                Ok(own)
            }
        };
        for own in at_once(ENROLLING, enrolling).await? {
            enrolled.extend(own);
        }
        enrolled.sort_by_key(|(n, _)| *n);
        let people = enrolled.into_iter().map(|(_, person)| person).collect();
        Ok(Self { node, clock, people })
    }

    /// Opens a login for `count` people, evenly chosen, and turns the clock so that each has a new code.
    ///
    /// # Errors
    /// Whatever keeps somebody from beginning.
    pub async fn answers(self: &Arc<Self>, count: usize) -> Outcome<Vec<Answer>> {
        self.clock.advance(Totp::DEFAULT.period().secs());
        let step = (self.people.len() / count.max(1)).max(1);
        let opening = |task| {
            let world = Arc::clone(self);
            async move {
                let mut own = Vec::new();
                for n in (task..count.min(world.people.len())).step_by(ENROLLING) {
                    if let Some(person) = world.people.get(n * step) {
                        own.push(world.open(person).await?);
                    }
                }
                Ok(own)
            }
        };
        Ok(at_once(ENROLLING, opening).await?.into_iter().flatten().collect())
    }

    async fn open(&self, person: &Person) -> Outcome<Answer> {
        let reply = self.node.engine().begin(passed(&person.id)?, &Client::default()).await?;
        let Reply::Challenged(asked) = reply else {
            return Err(format!("{:?} was not asked for a code: {reply:?}", person.id).into());
        };
        let token = asked.token.as_str().to_owned();
        Ok(Answer { token, code: shown(&self.clock, &person.secret) })
    }
}

async fn enrol<S: Store>(
    node: &Node<Counted<S>>,
    clock: &FrozenClock,
    n: usize,
) -> Outcome<Person> {
    let (engine, client) = (node.engine(), Client::default());
    let id = UserId::parse(&format!("person-{n}"))?;
    let Reply::Challenged(asked) = engine.begin(passed(&id)?, &client).await? else {
        return Err("a new user was not asked to enrol".into());
    };
    let enrolment = asked.challenged.enrolment.ok_or("a new user was offered no app")?;
    let code = shown(clock, &enrolment.secret);
    match engine.confirm(asked.token.as_str(), &client, code.as_str(), false).await? {
        Reply::Granted(_) => Ok(Person { id, secret: enrolment.secret }),
        reply => Err(format!("an enrolment was not granted: {reply:?}").into()),
    }
}

/// The code that an app shows now.
fn shown(clock: &FrozenClock, secret: &Secret) -> Code {
    let totp = Totp::DEFAULT;
    totp.code(&totp.key(secret), totp.step_at(clock.now()))
}

fn passed(user: &UserId) -> Outcome<Passed> {
    Ok(Passed {
        user: user.clone(),
        tenant: tenant()?,
        application: None,
        email: None,
        first: FirstFactor::Password,
        epoch: None,
        also: Vec::new(),
    })
}

fn tenant() -> Outcome<TenantId> {
    Ok(TenantId::parse("acme")?)
}
