//! The whole answer, measured on one store: `--store sqlite|postgres|redis`, with `--json` an object a line.
//!
//! `--growth 10000,1000000` compares databases of so many people instead; with `--keep DIR` those of SQLite stay there, a
//! data directory each, for `footprint --data`.
//! `--people N` (20,000) enrol, `--pass N` of them (all) answer in each pass, `--pairs N` (5) count.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what it is for")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_benches::answer::ceiling::{OneByOne, PgBench, RedisBenchmark};
use countersign_benches::answer::report::{Line, PAIRS, Pairs};
use countersign_benches::answer::servers::{
    Postgres, Redis, RedisCluster, forget_sqlite_events, sqlite_events,
};
use countersign_benches::answer::world::{World, new_ring};
use countersign_benches::answer::{Outcome, http, pass, pass::End};
use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{Outbox, Store, WhenFull};
use countersign_server::clock::SystemClock;
use countersign_server::config::DatabaseUrl;
use countersign_store_postgres::{Address, PostgresStore};
use countersign_store_redis::{Config, RedisStore, Replicas};
use countersign_store_sqlite::SqliteStore;

/// No event is dropped: they are counted at the end.
const OUTBOX: Outbox = Outbox { bound: 1 << 40, when_full: WhenFull::DropOldest };

const HEAD: &str = "| store | layer | clients | ours/s | against | /s | ratio | gate | trips | p50 ms | p99 ms | |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|---|";

/// What is waited for beside the master.
const A_REPLICA: Replicas = Replicas { count: 1, on_disk: false, patience: Duration::from_secs(5) };

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    people: usize,
    pass: usize,
    pairs: usize,
    json: bool,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after =
        |name: &str| arguments.iter().skip_while(|word| *word != name).nth(1).map(String::as_str);
    let number = |name: &str, usual: usize| after(name).map_or(Ok(usual), str::parse);
    let people = number("--people", 20_000)?;
    let size = Size {
        people,
        pass: number("--pass", people)?,
        pairs: number("--pairs", PAIRS)?,
        json: arguments.iter().any(|word| word == "--json"),
    };
    if !size.json {
        println!("{HEAD}");
    }
    let sizes = after("--growth").map(|sizes| sizes.split(',').map(str::parse).collect());
    let sizes: Option<Vec<usize>> = sizes.transpose()?;
    let keep = after("--keep");
    if keep.is_some() && (sizes.is_none() || after("--store") != Some("sqlite")) {
        return Err("--keep is for --store sqlite --growth".into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match after("--store") {
            Some("sqlite") if sizes.is_some() => {
                grow_sqlite(&sizes.unwrap_or_default(), keep, size).await
            }
            Some("postgres") if sizes.is_some() => {
                grow_postgres(&sizes.unwrap_or_default(), size).await
            }
            Some("sqlite") => sqlite(size).await,
            Some("redis") => {
                redis("redis everysec", "everysec", 0.75, true, size).await?;
                redis("redis always", "always", 0.6, false, size).await?;
                redis_waiting(size).await?;
                redis_cluster(size).await
            }
            Some("postgres") => postgres(size).await,
            _ => Err("say --store sqlite, --store postgres or --store redis".into()),
        }
    })
}

async fn sqlite(size: Size) -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("db");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open(&file, clock, OUTBOX)?;
    let world = Arc::new(World::populate(store, size.people).await?);
    let mut plain = OneByOne::open(&dir.path().join("plain"))?;
    let before = sqlite_events(&file)?;

    let pairs = paired(&world, 64, size, || plain.per_second()).await?;
    tell(&pairs.line(("sqlite", "engine", 64), "a commit a row", Some(5.0), None)?, size);
    let minted = minted(&world, "sqlite", 64, size).await?;
    let wrote = over_http(&world, "sqlite", [(64, 0.45, 5.0), (8, 0.22, 5.0)], size).await?;
    grew("sqlite", before, sqlite_events(&file)?, wrote + minted + passes(size))
}

async fn postgres(size: Size) -> Outcome<()> {
    let server = Postgres::start()?;
    let store = PostgresStore::open(Address::parse(&server.url())?, OUTBOX).await?;
    let world = Arc::new(World::populate(store, size.people).await?);
    let ceiling = PgBench::on(&server)?;
    let before = server.events()?;
    let mut wrote = 0;
    for (clients, gate) in [(64, 1.4), (16, 0.8), (8, 0.5)] {
        let pairs = paired(&world, clients, size, || ceiling.per_second(clients)).await?;
        let line = pairs.line(("postgres", "engine", clients), "pgbench", Some(gate), None)?;
        tell(&line, size);
        wrote += passes(size);
    }
    wrote += minted(&world, "postgres", 64, size).await?;
    wrote += over_http(&world, "postgres", [(64, 0.4, 3.5), (8, 0.22, 3.5)], size).await?;
    grew("postgres", before, server.events()?, wrote)
}

