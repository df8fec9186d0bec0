//! Who is at the other end: its address, and whether it came by TLS.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` are believed from configured proxies alone; anybody
//! else who sends them tells us nothing. A peer that may not speak plain HTTP is refused here,
//! before its password is read.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use super::error::ApiError;
use crate::config::{Cidr, Config};

/// The client of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// Its address, as far as proxies that we trust tell.
    pub address: IpAddr,
    /// Whether it came by TLS, so that cookies are `Secure`.
    pub tls: bool,
}

impl Client {
    /// Reads it from the connection and, behind a trusted proxy, from the headers.
    ///
    /// # Errors
    /// [`ApiError::plain_http`].
    pub fn of(peer: SocketAddr, headers: &HeaderMap, config: &Config) -> Result<Self, ApiError> {
        let peer = peer.ip().to_canonical();
        let trusted = is_trusted(peer, &config.trusted_proxies);
        if !trusted && !peer.is_loopback() && !config.allow_plain_http {
            return Err(ApiError::plain_http());
        }
        if !trusted {
            return Ok(Self { address: peer, tls: config.is_tls() });
        }
        let forwarded = headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
        let https = forwarded.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"));
        let address = forwarded_for(headers, &config.trusted_proxies).unwrap_or(peer);
        Ok(Self { address, tls: https || config.is_tls() })
    }
}

/// The last address that is no trusted proxy: what stands before it was written by somebody whom we do not know.
fn forwarded_for(headers: &HeaderMap, trusted: &[Cidr]) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&str> =
        lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
    let mut nearest = None;
    for hop in hops.iter().rev() {
        // What is no address ends the chain: nothing before it can be believed.
        let Ok(address) = hop.trim().parse::<IpAddr>() else { return nearest };
        let address = address.to_canonical();
        nearest = Some(address);
        if !is_trusted(address, trusted) {
            return nearest;
        }
    }
    nearest
}

fn is_trusted(address: IpAddr, trusted: &[Cidr]) -> bool {
    trusted.iter().any(|range| range.contains(address))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn config(lines: &str) -> Config {
        let text = format!(
            "{lines}\ndata = 'd'\nclient_id = 'c'\noutbox = 'o'\n[[tenants]]\nid = 'acme'\n"
        );
        Config::parse("t", &text, []).unwrap()
    }

    fn client(peer: &str, headers: &[(&str, &str)], lines: &str) -> Result<Client, ApiError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Client::of(format!("{peer}:1234").parse().unwrap(), &map, &config(lines))
    }

    const BEHIND: &str =
        "listen = '0.0.0.0:80'\nbase_url = 'http://h'\ntrusted_proxies = ['10.0.0.0/8']";

    #[test]
    fn a_stranger_behind_no_proxy_is_refused() {
        assert_eq!(client("203.0.113.1", &[], BEHIND), Err(ApiError::plain_http()));
        let told = "listen = '0.0.0.0:80'\nbase_url = 'http://h'\nallow_plain_http = true";
        assert!(client("203.0.113.1", &[], told).is_ok());
        assert!(client("127.0.0.1", &[], BEHIND).is_ok());
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let forwarded = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https")];
        let proxied = client("10.1.2.3", &forwarded, BEHIND).unwrap();
        assert_eq!(proxied, Client { address: "198.51.100.7".parse().unwrap(), tls: true });
        let forged = client("127.0.0.1", &forwarded, BEHIND).unwrap();
        assert_eq!(forged, Client { address: "127.0.0.1".parse().unwrap(), tls: false });
    }

    #[test]
    fn a_chain_is_read_from_its_end() {
        for (chain, address) in [
            ("6.6.6.6, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
            ("6.6.6.6, nonsense, 10.9.9.9", "10.9.9.9"),
            ("nonsense", "10.1.2.3"),
            ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
        ] {
            let client = client("10.1.2.3", &[("x-forwarded-for", chain)], BEHIND).unwrap();
            assert_eq!(client.address, address.parse::<IpAddr>().unwrap(), "{chain}");
        }
    }
}
