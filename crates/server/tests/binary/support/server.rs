//! The binary under test as a process: started in a directory of its own, ended with the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::browser::Browser;
use super::canaries;
use super::clock::wait_for;
use super::outbox::Outbox;

/// The built binary, without anything of this environment that could configure it.
pub(crate) fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in std::env::vars().filter(|pair| pair.0.starts_with("COUNTERSIGN")) {
        command.env_remove(name);
    }
    command
}

/// A data directory and the process that serves it.
#[derive(Debug)]
pub(crate) struct Server {
    directory: TempDir,
    process: Child,
    /// Held open: a process that prints into a closed pipe dies of it.
    output: Option<Lines<BufReader<ChildStdout>>>,
    pub(crate) url: String,
    /// Of the demo's user; empty under `serve`.
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Server {
    /// `countersign demo` in a fresh directory on a free port.
    pub(crate) fn demo() -> Self {
        Self::demo_with(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn demo_with(environment: &[(&str, &str)]) -> Self {
        Self::demo_in(tempfile::tempdir().unwrap(), environment)
    }

    fn demo_in(directory: TempDir, environment: &[(&str, &str)]) -> Self {
        let mut command = countersign();
        command.envs(environment.iter().copied());
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(directory.path().join("data"));
        Self::start(directory, command, "password")
    }

    /// `countersign serve` with this configuration file, whose data directory is `data` in `directory`.
    pub(crate) fn serve(directory: TempDir, config: &Path) -> Self {
        Self::serve_under(directory, config, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn serve_under(
        directory: TempDir,
        config: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = countersign();
        command.envs(environment.iter().copied());
        command.args(["serve", "--config"]).arg(config);
        Self::start(directory, command, "url")
    }

    /// The same with more in its environment.
    pub(crate) fn serve_with(directory: TempDir, config: &Path, name: &str, value: &Path) -> Self {
        let mut command = countersign();
        command.args(["serve", "--config"]).arg(config).env(name, value);
        Self::start(directory, command, "url")
    }

    /// Starts the process and reads its lines up to the one that begins with `last`.
    fn start(directory: TempDir, mut command: Command, last: &str) -> Self {
        let errors = File::options().create(true).append(true).open(errors(directory.path()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors.unwrap());
        let process = command.spawn().unwrap();
        let mut server = Self {
            directory,
            process,
            output: None,
            url: String::new(),
            email: String::new(),
            password: String::new(),
        };
        let mut lines = BufReader::new(server.process.stdout.take().unwrap()).lines();
        let mut ready = false;
        for line in lines.by_ref() {
            let line = line.unwrap();
            let (word, rest) = line.split_once(' ').expect("a word and its value on each line");
            match word {
                "url" => rest.clone_into(&mut server.url),
                "email" => rest.clone_into(&mut server.email),
                "password" => rest.clone_into(&mut server.password),
                "mail" => assert_eq!(Path::new(rest), server.data().join("outbox")),
                _ => {}
            }
            ready = word == last;
            if ready {
                break;
            }
        }
        server.output = Some(lines);
        assert!(ready, "the server did not come up:\n{}", server.log());
        server
    }

    /// `kill -9`, and what is left of it: the directory.
    pub(crate) fn kill(mut self) -> TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        canaries::assert_kept(&self.url, &self.log(), &self.data());
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        drop(self);
        directory
    }

    /// SIGTERM: it answers what it was asked, and ends; what is left of it.
    pub(crate) fn stop(mut self) -> TempDir {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.wait().success(), "it ended by itself:\n{}", self.log());
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        drop(self);
        directory
    }

    /// `countersign demo` again in the directory of one that was killed.
    pub(crate) fn demo_again(directory: TempDir) -> Self {
        Self::demo_in(directory, &[])
    }

    /// Waits until the process ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let ended = wait_for(Duration::from_secs(30), || self.process.try_wait().unwrap());
        ended.expect("the server ends")
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The configuration file of `serve`.
    pub(crate) fn config(&self) -> PathBuf {
        config_file(self.directory.path())
    }

    /// A browser without cookies at this server.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// The mails that were written into the data directory.
    pub(crate) fn outbox(&self) -> Outbox {
        Outbox::open(&self.data().join("outbox"))
    }

    /// A bearer token for the management routes.
    pub(crate) fn vendor_token(&self) -> String {
        let output =
            countersign().args(["vendor-token", "--data"]).arg(self.data()).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "countersign vendor-token: {shown}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let authority = self.url.split("://").nth(1).unwrap().trim_end_matches('/');
        let port = authority.rsplit_once(':').expect("a port in the URL").1;
        format!("127.0.0.1:{port}").parse().unwrap()
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(errors(self.directory.path())).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself; then there is nothing to end.
        self.process.kill().ok();
        self.process.wait().ok();
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("--- the server's standard error\n{log}");
        } else {
            assert!(!log.contains("panicked at"), "the server panicked:\n{log}");
            canaries::assert_kept(&self.url, &log, &self.data());
        }
    }
}

/// Where a test's configuration lies in its directory.
pub(crate) fn config_file(directory: &Path) -> PathBuf {
    directory.join("countersign.toml")
}

fn errors(directory: &Path) -> PathBuf {
    directory.join("stderr")
}
