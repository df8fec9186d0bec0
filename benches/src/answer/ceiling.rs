//! What a database does at best: its own benchmark, or the plainest loop.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tempfile::NamedTempFile;

use super::servers::Postgres;
use super::{EVENT, Outcome, RECORD};

/// How many rows a ceiling is measured over.
const ROWS: u64 = 20_000;

/// How long a loop runs.
const SPAN: Duration = Duration::from_secs(2);

/// A loop that commits one row a transaction on SQLite, as durably as the store does.
#[derive(Debug)]
pub struct OneByOne {
    conn: Connection,
    writes: u64,
}

impl OneByOne {
    /// A file of its own.
    ///
    /// # Errors
    /// SQLite's.
    pub fn open(path: &Path) -> Outcome<Self> {
        let conn = Connection::open(path)?;
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE record (key BLOB NOT NULL PRIMARY KEY, version BLOB NOT NULL, bytes BLOB);
             BEGIN",
        )?;
        for n in 0..ROWS {
            let mut insert = conn.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3)")?;
            insert.execute(params![key(n), [0_u8; 16], vec![5_u8; RECORD]])?;
        }
        conn.execute_batch("COMMIT")?;
        Ok(Self { conn, writes: 0 })
    }

    /// Commits a second.
    ///
    /// # Errors
    /// SQLite's.
    #[allow(clippy::cast_precision_loss, reason = "thousands")]
    pub fn per_second(&mut self) -> Outcome<f64> {
        let update = "UPDATE record SET version = ?2, bytes = ?3 WHERE key = ?1";
        let mut update = self.conn.prepare_cached(update)?;
        let (begun, before) = (Instant::now(), self.writes);
        while begun.elapsed() < SPAN {
            self.writes += 1;
            // SQLite leaves out a write that changes nothing, and its commit with it.
            let version = u128::from(self.writes).to_be_bytes();
            let bytes: Vec<u8> = version.into_iter().cycle().take(RECORD).collect();
            update.execute(params![key(self.writes * 97 % ROWS), version, bytes])?;
        }
        Ok((self.writes - before) as f64 / begun.elapsed().as_secs_f64())
    }
}

/// `redis-benchmark` running a like script on a server: compare a version, write a record, append an event.
#[derive(Debug)]
pub struct RedisBenchmark {
    port: String,
    digest: String,
    cluster: bool,
}

const LIKE: &str = r"
local head = redis.call('GETRANGE', KEYS[1], 0, 15)
if #head == 16 and head ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if redis.call('RPUSH', KEYS[2], ARGV[3]) > 1000000 then redis.call('LTRIM', KEYS[2], -1000000, -1) end
return 1";

impl RedisBenchmark {
    /// Puts the script there.
    ///
    /// # Errors
    /// `redis-cli` is not installed, or the server does not answer.
    pub fn on(port: u16) -> Outcome<Self> {
        Self::loaded(port, false)
    }

    /// Puts the script onto every node of a cluster.
    ///
    /// # Errors
    /// As [`on`](Self::on).
    pub fn on_cluster(ports: &[u16]) -> Outcome<Self> {
        let loaded: Vec<Self> =
            ports.iter().map(|port| Self::loaded(*port, true)).collect::<Outcome<_>>()?;
        loaded.into_iter().next().ok_or_else(|| "no nodes".into())
    }

    fn loaded(port: u16, cluster: bool) -> Outcome<Self> {
        let port = port.to_string();
        let output =
            Command::new("redis-cli").args(["-p", &port, "SCRIPT", "LOAD", LIKE]).output()?;
        let digest = String::from_utf8(output.stdout)?.trim().to_owned();
        if digest.len() != 40 {
            return Err(format!("the script was not taken: {digest}").into());
        }
        Ok(Self { port, digest, cluster })
    }

    /// Scripts a second over this many connections.
    ///
    /// # Errors
    /// `redis-benchmark` is not installed, or says something else.
    pub fn per_second(&self, connections: usize) -> Outcome<f64> {
        let version = "v".repeat(16);
        let record = format!("{version}{}", "r".repeat(RECORD));
        let (row, events) = match self.cluster {
            true => ("like:{tag}:__rand_int__", "like:{tag}:events"),
            false => ("like:__rand_int__", "like:events"),
        };
        let output = Command::new("redis-benchmark")
            .args(["-p", &self.port, "-c", &connections.to_string(), "-n", "60000"])
            .args(self.cluster.then_some("--cluster"))
            .args(["-r", &ROWS.to_string(), "--csv", "EVALSHA", &self.digest, "2"])
            .args([row, events, &version, &record, &"e".repeat(EVENT)])
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        // Name, rate, latencies; the name holds the arguments, and no quoted comma.
        let rate = text.lines().last().and_then(|line| line.rsplit("\",\"").nth(6));
        let rate = rate.and_then(|rate| rate.trim_matches('"').parse::<f64>().ok());
        rate.ok_or_else(|| format!("redis-benchmark said {text:?}").into())
    }
}

/// `pgbench` doing one indexed update of a row a transaction, its statement prepared.
#[derive(Debug)]
pub struct PgBench<'a> {
    server: &'a Postgres,
    script: NamedTempFile,
}

impl<'a> PgBench<'a> {
    /// Fills a table beside the store's.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn on(server: &'a Postgres) -> Outcome<Self> {
        server.psql(&format!(
            "CREATE TABLE ceiling (key bigint PRIMARY KEY, version bytea, bytes bytea);
             INSERT INTO ceiling SELECT n, '\\x00', decode(repeat('5a', {RECORD}), 'hex')
             FROM generate_series(1, {ROWS}) n"
        ))?;
        let script = NamedTempFile::new()?;
        let text = format!(
            "\\set n random(1, {ROWS})\n\\set v random(1, 1000000000)\n\
             UPDATE ceiling SET version = int8send(:v), bytes = bytes WHERE key = :n;\n"
        );
        std::fs::write(script.path(), text)?;
        Ok(Self { server, script })
    }

    /// Transactions a second over this many connections.
    ///
    /// # Errors
    /// `pgbench` says something else.
    pub fn per_second(&self, connections: usize) -> Outcome<f64> {
        let (connections, span) = (connections.to_string(), SPAN.as_secs().to_string());
        let mut bench = self.server.program("pgbench");
        bench.args(["-n", "-M", "prepared", "-j", "2", "-c", &connections, "-T", &span, "-f"]);
        let output = bench.arg(self.script.path()).arg("postgres").output()?;
        let text = String::from_utf8(output.stdout)?;
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rate| rate.split(' ').next()?.parse().ok());
        rate.ok_or_else(|| {
            format!("pgbench said {text:?} {}", String::from_utf8_lossy(&output.stderr)).into()
        })
    }
}

/// Keys without an order, as keyed digests are.
fn key(n: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut state = n;
    for chunk in bytes.chunks_exact_mut(8) {
        state = (state ^ (state >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(state ^ (state >> 31)).to_be_bytes());
    }
    bytes
}
