//! Private servers on free ports, gone with the bench.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use super::Outcome;

/// A `redis-server`.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    /// Its port on loopback.
    pub port: u16,
    _dir: TempDir,
}

impl Redis {
    /// A server with the append-only file, synced as this says, and no snapshots.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub fn start(appendfsync: &str) -> Outcome<Self> {
        Self::with(&["--appendfsync", appendfsync])
    }

    /// A replica of this server, in step with it.
    ///
    /// # Errors
    /// It does not come up.
    pub fn replica(&self) -> Outcome<Self> {
        let replica = Self::with(&["--replicaof", "127.0.0.1", &self.port.to_string()])?;
        replica.says("INFO replication", "master_link_status:up")?;
        Ok(replica)
    }

    fn with(more: &[&str]) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let port = free_port()?;
        let text = port.to_string();
        let settings =
            ["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir"];
        let mut command = Command::new("redis-server");
        command
            .args(settings)
            .arg(dir.path())
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child =
            command.spawn().map_err(|error| format!("redis-server cannot be started: {error}"))?;
        let server = Self { child, port, _dir: dir };
        answers(port)?;
        Ok(server)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Waits until it says this line of itself.
    fn says(&self, words: &str, line: &str) -> Outcome<()> {
        for _ in 0..1_000 {
            let mut asked = Command::new("redis-cli");
            asked.args(["-p", &self.port.to_string()]).args(words.split(' '));
            let said = String::from_utf8(asked.output()?.stdout)?;
            if said.lines().any(|said| said.trim() == line) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        Err(format!("a redis-server never says {line}").into())
    }

    /// How many events all partitions hold, asked of the server itself.
    ///
    /// # Errors
    /// It does not answer.
    pub fn events(&self) -> Outcome<u64> {
        let count = "local all = 0 for p = 0, 1023 do all = all + redis.call('LLEN', 'cs{' .. p .. '}e') end return all";
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port, "EVAL", count, "0"]).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Three masters that share the slots, and a replica of each; synced every second.
#[derive(Debug)]
pub struct RedisCluster {
    servers: Vec<Redis>,
}

impl RedisCluster {
    /// A cluster that is up.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub fn start() -> Outcome<Self> {
        let server = |_| {
            let bus = free_port()?.to_string();
            Redis::with(&["--cluster-enabled", "yes", "--cluster-port", &bus])
        };
        let servers: Vec<Redis> = (0..6).map(server).collect::<Outcome<_>>()?;
        let mut joined = Command::new("redis-cli");
        joined.args(["--cluster", "create"]);
        joined.args(servers.iter().map(|server| format!("127.0.0.1:{}", server.port)));
        joined.args(["--cluster-replicas", "1", "--cluster-yes"]).stdout(Stdio::null());
        if !joined.status()?.success() {
            return Err("the servers do not join".into());
        }
        for server in &servers {
            server.says("CLUSTER INFO", "cluster_state:ok")?;
        }
        Ok(Self { servers })
    }

    /// Where its nodes are.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().map(Redis::url).collect()
    }

    /// The ports of its nodes.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(|server| server.port).collect()
    }

    /// How many events all partitions of the store with this prefix hold, asked of the servers themselves.
    ///
    /// # Errors
    /// They do not answer.
    pub fn events(&self, prefix: &str) -> Outcome<u64> {
        let port = self.servers.first().ok_or("no servers")?.port.to_string();
        let mut asked = Command::new("redis-cli");
        asked.args(["-c", "-p", &port]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut asked = asked.spawn()?;
        let questions: String = (0..1024).map(|at| format!("LLEN {prefix}{{{at}}}e\n")).collect();
        asked.stdin.take().ok_or("no input")?.write_all(questions.as_bytes())?;
        let said = String::from_utf8(asked.wait_with_output()?.stdout)?;
        let counts: Vec<u64> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
        if counts.len() != 1024 {
            return Err(format!("{} of 1024 partitions were counted", counts.len()).into());
        }
        Ok(counts.iter().sum())
    }
}

