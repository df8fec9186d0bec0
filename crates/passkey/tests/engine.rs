//! Passkeys through the engine: a person with an authenticator in software, and whoever attacks it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::audit::{Verdict, What};
use countersign_ceremony::codec;
use countersign_ceremony::decide::{NoticeOf, Refusal};
use countersign_ceremony::engine::{
    Account, ChallengedReply, Client, Engine, GrantedReply, Passed, PasskeyReply, Reply, Settings,
};
use countersign_ceremony::env::{
    AssertionResponse, AttestationResponse, Body, Env, FrozenClock, NotedMail,
};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::Store;
use countersign_device::{
    Attachment, DeviceId, EmailAddress, FactorKind, RealmId, TenantId, UserId,
};
use countersign_otp::UnixTime;
use countersign_passkey::software::Authenticator;
use countersign_passkey::{Site, WebAuthn};
use countersign_remember::Cookie;
use countersign_token::Params;
use serde_json::Value;

const ORIGIN: &str = "https://login.example.com";

struct World {
    engine: Arc<Engine<MemoryStore>>,
    clock: Arc<FrozenClock>,
    mail: Arc<NotedMail>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(1_800_000_000)));
        let mail = Arc::new(NotedMail::default());
        let site = Site::new("example.com", "Example", &[ORIGIN.to_owned()]).unwrap();
        let env = Env {
            clock: clock.clone(),
            deliver: mail.clone(),
            relying_party: Arc::new(WebAuthn::new(site)),
            ..Env::for_tests().unwrap()
        };
        let realm = RealmId::parse("main").unwrap();
        let mut settings = Settings::new(realm, "https://id.example".into(), "app".into());
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        settings.policy = Policy {
            enforce: Enforce::Force,
            strategies: Strategies {
                authenticator: true,
                email: true,
                passkey_platform: true,
                passkey_cross_platform: true,
                ..Strategies::default()
            },
            ..Policy::default()
        };
        let store = Arc::new(MemoryStore::new(clock.clone()));
        Self { engine: Arc::new(Engine::new(store, env, settings).unwrap()), clock, mail }
    }

    fn person(&self, name: &str) -> Person {
        let (engine, seed) = (self.engine.clone(), [u8::try_from(name.len()).unwrap(); 32]);
        let key = Authenticator::new(seed, ORIGIN);
        Person { engine, name: name.to_owned(), key, cookie: Cookie::default() }
    }

    async fn verdicts(&self) -> Vec<Verdict> {
        let rows = self.engine.store().events(100_000).await.unwrap();
        let vault = &*self.engine.env().vault;
        let events = rows.iter().map(|row| codec::open_event(vault, row).unwrap());
        let judged = events.filter_map(|event| match event.what {
            What::Judged { verdict, .. } => Some(verdict),
            _ => None,
        });
        judged.collect()
    }

    async fn last_verdict(&self) -> Verdict {
        *self.verdicts().await.last().unwrap()
    }
}

/// Somebody with an authenticator, at one browser.
#[derive(Clone)]
struct Person {
    engine: Arc<Engine<MemoryStore>>,
    name: String,
    key: Authenticator,
    cookie: Cookie,
}

impl Person {
    fn client(&self) -> Client {
        Client { cookie: self.cookie.clone(), ..Client::default() }
    }

    async fn begin(&self, first: FirstFactor) -> Reply {
        let passed = Passed {
            user: UserId::parse(&self.name).unwrap(),
            tenant: TenantId::parse("acme").unwrap(),
            application: None,
            email: Some(EmailAddress::parse(&format!("{}@example.com", self.name)).unwrap()),
            first,
            also: Vec::new(),
            epoch: None,
        };
        self.engine.begin(passed, &self.client()).await.unwrap()
    }

    async fn login(&self) -> ChallengedReply {
        match self.begin(FirstFactor::Password).await {
            Reply::Challenged(challenged) => *challenged,
            other => panic!("not challenged: {other:?}"),
        }
    }

    async fn offer(&self, login: &ChallengedReply) -> PasskeyReply {
        let reply = self.engine.enrol_passkey(login.token.as_str(), &self.client()).await;
        begun(reply.unwrap())
    }

    async fn confirm(&self, login: &ChallengedReply, token: &str, made: &Value) -> Reply {
        let (engine, client) = (&self.engine, self.client());
        let made = attestation(made);
        engine.confirm_passkey(login.token.as_str(), &client, token, made, false).await.unwrap()
    }

