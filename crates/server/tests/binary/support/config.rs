//! A configuration for `countersign serve`, written as an operator would, with one user in its directory.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::server::{Server, config_file, countersign};

/// The user that each served directory knows.
pub(crate) const EMAIL: &str = "ada@example.com";
/// Her password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// What a test wants different from the defaults.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    host: IpAddr,
    lines: String,
    origins: Vec<String>,
    smtp: Option<SocketAddr>,
    enforce: String,
    remember: bool,
    strategies: Vec<String>,
}

impl Config {
    /// Without SMTP the mails go into the outbox directory.
    pub(crate) fn new() -> Self {
        let host = Ipv4Addr::LOCALHOST.into();
        let strategies = vec!["AuthenticatorApp".to_owned(), "EmailCode".to_owned()];
        let (lines, enforce) = (String::new(), "Force".to_owned());
        Self { host, lines, origins: Vec::new(), smtp: None, enforce, remember: true, strategies }
    }

    /// Listens on every address of this machine.
    pub(crate) fn everywhere(mut self) -> Self {
        self.host = Ipv4Addr::UNSPECIFIED.into();
        self
    }

    /// Another line of the file.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.lines = format!("{}{line}\n", self.lines);
        self
    }

    /// Whom the tenant forces.
    pub(crate) fn enforce(mut self, enforce: &str) -> Self {
        enforce.clone_into(&mut self.enforce);
        self
    }

    /// Whether browsers may be remembered.
    pub(crate) fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// What the tenant takes.
    pub(crate) fn strategies(mut self, strategies: &[&str]) -> Self {
        self.strategies = strategies.iter().map(|strategy| (*strategy).to_owned()).collect();
        self
    }

    /// Pages of this origin may call with cookies.
    pub(crate) fn origin(mut self, origin: &str) -> Self {
        self.origins.push(origin.to_owned());
        self
    }

    /// Mails go to this SMTP server, in the clear: it is on loopback.
    pub(crate) fn smtp(mut self, address: SocketAddr) -> Self {
        self.smtp = Some(address);
        self
    }

    /// The file for a data directory. The port is free for now: `base_url`, which origins are compared with, has to
    /// name it.
    pub(crate) fn toml(&self, data: &Path, port: u16) -> String {
        let (data, origins) = (data.display(), &self.origins);
        let (host, lines) = (self.host, &self.lines);
        let mut toml = format!(
            r#"
            listen = "{host}:{port}"
            {lines}
            base_url = "http://127.0.0.1:{port}"
            client_id = "b6adfe4c-d695-4c04-b95f-3ec9fd0c6cca"
            data = "{data}"
            origins = {origins:?}
            "#
        );
        toml += &match self.smtp {
            None => format!("outbox = \"{data}/outbox\"\n"),
            Some(address) => format!(
                r#"
                [smtp]
                host = "{}"
                port = {}
                tls = "none"
                from = "Countersign <mfa@example.com>"
                "#,
                address.ip(),
                address.port()
            ),
        };
        let (enforce, remember, strategies) = (&self.enforce, self.remember, &self.strategies);
        toml + &format!(
            r#"
            [[tenants]]
            id = "acme"
            name = "Acme"
            enforce = "{enforce}"
            allow_remember = {remember}
            strategies = {strategies:?}
            "#
        )
    }

    /// Writes the file, adds the user and starts the server.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with these variables in the server's environment.
    pub(crate) fn serve_with(&self, environment: &[(&str, &str)]) -> Server {
        let (directory, file) = self.written(free_port());
        let mut server = Server::serve_under(directory, &file, environment);
        EMAIL.clone_into(&mut server.email);
        PASSWORD.clone_into(&mut server.password);
        server
    }

    /// Writes the file and adds the user: for whoever serves it, at this port.
    pub(crate) fn written(&self, port: u16) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let file = config_file(directory.path());
        std::fs::write(&file, self.toml(&directory.path().join("data"), port)).unwrap();
        add_user(&file);
        (directory, file)
    }
}

/// `countersign user add`.
fn add_user(config: &Path) {
    let mut command = countersign();
    with_input(command.args(["user", "add", "--email", EMAIL, "--config"]).arg(config), PASSWORD);
}

/// Runs a command that must succeed, with one line on its standard input.
#[track_caller]
pub(crate) fn with_input(command: &mut Command, line: &str) {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    writeln!(process.stdin.take().unwrap(), "{line}").unwrap();
    let output = process.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {shown}");
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
