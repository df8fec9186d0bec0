//! A service that links the ceremony and a store, with routes and users of its own, and none of our HTTP.
//! `cargo run -p countersign-server --example own_routes -- ./own-data` prints where it listens.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, extract::State, routing::get, routing::post};
use countersign_ceremony::decide::{Enrolment, Refusal};
use countersign_ceremony::engine::{self, Client, Engine, Passed, Reply, Settings};
use countersign_ceremony::env::{Deliver, Env, Later, Message, NoPasskeys, NotDelivered, Threads};
use countersign_ceremony::{assertion::FirstFactor, policy::Enforce, policy::Policy};
use countersign_device::{RealmId, TenantId, UserId};
use countersign_server::{clock::SystemClock, node::new_keys, random::SystemRandom};
use countersign_store_sqlite::SqliteStore;
use countersign_token::{Ed25519, Params, password::PasswordHash, password::verify};
use countersign_vault::{Purpose, Vault, file};
use serde_json::json;
use std::{collections::BTreeMap, error::Error, path::Path, sync::Arc};
use tokio::sync::Mutex;
use {countersign_provision::Uri, countersign_remember::Cookie};

struct Service {
    engine: Engine<SqliteStore>,
    users: Mutex<BTreeMap<String, PasswordHash>>,
}

type Shared = State<Arc<Service>>;
type Answer = Result<Response, StatusCode>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args().nth(1).ok_or("usage: own_routes DIRECTORY")?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(Path::new(&data))?).await?)
}

/// The service, whose keys and records are in this directory.
pub(crate) fn app(data: &Path) -> Result<Router, Box<dyn Error>> {
    let keys = data.join("keys");
    if !keys.exists() {
        file::create_new(&keys, &new_keys()?)?;
    }
    let vault = file::load(&keys)?;
    let store = SqliteStore::open(data.join("records"), Arc::new(SystemClock), Default::default())?;
    let env = Env {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        sign: Arc::new(Ed25519::from_seed(vault.digest(Purpose::new("own"), &[]).as_bytes())),
        vault: Arc::new(vault),
        deliver: Arc::new(NoMail),
        workers: Arc::new(Threads::start(2, 64)?),
        relying_party: Arc::new(NoPasskeys),
        node: "own".into(),
        incarnation: Default::default(),
        encoding: Default::default(),
    };
    let remember = countersign_remember::Policy::new(true, 86_400)?;
    let policy = Policy { enforce: Enforce::Force, remember, ..Policy::default() };
    let named = Settings::new(RealmId::parse("main")?, "own".into(), "own".into());
    let engine = Engine::new(Arc::new(store), env, Settings { policy, ..named })?;
    let routes = Router::new().route("/sign-up", post(sign_up)).route("/log-in", post(log_in));
    let routes = routes.route("/code", post(code)).route("/me", get(me));
    Ok(routes.with_state(Arc::new(Service { engine, users: Mutex::default() })))
}

/// A name and its password, or a login and its code.
type Pair = Json<(String, String)>;

async fn sign_up(State(own): Shared, Json((name, given)): Pair) -> Answer {
    UserId::parse(&name).map_err(|_| StatusCode::BAD_REQUEST)?;
    let salt = own.engine.env().draw().map_err(down)?;
    let hash = move || PasswordHash::of(given.as_bytes(), &salt, Params::default());
    let hash = own.engine.env().work(hash).await.map_err(down)?.map_err(down)?;
    own.users.lock().await.entry(name).or_insert(hash);
    Ok(StatusCode::CREATED.into_response())
}

/// The password is this service's to check; what is asked beyond it is the engine's.
async fn log_in(State(own): Shared, from: HeaderMap, Json((name, given)): Pair) -> Answer {
    let stored = own.users.lock().await.get(&name).cloned();
    let check = move || verify(given.as_bytes(), stored.as_ref(), Params::default());
    if !own.engine.env().work(check).await.map_err(down)?.map_err(down)? {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let user = UserId::parse(&name).map_err(down)?;
    let (tenant, first) = (TenantId::parse("all").map_err(down)?, FirstFactor::Password);
    let (also, application, email, epoch) = (vec![], None, None, None);
    let passed = Passed { user, tenant, also, application, email, first, epoch };
    answer(&own, own.engine.begin(passed, &client(&from)).await)
}

/// Judges a code; the first one of an app enrols it.
async fn code(State(own): Shared, from: HeaderMap, Json((login, code)): Pair) -> Answer {
    answer(&own, own.engine.code(&login, &client(&from), None, &code, true).await)
}

async fn me(State(own): Shared, from: HeaderMap) -> Answer {
    let token = text(&from, header::AUTHORIZATION).trim_start_matches("Bearer ");
    let session = own.engine.authenticate(token).await.map_err(down)?;
    Ok(session.ok_or(StatusCode::UNAUTHORIZED)?.claims.sub.into_response())
}

fn text(from: &HeaderMap, name: header::HeaderName) -> &str {
    from.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn client(from: &HeaderMap) -> Client {
    let mut cookies = text(from, header::COOKIE).split("; ");
    let device = cookies.find_map(|pair| pair.strip_prefix("device=")).unwrap_or_default();
    Client { cookie: Cookie::parse(device), ..Client::default() }
}

/// What the engine says, in this service's words.
fn answer(own: &Service, reply: Result<Reply, engine::Error>) -> Answer {
    let (cookie, body) = match reply.map_err(down)? {
        Reply::Granted(of) => {
            let recovery = of.recovery.map(|codes| codes.reveal().to_string());
            let tokens = own.engine.mint(&of.assertion).map_err(down)?;
            (of.cookie, json!({"token": tokens.access, "recovery": recovery}))
        }
        Reply::Challenged(of) => {
            let uri = |app: Enrolment| Uri::totp(&app.issuer, &app.account, app.secret, app.totp);
            let scan = of.challenged.enrolment.map(uri).transpose().map_err(down)?;
            let scan = scan.map(|uri| uri.expose().to_string());
            (of.cookie, json!({"login": of.token.as_str(), "scan": scan}))
        }
        Reply::Refused(Refusal::Code) => return Err(StatusCode::BAD_REQUEST),
        Reply::Refused(Refusal::TooMany(_)) => return Err(StatusCode::TOO_MANY_REQUESTS),
        _ => return Err(StatusCode::UNAUTHORIZED),
    };
    let line = |cookie| format!("device={cookie}; Max-Age=86400; HttpOnly; Secure; SameSite=Lax");
    let cookie = cookie.map(|cookie| [(header::SET_COOKIE, line(cookie))]);
    Ok((cookie, Json(body)).into_response())
}

/// No decision was reached, and nobody is let in.
fn down(error: impl Error) -> StatusCode {
    eprintln!("{error}");
    StatusCode::SERVICE_UNAVAILABLE
}

#[derive(Debug)]
struct NoMail;

impl Deliver for NoMail {
    fn deliver(&self, _: Message) -> Later<'_, Result<(), NotDelivered>> {
        Box::pin(async { Err(NotDelivered) })
    }
}