async fn redis(
    name: &'static str,
    appendfsync: &str,
    gate: f64,
    layered: bool,
    size: Size,
) -> Outcome<()> {
    let server = Redis::start(appendfsync)?;
    let store = RedisStore::open(&Config::new([server.url()]), OUTBOX).await?;
    let world = Arc::new(World::populate(store, size.people).await?);
    let ceiling = RedisBenchmark::on(server.port)?;
    let before = server.events()?;
    let mut wrote = 0;
    for (clients, gate) in [(50, Some(gate)), (8, None)] {
        let pairs = paired(&world, clients, size, || ceiling.per_second(clients)).await?;
        tell(&pairs.line((name, "engine", clients), "redis-benchmark", gate, None)?, size);
        wrote += passes(size);
    }
    if layered {
        wrote += minted(&world, name, 50, size).await?;
        wrote += over_http(&world, name, [(64, 0.45, 3.5), (8, 0.35, 3.5)], size).await?;
    }
    grew(name, before, server.events()?, wrote)
}

/// The engine and its ceiling in turn; the first pair is not counted.
async fn paired<S: Store>(
    world: &Arc<World<S>>,
    clients: usize,
    size: Size,
    mut ceiling: impl FnMut() -> Outcome<f64>,
) -> Outcome<Pairs> {
    let mut pairs = Pairs::default();
    for pair in 0..=size.pairs {
        let ours = pass::engine(world, clients, size.pass, End::Assertion).await?;
        let theirs = tokio::task::block_in_place(&mut ceiling)?;
        if pair > 0 {
            pairs.add(&ours, theirs);
        }
    }
    Ok(pairs)
}

/// What minting tokens costs: with them, against without.
async fn minted<S: Store>(
    world: &Arc<World<S>>,
    store: &'static str,
    clients: usize,
    size: Size,
) -> Outcome<u64> {
    let mut pairs = Pairs::default();
    for pair in 0..=size.pairs {
        let ours = pass::engine(world, clients, size.pass, End::Tokens).await?;
        let without = pass::engine(world, clients, size.pass, End::Assertion).await?;
        if pair > 0 {
            pairs.add(&ours, without.per_second());
        }
    }
    tell(&pairs.line((store, "engine, tokens", clients), "no tokens", None, None)?, size);
    Ok(2 * passes(size))
}

/// A settle is acknowledged when a replica has it. The ceiling does not wait.
async fn redis_waiting(size: Size) -> Outcome<()> {
    let server = Redis::start("everysec")?;
    let _replica = server.replica()?;
    let config = Config { replicas: Some(A_REPLICA), ..Config::new([server.url()]) };
    let ceiling = RedisBenchmark::on(server.port)?;
    beside("redis WAIT 1", config, &ceiling, size, || server.events()).await
}

/// The same on a cluster of three masters with a replica each.
async fn redis_cluster(size: Size) -> Outcome<()> {
    let cluster = RedisCluster::start()?;
    let ceiling = RedisBenchmark::on_cluster(&cluster.ports())?;
    let config = Config::new(cluster.urls());
    beside("redis cluster", config.clone(), &ceiling, size, || cluster.events("cs")).await?;
    // People of their own, in the same cluster.
    let config = Config { replicas: Some(A_REPLICA), prefix: "w".to_owned(), ..config };
    let line = beside("redis cluster WAIT 1", config, &ceiling, size, || cluster.events("w"));
    line.await
}

/// A line that has no gate.
async fn beside(
    name: &'static str,
    config: Config,
    ceiling: &RedisBenchmark,
    size: Size,
    events: impl Fn() -> Outcome<u64>,
) -> Outcome<()> {
    let store = RedisStore::open(&config, OUTBOX).await?;
    let world = Arc::new(World::populate(store, size.people).await?);
    let before = events()?;
    let pairs = paired(&world, 50, size, || ceiling.per_second(50)).await?;
    tell(&pairs.line((name, "engine", 50), "redis-benchmark", None, None)?, size);
    grew(name, before, events()?, passes(size))
}

