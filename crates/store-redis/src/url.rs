//! A whole configuration in one URL, as a configuration file has it.
//!
//! `redis://[user:password@]host[:port][,host[:port]..][/db][?name=value&..]`, or `rediss://`; the
//! names are `replicas`, `on_disk`, `wait_ms`, `prefix`, and `cacert`: a file with the certificate authority.

use std::fmt;
use std::time::Duration;

use crate::config::{Config, Replicas};
use crate::error::OpenError;
use crate::seeds::Seeds;

impl Config {
    /// Reads a URL. Several hosts are nodes of one cluster.
    ///
    /// # Errors
    /// [`OpenError::Url`], without the password.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let shape = OpenError::Url("write redis://host:port or rediss://host:port");
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, place) = place.split_once("://").ok_or(shape)?;
        let (who, place) = match place.rsplit_once('@') {
            Some((who, place)) => (format!("{who}@"), place),
            None => (String::new(), place),
        };
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        let each = |host: &str| format!("{scheme}://{who}{host}/{database}");
        let mut config = Self::new(hosts.split(',').map(each));
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            config.set(pair)?;
        }
        Seeds::read(&config)?;
        Ok(config)
    }

    fn set(&mut self, pair: &str) -> Result<(), OpenError> {
        let wrong = || {
            OpenError::Url(
                "its options are replicas=1..255, on_disk=true, wait_ms=1..60000, prefix=letters and cacert=file",
            )
        };
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let mut replicas = self.replicas.unwrap_or(Replicas::of(1));
        match name {
            "cacert" => {
                let read = std::fs::read(value);
                let unread = OpenError::Url("the file that cacert names cannot be read");
                self.authority = Some(read.map_err(|_| unread)?);
                return Ok(());
            }
            "replicas" => {
                replicas.count = value.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
            }
            "on_disk" => replicas.on_disk = value.parse().map_err(|_| wrong())?,
            "wait_ms" => {
                let millis = value.parse().ok().filter(|n| (1..=60_000).contains(n));
                replicas.patience = Duration::from_millis(millis.ok_or_else(wrong)?);
            }
            "prefix" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                value.clone_into(&mut self.prefix);
                return Ok(());
            }
            _ => return Err(wrong()),
        }
        self.replicas = Some(replicas);
        Ok(())
    }
}

/// Where it is, without a user or a password.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secured = self.urls.iter().any(|url| url.starts_with("rediss:"));
        let scheme = if secured { "rediss" } else { "redis" };
        let hosts = self.urls.iter().map(|url| {
            let place = url.split_once("://").map_or("", |(_, place)| place);
            let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
            place.split(['/', '?']).next().unwrap_or_default()
        });
        write!(f, "{scheme}://{}", hosts.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_url_says_it_all() {
        let config =
            Config::parse("rediss://u:hunter2@one:7000,two/0?replicas=2&wait_ms=250&prefix=mfa")
                .unwrap();
        assert_eq!(config.urls, ["rediss://u:hunter2@one:7000/0", "rediss://u:hunter2@two/0"]);
        let replicas = Replicas { patience: Duration::from_millis(250), ..Replicas::of(2) };
        assert_eq!((config.replicas, config.prefix.as_str()), (Some(replicas), "mfa"));
        assert_eq!(config.to_string(), "rediss://one:7000,two");
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(Config::parse("redis://one").unwrap().replicas, None);
        assert!(Config::parse("redis://one?on_disk=true").unwrap().replicas.unwrap().on_disk);
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_its_password() {
        for url in [
            "redis:one",
            "redis://u:hunter2@",
            "redis://u:hunter2@one?replicas=0",
            "redis://u:hunter2@one?replicas=many",
            "redis://u:hunter2@one?wait_ms=0",
            "redis://u:hunter2@one?prefix={}",
            "redis://u:hunter2@one?sync=1",
            "rediss://u:hunter2@one?cacert=/nowhere/ca.pem",
            "http://u:hunter2@one",
        ] {
            let refused = Config::parse(url).unwrap_err();
            assert!(matches!(refused, OpenError::Url(_)), "{url}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }
}
