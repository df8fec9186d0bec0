//! Where the database is, and how the way to it is secured.
//!
//! Beyond this machine the connection is TLS (RFC 8446), and the server's certificate is checked
//! against the system's roots (`SSL_CERT_FILE` names others), or the file that `sslrootcert` names, unless the URL itself says
//! `sslmode=disable`. `require` and `prefer` mean no less here: an unchecked certificate protects
//! from nobody who can reach the wire.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{BadAddress, OpenError};

/// How long a try to connect may take.
const CONNECT: Duration = Duration::from_secs(3);

/// After how long a peer that says nothing at all is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// A database of PostgreSQL: `postgres://user:password@host:port/database?option=value`.
///
/// Options are those of `tokio-postgres`, of which `sslmode` (`disable`, `prefer`, `require`),
/// several hosts (the first that takes writes is used) and `options` are of use, and libpq's `sslrootcert`: a file
/// with the certificates to check the server by, in place of the system's. Neither its
/// `Debug` nor its `Display` shows a password.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: bool,
    roots: Option<PathBuf>,
}

/// How the way is secured.
#[derive(Clone)]
pub(crate) enum Secured {
    Plainly(NoTls),
    Tls(Box<MakeRustlsConnect>),
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`BadAddress`]: it is none of PostgreSQL, or it names no host.
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        // What the parser says may quote a password that was not percent-encoded.
        let (url, roots) = without_roots(url);
        let mut config: Config = url.parse().map_err(|_| BadAddress)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(BadAddress);
        }
        let local = config.get_hosts().iter().all(is_local)
            && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => false,
            SslMode::Require => true,
            // No mode was named, or one that would let an attacker choose.
            _ => !local,
        };
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("countersign");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE);
        // A standby would read what was long replaced, and refuse to write.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config, tls, roots })
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Reads the roots where they are needed.
    pub(crate) fn secured(&self) -> Result<Secured, OpenError> {
        if !self.tls {
            return Ok(Secured::Plainly(NoTls));
        }
        let mut roots = RootCertStore::empty();
        match &self.roots {
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            // All of them or none: a file that is half read is not the one that was meant.
            Some(file) => {
                let unread = || OpenError::Roots(file.clone());
                for root in CertificateDer::pem_file_iter(file).map_err(|_| unread())? {
                    roots.add(root.map_err(|_| unread())?).map_err(|_| unread())?;
                }
            }
        }
        if roots.is_empty() {
            return Err(OpenError::NoRoots);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| OpenError::NoRoots)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Secured::Tls(Box::new(MakeRustlsConnect::new(config))))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        let ports = self.config.get_ports();
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = ports.get(at).or_else(|| ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The same database by the same user; what is shown, not the password, decides nothing here.
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
    }
}

impl Eq for Address {}

/// Takes `sslrootcert` out of a URL: the driver does not know it.
fn without_roots(url: &str) -> (String, Option<PathBuf>) {
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let name = "sslrootcert=";
    let of = |pair: &&str| pair.starts_with(name);
    let roots = query.split('&').find(of).and_then(|pair| pair.strip_prefix(name));
    let others: Vec<&str> = query.split('&').filter(|pair| !of(pair)).collect();
    let roots = roots.map(|file| percent_decode_str(file).decode_utf8_lossy().as_ref().into());
    (format!("{place}?{}", others.join("&")), roots)
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str) -> bool {
        Address::parse(url).unwrap().tls
    }

    #[test]
    fn beyond_this_machine_it_is_tls_unless_the_url_says_otherwise() {
        assert!(tls("postgres://u:p@db.example.com/d"));
        assert!(tls("postgresql://u@10.0.0.1/d?sslmode=prefer"));
        assert!(tls("postgres://u@127.0.0.1,db.example.com/d"), "one of them is elsewhere");
        assert!(tls("postgres://u@127.0.0.1/d?sslmode=require"));
        assert!(!tls("postgres://u@127.0.0.1/d"));
        assert!(!tls("postgres://u@localhost/d"));
        assert!(!tls("postgres://u@%2Frun%2Fpostgresql/d"));
        assert!(!tls("postgres://u@db.example.com/d?sslmode=disable"));
    }

    #[test]
    fn what_is_wrong_is_refused_and_no_password_is_shown() {
        for wrong in ["", "postgres://", "postgres://u@h/d?hun=ter2", "mysql://u@h/d"] {
            let error = Address::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("ter2"), "{error}");
        }
        let address = Address::parse("postgres://u:hunter2@h:6543/d").unwrap();
        assert_eq!(address.to_string(), "postgres://h:6543/d");
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
