//! A private server of PostgreSQL: made with `initdb`, on a free port, gone with the test.
//!
//! `fsync` is on, as it is for an operator. The server refuses to run as root, so that root hands
//! it to `nobody`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Whom root hands the server to.
const NOBODY: u32 = 65534;

/// How long a server may take to come up or to go down, in steps of 20 ms.
const STEPS: u32 = 3000;

/// A server and its directory.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
    directory: TempDir,
    pub(crate) port: u16,
    process: Option<Child>,
    settings: Vec<String>,
}

impl Postgres {
    /// Starts one; where the programs are absent it says so in one line, and under `CI` fails.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            let line = format!("not run: {test}: postgres not installed\n");
            assert!(std::env::var_os("CI").is_none(), "{line}");
            // Not by `eprintln!`: the harness would swallow it, and a silent skip is a lie.
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        if is_root(directory.path()) {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut server = Self { programs, directory, port: 0, process: None, settings: Vec::new() };
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--pgdata"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.port = free_port();
        server.up();
        Some(server)
    }

    /// The URL of its one database, over TCP.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same at another port, where something stands between.
    pub(crate) fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// The URL of a namespace of its own, empty.
    pub(crate) fn namespace(&self, name: &str) -> String {
        self.sql(&format!("CREATE SCHEMA {name}"));
        format!("{}?options=-csearch_path%3D{name}", self.url())
    }

    /// Runs a statement; what it printed.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let output = self
            .command("psql")
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname"])
            .args([&self.url(), "--command", statement])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// `kill -9` of the server and of everything that it started.
    pub(crate) fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let mut ids = vec![process.id().to_string()];
        ids.extend(children(process.id()));
        // Some may have ended by themselves.
        let _ = Command::new("kill").arg("-9").args(&ids).stderr(Stdio::null()).status();
        process.wait().unwrap();
    }

    /// Starts it again on what is there, and waits until it answers.
    pub(crate) fn up(&mut self) {
        for _ in 0..STEPS {
            if self.process.is_none() {
                self.process = Some(self.spawn());
            }
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() {
                // What was killed may hold its memory for a moment more.
                self.process = None;
            } else if self.answers() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("postgres did not come up: {}", self.log());
    }

    /// Starts it anew with a certificate and its key, both in PEM, for whoever asks for TLS.
    pub(crate) fn with_certificate(&mut self, certificate: &str, key: &str) {
        self.down();
        self.settings = vec!["ssl=on".to_owned()];
        for (setting, name, text) in
            [("ssl_cert_file", "own.pem", certificate), ("ssl_key_file", "own.key", key)]
        {
            let file = self.directory.path().join(name);
            fs::write(&file, text).unwrap();
            // It takes no key that others may read.
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let owner = fs::metadata(self.directory.path()).unwrap().uid();
            chown(&file, Some(owner), None).unwrap();
            self.settings.push(format!("{setting}={}", file.display()));
        }
        self.up();
    }

    /// Ends it as an operator would, cutting every connection.
    pub(crate) fn down(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let id = process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        process.wait().unwrap();
    }

    fn spawn(&self) -> Child {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .unwrap();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.directory.path());
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "max_connections=300", "-c", "deadlock_timeout=200ms"]);
        command.args(["-c", "shared_buffers=32MB", "-c", "log_checkpoints=off"]);
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn answers(&self) -> bool {
        let mut command = self.command("pg_isready");
        command.args(["--host=127.0.0.1", "--port", &self.port.to_string()]);
        command.stdout(Stdio::null()).status().unwrap().success()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.directory.path()).env_remove("PGOPTIONS");
        if fs::metadata(self.directory.path()).unwrap().uid() == NOBODY {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Where its files are.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// What it wrote so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The newest installation that Debian, or the PATH, has.
fn programs() -> Option<PathBuf> {
    let whole = |directory: &PathBuf| {
        ["initdb", "postgres", "psql", "pg_isready"]
            .iter()
            .all(|name| directory.join(name).is_file())
    };
    let debian = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        debian.map(|version| version.path().join("bin")).filter(whole).collect();
    found.sort();
    found.pop().or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(whole)
    })
}

fn is_root(own: &Path) -> bool {
    fs::metadata(own).unwrap().uid() == 0
}

/// Processes whose parent is this one.
fn children(parent: u32) -> Vec<String> {
    let all = fs::read_dir("/proc").ok().into_iter().flatten().flatten();
    let is_child = |id: &String| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // After the name in parentheses: state, parent.
        let rest = stat.rsplit_once(')').map_or("", |pair| pair.1);
        rest.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    all.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_child).collect()
}

/// A port that nobody listens on at this moment.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
