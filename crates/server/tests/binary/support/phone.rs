//! Phones of the tests: the outbox's `*.sms` files, and a webhook as an operator would write one.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::clock::{now, wait_for};
use super::server::Server;

/// What the webhook and the server both know.
pub(crate) const SECRET: &str = "5f1dc2a0e1b34c6d8e9f00112233445566778899aabbccddeeff001122334455";

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for the message after the first `known` in the outbox; number, channel and code.
#[track_caller]
pub(crate) fn outbox_text(server: &Server, known: usize) -> (String, String, String) {
    let directory = server.data().join("outbox");
    let text = wait_for(PATIENCE, || texts(&directory).into_iter().nth(known));
    let text = text.expect("a message to a phone in the outbox");
    let line = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
    };
    let said = text.split_once("\n\n").expect("an empty line after the head").1;
    (line("To: "), line("Channel: "), code_in(said))
}

fn texts(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|of| of == "sms")).collect();
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

fn code_in(text: &str) -> String {
    let mut runs = text.split(|letter: char| !letter.is_ascii_digit());
    runs.find(|run| run.len() == 6).expect("a code in the message").to_owned()
}

/// How the webhook answers one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// Not at all, as long as the client waits.
    Never,
}

/// One request whose signature was right.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// Listens on a free port until the process ends. It checks each signature, and panics into the list of its complaints.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Result<Request, String>>>>,
}

impl Webhook {
    /// Answers as the script says, and after it always with 200.
    pub(crate) fn start(script: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hook = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(script.iter().copied().collect())),
            requests: Arc::default(),
        };
        let serving = hook.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.converse(&stream));
            }
        });
        hook
    }

    /// All requests so far; each must have been signed.
    #[track_caller]
    pub(crate) fn all(&self) -> Vec<Request> {
        let requests = self.requests.lock().unwrap().clone();
        requests.into_iter().map(|request| request.unwrap_or_else(|why| panic!("{why}"))).collect()
    }

    /// Waits until there are so many; the last of them.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Request {
        let request = wait_for(PATIENCE, || self.all().into_iter().nth(count - 1));
        request.unwrap_or_else(|| panic!("no request {count} at the webhook"))
    }

    fn converse(&self, stream: &TcpStream) {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let Some((headers, body)) = read(stream) else { return };
        let answer = self.script.lock().unwrap().pop_front().unwrap_or(Answer::Status(200));
        self.requests.lock().unwrap().push(checked(headers, &body));
        match answer {
            // The client hangs up when its patience ends.
            Answer::Never => drop(stream.try_clone().unwrap().read(&mut [0])),
            Answer::Status(status) => {
                let head = format!(
                    "HTTP/1.1 {status} x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                );
                let mut to = stream;
                // It may have hung up already.
                to.write_all(head.as_bytes()).ok();
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut lines = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
    headers.insert(":line".to_owned(), line.trim_end().to_owned());
    loop {
        line.clear();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    lines.read_exact(&mut body).ok()?;
    Some((headers, body))
}

/// As `docs/operate.md` says it is checked.
fn checked(headers: BTreeMap<String, String>, body: &[u8]) -> Result<Request, String> {
    let signature = headers.get("countersign-signature").ok_or("no signature")?;
    let (at, mac) = signature.split_once(",v1=").ok_or("no v1 in the signature")?;
    let at = at.strip_prefix("t=").ok_or("no time in the signature")?;
    let secs: u64 = at.parse().map_err(|_| "a time that is none")?;
    if secs.abs_diff(now()) > 60 {
        return Err(format!("signed at {secs}, and it is {}", now()));
    }
    let mut expected = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    expected.update(format!("{at}.").as_bytes());
    expected.update(body);
    let hex: String =
        expected.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    if hex != mac {
        return Err(format!("signed {mac}, expected {hex}"));
    }
    let body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(Request { headers, body })
}
