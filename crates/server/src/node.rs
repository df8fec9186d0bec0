//! One node: the engine and all that it is given, put together from a configuration.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_ceremony::codec::Encoding;
use countersign_ceremony::engine::{Engine, Settings};
use countersign_ceremony::env::{
    Clock, Deliver, Env, Later, Message, NoPasskeys, NotDelivered, Random, RelyingParty, Threads,
};
use countersign_ceremony::incarnation::{self, Incarnation};
use countersign_ceremony::policy::layer::Layer;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::{Outbox, Store, WhenFull};
use countersign_device::{RealmId, TenantId};
use countersign_passkey::WebAuthn;
use countersign_vault::{Ring, Turning, Vault};

use crate::clock::SystemClock;
use crate::config::{self, Config, DatabaseUrl};
use crate::databases::Databases;
use crate::deliver::{Carriers, Post, Ways};
use crate::http::{Cookies, Limiter};
use crate::keys::{Source, Stamp};
use crate::random::SystemRandom;
use crate::signing;

/// The one realm that a server has: its own directory.
pub const REALM: &str = "main";
/// How many Argon2 run at once at most; each takes tens of megabytes.
const WORKERS: usize = 4;
/// How many may wait for them.
const WAITING: usize = 256;

/// What a process serves with.
#[derive(Debug)]
pub struct Node<S> {
    pub(crate) engine: Engine<S>,
    pub(crate) config: Arc<Config>,
    pub(crate) cookies: Cookies,
    /// Malformed codes and failed recoveries.
    pub(crate) limiter: Limiter,
    /// Failed first factors: what is before them is dear to check.
    pub(crate) failed_logins: Limiter,
}

/// Why no node came up: a sentence that says what, where, and where possible how to mend it.
#[derive(Debug)]
pub struct NotUp(pub(crate) String);

impl<S: Store> Node<S> {
    /// Puts a node together over a store.
    ///
    /// # Errors
    /// [`NotUp`]: its keys cannot be published.
    pub fn new(store: Arc<S>, env: Env, settings: Settings, config: Config) -> Result<Self, NotUp> {
        let engine = Engine::new(store, env, settings);
        Ok(Self {
            engine: engine.map_err(|error| NotUp(error.to_string()))?,
            cookies: Cookies::new(&config),
            limiter: Limiter::new(config.malformed_per_minute),
            failed_logins: Limiter::new(config.failed_logins_per_minute),
            config: Arc::new(config),
        })
    }

    /// Its engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine<S> {
        &self.engine
    }
}

impl Node<Databases> {
    /// Opens everything that a configuration names, and tells the store the tenants' policies.
    ///
    /// # Errors
    /// [`NotUp`].
    pub async fn open(config: Config) -> Result<(Self, Carriers), NotUp> {
        private_directory(&config.data)
            .map_err(|error| NotUp::at(&config.data.display(), &error))?;
        let source = Source::of(&config);
        let (ring, stamp) = keys_of(&source, &config.database)?;
        let keys = Arc::new(Turning::new(ring));
        tokio::spawn(source.follow(Arc::downgrade(&keys), stamp));
        let vault: Arc<dyn Vault> = keys;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outbox = outbox(&config);
        let moving_to = config.moving_to.as_ref();
        let store =
            Databases::open(&config.database, moving_to, &vault, Arc::clone(&clock), outbox)
                .await?;
        let signing = signing::open(&config.signing_keys, &*vault).map_err(NotUp)?;
        let ways = Ways::open(&config).map_err(NotUp)?;
        let (post, carriers) = Post::start(ways, Arc::clone(&clock));
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = Threads::start(threads.min(WORKERS), WAITING)
            .map_err(|error| NotUp(format!("no thread for password hashing: {error}")))?;
        let mut env = Env {
            clock,
            random: Arc::new(SystemRandom),
            sign: signing.signer,
            vault,
            deliver: Arc::new(post),
            workers: Arc::new(workers),
            relying_party: relying_party(&config)?,
            node: config.listen.to_string().into(),
            incarnation: Incarnation::default(),
            encoding: config.encoding,
        };
        env.incarnation = incarnation::of(&store, &env)
            .await
            .map_err(|error| NotUp(format!("{}: {error}", config.database)))?;
        let settings = Settings { retired_keys: signing.retired, ..settings(&config)? };
        let node = Self::new(Arc::new(store), env, settings, config)?;
        for tenant in &node.config.tenants {
            let policy = policy(tenant, &node.config)?;
            let id = tenant_id(&tenant.id)?;
            let env = node.engine.env();
            let drawn = env.draw().map_err(|error| NotUp(error.to_string()))?;
            let told =
                node.engine.seed_policy(&id, &Layer::of(&policy, drawn, env.clock.now())).await;
            told.map_err(|error| NotUp(format!("{}: {error}", node.config.database)))?;
        }
        Ok((node, carriers))
    }
}

/// The bound of the outbox, as the configuration has it.
pub(crate) const fn outbox(config: &Config) -> Outbox {
    Outbox {
        bound: config.events_bound,
        when_full: match config.events_when_full {
            config::WhenFull::Refuse => WhenFull::Refuse,
            config::WhenFull::DropOldest => WhenFull::DropOldest,
        },
    }
}

