//! The URLs that were given, and how servers that they lead to are reached.

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, TlsCertificates};

use crate::config::Config;
use crate::error::OpenError;
use crate::slots::host_of;

/// Where to begin, and what every server is told: user, password, TLS or none.
#[derive(Clone)]
pub(crate) struct Seeds {
    first: ConnectionInfo,
    addresses: Vec<String>,
    authority: Option<Vec<u8>>,
}

impl Seeds {
    pub(crate) fn read(config: &Config) -> Result<Self, OpenError> {
        let infos = config.urls.iter().map(|url| {
            url.as_str()
                .into_connection_info()
                .map_err(|_| OpenError::Url("write redis://host:port or rediss://host:port"))
        });
        let infos = infos.collect::<Result<Vec<_>, _>>()?;
        let addresses = infos.iter().map(address).collect::<Result<_, _>>()?;
        let first = infos.into_iter().next().ok_or(OpenError::Url("there is none"))?;
        Ok(Self { first, addresses, authority: config.authority.clone() })
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str)
    }

    pub(crate) fn database(&self) -> i64 {
        self.first.redis_settings().db()
    }

    /// A client of the server at this address, as the first URL says.
    pub(crate) fn client(&self, address: &str) -> Result<Client, OpenError> {
        let malformed = OpenError::Url("an address of the cluster has no port");
        let (_, port) = address.rsplit_once(':').ok_or(malformed.clone())?;
        let port = port.parse().map_err(|_| malformed)?;
        let host = host_of(address).trim_start_matches('[').trim_end_matches(']').to_owned();
        let refused = |_| OpenError::Url("its certificate authority cannot be read");
        let to = match self.first.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        let tls = matches!(to, ConnectionAddr::TcpTls { .. });
        let info = self.first.clone().set_addr(to);
        match &self.authority {
            Some(authority) if tls => {
                let certificates =
                    TlsCertificates { client_tls: None, root_cert: Some(authority.clone()) };
                Client::build_with_tls(info, certificates).map_err(refused)
            }
            _ => Client::open(info).map_err(refused),
        }
    }
}

/// It holds a password.
impl std::fmt::Debug for Seeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seeds").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

fn address(info: &ConnectionInfo) -> Result<String, OpenError> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port)
        | ConnectionAddr::TcpTls { host, port, insecure: false, .. } => {
            Ok(format!("{host}:{port}"))
        }
        ConnectionAddr::TcpTls { .. } => Err(OpenError::Url("TLS that checks no name is no TLS")),
        _ => Err(OpenError::Url("only TCP and TLS are spoken")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() {
        let seeds =
            Seeds::read(&Config::new(["rediss://u:secret@one:7000/0", "rediss://two"])).unwrap();
        assert_eq!(seeds.addresses().collect::<Vec<_>>(), ["one:7000", "two:6379"]);
        let client = seeds.client("10.0.0.3:7003").unwrap();
        let info = client.get_connection_info();
        assert!(matches!(info.addr(), ConnectionAddr::TcpTls { port: 7003, insecure: false, .. }));
        assert_eq!(info.redis_settings().password(), Some("secret"));
        assert!(!format!("{seeds:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_be_spoken_to_is_refused_without_its_password() {
        let insecure = "rediss://u:secret@one:7000/#insecure";
        for url in ["", "http://one", "redis+unix:///tmp/socket?pass=secret", insecure] {
            let refused = Seeds::read(&Config::new([url])).unwrap_err();
            assert!(matches!(refused, OpenError::Url(_)), "{url}");
            assert!(!refused.to_string().contains("secret"));
        }
        assert!(Seeds::read(&Config::new(Vec::<String>::new())).is_err());
    }
}
