//! A key management service in a process of its own, and the two commands that a node reaches it by.
//!
//! ```toml
//! [kms]
//! wrap = ["kms", "wrap", "/run/kms/socket"]
//! unwrap = ["kms", "unwrap", "/run/kms/socket"]
//! ```
//!
//! `kms serve SOCKET KEY-FILE [--slow SECONDS]` holds the key that wraps; it never leaves the process.
//! A node asks when it starts and when its keys turn, and at no other time, so the service may be
//! slow, and down in between. Whoever has a service of a cloud names that cloud's program instead.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use countersign_ceremony::env::Random;
use countersign_server::random::SystemRandom;
use countersign_vault::{Purpose, Ring, Vault, Zeroizing, file};

const WRAPPED: Purpose = Purpose::new("kms example");
/// No ring is longer, wrapped or not.
const LONGEST: u64 = 64 * 1024;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", socket, keys] => serve(socket, keys, Duration::ZERO),
        ["serve", socket, keys, "--slow", seconds] => {
            serve(socket, keys, Duration::from_secs(seconds.parse()?))
        }
        [verb @ ("wrap" | "unwrap"), socket] => ask(verb, socket),
        _ => {
            Err("usage: kms serve SOCKET KEY-FILE [--slow SECONDS] | kms wrap|unwrap SOCKET".into())
        }
    }
}

/// The service: one request a connection, a verb and what it is about.
fn serve(socket: &str, keys: &str, slow: Duration) -> Outcome<()> {
    if !Path::new(keys).exists() {
        file::create_new(keys, &Ring::try_new(|buf| SystemRandom.try_fill(buf))?)?;
    }
    let ring = file::load(keys)?;
    let listener = UnixListener::bind(socket)?;
    println!("ready {socket}");
    for stream in listener.incoming() {
        std::thread::sleep(slow);
        // One that broke off, or is not authentic, gets no answer; the next one is served.
        if let Err(error) = stream.map_err(Into::into).and_then(|stream| answer(&ring, stream)) {
            eprintln!("kms: {error}");
        }
    }
    Ok(())
}

fn answer(ring: &Ring, mut stream: UnixStream) -> Outcome<()> {
    let asked = read(&mut stream)?;
    let answer = match asked.split_first() {
        Some((b'w', secret)) => {
            let mut nonce = [0; 24];
            SystemRandom.try_fill(&mut nonce)?;
            Zeroizing::new(ring.seal(WRAPPED, &[], nonce, secret)?)
        }
        Some((b'u', wrapped)) => ring.open(WRAPPED, &[], wrapped)?,
        _ => return Err("neither wrap nor unwrap".into()),
    };
    Ok(stream.write_all(&answer)?)
}

/// What a node runs: standard input to the service, its answer to standard output.
fn ask(verb: &str, socket: &str) -> Outcome<()> {
    let input = read(io::stdin())?;
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&verb.as_bytes()[..1])?;
    stream.write_all(&input)?;
    stream.shutdown(Shutdown::Write)?;
    let answer = read(stream)?;
    if answer.is_empty() {
        return Err("the service refused".into());
    }
    Ok(io::stdout().write_all(&answer)?)
}

fn read(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(0)));
    from.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}