/// The keys of a database; made at the first start, where there is no database yet that they could fail to open.
///
/// A database of a fleet may hold what another node wrote, so its keys are never made in passing.
fn keys_of(source: &Source, database: &DatabaseUrl) -> Result<(Ring, Stamp), NotUp> {
    let is_first = matches!(database, DatabaseUrl::Sqlite(path) if !path.exists());
    if !source.is_environment() && !source.file.exists() && is_first {
        source.create(&new_keys()?)?;
        tracing::warn!(file = %source.file.display(), "made a new key ring; keep a copy of it elsewhere");
    }
    let stamp = source.stamp();
    Ok((source.read()?, stamp))
}

/// A fresh ring from the system's generator.
///
/// # Errors
/// [`NotUp`].
pub fn new_keys() -> Result<Ring, NotUp> {
    Ring::try_new(|buf| SystemRandom.try_fill(buf)).map_err(|error| NotUp(error.to_string()))
}

/// An engine for commands that manage, beside a server that may be running: it sends no mail.
pub(crate) async fn engine_beside<S: Store>(store: S, mut env: Env) -> Result<Engine<S>, NotUp> {
    env.incarnation =
        incarnation::of(&store, &env).await.map_err(|error| NotUp(error.to_string()))?;
    let realm = RealmId::parse(REALM).map_err(|error| NotUp(error.to_string()))?;
    let settings = Settings::new(realm, String::new(), String::new());
    Engine::new(Arc::new(store), env, settings).map_err(|error| NotUp(error.to_string()))
}

/// What such commands are given.
pub(crate) fn env_beside(vault: Ring, encoding: Encoding) -> Result<Env, NotUp> {
    let vault: Arc<dyn Vault> = Arc::new(vault);
    let workers = Threads::start(1, 1)
        .map_err(|error| NotUp(format!("no thread for password hashing: {error}")))?;
    Ok(Env {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        // It mints nothing that a client would verify.
        sign: signing::open(&[], &*vault).map_err(NotUp)?.signer,
        vault,
        deliver: Arc::new(NoMail),
        workers: Arc::new(workers),
        relying_party: Arc::new(NoPasskeys),
        node: "cli".into(),
        incarnation: Incarnation::default(),
        encoding,
    })
}

/// Takes no message, and says so.
#[derive(Clone, Copy, Debug)]
struct NoMail;

impl Deliver for NoMail {
    fn deliver(&self, _: Message) -> Later<'_, Result<(), NotDelivered>> {
        Box::pin(std::future::ready(Err(NotDelivered)))
    }
}

/// Whose passkeys are taken; nobody's, where clients reach this node by an address.
fn relying_party(config: &Config) -> Result<Arc<dyn RelyingParty>, NotUp> {
    let site = config.site().map_err(|error| NotUp(error.to_string()))?;
    Ok(match site {
        Some(site) => Arc::new(WebAuthn::new(site)),
        None => Arc::new(NoPasskeys),
    })
}

fn settings(config: &Config) -> Result<Settings, NotUp> {
    let realm = RealmId::parse(REALM).map_err(|error| NotUp(error.to_string()))?;
    let mut settings = Settings::new(realm, config.issuer.clone(), config.client_id.clone());
    settings.policy.issuer.clone_from(&config.service);
    settings.recovery_codes = config.recovery_codes;
    settings.policy.recovery_replaced = config.recovery_replaced;
    Ok(settings.under(config.profile))
}

/// A tenant's id from the configuration.
///
/// # Errors
/// [`NotUp`].
pub fn tenant_id(id: &str) -> Result<TenantId, NotUp> {
    TenantId::parse(id).map_err(|error| NotUp(format!("tenants: {id:?}: {error}")))
}

/// What a tenant's part of a configuration says.
pub(crate) fn policy(tenant: &config::Tenant, config: &Config) -> Result<Policy, NotUp> {
    let has = |strategy| tenant.strategies.contains(&strategy);
    let policy = Policy {
        profile: config.profile,
        enforce: match tenant.enforce {
            config::Enforce::DontForce => Enforce::DontForce,
            config::Enforce::Force => Enforce::Force,
            config::Enforce::ForceExceptSaml => Enforce::ForceExceptSaml,
        },
        remember: countersign_remember::Policy::new(
            tenant.allow_remember,
            tenant.device_expiration_seconds,
        )
        .map_err(|error| NotUp(format!("tenant {}: {error}", tenant.id)))?,
        strategies: Strategies {
            authenticator: has(config::Strategy::AuthenticatorApp),
            sms: has(config::Strategy::Sms),
            email: has(config::Strategy::EmailCode),
            passkey_platform: has(config::Strategy::WebAuthnPlatform),
            passkey_cross_platform: has(config::Strategy::WebAuthnCrossPlatform),
        },
        issuer: config.service.clone(),
        ..Policy::default()
    };
    policy.check().map_err(|error| NotUp(format!("tenant {}: {error}", tenant.id)))?;
    Ok(policy)
}

/// Makes a directory that nobody else looks into; one that is there is left as it is.
pub(crate) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How long queued mails may take at the end.
pub(crate) const LAST_MAILS: Duration = Duration::from_secs(10);

impl NotUp {
    pub(crate) fn at(place: &dyn std::fmt::Display, error: &dyn std::fmt::Display) -> Self {
        Self(format!("{place}: {error}"))
    }
}

impl std::fmt::Display for NotUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotUp {}
