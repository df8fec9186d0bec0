//! No `Debug` of anything public tells a secret: a person walks through the engine, everything drawn and handed out is
//! marked, and everything that came by is printed in both forms.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::codec;
use countersign_ceremony::engine::{Client, Engine, Passed, Reply, Settings};
use countersign_ceremony::env::{Body, Clock, Env, FrozenClock, NoRandomness, NotedMail, Random};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::Store;
use countersign_conformance::canary::Canaries;
use countersign_device::{EmailAddress, RealmId, TenantId, UserId};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_token::password::PasswordHash;
use countersign_token::{Ed25519, Params, Pepper, RecoveryCode};
use countersign_vault::Ring;
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use zeroize::Zeroizing;

const PASSWORD: &[u8] = b"a password that nobody prints";

/// A generator that notes what it gave: seeds, keys, nonces. Shorter draws are ids.
struct Noting(Mutex<(ChaCha20Rng, Vec<Vec<u8>>)>);

impl Noting {
    fn new() -> Self {
        Self(Mutex::new((ChaCha20Rng::seed_from_u64(7), Vec::new())))
    }
}

impl Debug for Noting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Noting")
    }
}

impl Random for Noting {
    fn try_fill(&self, buf: &mut [u8]) -> Result<(), NoRandomness> {
        let mut inside = self.0.lock().unwrap();
        inside.0.fill_bytes(buf);
        inside.1.push(buf.to_vec());
        Ok(())
    }
}

/// What was printed so far.
#[derive(Default)]
struct Printed(String);

impl Printed {
    fn add<T: Debug>(&mut self, value: T) -> T {
        self.0 += &format!("{value:?}\n{value:#?}\n");
        value
    }
}

