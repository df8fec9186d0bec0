//! A node over a store, and people with authenticator apps.
#![allow(clippy::print_stderr, reason = "how far a long run is")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::decide::{Import, ImportedApp};
use countersign_ceremony::engine::{Client, MovedIn, MovingIn, Passed, Reply, Settings};
use countersign_ceremony::env::{Clock, Env, FrozenClock, Random, SeededRandom};
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_ceremony::port::Store;
use countersign_device::{Label, RealmId, TenantId, UserId};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_server::config::Config;
use countersign_server::node::Node;
use countersign_server::random::SystemRandom;
use countersign_token::Params;
use countersign_vault::Ring;

use super::Outcome;
use super::counted::Counted;
use super::pass::at_once;

/// How many enrol at once.
const ENROLLING: usize = 64;

/// After how many who moved in it is told how far they are.
const TOLD_AFTER: usize = 250_000;

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
    people: People,
    passes: AtomicUsize,
}

/// Whoever is there.
#[derive(Debug)]
enum People {
    /// They enrolled, and each has the secret that was offered.
    Enrolled(Vec<Person>),
    /// They moved in with secrets that follow from their number, so that ten million take no room here.
    MovedIn(usize),
}

/// Somebody with an app.
#[derive(Clone, Debug)]
struct Person {
    id: UserId,
    secret: Secret,
}

impl People {
    fn count(&self) -> usize {
        match self {
            Self::Enrolled(people) => people.len(),
            Self::MovedIn(count) => *count,
        }
    }

    fn person(&self, n: usize) -> Outcome<Person> {
        match self {
            Self::Enrolled(people) => Ok(people.get(n).ok_or("nobody has this number")?.clone()),
            Self::MovedIn(_) => Person::of_number(n),
        }
    }
}

impl Person {
    fn of_number(n: usize) -> Outcome<Self> {
        let mut bytes = [0; 20];
        SeededRandom::new(u64::try_from(n)?).try_fill(&mut bytes)?;
        Ok(Self { id: id(n)?, secret: Secret::from_bytes(&bytes)? })
    }
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
        let (node, clock) = serve(store, new_ring()?)?;
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
        Ok(Self { node, clock, people: People::Enrolled(people), passes: AtomicUsize::new(0) })
    }

    /// So many people move in with their apps, one commit each, under this ring. Nothing is kept of them here. Tells on
    /// standard error how far it is.
    ///
    /// # Errors
    /// Whatever keeps somebody from moving in.
    pub async fn moved_in(store: S, ring: Ring, people: usize) -> Outcome<Self> {
        let (node, clock) = serve(store, ring)?;
        let done = Arc::new(AtomicUsize::new(0));
        let moving = |task| {
            let (node, done) = (Arc::clone(&node), Arc::clone(&done));
            async move {
                for n in (task..people).step_by(ENROLLING) {
                    move_in(&node, n).await?;
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(TOLD_AFTER) {
                        eprintln!("{done} of {people} have moved in");
                    }
                }
                Ok(())
            }
        };
        at_once(ENROLLING, moving).await?;
        Ok(Self { node, clock, people: People::MovedIn(people), passes: AtomicUsize::new(0) })
    }

    /// Opens a login for `count` people, evenly chosen, others each time, and turns the clock so that each has a new code.
    ///
    /// # Errors
    /// Whatever keeps somebody from beginning.
    pub async fn answers(self: &Arc<Self>, count: usize) -> Outcome<Vec<Answer>> {
        self.clock.advance(Totp::DEFAULT.period().secs());
        let step = (self.people.count() / count.max(1)).max(1);
        let first = self.passes.fetch_add(1, Ordering::Relaxed) % step;
        let opening = |task| {
            let world = Arc::clone(self);
            async move {
                let mut own = Vec::new();
                for n in (task..count.min(world.people.count())).step_by(ENROLLING) {
                    own.push(world.open(&world.people.person(n * step + first)?).await?);
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

/// A node over the store, and its clock.
type Served<S> = (Arc<Node<Counted<S>>>, Arc<FrozenClock>);

fn serve<S: Store>(store: S, ring: Ring) -> Outcome<Served<S>> {
    let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let clock = Arc::new(FrozenClock::at(now));
    let store = Arc::new(Counted::new(store, Arc::clone(&clock) as Arc<dyn Clock>));
    let env = Env {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::new(SystemRandom),
        vault: Arc::new(ring),
        ..Env::for_tests()?
    };
    let config = Config::parse("bench", CONFIG, [])?;
    let mut settings =
        Settings::new(RealmId::parse("main")?, config.issuer.clone(), config.client_id.clone());
    // A verification computes none; enrolling so many people would take an hour of it.
    settings.argon2 = Params::INSECURE_FOR_TESTS;
    Ok((Arc::new(Node::new(store, env, settings, config)?), clock))
}

/// A ring of fresh keys.
///
/// # Errors
/// The system gives no random bytes.
pub fn new_ring() -> Outcome<Ring> {
    Ok(Ring::try_new(|buf: &mut [u8]| SystemRandom.try_fill(buf))?)
}

async fn move_in<S: Store>(node: &Node<Counted<S>>, n: usize) -> Outcome<()> {
    let Person { id, secret } = Person::of_number(n)?;
    let app = ImportedApp {
        secret,
        totp: Totp::DEFAULT,
        spent: None,
        label: Label::clean("phone"),
        is_locked: false,
    };
    let import = Import { tenants: vec![tenant()?], apps: vec![app], ..Import::default() };
    let row = MovingIn { user: Some(id), email: None, password: None, import, root: None };
    match node.engine().move_in(row).await? {
        MovedIn::Moved => Ok(()),
        other => Err(format!("somebody new did not move in: {other:?}").into()),
    }
}

async fn enrol<S: Store>(
    node: &Node<Counted<S>>,
    clock: &FrozenClock,
    n: usize,
) -> Outcome<Person> {
    let (engine, client) = (node.engine(), Client::default());
    let id = id(n)?;
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

fn id(n: usize) -> Outcome<UserId> {
    Ok(UserId::parse(&format!("person-{n}"))?)
}

fn tenant() -> Outcome<TenantId> {
    Ok(TenantId::parse("acme")?)
}
