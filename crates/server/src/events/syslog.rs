//! To a syslog server, in the form of RFC 5424.
//!
//! - over UDP (RFC 5426): a datagram an event, and nobody says that it arrived;
//! - over TCP (RFC 6587, section 3.4.1, counted octets): a connection a batch. Once the batch is
//!   written our side is closed, and it counts as taken when the server, having read to the end,
//!   closes its own: what only lay in a buffer of a server that died is sent again;
//! - over a local datagram socket like `/dev/log`: it is taken when the socket took it.
//!
//! The message is the event's JSON. Facility 10 (security), severity 5 (notice), or 4 (warning)
//! where a secret was judged and lost.

use std::net::SocketAddr;
use std::time::Duration;

use countersign_ceremony::audit::{Audit, Verdict, What};
use countersign_ceremony::env::Later;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};

use super::Sink;
use crate::config::SyslogPeer;
use crate::wire;

/// Facility 10: security and authorization messages.
const FACILITY: u8 = 10;

/// A syslog server.
#[derive(Debug)]
pub struct Syslog {
    name: String,
    peer: SyslogPeer,
    patience: Duration,
}

impl Syslog {
    /// The server of this place.
    #[must_use]
    pub const fn new(name: String, peer: SyslogPeer, patience: Duration) -> Self {
        Self { name, peer, patience }
    }
}

impl Sink for Syslog {
    fn name(&self) -> &str {
        &self.name
    }

    fn take<'a>(&'a self, events: &'a [Audit]) -> Later<'a, Result<(), String>> {
        let messages: Vec<String> = events.iter().map(message).collect();
        let send = async move {
            match &self.peer {
                SyslogPeer::Udp(peer) => over_udp(peer, &messages).await,
                SyslogPeer::Tcp(peer) => over_tcp(peer, &messages).await,
                SyslogPeer::Unix(path) => {
                    let socket = UnixDatagram::unbound()?;
                    for message in &messages {
                        socket.send_to(message.as_bytes(), path).await?;
                    }
                    Ok(())
                }
            }
        };
        Box::pin(async move {
            match tokio::time::timeout(self.patience, send).await {
                Ok(sent) => sent.map_err(|error| error.to_string()),
                Err(_) => Err("the syslog server took too long".to_owned()),
            }
        })
    }
}

async fn over_udp(peer: &str, messages: &[String]) -> std::io::Result<()> {
    let mut addresses = lookup_host(peer).await?;
    let to = addresses.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let any: SocketAddr = if to.is_ipv4() {
        (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    // Connected, so that a port where nobody listens is told where the network tells it.
    socket.connect(to).await?;
    for message in messages {
        socket.send(message.as_bytes()).await?;
    }
    Ok(())
}

async fn over_tcp(peer: &str, messages: &[String]) -> std::io::Result<()> {
    let mut frames = Vec::new();
    for message in messages {
        frames.extend_from_slice(format!("{} {message}", message.len()).as_bytes());
    }
    let mut stream = TcpStream::connect(peer).await?;
    stream.write_all(&frames).await?;
    stream.shutdown().await?;
    // It has nothing to say: its end is what says that it read ours.
    let mut said = [0; 256];
    while stream.read(&mut said).await? > 0 {}
    Ok(())
}

/// `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG` (RFC 5424, section 6).
fn message(event: &Audit) -> String {
    let lost = matches!(event.what, What::Judged { verdict, .. } if verdict != Verdict::Won);
    let severity = if lost || matches!(event.what, What::BrowserStolen) { 4 } else { 5 };
    let priority = FACILITY.saturating_mul(8).saturating_add(severity);
    let json = wire::event(event);
    let kind = json.get("kind").and_then(serde_json::Value::as_str).unwrap_or("-");
    let (time, host) = (wire::rfc3339(event.at), printable(&event.node, 255));
    format!("<{priority}>1 {time} {host} countersign - {} - {json}", printable(kind, 32))
}

/// What a header field may hold: visible ASCII, so many bytes; `-` where nothing is left.
fn printable(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use countersign_ceremony::audit::{By, Id};
    use countersign_otp::UnixTime;

    use super::*;

    #[test]
    fn a_message_has_the_form_of_the_rfc() {
        let event = Audit {
            id: Id([7; 16]),
            at: UnixTime::from_secs(1_764_019_200),
            node: "a node\n:80".to_owned(),
            user: None,
            tenant: None,
            login: None,
            by: By::Anybody,
            what: What::BrowserStolen,
        };
        let message = message(&event);
        let header = "<84>1 2025-11-24T21:20:00";
        assert!(message.starts_with(header), "{message}");
        assert!(message.contains(" anode:80 countersign - browser_stolen - {"), "{message}");
        assert!(!message.contains('\n'), "{message}");
        let json: serde_json::Value = serde_json::from_str(
            message.split_once(" - {").map(|_| &message[message.find('{').unwrap()..]).unwrap(),
        )
        .unwrap();
        assert_eq!(json["id"], "07".repeat(16));
    }
}
