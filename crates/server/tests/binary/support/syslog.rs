//! Syslog servers of the tests: UDP, TCP with counted octets (RFC 6587), and a local datagram socket.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Listens until the process ends, and keeps every message.
#[derive(Clone, Debug)]
pub(crate) struct Syslog {
    address: Option<SocketAddr>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Syslog {
    pub(crate) fn udp() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let syslog = Self { address: socket.local_addr().ok(), lines: Arc::default() };
        let keeping = syslog.clone();
        std::thread::spawn(move || {
            let mut datagram = vec![0; 65_536];
            while let Ok(length) = socket.recv(&mut datagram) {
                keeping.keep(&datagram[..length]);
            }
        });
        syslog
    }

    /// On this port; 0 takes a free one.
    pub(crate) fn tcp(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let syslog = Self { address: listener.local_addr().ok(), lines: Arc::default() };
        let keeping = syslog.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let mut bytes = Vec::new();
                // A client that died in the middle has sent nothing whole.
                if stream.read_to_end(&mut bytes).is_ok() {
                    keeping.keep_frames(&bytes);
                }
            }
        });
        syslog
    }

    pub(crate) fn unix(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        let syslog = Self { address: None, lines: Arc::default() };
        let keeping = syslog.clone();
        std::thread::spawn(move || {
            let mut datagram = vec![0; 65_536];
            while let Ok(length) = socket.recv(&mut datagram) {
                keeping.keep(&datagram[..length]);
            }
        });
        syslog
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("a network socket")
    }

    /// All messages so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Their events.
    pub(crate) fn events(&self) -> Vec<Value> {
        let event = |line: &String| {
            // After the five fields of the header and no structured data.
            let json = line.splitn(8, ' ').nth(7).expect("a message");
            serde_json::from_str(json).expect("JSON in the message")
        };
        self.lines().iter().map(event).collect()
    }

    fn keep(&self, message: &[u8]) {
        self.lines.lock().unwrap().push(String::from_utf8(message.to_vec()).unwrap());
    }

    /// `LENGTH SP MESSAGE`, one after the other.
    fn keep_frames(&self, mut bytes: &[u8]) {
        while let Some(space) = bytes.iter().position(|byte| *byte == b' ') {
            let length: usize = std::str::from_utf8(&bytes[..space]).unwrap().parse().unwrap();
            let (message, rest) = bytes[space + 1..].split_at(length);
            self.keep(message);
            bytes = rest;
        }
    }
}
