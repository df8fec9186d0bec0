//! Three nodes with one key ring on one database; each may be killed and started again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use countersign_conformance::canary::Canaries;
use tempfile::TempDir;

use super::support::browser::Browser;
use super::support::canaries;
use super::support::config::{Config, free_port};
use super::support::server::{Server, config_file, countersign};

/// How many nodes there are.
pub(crate) const NODES: usize = 3;

/// The fleet. Its clients know the addresses of all nodes, as a load balancer does.
#[derive(Debug)]
pub(crate) struct Fleet {
    urls: Vec<String>,
    nodes: Vec<Mutex<Option<Server>>>,
    pub(crate) vendor_token: String,
    /// The directories of the nodes.
    homes: Vec<PathBuf>,
    _shared: TempDir,
}

impl Fleet {
    /// Starts three nodes on the database of this URL.
    pub(crate) fn on(database: &str) -> Self {
        Self::set(database, |config, _| config)
    }

    /// The same, and each node that hands out events writes them into a file of its own.
    pub(crate) fn with_sinks(database: &str) -> Self {
        Self::set(database, |config, home| {
            config.line(&format!("events.sinks.file.file = '{}'", event_file(home).display()))
        })
    }

    fn set(database: &str, more: impl Fn(Config, &Path) -> Config) -> Self {
        let shared = tempfile::tempdir().unwrap();
        let keys = shared.path().join("keys");
        run(&["keys", "new", "--out"], &keys);
        let nodes: Vec<Server> = (0..NODES)
            .map(|_| {
                let directory = tempfile::tempdir().unwrap();
                let file = configure(directory.path(), &keys, database, &more);
                Server::serve(directory, &file)
            })
            .collect();
        let vendor_token = run(&["vendor-token", "--config"], &nodes[0].config());
        Self {
            homes: nodes.iter().map(|node| home(&node.config())).collect(),
            urls: nodes.iter().map(|node| node.url.clone()).collect(),
            nodes: nodes.into_iter().map(|node| Mutex::new(Some(node))).collect(),
            vendor_token,
            _shared: shared,
        }
    }

    /// A browser without cookies at a node.
    pub(crate) fn browser(&self, node: usize) -> Browser {
        Browser::new(&self.urls[node % NODES])
    }

    /// Where each node writes the audit events that it hands out.
    pub(crate) fn event_files(&self) -> Vec<PathBuf> {
        self.homes.iter().map(|home| event_file(home)).collect()
    }

    /// Everything that was said to its nodes in confidence.
    pub(crate) fn known(&self) -> Canaries {
        let mut known = Canaries::new();
        self.urls.iter().for_each(|url| known.add(&canaries::known(url)));
        canaries::mark(&mut known, "the token of a service", &self.vendor_token);
        known
    }

    /// A node ends as a service manager ends it, and starts again with records written in this encoding.
    pub(crate) fn turn(&self, node: usize, encoding: u8) {
        let mut slot = self.nodes[node % NODES].lock().unwrap();
        let directory = slot.take().unwrap().stop();
        let file = config_file(directory.path());
        let lines = std::fs::read_to_string(&file).unwrap();
        let lines = lines.lines().map(|line| match line.starts_with("encoding = ") {
            true => format!("encoding = {encoding}\n"),
            false => format!("{line}\n"),
        });
        std::fs::write(&file, lines.collect::<String>()).unwrap();
        *slot = Some(Server::serve(directory, &file));
    }

    /// What a command over the database prints, run with the configuration of a node.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let slot = self.nodes[0].lock().unwrap();
        run(&[arguments, &["--config"]].concat(), &slot.as_ref().unwrap().config())
    }

    /// `kill -9` of a node, and the same node again.
    pub(crate) fn kill_and_restart(&self, node: usize) {
        let mut slot = self.nodes[node % NODES].lock().unwrap();
        let directory = slot.take().unwrap().kill();
        let file = config_file(directory.path());
        *slot = Some(Server::serve(directory, &file));
    }
}

/// The configuration of one node: what differs between nodes is where they listen.
fn configure(
    directory: &Path,
    keys: &Path,
    database: &str,
    more: impl Fn(Config, &Path) -> Config,
) -> PathBuf {
    let config = Config::new()
        .line(&format!("database = '{database}'"))
        .line(&format!("keys_file = '{}'", keys.display()))
        .line("issuer = 'fleet'")
        .line("encoding = 1");
    let config = more(config, directory);
    let file = config_file(directory);
    std::fs::write(&file, config.toml(&directory.join("data"), free_port())).unwrap();
    file
}

fn home(config: &Path) -> PathBuf {
    config.parent().unwrap().to_owned()
}

fn event_file(home: &Path) -> PathBuf {
    home.join("events.jsonl")
}

/// Runs the binary with one path more; what it printed.
fn run(arguments: &[&str], path: &Path) -> String {
    let output = countersign().args(arguments).arg(path).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "countersign {arguments:?}: {shown}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
