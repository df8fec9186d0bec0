//! The ledger over a year: an owner who logs in every day, and attackers who try at every minute of it.
//!
//! Ten thousand attackers at once get no more from one minute than the ones that try here: what is judged is bounded by
//! the owner's record, and once it refuses it refuses all of them alike. So each minute one of them tries, by each factor
//! in turn, as often as a login lets it or until it is refused.

#![expect(clippy::expect_used, clippy::panic, reason = "a world for tests")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{
    ChallengedReply, Client, Engine, GrantedReply, Reply, Settings,
};
use countersign_ceremony::env::{Body, Deliver, Env, FrozenClock, Later, Message, NotDelivered};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::{Outbox, WhenFull};
use countersign_ceremony::rules::GUESSES_A_LOGIN;
use countersign_device::{EmailAddress, PhoneChannel, PhoneNumber, RealmId, TenantId};
use countersign_otp::{Secret, Totp, UnixTime};
use countersign_remember::Cookie;
use countersign_token::Params;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};
use zeroize::Zeroizing;

const BEGINNING: u64 = 1_800_000_000;
const MINUTE: u64 = 60;
/// Minutes of a day.
const DAY: u32 = 24 * 60;
const OWNER: &str = "owner@example.com";
const PASSWORD: &str = "the right password";
/// Of so many codes the owner mistypes one.
const MISTYPED: u32 = 30;
/// A code of six digits is one of so many.
const CODES: f64 = 1e6;

/// What the attackers know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Knowing {
    /// The password, and so how to come to the second factor.
    ThePassword,
    /// The address alone.
    TheName,
}

/// What came of it.
#[derive(Clone, Default, Debug)]
pub struct Told {
    /// How many days it was.
    pub days: u32,
    /// How often attackers tried at all.
    pub tries: u64,
    /// How many of their guesses were judged.
    pub judged: u64,
    /// The chance that one of them was right, added up: each for as many codes as would have been accepted.
    pub chance: f64,
    /// How many were right.
    pub won: u64,
    /// The day from which on nothing more of theirs was judged.
    pub closed_after: u32,
    /// How often the owner logged in.
    pub logins: u64,
    /// How often the owner mistyped.
    pub mistyped: u64,
    /// The days on which the owner was refused, if only once.
    pub refused_on: Vec<u32>,
    /// Mails and messages that were sent.
    pub messages: u64,
    /// A browser that was remembered in the end was asked nothing.
    pub remembered_works: bool,
    /// The recovery code worked in the end.
    pub recovery_works: bool,
}

/// Counts messages, and keeps the last code.
#[derive(Debug, Default)]
struct Post {
    sent: AtomicU64,
    code: Mutex<Option<String>>,
}

impl Deliver for Post {
    fn deliver(&self, message: Message) -> Later<'_, Result<(), NotDelivered>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if let Body::Code { code, .. } = &message.body {
            let mut kept = self.code.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(code.as_str().to_owned());
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// An engine, its owner, and what happened so far.
struct Year {
    engine: Engine<MemoryStore>,
    clock: Arc<FrozenClock>,
    post: Arc<Post>,
    random: ChaCha20Rng,
    apps: Vec<Secret>,
    recovery: String,
    cookie: Cookie,
    told: Told,
}

/// Runs so many days, all that is random from this seed. `progress` hears of each day that is over.
///
/// # Panics
/// The engine refuses its owner before anybody attacks.
pub async fn simulate(days: u32, knowing: Knowing, seed: u64, progress: impl Fn(u32)) -> Told {
    let mut year = Year::begun(seed).await;
    for day in 0..days {
        let mut due = year.random.random_range(0..DAY);
        for minute in 0..DAY {
            match knowing {
                Knowing::ThePassword => year.guess(day, minute).await,
                Knowing::TheName => year.knock().await,
            }
            // Who is refused tries again a minute later.
            if minute >= due && year.owner_logs_in(day).await {
                due = DAY;
            }
            year.clock.advance(MINUTE);
        }
        progress(day);
    }
    year.told.days = days;
    year.ended().await
}

fn address() -> EmailAddress {
    EmailAddress::parse(OWNER).expect("an address")
}

fn password(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

impl Year {
    async fn begun(seed: u64) -> Self {
        let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(BEGINNING)));
        let post = Arc::new(Post::default());
        let env = Env::for_tests().expect("a thread");
        let env = Env { clock: clock.clone(), deliver: post.clone(), ..env };
        let realm = RealmId::parse("main").expect("an id");
        let mut settings = Settings::new(realm, "https://id.example".into(), "app".into());
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        settings.policy = Policy {
            enforce: Enforce::Force,
            remember: countersign_remember::Policy::new(true, 14 * 86_400).expect("a lifetime"),
            strategies: Strategies {
                authenticator: true,
                email: true,
                sms: true,
                ..Strategies::default()
            },
            ..Policy::default()
        };
        let outbox = Outbox { bound: 1000, when_full: WhenFull::DropOldest };
        let store = MemoryStore::with_outbox(clock.clone(), outbox);
        let engine = Engine::new(Arc::new(store), env, settings).expect("a key");
        let tenant = TenantId::parse("acme").expect("an id");
        let added = engine.directory().add(&address(), password(PASSWORD), vec![tenant]).await;
        added.expect("the store answers").expect("nobody was there before");
        let random = ChaCha20Rng::seed_from_u64(seed);
        let (apps, recovery) = (Vec::new(), String::new());
        let (cookie, told) = (Cookie::default(), Told::default());
        let mut year = Self { engine, clock, post, random, apps, recovery, cookie, told };
        year.enrol().await;
        year
    }