async fn grow_sqlite(sizes: &[usize], keep: Option<&str>, size: Size) -> Outcome<()> {
    let own = tempfile::tempdir()?;
    let kept = keep.map_or(own.path(), Path::new);
    let (mut worlds, mut files) = (Vec::new(), Vec::new());
    for people in sizes {
        // What a server finds in its data directory: its keys, and the file.
        let data = kept.join(people.to_string());
        fs::create_dir_all(&data)?;
        let ring = new_ring()?;
        countersign_vault::file::create_new(data.join("keys"), &ring)?;
        let DatabaseUrl::Sqlite(file) = DatabaseUrl::in_directory(&data) else {
            return Err("a data directory holds no SQLite file".into());
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = SqliteStore::open(&file, clock, OUTBOX)?;
        worlds.push(Arc::new(World::moved_in(store, ring, *people).await?));
        forget_sqlite_events(&file)?;
        files.push(file);
    }
    growth("sqlite", sizes, &worlds, size).await?;
    files.iter().try_for_each(|file| forget_sqlite_events(file))
}

async fn grow_postgres(sizes: &[usize], size: Size) -> Outcome<()> {
    let mut servers = Vec::new();
    let mut worlds = Vec::new();
    for people in sizes {
        let server = Postgres::start()?;
        let store = PostgresStore::open(Address::parse(&server.url())?, OUTBOX).await?;
        worlds.push(Arc::new(World::moved_in(store, new_ring()?, *people).await?));
        server.tidy()?;
        servers.push(server);
    }
    growth("postgres", sizes, &worlds, size).await
}

/// What a verification costs in databases of different sizes, in turn; each against the smallest.
async fn growth<S: Store>(
    store: &'static str,
    sizes: &[usize],
    worlds: &[Arc<World<S>>],
    size: Size,
) -> Outcome<()> {
    let smallest = sizes.iter().copied().min().unwrap_or(0);
    let mut pairs: Vec<Pairs> = worlds.iter().map(|_| Pairs::default()).collect();
    for pair in 0..=size.pairs {
        let mut first = None;
        for (world, pairs) in worlds.iter().zip(&mut pairs) {
            let ours = pass::engine(world, 64, size.pass.min(smallest), End::Assertion).await?;
            let first = *first.get_or_insert(ours.per_second());
            if pair > 0 {
                pairs.add(&ours, first);
            }
        }
    }
    for (people, pairs) in sizes.iter().zip(pairs) {
        let line = pairs.line((store, "engine", 64), "the smallest", None, None)?;
        // The cost is the inverse of the rate: at most 1.5 times is a ratio of at least 0.67.
        if size.json {
            println!(r#"{{"people":{people},"line":{}}}"#, line.json());
        } else {
            println!("{people} people: {line}");
        }
    }
    Ok(())
}

/// The layer `http`, against the same server without its store: clients, gate, and the longest tail.
async fn over_http<S: Store>(
    world: &Arc<World<S>>,
    store: &'static str,
    loads: [(usize, f64, f64); 2],
    size: Size,
) -> Outcome<u64> {
    let observed = world.node.engine().store();
    let address = http::serve(world).await?;
    let mut wrote = 0;
    for (clients, gate, tail) in loads {
        let mut pairs = Pairs::default();
        observed.keep().await?;
        for pair in 0..=size.pairs {
            let ours = http::pass(world, address, clients, size.pass).await?;
            observed.take_away(true);
            let without = http::pass(world, address, clients, size.pass).await;
            observed.take_away(false);
            if pair > 0 {
                pairs.add(&ours, without?.per_second());
            }
        }
        tell(&pairs.line((store, "http", clients), "no store", Some(gate), Some(tail))?, size);
        wrote += passes(size);
    }
    Ok(wrote)
}

/// How many verifications the passes of one line were.
fn passes(size: Size) -> u64 {
    u64::try_from(size.pass.min(size.people) * (size.pairs + 1)).unwrap_or(u64::MAX)
}

/// A bench that wrote to another store, or nowhere, would be fast as well.
fn grew(store: &str, before: u64, after: u64, verified: u64) -> Outcome<()> {
    if after.saturating_sub(before) < verified {
        let events = after.saturating_sub(before);
        return Err(format!("{store} has {events} events more for {verified} verifications").into());
    }
    Ok(())
}

fn tell(line: &Line, size: Size) {
    if size.json {
        println!("{}", line.json());
    } else {
        println!("{line}");
    }
}