#[tokio::test]
async fn nothing_public_prints_a_secret() {
    let (mut marked, mut printed) = (Canaries::new(), Printed::default());
    let random = Arc::new(Noting::new());
    let fill = |buf: &mut [u8]| random.try_fill(buf);
    let ring = printed.add(Ring::try_new(fill).unwrap());
    let sign = printed.add(Ed25519::try_new(fill).unwrap());
    printed.add(Pepper::of(&ring));
    let (clock, mail) = (
        Arc::new(FrozenClock::at(UnixTime::from_secs(1_800_000_000))),
        Arc::new(NotedMail::default()),
    );
    let env = Env {
        clock: clock.clone(),
        deliver: mail.clone(),
        random: random.clone(),
        vault: Arc::new(ring),
        sign: Arc::new(sign),
        ..Env::for_tests().unwrap()
    };
    let mut settings =
        Settings::new(RealmId::parse("main").unwrap(), "https://id.example".into(), "app".into());
    settings.argon2 = Params::INSECURE_FOR_TESTS;
    settings.policy = Policy {
        enforce: Enforce::Force,
        remember: countersign_remember::Policy::new(true, 3600).unwrap(),
        strategies: Strategies { authenticator: true, email: true, ..Strategies::default() },
        ..Policy::default()
    };
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let engine = Engine::new(Arc::clone(&store), env, settings).unwrap();
    let tenant = TenantId::parse("acme").unwrap();
    let email = EmailAddress::parse("ada@example.com").unwrap();
    marked.mark_text("a password", std::str::from_utf8(PASSWORD).unwrap());
    let password = || Zeroizing::new(PASSWORD.to_vec());
    let added = engine.directory().add(&email, password(), vec![tenant.clone()]).await;
    let user: UserId = printed.add(added.unwrap().unwrap());
    let hash = PasswordHash::of(PASSWORD, &[7; 16], Params::INSECURE_FOR_TESTS).unwrap();
    marked.mark_text("a password's hash", hash.as_str().rsplit('$').next().unwrap());
    printed.add(hash);

    // Enrolled by an app, remembered.
    let mut client = printed.add(Client::default());
    let Some(Reply::Challenged(asked)) =
        printed.add(engine.log_in(&email, password(), None, &client).await.unwrap())
    else {
        panic!("not asked")
    };
    let secret = printed.add(asked.challenged.enrolment.clone().unwrap()).secret;
    mark_secret(&mut marked, &secret);
    marked.mark_text("a login's token", asked.token.as_str());
    let code = shown(&secret, &*clock, 0);
    marked.mark_code("a code", code.as_str());
    printed.add(&code);
    let reply = engine.confirm(asked.token.as_str(), &client, code.as_str(), true).await.unwrap();
    let Reply::Granted(granted) = printed.add(reply) else { panic!("not granted") };
    let tokens = printed.add(engine.mint(&granted.assertion).unwrap());
    marked.mark_text("an access token", &tokens.access);
    marked.mark_text("a refresh token", &tokens.refresh);
    let recovery = granted.recovery.as_ref().unwrap().reveal();
    marked.mark_text("a recovery code", &recovery);
    printed.add(RecoveryCode::parse(&recovery).unwrap());
    client.cookie = granted.cookie.clone().unwrap();
    for entry in client.cookie.entries() {
        marked.mark("a browser's secret", entry.secret());
        printed.add(entry);
    }
    printed.add(&client);

    // A mailed code, wrong and right; and a recovery.
    clock.advance(60);
    let passed = Passed {
        user,
        tenant,
        also: Vec::new(),
        application: None,
        email: Some(email.clone()),
        first: FirstFactor::Password,
        epoch: None,
    };
    printed.add(&passed);
    let begun = engine.begin(passed, &Client::default()).await.unwrap();
    let Reply::Challenged(asked) = printed.add(begun) else { panic!("not asked") };
    let sent = engine.send_email(asked.token.as_str(), &Client::default()).await.unwrap();
    let Reply::Sent { token, .. } = printed.add(sent) else { panic!("not sent") };
    marked.mark_text("a challenge's token", token.as_str());
    let mailed = mail.last_code().unwrap();
    marked.mark_code("a mailed code", &mailed);
    for code in ["100000", &mailed] {
        let (login, none) = (asked.token.as_str(), Client::default());
        let judged = engine.email_code(login, &none, token.as_str(), code, false).await.unwrap();
        if let Reply::Granted(granted) = printed.add(judged) {
            let tokens = printed.add(engine.mint(&granted.assertion).unwrap());
            marked.mark_text("a refresh token", &tokens.refresh);
        }
    }
    printed.add(engine.recover(&email, &recovery, &client).await.unwrap());

    // What it all left behind, and what it went through.
    for message in mail.all() {
        if let Body::Code { code, .. } = &message.body {
            printed.add(code);
        }
        printed.add(message);
    }
    for row in printed.add(store.events(100).await.unwrap()) {
        printed.add(codec::open_event(&*engine.env().vault, &row).unwrap());
    }
    printed.add(store.walk(None, 100).await.unwrap());
    printed.add(&engine);
    for drawn in random.0.lock().unwrap().1.iter().filter(|drawn| drawn.len() >= 20) {
        marked.mark("a seed, a key or a nonce", drawn);
    }

    assert!(marked.len() > 40, "{marked:?}");
    let found = marked.find(printed.0.as_bytes()).unwrap();
    assert!(found.is_empty(), "{found:?}");
    // The search is not blind: what a careless `Debug` would print is found.
    let careless = format!("{}{:?}{}", printed.0, secret.expose(), mailed);
    let found = marked.find(careless.as_bytes()).unwrap();
    assert!(found.iter().any(|leak| leak.name == "an app's secret"), "{found:?}");
    assert!(found.iter().any(|leak| leak.name == "a mailed code"), "{found:?}");
}

fn mark_secret(marked: &mut Canaries, secret: &Secret) {
    marked.mark("an app's secret", secret.expose());
}

fn shown(secret: &Secret, clock: &dyn Clock, steps: i8) -> Code {
    let totp = Totp::DEFAULT;
    let step = totp.step_at(clock.now()).checked_offset(steps).unwrap();
    totp.code(&totp.key(secret), step)
}