    /// Three apps, the address, and a phone.
    async fn enrol(&mut self) {
        let asked = self.challenged(&self.client()).await.expect("a challenge");
        let secret = asked.challenged.enrolment.expect("a secret").secret;
        self.apps.push(secret);
        let code = self.shown(0);
        let confirmed =
            self.engine.confirm(asked.token.as_str(), &self.client(), &code, false).await;
        let granted = self.keep(confirmed.expect("the store answers")).expect("an enrolment");
        self.recovery = granted.recovery.as_ref().expect("a code").reveal().to_string();
        let tokens = self.engine.mint(&granted.assertion).expect("tokens");
        let authenticated = self.engine.authenticate(&tokens.access).await;
        let session = authenticated.expect("the store answers").expect("a session");
        let (account, client) = (session.account(), self.client());
        for name in ["Tablet", "Desk"] {
            let Ok(Reply::Enrolment(shown)) = self.engine.enrol_app(account, &client).await else {
                panic!("a fresh session adds an app")
            };
            self.apps.push(shown.secret);
            let code = self.shown(self.apps.len() - 1);
            let added = self.engine.confirm_app(account, &client, &code, name).await;
            assert!(matches!(added, Ok(Reply::Added { .. })), "{added:?}");
        }
        let number = PhoneNumber::parse("+15550100123").expect("a number");
        let sms = PhoneChannel::Sms;
        let sent = self.engine.add_phone(account, &client, number, sms).await;
        let Ok(Reply::Sent { token, .. }) = sent else { panic!("not sent: {sent:?}") };
        let code = self.mailed().expect("a code");
        let added =
            self.engine.confirm_added(account, &client, token.as_str(), &code, "Mobile").await;
        assert!(matches!(added, Ok(Reply::Added { .. })), "{added:?}");
        self.clock.advance(MINUTE);
        self.post.sent.store(0, Ordering::Relaxed);
    }

    fn client(&self) -> Client {
        Client { cookie: self.cookie.clone(), ..Client::default() }
    }

