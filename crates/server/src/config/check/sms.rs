//! Where messages to phones go, and what is refused about it.

use hyper::Uri;
use zeroize::Zeroizing;

use super::mail::is_loopback;
use super::{Checked, required, seconds};
use crate::config::raw::{RawSms, Strategy};
use crate::config::{ConfigError, Mail, Sms, Tenant};

/// A shorter secret could be guessed from one request.
const SHORTEST_SECRET: usize = 32;

/// A webhook, where one is named. Without one messages go into the outbox, where mails do.
pub(super) fn sms(raw: Option<RawSms>, mail: &Mail, tenants: &[Tenant]) -> Checked<Option<Sms>> {
    let sms = raw.map(RawSms::check).transpose()?;
    if sms.is_none() && matches!(mail, Mail::Smtp(_)) {
        let asks = tenants.iter().position(|tenant| tenant.strategies.contains(&Strategy::Sms));
        if let Some(index) = asks {
            return Err(ConfigError::new(
                format!("tenants[{index}].strategies"),
                "\"SMS\" is on, and nothing takes messages to phones",
                "add a table `[sms]` with the `url` and the `secret` of a webhook, or leave \"SMS\" out",
            ));
        }
    }
    Ok(sms)
}

impl RawSms {
    fn check(self) -> Checked<Sms> {
        let text = required("sms.url", self.url)?;
        let url = webhook("sms.url", &text, self.allow_plain)?;
        let secret = secret("sms.secret", self.secret, "COUNTERSIGN_SMS__SECRET")?;
        let timeout = seconds("sms.timeout_seconds", self.timeout_seconds, 5, 1..=30)?;
        Ok(Sms { url, secret, timeout })
    }
}

/// A webhook's URL: https, or http where nobody listens in, or where it is told to.
pub(super) fn webhook(key: &str, text: &str, allow_plain: bool) -> Checked<Uri> {
    let wrong = |problem: &str| {
        let mend = "write it like \"https://hooks.example.com/take\"";
        ConfigError::new(key, format!("{text:?} {problem}"), mend)
    };
    let url: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    let host = url.host().ok_or_else(|| wrong("has no host"))?;
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        // Not shown: the refusal is printed.
        let mend = "leave user name and password out, the signature says who sends";
        return Err(ConfigError::new(key, "it has a user name or a password in it", mend));
    }
    match url.scheme_str() {
        Some("https") => Ok(url),
        Some("http") if allow_plain || is_loopback(host.trim_matches(['[', ']'])) => Ok(url),
        Some("http") => {
            let table = key.rsplit_once('.').map_or(key, |(table, _)| table);
            Err(ConfigError::new(
                key,
                format!("it would send in the clear to {host}"),
                format!("use https, or set `{table}.allow_plain = true`"),
            ))
        }
        _ => Err(wrong("has no http or https scheme")),
    }
}

/// A secret that requests are signed with.
pub(super) fn secret(
    key: &str,
    given: Option<String>,
    variable: &str,
) -> Checked<Zeroizing<String>> {
    let secret = Zeroizing::new(required(key, given)?);
    if secret.len() < SHORTEST_SECRET {
        return Err(ConfigError::new(
            key,
            format!("it is shorter than {SHORTEST_SECRET} bytes"),
            format!("make one with `openssl rand -hex 32` and set the variable {variable}"),
        ));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn parsed(before: &str, after: &str) -> Result<Config, ConfigError> {
        let text = format!(
            "data = 'd'\nclient_id = 'c-1'\n{before}\n[[tenants]]\nid = 'acme'\nstrategies = ['SMS']\n{after}"
        );
        Config::parse("t", &text, [])
    }

    #[test]
    fn sms_needs_a_way_to_phones() {
        let smtp = "[smtp]\nhost = 'localhost'\nfrom = 'a@b.c'";
        let error = parsed("", smtp).unwrap_err();
        assert_eq!(error.place(), "tenants[0].strategies");
        assert!(error.to_string().contains("[sms]"), "{error}");
        assert!(parsed("outbox = 'o'", "").unwrap().sms.is_none(), "the outbox takes them");
        let sms = format!("{smtp}\n[sms]\nurl = 'https://sms.example/x'\nsecret = '{SECRET}'");
        let sms = parsed("", &sms).unwrap().sms.unwrap();
        assert_eq!(
            (sms.url.to_string().as_str(), sms.timeout.as_secs()),
            ("https://sms.example/x", 5)
        );
        assert!(!format!("{sms:?}").contains(SECRET));
    }

    #[test]
    fn a_url_in_the_clear_and_a_short_secret_are_refused() {
        for (lines, place) in [
            ("", "sms.url"),
            ("url = '/x'", "sms.url"),
            ("url = 'ftp://h/x'", "sms.url"),
            ("url = 'https://user:hunter2@h/x'", "sms.url"),
            ("url = 'http://sms.example/x'", "sms.url"),
            ("url = 'https://h/x'", "sms.secret"),
            ("url = 'https://h/x'\nsecret = 'short'", "sms.secret"),
        ] {
            let error = parsed("outbox = 'o'", &format!("[sms]\n{lines}")).unwrap_err();
            assert_eq!(error.place(), place, "{lines}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for plain in [
            "url = 'http://127.0.0.1:1/x'",
            "url = 'http://[::1]/x'",
            "url = 'http://h/x'\nallow_plain = true",
        ] {
            let lines = format!("[sms]\n{plain}\nsecret = '{SECRET}'");
            assert!(parsed("outbox = 'o'", &lines).is_ok(), "{plain}");
        }
        let slow = format!("[sms]\nurl = 'https://h/'\nsecret = '{SECRET}'\ntimeout_seconds = 60");
        assert_eq!(parsed("outbox = 'o'", &slow).unwrap_err().place(), "sms.timeout_seconds");
    }
}
