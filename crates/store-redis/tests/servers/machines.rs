//! Private servers on free ports, gone with their directory. Also what the server's fleet tests stand on.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use redis::{Client, Connection};
use tempfile::TempDir;

/// Is there a server on this machine? Where there is none a test says so in one line and does not run, under `CI` it
/// fails.
pub(crate) fn installed(test: &str) -> bool {
    let mut version = Command::new("redis-server");
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let found = version.status().is_ok_and(|status| status.success());
    assert!(found || std::env::var_os("CI").is_none(), "{test}: redis-server not installed");
    if !found {
        // Not by `eprintln!`: the harness would swallow it, and a silent skip is a lie.
        let line = format!("not run: {test}: redis-server not installed\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// One server process.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    dir: Arc<TempDir>,
    arguments: Vec<String>,
}

impl Server {
    /// A server with these settings beside the usual ones, that answers.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let port = free_port();
        let mut arguments: Vec<String> =
            ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]
                .map(str::to_owned)
                .into();
        arguments.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let child = spawn(&arguments, dir.path());
        let server = Self { child, port, dir, arguments };
        server.answers();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills it with `SIGKILL` and starts it again on the same data and port.
    pub(crate) fn kill_and_restart(&mut self) {
        self.kill();
        self.start_again();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.arguments, self.directory());
        self.answers();
    }

    /// `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        assert!(
            kill.args([&format!("-{signal}"), &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn connection(&self) -> Connection {
        Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    pub(crate) fn ask<T: redis::FromRedisValue>(&self, words: &str) -> T {
        let mut command = redis::Cmd::new();
        for word in words.split(' ') {
            command.arg(word);
        }
        command.query(&mut self.connection()).unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    /// Is this line in what it says of itself?
    pub(crate) fn says(&self, words: &str, line: &str) -> bool {
        self.ask::<String>(words).lines().any(|said| said.trim() == line)
    }

    fn answers(&self) {
        // Also one that wants a password first, but none that is still reading its data.
        until("a server answers", || {
            let mut said = [0; 7];
            let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
                stream.write_all(b"PING\r\n")?;
                stream.read_exact(&mut said)
            });
            asked.is_ok() && [*b"+PONG\r\n", *b"-NOAUTH"].contains(&said)
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn spawn(arguments: &[String], dir: &Path) -> Child {
    let mut command = Command::new("redis-server");
    command.args(arguments).arg("--dir").arg(dir);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for the world outside, a minute at most.
#[track_caller]
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if done() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

/// Masters that share the slots, and a replica of each.
pub(crate) struct Fleet {
    pub(crate) masters: Vec<Server>,
    pub(crate) replicas: Vec<Server>,
}

impl Fleet {
    pub(crate) fn start(masters: usize, replicated: bool) -> Self {
        let node = || {
            let bus = free_port().to_string();
            Server::start(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--repl-diskless-sync-delay",
                "0",
            ])
        };
        let masters: Vec<Server> = (0..masters).map(|_| node()).collect();
        let replicas: Vec<Server> = masters.iter().filter(|_| replicated).map(|_| node()).collect();
        let fleet = Self { masters, replicas };
        fleet.join();
        fleet
    }

    fn join(&self) {
        let count = u32::try_from(self.masters.len()).unwrap();
        let bus = |server: &Server| {
            server.arguments.iter().skip_while(|word| *word != "--cluster-port").nth(1).cloned()
        };
        for (n, master) in (0..).zip(&self.masters) {
            let (from, to) = (16384 * n / count, 16384 * (n + 1) / count - 1);
            let _ok: String = master.ask(&format!("CLUSTER ADDSLOTSRANGE {from} {to}"));
            let _ok: String = master.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", n + 1));
        }
        let first = &self.masters[0];
        for server in self.masters.iter().skip(1).chain(&self.replicas) {
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {}", server.port, bus(server).unwrap());
            let _ok: String = first.ask(&meet);
        }
        let all = || self.masters.iter().chain(&self.replicas);
        let known = format!("cluster_known_nodes:{}", all().count());
        until("the nodes know each other", || all().all(|node| node.says("CLUSTER INFO", &known)));
        for (master, replica) in self.masters.iter().zip(&self.replicas) {
            let id: String = master.ask("CLUSTER MYID");
            until("a replica knows its master", || {
                let mut command = redis::cmd("CLUSTER");
                command.arg("REPLICATE").arg(&id).query::<String>(&mut replica.connection()).is_ok()
            });
        }
        until("the cluster is up", || {
            all().all(|node| node.says("CLUSTER INFO", "cluster_state:ok"))
        });
        until("the replicas follow", || {
            self.replicas
                .iter()
                .all(|replica| replica.says("INFO replication", "master_link_status:up"))
        });
        until("every node knows the replicas", || {
            all().all(|node| {
                let nodes: String = node.ask("CLUSTER NODES");
                nodes.matches("slave").count() == self.replicas.len()
            })
        });
    }

    /// Two of its nodes: enough to find the others.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.masters.iter().take(2).map(Server::url).collect()
    }
}