/// A `postgres`, as the user `nobody` where the bench runs as root, whom it refuses.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    /// Its port on loopback.
    pub port: u16,
    bin: PathBuf,
    _dir: TempDir,
}

impl Postgres {
    /// A server with its usual settings: every commit is on the disk.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub fn start() -> Outcome<Self> {
        let bin = postgres_bin().ok_or("PostgreSQL is not installed")?;
        let dir = tempfile::tempdir()?;
        let (data, port) = (dir.path().join("data"), free_port()?);
        let root = std::fs::metadata("/proc/self").is_ok_and(|of| of.uid() == 0);
        if root {
            let own = Command::new("chown").arg("nobody").arg(dir.path()).status()?;
            if !own.success() {
                return Err("the data directory cannot be given away".into());
            }
        }
        let as_user = |program: &str| {
            let program = bin.join(program);
            if root {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
                command
            } else {
                Command::new(program)
            }
        };
        let mut made = as_user("initdb");
        made.args(["-A", "trust", "-U", "postgres", "--no-instructions", "-D"]).arg(&data);
        if !made.stdout(Stdio::null()).status()?.success() {
            return Err("initdb failed".into());
        }
        let mut server = as_user("postgres");
        server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-k"]).arg(dir.path());
        server.args(["-c", "max_wal_size=8GB"]).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self { child: server.spawn()?, port, bin, _dir: dir };
        for _ in 0..500 {
            if server.psql("SELECT 1").is_ok() {
                return Ok(server);
            }
            sleep(Duration::from_millis(20));
        }
        Err("postgres does not come up".into())
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// One of its programs, told where the server is.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string()]);
        command
    }

    /// What a statement answers.
    ///
    /// # Errors
    /// It fails.
    pub fn psql(&self, statement: &str) -> Outcome<String> {
        let mut command = self.program("psql");
        let output = command.args(["-qAt", "-d", "postgres", "-c", statement]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Does what a large import leaves to be done: takes its events out, analyses the tables and writes all of it.
    ///
    /// # Errors
    /// It does not answer.
    pub fn tidy(&self) -> Outcome<()> {
        for statement in ["TRUNCATE countersign_event", "VACUUM ANALYZE", "CHECKPOINT"] {
            self.psql(statement)?;
        }
        Ok(())
    }

    /// How many events it holds, asked of the server itself.
    ///
    /// # Errors
    /// It does not answer.
    pub fn events(&self) -> Outcome<u64> {
        Ok(self.psql("SELECT count(*) FROM countersign_event")?.parse()?)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A fast end; the data is thrown away.
        let mut end = Command::new("kill");
        let _ended = end.args(["-INT", &self.child.id().to_string()]).status();
        let _gone = self.child.wait();
    }
}

/// Debian keeps its programs out of the PATH.
fn postgres_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.flatten().map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("postgres").exists()).max()
}

/// How many events an SQLite file holds, asked of the file itself.
///
/// # Errors
/// It cannot be read.
pub fn sqlite_events(file: &Path) -> Outcome<u64> {
    let conn = rusqlite::Connection::open(file)?;
    let count: i64 = conn.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    Ok(u64::try_from(count)?)
}

/// Takes all events out of an SQLite file, as a sink would that has come to their end, and writes all of it.
///
/// # Errors
/// It cannot be written.
pub fn forget_sqlite_events(file: &Path) -> Outcome<()> {
    let conn = rusqlite::Connection::open(file)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.execute_batch("BEGIN; DELETE FROM event; UPDATE outbox SET waiting = 0; COMMIT")?;
    // Whether readers kept it from all of it does not matter.
    conn.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(()))?;
    Ok(())
}

/// A port that nobody listens on now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn answers(port: u16) -> Outcome<()> {
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(10));
    }
    Err("a server that was started does not answer".into())
}
