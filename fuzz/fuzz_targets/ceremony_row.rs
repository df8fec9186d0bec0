//! Whatever a row holds that the vault opens: it is refused, or it is a record that the engine goes on with. No panic, and
//! what it settles opens again.
#![no_main]

use std::sync::{Arc, LazyLock};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::codec;
use countersign_ceremony::engine::{Client, Engine, Passed, Reply, Settings};
use countersign_ceremony::env::{Clock, Env};
use countersign_ceremony::incarnation;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::names::Names;
use countersign_ceremony::outbox::Backlog;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::{
    EventId, EventRow, Key, Settle, Settled, Store, Version, WriteId,
};
use countersign_ceremony::record::Record;
use countersign_device::{Address, EmailAddress, RealmId, TenantId, UserKey};
use countersign_otp::Totp;
use countersign_token::Params;
use countersign_vault::Purpose;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

const RECORD: Purpose = Purpose::new("record");
const EVENT: Purpose = Purpose::new("event");
const PASSWORD: &str = "the right password";

/// Which kind of row it is.
const KINDS: u8 = 9;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

/// What every run begins with: keys, names, and each kind of row as the engine writes it.
static WORLD: LazyLock<World> = LazyLock::new(|| RUNTIME.block_on(World::new()));

struct World {
    env: Env,
    user: UserKey,
    address: EmailAddress,
    refresh: String,
    rows: Vec<(Key, Vec<u8>)>,
}

fn tenant() -> TenantId {
    TenantId::parse("acme").expect("a tenant")
}

fn engine(env: &Env) -> Engine<MemoryStore> {
    let store = Arc::new(MemoryStore::new(Arc::clone(&env.clock) as Arc<dyn Clock>));
    let realm = RealmId::parse("main").expect("a realm");
    let mut settings = Settings::new(realm, "https://id.example".into(), "app".into());
    settings.argon2 = Params::INSECURE_FOR_TESTS;
    settings.policy = Policy {
        enforce: Enforce::Force,
        remember: countersign_remember::Policy::new(true, 14 * 24 * 3600).expect("a policy"),
        strategies: Strategies { authenticator: true, email: true, ..Strategies::default() },
        ..Policy::default()
    };
    Engine::new(store, env.clone(), settings).expect("an engine")
}

impl World {
    async fn new() -> Self {
        let env = Env::for_tests().expect("a thread");
        let engine = engine(&env);
        let address = EmailAddress::parse("alice@example.com").expect("an address");
        let password = Zeroizing::new(PASSWORD.as_bytes().to_vec());
        let added = engine.directory().add(&address, password, vec![tenant()]).await;
        let Ok(Ok(user)) = added else { panic!("no user") };
        engine.set_policy(&tenant(), &engine.settings().policy.clone()).await.expect("a policy");
        incarnation::begin(engine.store(), &env).await.expect("an incarnation");
        let user = UserKey::new(RealmId::parse("main").expect("a realm"), user);
        let Ok(Reply::Challenged(asked)) =
            engine.begin(passed(&user, &address), &Client::default()).await
        else {
            panic!("not challenged");
        };
        let secret = asked.challenged.enrolment.expect("an enrolment").secret;
        let totp = Totp::DEFAULT;
        let code = totp.code(&totp.key(&secret), totp.step_at(env.clock.now()));
        let token = asked.token.as_str();
        let confirmed = engine.confirm(token, &Client::default(), code.as_str(), true).await;
        let Ok(Reply::Granted(granted)) = confirmed else { panic!("not granted") };
        let session = granted.assertion.subject().session;
        let first = engine.mint(&granted.assertion).expect("tokens").refresh;
        let refreshed = engine.refresh(&first).await.expect("an answer");
        let refresh = refreshed.expect("a session").refresh;
        let Ok(Reply::Challenged(asked)) =
            engine.begin(passed(&user, &address), &Client::default()).await
        else {
            panic!("not challenged");
        };
        let _sent = engine.send_email(asked.token.as_str(), &Client::default()).await;

        let names = Names(&*env.vault);
        let realm = RealmId::parse("main").expect("a realm");
        let keys = [
            names.user(&user),
            names.policy(&realm, &tenant()),
            names.address(&realm, &address),
            names.account(&user),
            names.session(session),
            names.destination(&Address::Mailbox(address.clone())),
            names.incarnation(),
            names.backlog("sink"),
        ];
        let mut rows = Vec::new();
        for key in keys {
            let looked = engine.store().look(&[key]).await.expect("a look");
            let entry = looked.entries.into_iter().next().flatten();
            let plain = entry
                .and_then(|entry| env.vault.open(RECORD, &[key.as_bytes()], &entry.bytes).ok());
            rows.push((key, plain.map_or_else(|| vec![1], |plain| plain.to_vec())));
        }
        Self { env, user, address, refresh, rows }
    }
}

