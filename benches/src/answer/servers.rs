//! Private servers on free ports, gone with the bench.

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
        let dir = tempfile::tempdir()?;
        let port = free_port()?;
        let text = port.to_string();
        let settings = [
            "--port",
            &text,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            appendfsync,
            "--dir",
        ];
        let mut command = Command::new("redis-server");
        command.args(settings).arg(dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
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