    async fn enrol(&mut self) -> GrantedReply {
        let login = self.login().await;
        let offer = self.offer(&login).await;
        let made = self.key.create(&options(&offer)).unwrap();
        let done = granted(self.confirm(&login, offer.token.as_str(), &made).await);
        self.cookie = done.cookie.clone().unwrap();
        done
    }

    async fn ask(&self, login: &ChallengedReply) -> PasskeyReply {
        begun(self.try_ask(login, &device(login)).await)
    }

    async fn try_ask(&self, login: &ChallengedReply, device: &str) -> Reply {
        let (token, client) = (login.token.as_str(), self.client());
        self.engine.challenge_passkey(token, &client, device).await.unwrap()
    }

    async fn answer(&self, login: &ChallengedReply, token: &str, signed: &Value) -> Reply {
        self.answer_by(login, &device(login), token, signed).await
    }

    async fn answer_by(
        &self,
        login: &ChallengedReply,
        device: &str,
        token: &str,
        signed: &Value,
    ) -> Reply {
        let (client, signed) = (self.client(), assertion(signed));
        let login = login.token.as_str();
        self.engine.passkey(login, &client, device, token, signed, false).await.unwrap()
    }

    async fn log_in(&mut self) -> Reply {
        let login = self.login().await;
        let asked = self.ask(&login).await;
        let signed = self.key.get(&options(&asked)).unwrap();
        self.answer(&login, asked.token.as_str(), &signed).await
    }
}

fn granted(reply: Reply) -> GrantedReply {
    match reply {
        Reply::Granted(granted) => *granted,
        other => panic!("not granted: {other:?}"),
    }
}

fn refused(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn begun(reply: Reply) -> PasskeyReply {
    match reply {
        Reply::Passkey(begun) => *begun,
        other => panic!("not begun: {other:?}"),
    }
}

fn device(login: &ChallengedReply) -> String {
    login.challenged.passkeys.first().unwrap().0.to_string()
}

fn options(begun: &PasskeyReply) -> Value {
    serde_json::from_str(&begun.options).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()
}

fn attestation(made: &Value) -> AttestationResponse {
    AttestationResponse {
        id: bytes(&made["id"]),
        attachment: Attachment::Platform,
        client_data: bytes(&made["response"]["clientDataJSON"]),
        attestation: bytes(&made["response"]["attestationObject"]),
    }
}

fn assertion(signed: &Value) -> AssertionResponse {
    let response = &signed["response"];
    AssertionResponse {
        id: bytes(&signed["id"]),
        client_data: bytes(&response["clientDataJSON"]),
        authenticator_data: bytes(&response["authenticatorData"]),
        signature: bytes(&response["signature"]),
        user_handle: response.get("userHandle").map(bytes),
    }
}

#[tokio::test]
async fn enrols_and_logs_in() {
    let world = World::new();
    let mut alice = world.person("alice");
    let forced = alice.login().await.challenged;
    let kinds =
        [FactorKind::PasskeyPlatform, FactorKind::PasskeyCrossPlatform, FactorKind::Authenticator];
    assert!(!forced.enrolled && forced.strategies == kinds, "{:?}", forced.strategies);
    let done = alice.enrol().await;
    assert!(done.recovery.is_some(), "the first factor brings a recovery code");
    assert_eq!(done.assertion.amr(), ["pwd", "mfa", "hwk"]);

    let login = alice.login().await.challenged;
    assert!(login.enrolled && login.enrolment.is_none());
    assert_eq!(login.passkeys.len(), 1);
    assert_eq!(login.strategies, [FactorKind::PasskeyPlatform, FactorKind::Email]);
    let again = granted(alice.log_in().await);
    assert_eq!(again.assertion.amr(), ["pwd", "mfa", "hwk"]);
    assert!(again.recovery.is_none());
    assert_eq!(world.verdicts().await, [Verdict::Won, Verdict::Won]);
}

/// A password alone adds no factor to an account that has one.
#[tokio::test]
async fn whoever_has_a_passkey_enrols_none_by_a_password() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let login = alice.login().await;
    let (token, client) = (login.token.as_str(), alice.client());
    let offered = alice.engine.enrol_passkey(token, &client).await.unwrap();
    assert_eq!(refused(offered), Refusal::AlreadyEnrolled);
    let shown = alice.engine.pre_enrol(token, &client).await.unwrap();
    assert_eq!(refused(shown), Refusal::AlreadyEnrolled);
}