fn passed(user: &UserKey, address: &EmailAddress) -> Passed {
    Passed {
        user: user.user().clone(),
        tenant: tenant(),
        also: Vec::new(),
        application: None,
        email: Some(address.clone()),
        first: FirstFactor::Password,
        epoch: None,
    }
}

/// The row as the engine writes it with some bytes changed, or the input alone.
fn row(written: &[u8], mode: u8, data: &[u8]) -> Vec<u8> {
    if mode & 1 == 0 {
        return data.to_vec();
    }
    let mut row = written.to_vec();
    for change in data.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % row.len().max(1);
        if let Some(byte) = row.get_mut(place) {
            *byte = change[2];
        }
    }
    row
}

async fn put(engine: &Engine<MemoryStore>, key: Key, plain: &[u8]) {
    let vault = &*engine.env().vault;
    let bytes = vault.seal(RECORD, &[key.as_bytes()], [3; 24], plain).expect("sealed");
    let (expected, next) = (Version::ABSENT, Version::ABSENT.next(WriteId([1; 8])));
    let settle = Settle { key, expected, next, bytes, events: Vec::new(), expiry: None };
    assert_eq!(engine.store().settle(settle).await, Ok(Settled::Won));
}

/// Whoever reads a row of this kind.
async fn read(engine: &Engine<MemoryStore>, kind: u8) {
    let (world, client) = (&*WORLD, Client::default());
    match kind {
        0 | 1 | 5 => {
            let began = engine.begin(passed(&world.user, &world.address), &client).await;
            let Ok(Reply::Challenged(asked)) = began else { return };
            let token = asked.token.as_str();
            if kind == 5 {
                let _ = engine.send_email(token, &client).await;
            } else {
                let _ = engine.code(token, &client, None, "123456", true).await;
                let _ = engine.pre_enrol(token, &client).await;
            }
        }
        2 | 3 => {
            let password = Zeroizing::new(b"a wrong password".to_vec());
            let _ = engine.log_in(&world.address, password, None, &client).await;
        }
        4 => drop(engine.refresh(&world.refresh).await),
        6 => drop(incarnation::of(engine.store(), &world.env).await),
        _ => drop(Backlog::of("sink").oldest(engine.store(), &world.env).await),
    }
}

async fn run(kind: u8, mode: u8, data: &[u8]) {
    let world = &*WORLD;
    let vault = &*world.env.vault;
    if kind == 8 {
        let id = EventId([5; 16]);
        let bytes = vault.seal(EVENT, &[&id.0], [3; 24], data).expect("sealed");
        let _ = codec::open_event(vault, &EventRow { id, bytes });
        return;
    }
    let engine = engine(&world.env);
    let (key, written) = &world.rows[usize::from(kind)];
    for (other, plain) in &world.rows {
        if other == key {
            put(&engine, *key, &row(written, mode, data)).await;
        } else if plain.len() > 1 && kind < 6 {
            put(&engine, *other, plain).await;
        }
    }
    read(&engine, kind).await;
    // What was settled since opens again, or was never opened.
    let looked = engine.store().look(&[*key]).await.expect("a look");
    let entry = looked.entries.into_iter().next().flatten().expect("the row");
    if kind == 0 && entry.version.counter() > 1 {
        let again: Result<Record, _> = codec::open(vault, *key, &entry.bytes);
        assert!(again.is_ok(), "{again:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let [kind, mode, data @ ..] = data else { return };
    // It is made on the same runtime, before.
    LazyLock::force(&WORLD);
    RUNTIME.block_on(run(kind % KINDS, *mode, data));
});
