//! Any body to any route that takes one: an answer of the contract, and never a defect (500) of ours.
//!
//! The routes are those of the server's own document. `@login`, `@code` and `@device` in a body stand for an open login, the
//! code that its app shows and that app, so that what is asked can also be right.
#![no_main]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::engine::{Client, Passed, Reply, Settings};
use countersign_ceremony::env::{Clock, Deliver, Env, Later, Message, NotDelivered};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::port::{Outbox, WhenFull};
use countersign_ceremony::vendor::Powers;
use countersign_device::{EmailAddress, RealmId, TenantId, UserId};
use countersign_otp::Totp;
use countersign_server::config::Config;
use countersign_server::http::router;
use countersign_server::node::Node;
use countersign_token::Params;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

const CONFIG: &str = r#"
    listen = "127.0.0.1:0"
    client_id = "b6adfe4c-d695-4c04-b95f-3ec9fd0c6cca"
    data = "unused"
    outbox = "unused"
    malformed_per_minute = 4000000000
    failed_logins_per_minute = 4000000000
    [[tenants]]
    id = "acme"
"#;

/// After so many bodies the world is made anew: some of them end it.
const LIVES: u32 = 2_000;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Mail that nobody reads.
#[derive(Debug)]
struct Nowhere;

impl Deliver for Nowhere {
    fn deliver(&self, _: Message) -> Later<'_, Result<(), NotDelivered>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

struct World {
    router: Router,
    operations: Vec<(String, String)>,
    login: String,
    code: String,
    device: String,
    access: String,
    vendor: String,
    lives: u32,
}

impl World {
    async fn new() -> Self {
        let env = Env { deliver: Arc::new(Nowhere), ..Env::for_tests().expect("a thread") };
        let outbox = Outbox { bound: 100, when_full: WhenFull::DropOldest };
        let store = MemoryStore::with_outbox(Arc::clone(&env.clock) as Arc<dyn Clock>, outbox);
        let config = Config::parse("fuzz", CONFIG, []).expect("a configuration");
        let realm = RealmId::parse("main").expect("a realm");
        let mut settings = Settings::new(realm, config.issuer.clone(), config.client_id.clone());
        settings.argon2 = Params::INSECURE_FOR_TESTS;
        let clock = Arc::clone(&env.clock);
        let node = Node::new(Arc::new(store), env, settings, config).expect("a node");
        let node = Arc::new(node);
        let engine = node.engine();
        let tenant = TenantId::parse("acme").expect("a tenant");
        let strategies = Strategies { authenticator: true, email: true, ..Strategies::default() };
        let policy = engine.settings().policy.clone();
        let policy = Policy { enforce: Enforce::Force, strategies, ..policy };
        engine.set_policy(&tenant, &policy).await.expect("a policy");
        let passed = || Passed {
            user: UserId::parse("alice").expect("an id"),
            tenant: tenant.clone(),
            also: Vec::new(),
            application: None,
            email: Some(EmailAddress::parse("alice@example.com").expect("an address")),
            first: FirstFactor::Password,
            epoch: None,
        };
        let client = Client::default();
        let Ok(Reply::Challenged(asked)) = engine.begin(passed(), &client).await else {
            panic!("not challenged")
        };
        let secret = asked.challenged.enrolment.expect("an enrolment").secret;
        let totp = Totp::DEFAULT;
        let step = totp.step_at(clock.now());
        let code = totp.code(&totp.key(&secret), step);
        let confirmed = engine.confirm(asked.token.as_str(), &client, code.as_str(), false).await;
        let Ok(Reply::Granted(granted)) = confirmed else { panic!("not granted") };
        let access = engine.mint(&granted.assertion).expect("tokens").access;
        let Ok(Reply::Challenged(asked)) = engine.begin(passed(), &client).await else {
            panic!("not challenged")
        };
        let next = totp.code(&totp.key(&secret), step.checked_offset(1).expect("a step"));
        let added = engine.add_client("fuzz", Powers::all(), None).await.expect("an answer");
        let added = added.expect("a client");
        let bought = engine.buy_token(added.client.as_str(), &added.secret).await;
        let bought = bought.expect("an answer").expect("a token");
        let router = router(&node);
        let document = answer(&router, Request::get("/openapi.json"), Body::empty()).await.1;
        let document: Value = serde_json::from_slice(&document).expect("the document");
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                if operation.get("requestBody").is_some() {
                    operations.push((method.to_uppercase(), path.clone()));
                }
            }
        }
        Self {
            router,
            operations,
            login: asked.token.as_str().to_owned(),
            code: next.as_str().to_owned(),
            device: asked.challenged.authenticators[0].to_string(),
            access,
            vendor: bought.token,
            lives: LIVES,
        }
    }

    async fn ask(&mut self, which: u8, body: &[u8]) {
        self.lives -= 1;
        let (method, path) = &self.operations[usize::from(which) % self.operations.len()];
        let path: Vec<&str> = path
            .split('/')
            .map(|part| match part {
                "{deviceId}" => &self.device,
                "{userId}" => "alice",
                part if part.starts_with('{') => "x",
                part => part,
            })
            .collect();
        let path = path.join("/");
        let bearer = if path.contains("vendor") || path.contains("configurations") {
            &self.vendor
        } else {
            &self.access
        };
        let body = match std::str::from_utf8(body) {
            Ok(text) => text
                .replace("@login", &self.login)
                .replace("@code", &self.code)
                .replace("@device", &self.device)
                .into_bytes(),
            Err(_) => body.to_vec(),
        };
        let request = Request::builder()
            .method(&**method)
            .uri(&path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {bearer}"))
            .header("frontegg-tenant-id", "acme");
        let (status, body) = answer(&self.router, request, Body::from(body)).await;
        assert!(status < 500, "{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        if status >= 400 {
            let told: Value = serde_json::from_slice(&body).expect("a refusal is JSON");
            assert!(told["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{told}");
        }
    }
}

async fn answer(
    router: &Router,
    request: axum::http::request::Builder,
    body: Body,
) -> (u16, Vec<u8>) {
    let mut request = request.body(body).expect("a request");
    let peer = SocketAddr::from(([127, 0, 0, 1], 9));
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    (status, to_bytes(response.into_body(), 1 << 20).await.expect("a body").to_vec())
}

fuzz_target!(|data: &[u8]| {
    let [which, body @ ..] = data else { return };
    WORLD.with_borrow_mut(|world| {
        if world.as_ref().is_none_or(|world| world.lives == 0) {
            *world = Some(RUNTIME.block_on(World::new()));
        }
        if let Some(world) = world {
            RUNTIME.block_on(world.ask(*which, body));
        }
    });
});
