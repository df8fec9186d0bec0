//! `countersign serve`: the server.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use super::{Failure, block_on, print};
use crate::config::Config;
use crate::databases::Databases;
use crate::events::{self, Pump};
use crate::http;
use crate::node::{self, LAST_MAILS, Node};

/// How long the last batch of events may take at the end.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// Serve the routes and the page, as a configuration file says.
///
/// The environment goes before the file: COUNTERSIGN_SMTP__PASSWORD is the key `smtp.password`.
/// COUNTERSIGN_KEYS may hold the key ring itself, COUNTERSIGN_LOG a log filter (info, debug, ..).
#[derive(Args, Debug)]
pub(super) struct Serve {
    /// The configuration, in TOML.
    #[arg(long, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: PathBuf,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = Config::read(&self.config, std::env::vars_os()).map_err(|error| {
            let file = self.config.display().to_string();
            // Errors of the file's syntax name it already.
            if error.place() == file { error.into() } else { Failure(format!("{file}: {error}")) }
        })?;
        log_to_stderr();
        block_on(async {
            let (listener, config) = listen(config).await?;
            let url = config.base_url.clone();
            until_signalled(listener, config, async |_| print(&format!("url {url}\n"))).await
        })
    }
}

/// Binds the listener, and tells the configuration which port it got.
pub(super) async fn listen(mut config: Config) -> Result<(TcpListener, Config), Failure> {
    let wanted = config.listen;
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| Failure(format!("listen: {wanted}: {error}")))?;
    config.listen = listener.local_addr()?;
    if wanted.port() == 0 && config.base_url == format!("http://{wanted}") {
        config.base_url = format!("http://{}", config.listen);
    }
    Ok((listener, config))
}

/// Serves until the process is told to end. `ready` is called once it listens.
pub(super) async fn until_signalled(
    listener: TcpListener,
    config: Config,
    ready: impl AsyncFnOnce(&Node<Databases>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (node, carriers) = Node::open(config).await?;
    let node = Arc::new(node);
    let handing_out = HandingOut::start(&node)?;
    ready(&node).await?;
    tracing::info!(listen = %node.config.listen, "serving");
    let router = http::router(&node);
    drop(node);
    http::serve(listener, router, async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("ending");
    })
    .await;
    handing_out.end().await;
    // The queue ended with the node: what it holds is still sent.
    carriers.finish(LAST_MAILS).await;
    Ok(())
}

/// What hands events out beside the server, and its end.
struct HandingOut {
    end: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl HandingOut {
    fn start(node: &Node<Databases>) -> Result<Self, Failure> {
        let (store, env) = (node.engine().shared_store(), node.engine().env());
        let outbox = node::outbox(&node.config);
        let (end, told) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tokio::spawn(events::watch(Arc::downgrade(&store), outbox));
        if !node.config.event_sinks.is_empty() {
            let sinks = events::open(&node.config.event_sinks, &env.clock).map_err(Failure)?;
            let pump = Pump::new(store, env.clone(), outbox, sinks)?;
            tasks.spawn(pump.run(told));
        }
        Ok(Self { end, tasks })
    }

    /// Lets the batch that is under way come to its end: else it would be handed out again.
    async fn end(mut self) {
        // Nobody hears it where there is no sink.
        let _ = self.end.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_EVENTS, all).await.is_err() {
            tracing::warn!("a sink of events was too slow: its last batch comes again");
        }
    }
}

/// Log lines go to standard error: standard output is for what a program reads.
pub(super) fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("COUNTERSIGN_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Already set up only where a test has done so.
    let _ = match std::env::var("COUNTERSIGN_LOG_FORMAT").as_deref() {
        Ok("json") => lines.json().try_init(),
        _ => lines.try_init(),
    };
}
