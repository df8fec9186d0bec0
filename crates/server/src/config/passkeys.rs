//! Whose passkeys a node takes: of the domain that clients reach it by, unless it is told otherwise.
//!
//! A passkey belongs to its domain for ever. So the domain may be named, where one that is wider
//! than the node's own is wanted, or where the node may move.

use std::net::IpAddr;

use countersign_passkey::Site;

use super::{Config, ConfigError, Strategy, Tenant};

/// What the file says of passkeys.
#[derive(Clone, Debug, Default)]
pub struct Passkeys {
    /// The relying party's id: a domain name; none: the host of `base_url`.
    pub domain: Option<String>,
    /// The origins whose pages may ask for passkeys; none: all that may call this node.
    pub origins: Option<Vec<String>>,
}

impl Config {
    /// The site that passkeys are made for. None: clients reach this node by an address, and no
    /// browser makes passkeys for one.
    ///
    /// # Errors
    /// [`ConfigError`]: what is configured is no site.
    pub fn site(&self) -> Result<Option<Site>, ConfigError> {
        let Passkeys { domain, origins } = &self.passkeys;
        let Some(id) = domain.clone().or_else(|| domain_of(&self.base_url)) else {
            return Ok(None);
        };
        let own: Vec<String> = match origins {
            Some(origins) => origins.clone(),
            None => {
                let loopback = format!("http://localhost:{}", self.listen.port());
                let loopback = Some(loopback).filter(|_| self.listen.ip().is_loopback());
                let all = [&self.base_url].into_iter().chain(&self.origins).chain(&loopback);
                let is_under = |origin: &String| {
                    Site::new(&id, &self.service, std::slice::from_ref(origin)).is_ok()
                };
                all.filter(|origin| is_under(origin)).cloned().collect()
            }
        };
        if own.is_empty() && domain.is_none() && origins.is_none() {
            // Nothing was asked for, and plain HTTP has no passkeys.
            return Ok(None);
        }
        Site::new(&id, &self.service, &own).map(Some).map_err(|error| {
            ConfigError::new(
                "passkeys",
                error.to_string(),
                "set `passkeys.domain` to the domain of `base_url` or one above it, and \
                 `passkeys.origins` to https origins of it",
            )
        })
    }
}

impl Config {
    /// Refuses a site that is none, and a tenant that takes passkeys where nobody can make any.
    pub(super) fn check_passkeys(&self) -> Result<(), ConfigError> {
        if self.site()?.is_some() {
            return Ok(());
        }
        let of_passkeys = [Strategy::WebAuthnPlatform, Strategy::WebAuthnCrossPlatform];
        let takes = |tenant: &Tenant| tenant.strategies.iter().any(|of| of_passkeys.contains(of));
        match self.tenants.iter().position(takes) {
            None => Ok(()),
            Some(index) => Err(ConfigError::new(
                format!("tenants[{index}].strategies"),
                format!("browsers make no passkeys for {}", self.base_url),
                "set `base_url` to an https URL with a domain name, or leave the passkeys out",
            )),
        }
    }
}

/// The domain name that clients reach a node by. On loopback it is called `localhost`, because
/// browsers make no passkeys for addresses.
fn domain_of(base_url: &str) -> Option<String> {
    let authority = base_url.split_once("://")?.1;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => address.is_loopback().then(|| "localhost".to_owned()),
        Err(_) => Some(host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(lines: &str, strategies: &str) -> Result<Option<Site>, ConfigError> {
        let text = format!(
            "data = 'd'\nclient_id = 'c'\noutbox = 'o'\n{lines}\n[[tenants]]\nid = 'acme'\n\
             strategies = [{strategies}]\n"
        );
        Config::parse("t", &text, [])?.site()
    }

    fn shown(lines: &str) -> String {
        format!("{:?}", site(lines, "'WebAuthnPlatform'").unwrap().unwrap())
    }

    #[test]
    fn the_domain_and_the_origins_are_those_of_the_node() {
        let demo = shown("listen = '127.0.0.1:8080'");
        assert!(demo.contains("localhost") && demo.contains("8080"), "{demo}");
        let named = shown(
            "base_url = 'https://login.example.com'\n\
             origins = ['https://app.example.org', 'https://a.login.example.com']",
        );
        assert!(named.contains("a.login.example.com") && !named.contains("example.org"), "{named}");
        let wider = shown(
            "base_url = 'https://login.example.com'\norigins = ['https://app.example.com']\n\
             passkeys = {domain = 'example.com'}",
        );
        assert!(wider.contains("id: \"example.com\"") && wider.contains("app."), "{wider}");
    }

    #[test]
    fn what_is_no_site_is_refused_where_it_is_configured() {
        for lines in [
            "base_url = 'https://login.example.com'\npasskeys = {domain = 'example.org'}",
            "base_url = 'https://login.example.com'\npasskeys = {domain = '10.0.0.1'}",
            "base_url = 'https://login.example.com'\npasskeys = {origins = []}",
            "base_url = 'https://login.example.com'\n\
             passkeys = {origins = ['http://login.example.com']}",
        ] {
            let error = site(lines, "'AuthenticatorApp'").unwrap_err();
            assert_eq!(error.place(), "passkeys", "{lines}");
        }
        let address =
            "listen = '0.0.0.0:80'\nbase_url = 'http://10.0.0.1'\nallow_plain_http = true";
        assert!(site(address, "'AuthenticatorApp'").unwrap().is_none());
        let plain = "listen = '0.0.0.0:80'\nbase_url = 'http://h'\nallow_plain_http = true";
        assert!(site(plain, "'AuthenticatorApp'").unwrap().is_none());
        let error = site(address, "'WebAuthnPlatform'").unwrap_err();
        assert_eq!(error.place(), "tenants[0].strategies");
    }
}