/// B-12: the same passkey is not two factors.
#[tokio::test]
async fn a_login_by_passkey_is_not_followed_by_one() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let usual = device(&alice.login().await);
    let Reply::Challenged(login) = alice.begin(FirstFactor::Passkey).await else {
        panic!("not challenged")
    };
    assert!(login.challenged.passkeys.is_empty());
    assert_eq!(login.challenged.strategies, [FactorKind::Email]);
    assert_eq!(refused(alice.try_ask(&login, &usual).await), Refusal::NoSuchFactor);
}

#[tokio::test]
async fn an_answer_counts_once_and_for_its_own_login() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let (login, other) = (alice.login().await, alice.login().await);
    let asked = alice.ask(&login).await;
    let signed = alice.key.get(&options(&asked)).unwrap();
    let token = asked.token.as_str();
    // Under another login, which has a challenge of its own.
    alice.ask(&other).await;
    assert_eq!(refused(alice.answer(&other, token, &signed).await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::DeadChallenge);
    // By the right login it counts, and once.
    granted(alice.answer(&login, token, &signed).await);
    assert_eq!(refused(alice.answer(&login, token, &signed).await), Refusal::LoginOver);
    let fresh = alice.login().await;
    assert_eq!(refused(alice.answer(&fresh, token, &signed).await), Refusal::Code);
    let asked = alice.ask(&fresh).await;
    assert_eq!(refused(alice.answer(&fresh, asked.token.as_str(), &signed).await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::Wrong);
}

/// A challenge is dropped at its first answer, right or wrong, and replaced by the next one.
#[tokio::test]
async fn a_challenge_is_answered_once() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let login = alice.login().await;
    let asked = alice.ask(&login).await;
    let right = alice.key.get(&options(&asked)).unwrap();
    let mut wrong = right.clone();
    wrong["response"]["signature"] = right["response"]["authenticatorData"].clone();
    let token = asked.token.as_str();
    assert_eq!(refused(alice.answer(&login, token, &wrong).await), Refusal::Code);
    assert_eq!(refused(alice.answer(&login, token, &right).await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::DeadChallenge);

    let replaced = alice.ask(&login).await;
    let asked = alice.ask(&login).await;
    let late = alice.key.get(&options(&replaced)).unwrap();
    assert_eq!(refused(alice.answer(&login, replaced.token.as_str(), &late).await), Refusal::Code);
    let signed = alice.key.get(&options(&asked)).unwrap();
    granted(alice.answer(&login, asked.token.as_str(), &signed).await);
    // What no token of ours is, is no challenge; and a login's token is none.
    let login = alice.login().await;
    for token in ["", "nonsense", login.token.as_str()] {
        assert_eq!(refused(alice.answer(&login, token, &signed).await), Refusal::LoginOver);
    }
}

/// B-11: another user's passkey, token, device and key.
#[tokio::test]
async fn what_is_another_users_is_refused() {
    let world = World::new();
    let (mut alice, mut mallory) = (world.person("alice"), world.person("mallory"));
    alice.enrol().await;
    mallory.enrol().await;
    // Mallory knows alice's password, and has a passkey of her own.
    let thief = Person { name: "alice".into(), cookie: Cookie::default(), ..mallory.clone() };
    let (login, own) = (thief.login().await, mallory.login().await);
    assert_eq!(refused(thief.try_ask(&login, &device(&own)).await), Refusal::NoSuchFactor);
    assert_eq!(refused(thief.try_ask(&login, "").await), Refusal::NoSuchFactor);
    let none = DeviceId::from_random_bytes([9; 16]).to_string();
    assert_eq!(refused(thief.try_ask(&login, &none).await), Refusal::NoSuchFactor);

    let asked = thief.ask(&login).await;
    let id = bytes(&options(&asked)["allowCredentials"][0]["id"]);
    let forged = mallory.key.clone().sign(&id, &options(&asked)).unwrap();
    let token = asked.token.as_str();
    assert_eq!(refused(thief.answer(&login, token, &forged).await), Refusal::Code);

    let asked = thief.ask(&login).await;
    let theirs = mallory.key.credentials()[0].clone();
    let signed = mallory.key.sign(&theirs, &options(&asked)).unwrap();
    let token = asked.token.as_str();
    assert_eq!(refused(thief.answer(&login, token, &signed).await), Refusal::Code);

    // A challenge of mallory's own account, rightly answered.
    let asked = mallory.ask(&own).await;
    let signed = mallory.key.get(&options(&asked)).unwrap();
    let (token, device) = (asked.token.as_str(), device(&own));
    assert_eq!(refused(thief.answer(&login, token, &signed).await), Refusal::Code);
    let by = thief.answer_by(&login, &device, token, &signed).await;
    assert_eq!(refused(by), Refusal::Code);
    assert!(!world.verdicts().await.iter().skip(2).any(|verdict| *verdict == Verdict::Won));
}

/// They count among the failures of their login: five, and it is over. They close no ledger.
#[tokio::test]
async fn nobody_asks_for_ever_under_one_login() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let stranger = Person { cookie: Cookie::default(), ..alice.clone() };
    for _ in 0..8 {
        let login = stranger.login().await;
        let mut forged = Authenticator::new([99; 32], ORIGIN);
        for _ in 0..5 {
            let asked = stranger.ask(&login).await;
            let id = bytes(&options(&asked)["allowCredentials"][0]["id"]);
            let signed = forged.sign(&id, &options(&asked)).unwrap();
            let answered = stranger.answer(&login, asked.token.as_str(), &signed).await;
            assert_eq!(refused(answered), Refusal::Code);
        }
        let device = device(&login);
        assert_eq!(refused(stranger.try_ask(&login, &device).await), Refusal::LoginOver);
    }
    granted(alice.log_in().await);
    granted(Person { cookie: Cookie::default(), ..alice }.log_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_answers_at_once_one_wins() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let login = alice.login().await;
    let asked = alice.ask(&login).await;
    let signed = alice.key.get(&options(&asked)).unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (alice, login, signed) = (alice.clone(), login.clone(), signed.clone());
            let token = asked.token.as_str().to_owned();
            tokio::spawn(async move { alice.answer(&login, &token, &signed).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Reply::Granted(_) => won += 1,
            other => assert!(matches!(refused(other), Refusal::LoginOver | Refusal::TooMany(_))),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(world.verdicts().await, [Verdict::Won, Verdict::Won]);
}

/// WebAuthn, 6.1.1: a copy whose counter is behind is refused, written down and told; the owner's
/// goes on.
#[tokio::test]
async fn a_copy_that_is_behind_is_refused_and_told() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let mut copy = alice.clone();
    granted(alice.log_in().await);
    granted(alice.log_in().await);
    assert_eq!(refused(copy.log_in().await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::CountWentBack);
    let told = world.mail.all();
    let warned = |of: &NoticeOf| *of == NoticeOf::PasskeyCopied;
    assert!(told.iter().any(|mail| matches!(&mail.body, Body::Notice(of) if warned(of))));
    granted(alice.log_in().await);
}

#[tokio::test]
async fn a_synced_passkey_never_counts() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.key = Authenticator::synced([5; 32], ORIGIN);
    alice.enrol().await;
    for _ in 0..3 {
        granted(alice.log_in().await);
    }
}

/// The ledger closed by guesses over another factor: the passkey works, and refills it (C-14).
#[tokio::test]
async fn a_passkey_works_while_the_ledger_is_closed_and_refills_it() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.enrol().await;
    let mut stranger = Person { cookie: Cookie::default(), ..alice.clone() };
    let closed = async |stranger: &Person| {
        let login = stranger.login().await;
        let (token, client) = (login.token.as_str(), stranger.client());
        let Reply::Sent { token: sent, .. } =
            stranger.engine.send_email(token, &client).await.unwrap()
        else {
            return false;
        };
        for _ in 0..5 {
            let guess = stranger.engine.email_code(token, &client, sent.as_str(), "000000", false);
            match guess.await.unwrap() {
                Reply::Refused(Refusal::TooMany(None)) => return true,
                Reply::Refused(_) => {}
                other => panic!("a lucky guess: {other:?}"),
            }
        }
        false
    };
    let mut hours = 0;
    while !closed(&stranger).await {
        world.clock.advance(3600 * 2);
        hours += 2;
        assert!(hours < 24 * 30, "the ledger never closed");
    }
    granted(stranger.log_in().await);
    stranger.cookie = Cookie::default();
    assert!(!closed(&stranger).await, "the passkey refilled it");
}

/// A registration counts once, for the login that began it, and while nothing was added.
#[tokio::test]
async fn a_registration_belongs_to_the_login_that_began_it() {
    let world = World::new();
    let mut alice = world.person("alice");
    let (one, two) = (alice.login().await, alice.login().await);
    let (first, second) = (alice.offer(&one).await, alice.offer(&two).await);
    let made = alice.key.create(&options(&first)).unwrap();
    let token = first.token.as_str();
    assert_eq!(refused(alice.confirm(&two, token, &made).await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::NoEnrolment);
    // An answer to another challenge, which is spent by it.
    assert_eq!(refused(alice.confirm(&two, second.token.as_str(), &made).await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::Wrong);
    granted(alice.confirm(&one, token, &made).await);
    // What was begun before is void, and a registration answers no login.
    let other = alice.key.create(&options(&alice.offer_before(&world).await)).unwrap();
    let late = alice.confirm(&two, second.token.as_str(), &other).await;
    assert!(matches!(refused(late), Refusal::Code | Refusal::LoginOver));
    let login = alice.login().await;
    assert_eq!(login.challenged.passkeys.len(), 1);
}

impl Person {
    /// An offer that is another's.
    async fn offer_before(&self, world: &World) -> PasskeyReply {
        let bob = world.person("bob");
        let login = bob.login().await;
        bob.offer(&login).await
    }
}

/// What a tenant does not take is neither offered nor added; what is enrolled still answers.
#[tokio::test]
async fn a_tenant_says_which_passkeys_it_takes() {
    let world = World::new();
    let mut alice = world.person("alice");
    let acme = TenantId::parse("acme").unwrap();
    let policy = world.engine.settings().policy.clone();
    let takes = |strategies| Policy { strategies, ..policy.clone() };
    let only = Strategies { passkey_cross_platform: true, ..Strategies::default() };
    world.engine.set_policy(&acme, &takes(only)).await.unwrap();
    let login = alice.login().await;
    assert_eq!(login.challenged.strategies, [FactorKind::PasskeyCrossPlatform]);
    let offer = alice.offer(&login).await;
    let made = alice.key.create(&options(&offer)).unwrap();
    assert_eq!(refused(alice.confirm(&login, offer.token.as_str(), &made).await), Refusal::Code);

    world.engine.set_policy(&acme, &policy).await.unwrap();
    alice.enrol().await;
    let app = Strategies { authenticator: true, ..Strategies::default() };
    world.engine.set_policy(&acme, &takes(app)).await.unwrap();
    granted(alice.log_in().await);
    let bob = world.person("bob");
    let login = bob.login().await;
    let offered = bob.engine.enrol_passkey(login.token.as_str(), &bob.client()).await.unwrap();
    assert_eq!(refused(offered), Refusal::NoSuchFactor);
}

impl Person {
    /// The account that a session of this person acts on.
    async fn account(&self, session: &GrantedReply) -> Account {
        let tokens = self.engine.mint(&session.assertion).unwrap();
        self.engine.authenticate(&tokens.access).await.unwrap().unwrap().account().clone()
    }

    async fn add(&self, account: &Account, key: &mut Authenticator, label: &str) -> Reply {
        let (engine, client) = (&self.engine, self.client());
        let offer = begun(engine.add_passkey(account, &client).await.unwrap());
        let made = attestation(&key.create(&options(&offer)).unwrap());
        let token = offer.token.as_str();
        engine.confirm_added_passkey(account, &client, token, made, label).await.unwrap()
    }
}

/// A second one is added in a fresh session, under a name, and removed by its own signature.
#[tokio::test]
async fn a_session_adds_another_and_removes_it() {
    let world = World::new();
    let mut alice = world.person("alice");
    let session = alice.enrol().await;
    let account = alice.account(&session).await;
    let mut second = Authenticator::new([42; 32], ORIGIN);
    let added = alice.add(&account, &mut second, " my\nkey ").await;
    assert!(matches!(added, Reply::Added { recovery: None }), "{added:?}");
    let listed = alice.login().await.challenged.passkeys;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1].2.as_str(), "my key");
    let device = listed[1].0.to_string();

    // Too old a session shows and adds nothing, and removes nothing by itself.
    world.clock.advance(6 * 60);
    let (engine, client) = (&alice.engine, alice.client());
    let shown = engine.add_passkey(&account, &client).await.unwrap();
    assert_eq!(refused(shown), Refusal::StepUp);
    let removed = engine.remove_passkey(&account, &client, &device, None).await.unwrap();
    assert_eq!(refused(removed), Refusal::StepUp);

    // What was asked to remove it answers no login, and is asked of this passkey alone.
    let asked = begun(engine.challenge_removal(&account, &client, &device).await.unwrap());
    let signed = second.get(&options(&asked)).unwrap();
    let login = alice.login().await;
    let misused = alice.answer_by(&login, &device, asked.token.as_str(), &signed).await;
    assert_eq!(refused(misused), Refusal::Code);
    let other = listed[0].0.to_string();
    let proof = Some((asked.token.as_str(), assertion(&signed)));
    let removed = engine.remove_passkey(&account, &client, &other, proof).await.unwrap();
    assert_eq!(refused(removed), Refusal::Code);

    let asked = begun(engine.challenge_removal(&account, &client, &device).await.unwrap());
    let signed = assertion(&second.get(&options(&asked)).unwrap());
    let proof = Some((asked.token.as_str(), signed.clone()));
    let removed = engine.remove_passkey(&account, &client, &device, proof.clone()).await.unwrap();
    assert!(matches!(removed, Reply::Done), "{removed:?}");
    let again = engine.remove_passkey(&account, &client, &device, proof).await.unwrap();
    assert_eq!(refused(again), Refusal::NoSuchFactor);
    assert_eq!(alice.login().await.challenged.passkeys.len(), 1);
    granted(alice.log_in().await);
}

/// The same credential twice would be one factor that counts as two.
#[tokio::test]
async fn the_same_credential_is_enrolled_once() {
    let world = World::new();
    let mut alice = world.person("alice");
    // An authenticator that minds no exclusion, and makes the same credential again.
    let mut twin = alice.key.clone();
    let session = alice.enrol().await;
    let account = alice.account(&session).await;
    assert_eq!(refused(alice.add(&account, &mut twin, "").await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::Wrong);
    assert_eq!(alice.login().await.challenged.passkeys.len(), 1);
}

/// A person has ten at most, and the last one stays where the tenant demands a factor.
#[tokio::test]
async fn passkeys_are_bounded_from_above_and_from_below() {
    let world = World::new();
    let mut alice = world.person("alice");
    let session = alice.enrol().await;
    let account = alice.account(&session).await;
    for n in 1..10 {
        let mut key = Authenticator::new([100 + n; 32], ORIGIN);
        let added = alice.add(&account, &mut key, "").await;
        assert!(matches!(added, Reply::Added { .. }), "{n}: {added:?}");
    }
    let mut key = Authenticator::new([120; 32], ORIGIN);
    assert_eq!(refused(alice.add(&account, &mut key, "").await), Refusal::Code);
    assert_eq!(world.last_verdict().await, Verdict::NoEnrolment);

    let only = Strategies { passkey_platform: true, ..Strategies::default() };
    let policy = Policy { strategies: only, ..world.engine.settings().policy.clone() };
    world.engine.set_policy(&TenantId::parse("acme").unwrap(), &policy).await.unwrap();
    let (engine, client) = (&alice.engine, alice.client());
    let listed = alice.login().await.challenged.passkeys;
    for (at, (device, ..)) in listed.iter().enumerate() {
        let device = device.to_string();
        let removed = engine.remove_passkey(&account, &client, &device, None).await.unwrap();
        match removed {
            Reply::Done => assert!(at < 9, "the last one was removed"),
            other => assert_eq!((at, refused(other)), (9, Refusal::Forced)),
        }
    }
}

/// A recovery takes the passkey away.
#[tokio::test]
async fn a_recovery_removes_it() {
    let world = World::new();
    let mut alice = world.person("alice");
    let code = alice.enrol().await.recovery.unwrap().reveal().to_string();
    let open = alice.login().await;
    let asked = alice.ask(&open).await;
    let email = EmailAddress::parse("alice@example.com").unwrap();
    let recovered = world.engine.recover(&email, &code, &alice.client()).await.unwrap();
    let Reply::Recovered { cookie } = recovered else { panic!("not recovered") };
    let signed = alice.key.get(&options(&asked)).unwrap();
    let late = alice.answer(&open, asked.token.as_str(), &signed).await;
    assert_eq!(refused(late), Refusal::LoginOver);
    alice.cookie = cookie;
    let login = alice.login().await.challenged;
    assert!(!login.enrolled && login.passkeys.is_empty());
}
