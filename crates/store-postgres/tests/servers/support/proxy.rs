//! A wire between a node and its database that can be cut: all at once, or so that what the
//! database answers is lost while what it is asked still arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// The wire. It is there until the runtime ends.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    swallows: AtomicBool,
    refuses: AtomicBool,
    cut: Notify,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy =
            Self { port: listener.local_addr().unwrap().port(), state: Arc::new(State::default()) };
        let state = Arc::clone(&proxy.state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if state.refuses.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(carry(client, server, Arc::clone(&state)));
            }
        });
        proxy
    }

    /// From now on answers are lost, until it is cut.
    pub(crate) fn swallow(&self) {
        self.state.swallows.store(true, Ordering::SeqCst);
    }

    /// Every connection breaks; new ones are whole.
    pub(crate) fn cut(&self) {
        self.state.swallows.store(false, Ordering::SeqCst);
        self.state.cut.notify_waiters();
    }

    /// Whether new connections break at once.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.state.refuses.store(refuses, Ordering::SeqCst);
    }
}

async fn carry(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asks = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let answers = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if state.swallows.load(Ordering::SeqCst) {
                continue;
            }
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = asks => {}
        () = answers => {}
        () = state.cut.notified() => {}
    }
}
