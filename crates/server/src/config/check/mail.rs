//! Where mail goes, and what is refused about it.

use std::net::{IpAddr, Ipv4Addr};

use zeroize::Zeroizing;

use super::{Checked, required, seconds};
use crate::config::raw::{RawSmtp, SmtpTls};
use crate::config::{ConfigError, Mail, Smtp};

/// An SMTP server or a directory, one of them.
pub(super) fn mail(smtp: Option<RawSmtp>, outbox: Option<String>, base_url: &str) -> Checked<Mail> {
    match (smtp, outbox) {
        (Some(smtp), None) => smtp.check(base_url).map(Mail::Smtp),
        (None, Some(directory)) => Ok(Mail::Outbox(directory.into())),
        (None, None) => Err(ConfigError::new(
            "smtp",
            "there is nowhere to send mail",
            "add a table `[smtp]`, or name a directory in `outbox` that collects the mails as files",
        )),
        (Some(_), Some(_)) => Err(ConfigError::new(
            "outbox",
            "mail goes to `smtp` or to `outbox`, not to both",
            "remove one of them",
        )),
    }
}

impl RawSmtp {
    fn check(self, base_url: &str) -> Checked<Smtp> {
        let host = required("smtp.host", self.host)?;
        let from = required("smtp.from", self.from)?;
        if from.parse::<lettre::message::Mailbox>().is_err() {
            let mend = "write it like \"Example <mfa@example.com>\"";
            return Err(ConfigError::new("smtp.from", format!("{from:?} is no address"), mend));
        }
        if self.tls == SmtpTls::None && !self.allow_plain && !is_loopback(&host) {
            return Err(ConfigError::new(
                "smtp.tls",
                format!("\"none\" would send codes in the clear to {host}"),
                "use \"starttls\" or \"tls\", or set `smtp.allow_plain = true`",
            ));
        }
        let credentials = match (self.username, self.password) {
            (Some(user), Some(password)) => Some((user, Zeroizing::new(password))),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(ConfigError::new(
                    "smtp.password",
                    "user name and password go together",
                    "set `smtp.username` and the variable COUNTERSIGN_SMTP__PASSWORD",
                ));
            }
        };
        let port = self.port.unwrap_or(match self.tls {
            SmtpTls::Starttls => 587,
            SmtpTls::Tls => 465,
            SmtpTls::None => 25,
        });
        let timeout = seconds("smtp.timeout_seconds", self.timeout_seconds, 10, 1..=120)?;
        let hello = hello(self.hello, base_url)?;
        Ok(Smtp { host, port, hello, tls: self.tls, credentials, from, timeout })
    }
}

/// A name, or an address in brackets: what stands in `base_url`, where nothing is given.
fn hello(given: Option<String>, base_url: &str) -> Checked<String> {
    let authority = base_url.split_once("://").map_or(base_url, |(_, authority)| authority);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let name = given.unwrap_or_else(|| match host.parse::<Ipv4Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) if host.starts_with('[') => host.replace('[', "[IPv6:"),
        Err(_) => host.to_owned(),
    });
    if name.is_empty() || name.contains(|char: char| !char.is_ascii_graphic()) {
        let mend = "name this host as the mail server may know it, like \"login.example.com\"";
        return Err(ConfigError::new("smtp.hello", format!("{name:?} is no host name"), mend));
    }
    Ok(name)
}

pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn smtp_in_the_clear_stays_on_loopback() {
        let smtp = |line: &str| {
            let text = "data = 'd'\nclient_id = 'c-1'\n[[tenants]]\nid = 'acme'\n";
            Config::parse("t", &format!("{text}[smtp]\nfrom = 'a@b.c'\n{line}"), [])
        };
        let error = smtp("host = 'mail.example'\ntls = 'none'").unwrap_err();
        assert_eq!(error.place(), "smtp.tls");
        assert!(smtp("host = '127.0.0.1'\ntls = 'none'").is_ok());
        assert!(smtp("host = 'mail.example'\ntls = 'none'\nallow_plain = true").is_ok());
        let error = smtp("host = 'mail.example'\nusername = 'u'").unwrap_err();
        assert_eq!(error.place(), "smtp.password");
        assert_eq!(smtp("").unwrap_err().place(), "smtp.host");
    }

    #[test]
    fn the_mail_server_is_told_the_name_in_the_base_url() {
        for (base_url, name) in [
            ("https://login.example.com", "login.example.com"),
            ("http://127.0.0.1:8080", "[127.0.0.1]"),
            ("http://[::1]:8080", "[IPv6:::1]"),
        ] {
            assert_eq!(hello(None, base_url).unwrap(), name);
        }
        let error = hello(Some("a\r\nMAIL FROM:<x>".to_owned()), "https://h").unwrap_err();
        assert_eq!(error.place(), "smtp.hello");
    }
}
