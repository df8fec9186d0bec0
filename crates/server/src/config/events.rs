//! Where audit events go.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;
use zeroize::Zeroizing;

/// One sink of audit events.
#[derive(Clone, Debug)]
pub struct EventSink {
    /// Its name: what waits for it is found by it again.
    pub name: String,
    /// What it is.
    pub kind: SinkKind,
    /// How long one batch may take.
    pub timeout: Duration,
}

/// What takes events.
#[derive(Clone)]
pub enum SinkKind {
    /// A file of JSON lines.
    File(PathBuf),
    /// A syslog server (RFC 5424).
    Syslog(SyslogPeer),
    /// A webhook.
    Webhook {
        /// Where requests go.
        url: Uri,
        /// What they are signed with.
        secret: Zeroizing<String>,
    },
}

/// Where a syslog server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyslogPeer {
    /// Host and port, over UDP (RFC 5426).
    Udp(String),
    /// Host and port, over TCP (RFC 6587).
    Tcp(String),
    /// A local datagram socket.
    Unix(PathBuf),
}

impl fmt::Debug for SinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Syslog(peer) => f.debug_tuple("Syslog").field(peer).finish(),
            Self::Webhook { url, secret: _ } => {
                f.debug_struct("Webhook").field("host", &url.host()).finish_non_exhaustive()
            }
        }
    }
}
