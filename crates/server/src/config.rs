//! The configuration of one node: a TOML file, with the environment laid over it.
//!
//! What it refuses: a key that it does not know (a misspelt one must not be a silent default), a
//! listener that would carry passwords in the clear over a network without being told so, cookies
//! that browsers would drop, origins that are no origins. Every refusal says what is wrong, at which
//! key, and how to mend it.

mod check;
mod cidr;
mod database;
mod error;
mod events;
mod passkeys;
mod raw;
mod read;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use countersign_ceremony::codec::Encoding;
use countersign_ceremony::policy::profile::Profile;
use zeroize::Zeroizing;

pub use self::cidr::Cidr;
pub use self::database::DatabaseUrl;
pub use self::error::ConfigError;
pub use self::events::{EventSink, SinkKind, SyslogPeer};
pub use self::passkeys::Passkeys;
pub use self::raw::{Enforce, SameSite, SmtpTls, Strategy, WhenFull};

/// All that one node is told, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The standard that the deployment answers to.
    pub profile: Profile,
    /// Where the node listens for HTTP.
    pub listen: SocketAddr,
    /// Where clients reach it: scheme, host and port, without a path and without a slash at the end.
    pub base_url: String,
    /// The `iss` of access tokens.
    pub issuer: String,
    /// The name that authenticator apps, mails and the page show.
    pub service: String,
    /// The client id that names the cookies.
    pub client_id: String,
    /// The directory of this node: by default of the database and of the keys.
    pub data: PathBuf,
    /// Where the database is.
    pub database: DatabaseUrl,
    /// Where everything is moving, while nodes serve.
    pub moving_to: Option<DatabaseUrl>,
    /// The file of the key ring; the environment's `COUNTERSIGN_KEYS` goes before it.
    pub keys_file: PathBuf,
    /// The key management service that the file is wrapped by.
    pub kms: Option<Kms>,
    /// RSA keys of access tokens, in PEM: the first signs, the others have retired. None: `EdDSA`.
    pub signing_keys: Vec<PathBuf>,
    /// Whether a peer that is neither on loopback nor a trusted proxy may speak plain HTTP.
    pub allow_plain_http: bool,
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Origins of other sites whose pages may call this node with cookies.
    pub origins: Vec<String>,
    /// Whose passkeys it takes.
    pub passkeys: Passkeys,
    /// The `SameSite` attribute of its cookies.
    pub same_site: SameSite,
    /// How long one request may take.
    pub deadline: Duration,
    /// In which encoding records are written.
    pub encoding: Encoding,
    /// Malformed codes from one address in a minute; none: no limit.
    pub malformed_per_minute: Option<u32>,
    /// Failed first factors from one address in a minute; none: no limit.
    pub failed_logins_per_minute: Option<u32>,
    /// How many recovery codes are issued together.
    pub recovery_codes: u8,
    /// Whether a recovery replaces the whole set.
    pub recovery_replaced: bool,
    /// The tenants, at least one; the first is that of users added without a tenant.
    pub tenants: Vec<Tenant>,
    /// Where mail goes.
    pub mail: Mail,
    /// The webhook that messages to phones go to; without one, into the outbox of mails.
    pub sms: Option<Sms>,
    /// The language of mails and of messages to phones.
    pub language: String,
    /// Where templates of the operator's are, a directory a language.
    pub templates: Option<PathBuf>,
    /// How many audit events wait in the outbox at most.
    pub events_bound: u64,
    /// What happens beyond that bound.
    pub events_when_full: WhenFull,
    /// Where audit events go beside the database, in the order of their names.
    pub event_sinks: Vec<EventSink>,
}

/// A key management service: two commands, each reads standard input and writes standard output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kms {
    /// Encrypts what it reads: a program and its arguments.
    pub wrap: Vec<String>,
    /// Decrypts what it reads, and ends with another code than 0 where it is not authentic.
    pub unwrap: Vec<String>,
    /// How long one of them may take.
    pub timeout: Duration,
}

/// One tenant and its policy.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id, as tokens carry it.
    pub id: String,
    /// Its name, as people read it.
    pub name: String,
    /// Whether its users must have a second factor.
    pub enforce: Enforce,
    /// Whether a browser may be remembered.
    pub allow_remember: bool,
    /// For how long: seconds since the first grant, an absolute end.
    pub device_expiration_seconds: u64,
    /// The factors it takes.
    pub strategies: Vec<Strategy>,
}

/// Where mail goes.
#[derive(Clone, Debug)]
pub enum Mail {
    /// Into a directory as `*.eml` files: for a demo, or for a mailer that collects them.
    Outbox(PathBuf),
    /// To an SMTP server.
    Smtp(Smtp),
}

/// An SMTP server (RFC 5321) and how to speak to it.
#[derive(Clone)]
pub struct Smtp {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name that this client says of itself (RFC 5321, section 4.1.1.1).
    pub hello: String,
    /// How the connection is secured.
    pub tls: SmtpTls,
    /// User name and password, where it wants them.
    pub credentials: Option<(String, Zeroizing<String>)>,
    /// The address that mails come from, with or without a name.
    pub from: String,
    /// How long each command may take.
    pub timeout: Duration,
}

/// A webhook that sends messages to phones.
#[derive(Clone)]
pub struct Sms {
    /// Where requests go.
    pub url: hyper::Uri,
    /// What they are signed with.
    pub secret: Zeroizing<String>,
    /// How long each attempt may take.
    pub timeout: Duration,
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, secret: _, timeout } = self;
        let host = url.host();
        f.debug_struct("Sms").field("host", &host).field("timeout", timeout).finish_non_exhaustive()
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, hello, tls, credentials, from, timeout } = self;
        f.debug_struct("Smtp")
            .field("host", host)
            .field("port", port)
            .field("hello", hello)
            .field("tls", tls)
            .field("user", &credentials.as_ref().map(|pair| &pair.0))
            .field("from", from)
            .field("timeout", timeout)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Whether clients reach this node by TLS, as far as the configuration says.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}
