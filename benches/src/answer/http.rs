//! The same over HTTP: the server's own router on loopback, and clients that keep their connections. Server
//! and clients share the machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use countersign_ceremony::port::Store;
use countersign_server::http;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Outcome;
use super::pass::{Pass, all_but_a_few, at_once, gathered, micros};
use super::world::World;

const ROUTE: &str = "/identity/resources/auth/v1/user/mfa/verify";

/// Serves a world's node for as long as the runtime lives; where.
///
/// # Errors
/// There is no port.
pub async fn serve<S: Store>(world: &World<S>) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = http::router(&world.node);
    tokio::spawn(http::serve(listener, router, std::future::pending()));
    Ok(address)
}

/// Everybody answers over HTTP, on `clients` connections.
///
/// # Errors
/// Somebody with the right code was not answered 201.
pub async fn pass<S: Store>(
    world: &Arc<World<S>>,
    address: SocketAddr,
    clients: usize,
    people: usize,
) -> Outcome<Pass> {
    let requests: Vec<Vec<u8>> = world
        .answers(people)
        .await?
        .into_iter()
        .map(|answer| {
            let body = format!(
                r#"{{"mfaToken":"{}","value":"{}","rememberDevice":false}}"#,
                answer.token,
                answer.code.as_str()
            );
            format!(
                "POST {ROUTE} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        })
        .collect();
    let requests = Arc::new(requests);
    let before = world.node.engine().store().trips();
    let calling = |task| {
        let requests = Arc::clone(&requests);
        async move {
            let mut caller = Caller::connect(address).await?;
            let mut took = Vec::with_capacity(requests.len() / clients + 1);
            for request in requests.iter().skip(task).step_by(clients) {
                let begun = Instant::now();
                if caller.call(request).await? {
                    took.push(micros(begun));
                }
            }
            Ok(took)
        }
    };
    let begun = Instant::now();
    let took = at_once(clients, calling).await?;
    let time = begun.elapsed();
    let trips = world.node.engine().store().trips() - before;
    all_but_a_few(gathered(time, took, trips), requests.len())
}

/// One connection that is kept: just enough of HTTP/1.1 for answers that say their length.
struct Caller {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Caller {
    async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    /// Was the code accepted?
    async fn call(&mut self, request: &[u8]) -> Outcome<bool> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server hung up".into());
            }
            let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?;
            let length = text
                .lines()
                .find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())?.ok()
                })
                .unwrap_or(0_usize);
            if self.buffer.len() >= head + 4 + length {
                let (accepted, refused) =
                    (text.starts_with("HTTP/1.1 201"), text.starts_with("HTTP/1.1 400"));
                if !accepted && !refused {
                    return Err(format!("a right code was answered {text}").into());
                }
                return Ok(accepted);
            }
        }
    }
}