    fn mailed(&self) -> Option<String> {
        self.post.code.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the owner's app of this number shows now.
    fn shown(&self, app: usize) -> String {
        use countersign_ceremony::env::Clock as _;
        let totp = Totp::DEFAULT;
        let secret = self.apps.get(app).expect("an app");
        let step = totp.step_at(self.clock.now());
        totp.code(&totp.key(secret), step).as_str().to_owned()
    }

    fn keep(&mut self, reply: Reply) -> Option<GrantedReply> {
        if let Some(cookie) = reply.cookie() {
            self.cookie = cookie.clone();
        }
        match reply {
            Reply::Granted(granted) => Some(*granted),
            _ => None,
        }
    }

    /// A login with the right password, as far as the second factor.
    async fn challenged(&self, client: &Client) -> Option<ChallengedReply> {
        let reply = self.engine.log_in(&address(), password(PASSWORD), None, client).await;
        match reply.expect("the store answers") {
            Some(Reply::Challenged(asked)) => Some(*asked),
            _ => None,
        }
    }

    /// Is it done for today?
    async fn owner_logs_in(&mut self, day: u32) -> bool {
        let app = self.random.random_range(0..self.apps.len());
        let mistypes = self.random.random_ratio(1, MISTYPED);
        let Some(asked) = self.challenged(&self.client()).await else { return self.refused(day) };
        let token = asked.token.as_str().to_owned();
        if mistypes {
            self.told.mistyped += 1;
            let wrong = if self.shown(app) == "000000" { "000001" } else { "000000" };
            let judged = self.engine.code(&token, &self.client(), None, wrong, false).await;
            self.keep(judged.expect("the store answers"));
        }
        let code = self.shown(app);
        let judged = self.engine.code(&token, &self.client(), None, &code, false).await;
        match self.keep(judged.expect("the store answers")) {
            Some(_) => {
                self.told.logins += 1;
                true
            }
            None => self.refused(day),
        }
    }

    fn refused(&mut self, day: u32) -> bool {
        if self.told.refused_on.last() != Some(&day) {
            self.told.refused_on.push(day);
        }
        false
    }

    /// One attacker's login with the password, as many guesses as it gives.
    async fn guess(&mut self, day: u32, minute: u32) {
        let client = Client::default();
        for _ in 0..GUESSES_A_LOGIN {
            self.told.tries += 1;
            let Some(asked) = self.challenged(&client).await else { return };
            let token = asked.token.as_str();
            let code = format!("{:06}", self.random.random_range(0..1_000_000_u32));
            let device = asked.challenged.authenticators.first().map(ToString::to_string);
            let (reply, accepted) = match minute % 4 {
                0 => (self.engine.code(token, &client, None, &code, false).await, 9.0),
                1 => (self.engine.code(token, &client, device.as_deref(), &code, false).await, 3.0),
                2 => match self.engine.send_email(token, &client).await {
                    Ok(Reply::Sent { token: challenge, .. }) => {
                        let challenge = challenge.as_str();
                        let judged =
                            self.engine.email_code(token, &client, challenge, &code, false);
                        (judged.await, 1.0)
                    }
                    _ => return,
                },
                _ => {
                    let Some((phone, _)) = asked.challenged.phones.first() else { return };
                    let (phone, sms) = (phone.to_string(), PhoneChannel::Sms);
                    match self.engine.send_to_phone(token, &client, &phone, sms).await {
                        Ok(Reply::Sent { token: challenge, .. }) => {
                            let challenge = challenge.as_str();
                            let judged = self
                                .engine
                                .phone_code(token, &client, &phone, challenge, &code, false);
                            (judged.await, 1.0)
                        }
                        _ => return,
                    }
                }
            };
            match reply.expect("the store answers") {
                Reply::Refused(Refusal::Code) => {}
                Reply::Granted(_) => self.told.won += 1,
                _ => return,
            }
            self.told.judged += 1;
            self.told.chance += accepted / CODES;
            self.told.closed_after = day;
        }
    }

    /// One attacker who has no password: a wrong one, and a recovery code out of the air.
    async fn knock(&mut self) {
        self.told.tries += 2;
        let client = Client::default();
        let wrong = password(&format!("guess {}", self.random.random_range(0..u32::MAX)));
        let reply = self.engine.log_in(&address(), wrong, None, &client).await;
        self.told.won += u64::from(reply.expect("the store answers").is_some());
        let letters = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let code: String = (0..16)
            .filter_map(|_| letters.get(self.random.random_range(0..letters.len())))
            .map(|letter| char::from(*letter))
            .collect();
        let reply = self.engine.recover(&address(), &code, &client).await;
        let recovered = matches!(reply.expect("the store answers"), Reply::Recovered { .. });
        self.told.won += u64::from(recovered);
    }

    /// After all that: does a remembered browser still log in, and does the recovery code recover?
    async fn ended(mut self) -> Told {
        if let Some(asked) = self.challenged(&self.client()).await {
            let (token, code) = (asked.token.as_str(), self.shown(0));
            let judged = self.engine.code(token, &self.client(), None, &code, true).await;
            self.keep(judged.expect("the store answers"));
            self.clock.advance(MINUTE);
            let client = self.client();
            let reply = self.engine.log_in(&address(), password(PASSWORD), None, &client).await;
            let reply = reply.expect("the store answers");
            self.told.remembered_works = reply.and_then(|reply| self.keep(reply)).is_some();
        }
        let reply = self.engine.recover(&address(), &self.recovery, &self.client()).await;
        let reply = reply.expect("the store answers");
        self.told.recovery_works = matches!(reply, Reply::Recovered { .. });
        self.told.messages = self.post.sent.load(Ordering::Relaxed);
        self.told
    }
}
