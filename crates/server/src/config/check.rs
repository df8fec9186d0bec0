//! From the file's shape to a configuration that holds together: defaults, and what is refused.

mod events;
mod mail;
mod sms;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use countersign_ceremony::codec::Encoding;
use countersign_ceremony::rules::RECOVERY_CODES;

use super::raw::{Raw, RawKms, RawTenant, SameSite, Strategy};
use super::{Cidr, Config, ConfigError, DatabaseUrl, Kms, Passkeys, Tenant};
use events::sinks;
use mail::mail;
use sms::sms;

type Checked<T> = Result<T, ConfigError>;

/// 14 days: the contract's default.
const DEVICE_EXPIRATION: u64 = 1_209_600;
/// A year: beyond it a browser is not remembered but forgotten about.
const LONGEST_DEVICE_EXPIRATION: u64 = 31_536_000;

impl Raw {
    /// Fills in what has a default, and refuses what contradicts itself.
    pub(super) fn check(self) -> Checked<Config> {
        let listen = listen(self.listen.as_deref())?;
        let trusted_proxies = proxies(&self.trusted_proxies)?;
        if !listen.ip().is_loopback() && trusted_proxies.is_empty() && !self.allow_plain_http {
            return Err(ConfigError::new(
                "listen",
                format!("{listen} would take passwords over plain HTTP from the network"),
                "listen on 127.0.0.1, name the proxy that ends TLS in `trusted_proxies`, or set \
                 `allow_plain_http = true`",
            ));
        }
        let base_url = match &self.base_url {
            Some(url) => origin("base_url", url)?,
            None if listen.ip().is_loopback() => format!("http://{listen}"),
            None => {
                return Err(ConfigError::new(
                    "base_url",
                    "it is missing, and beyond loopback clients come by another address than `listen`",
                    "set it to the URL that browsers show, like \"https://login.example.com\"",
                ));
            }
        };
        let same_site = self.cookies.same_site.unwrap_or_default();
        if same_site == SameSite::None && !base_url.starts_with("https://") {
            return Err(ConfigError::new(
                "cookies.same_site",
                "browsers drop a SameSite=None cookie that is not Secure",
                "set `base_url` to the https URL that clients use, or use \"lax\"",
            ));
        }
        let data = PathBuf::from(required("data", self.data)?);
        let mail = mail(self.smtp, self.outbox, &base_url)?;
        let tenants = tenants(self.tenants)?;
        let sms = sms(self.sms, &mail, &tenants)?;
        let config = Config {
            profile: self.profile,
            listen,
            issuer: self.issuer.unwrap_or_else(|| base_url.clone()),
            base_url,
            service: service(self.service.unwrap_or_else(|| "Countersign".to_owned()))?,
            client_id: client_id(required("client_id", self.client_id)?)?,
            keys_file: self.keys_file.map_or_else(|| data.join("keys"), PathBuf::from),
            kms: self.kms.map(kms).transpose()?,
            database: match &self.database {
                Some(url) => DatabaseUrl::parse("database", url)?,
                None => DatabaseUrl::in_directory(&data),
            },
            signing_keys: self.signing_keys.into_iter().map(PathBuf::from).collect(),
            moving_to: match &self.moving_to {
                Some(url) => Some(DatabaseUrl::parse("moving_to", url)?),
                None => None,
            },
            encoding: encoding(self.encoding)?,
            data,
            allow_plain_http: self.allow_plain_http,
            trusted_proxies,
            origins: origins(&self.origins)?,
            passkeys: Passkeys { domain: self.passkeys.domain, origins: self.passkeys.origins },
            same_site,
            deadline: seconds("deadline_seconds", self.deadline_seconds, 10, 1..=120)?,
            malformed_per_minute: match self.malformed_per_minute {
                Some(0) => None,
                given => Some(given.unwrap_or(600)),
            },
            failed_logins_per_minute: match self.failed_logins_per_minute {
                Some(0) => None,
                given => Some(given.unwrap_or(60)),
            },
            recovery_codes: recovery_codes(self.recovery_codes)?,
            recovery_replaced: self.recovery_replaced.unwrap_or(true),
            tenants,
            mail,
            sms,
            language: language(self.language)?,
            templates: self.templates.map(PathBuf::from),
            events_bound: self.events.bound.unwrap_or(1_000_000).max(1),
            events_when_full: self.events.when_full,
            event_sinks: sinks(self.events.sinks)?,
        };
        config.check_passkeys()?;
        Ok(config)
    }
}

fn kms(raw: RawKms) -> Checked<Kms> {
    for (key, command) in [("kms.wrap", &raw.wrap), ("kms.unwrap", &raw.unwrap)] {
        if command.first().is_none_or(|program| program.trim().is_empty()) {
            let mend = "name a program and its arguments, like [\"/usr/local/bin/kms\", \"wrap\"]";
            return Err(ConfigError::new(key, "it is missing", mend));
        }
    }
    let timeout = seconds("kms.timeout_seconds", raw.timeout_seconds, 10, 1..=120)?;
    Ok(Kms { wrap: raw.wrap, unwrap: raw.unwrap, timeout })
}

fn encoding(given: Option<u8>) -> Checked<Encoding> {
    let Some(number) = given else { return Ok(Encoding::default()) };
    Encoding::from_number(number).ok_or_else(|| {
        let [first, .., last] = Encoding::ALL.map(Encoding::number);
        let problem =
            format!("{number} is no encoding of this release, which has {first} to {last}");
        ConfigError::new("encoding", problem, "leave it out until every node reads the next one")
    })
}

fn recovery_codes(given: Option<u8>) -> Checked<u8> {
    match given.unwrap_or(1) {
        count @ 1..=RECOVERY_CODES => Ok(count),
        count => Err(ConfigError::new(
            "recovery_codes",
            format!("{count} is not between 1 and {RECOVERY_CODES}"),
            "leave it out for one code, which every client shows",
        )),
    }
}

fn required(key: &str, value: Option<String>) -> Checked<String> {
    value.filter(|value| !value.trim().is_empty()).ok_or_else(|| {
        ConfigError::new(
            key,
            "it is missing",
            format!("set `{key} = \"...\"`; see docs/operate.md"),
        )
    })
}

fn listen(text: Option<&str>) -> Checked<SocketAddr> {
    let Some(text) = text else { return Ok((Ipv4Addr::LOCALHOST, 8080).into()) };
    text.parse().map_err(|_| {
        let problem = format!("{text:?} is no address with a port");
        ConfigError::new("listen", problem, "write it like \"127.0.0.1:8080\" or \"[::1]:8080\"")
    })
}

fn proxies(ranges: &[String]) -> Checked<Vec<Cidr>> {
    let parsed = ranges.iter().enumerate().map(|(index, range)| {
        range.parse().map_err(|error| {
            let problem = format!("{range:?} is {error}");
            ConfigError::new(
                format!("trusted_proxies[{index}]"),
                problem,
                "name addresses or ranges, as the proxy's connections show them",
            )
        })
    });
    parsed.collect()
}

fn origins(given: &[String]) -> Checked<Vec<String>> {
    let checked = given.iter().enumerate();
    checked.map(|(index, text)| origin(&format!("origins[{index}]"), text)).collect()
}

/// An origin as browsers send it (RFC 6454, section 6.1): scheme and authority, in lower case, no slash at the end.
fn origin(key: &str, text: &str) -> Checked<String> {
    let mend = "write scheme, host and port alone, like \"https://app.example.com\"";
    let wrong = |problem: &str| ConfigError::new(key, format!("{text:?} {problem}"), mend);
    let lower = text.trim_end_matches('/').to_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let Some(authority) = rest else { return Err(wrong("has no http or https scheme")) };
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ', '*', '"', ',']) {
        return Err(wrong("is no origin"));
    }
    let default_port = if lower.starts_with("https") { ":443" } else { ":80" };
    Ok(lower.strip_suffix(default_port).unwrap_or(&lower).to_owned())
}

/// The name goes into mails, where a code must be the only run of six digits.
fn service(name: String) -> Checked<String> {
    let mut runs = name.split(|letter: char| !letter.is_ascii_digit());
    if name.trim().is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
        let problem = "it must be one line of 1 to 64 bytes";
        return Err(ConfigError::new("service", problem, "name the service as people know it"));
    }
    if name.contains(':') || runs.any(|run| run.len() >= 6) {
        return Err(ConfigError::new(
            "service",
            "a colon would end the name in authenticator apps, and six digits look like a code in mails",
            "leave them out",
        ));
    }
    Ok(name)
}

/// A tag of RFC 5646, as far as one names a directory.
fn language(given: Option<String>) -> Checked<String> {
    let language = given.unwrap_or_else(|| "en".to_owned());
    let named = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if (2..=35).contains(&language.len()) && language.chars().all(named) {
        return Ok(language);
    }
    let problem = format!("{language:?} is no language");
    Err(ConfigError::new("language", problem, "write it like \"en\", \"de\" or \"pt-BR\""))
}

/// It becomes part of cookie names, which are tokens (RFC 6265, section 4.1.1).
fn client_id(id: String) -> Checked<String> {
    let named = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if id.len() <= 128 && id.chars().all(named) && id.chars().any(|letter| letter != '-') {
        return Ok(id);
    }
    let problem = format!("{id:?} cannot name a cookie");
    Err(ConfigError::new("client_id", problem, "use letters, digits, dashes and underscores"))
}

fn seconds(
    key: &str,
    given: Option<u64>,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Checked<Duration> {
    let seconds = given.unwrap_or(default);
    if range.contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    let mend = format!("choose {} to {}", range.start(), range.end());
    Err(ConfigError::new(key, format!("{seconds} seconds is out of range"), mend))
}

fn tenants(raw: Vec<RawTenant>) -> Checked<Vec<Tenant>> {
    if raw.is_empty() {
        let mend = "add a table `[[tenants]]` with an `id`";
        return Err(ConfigError::new("tenants", "there is none", mend));
    }
    let mut tenants: Vec<Tenant> = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let key = |name: &str| format!("tenants[{index}].{name}");
        if raw.id.is_empty() || raw.id.len() > 64 || tenants.iter().any(|other| other.id == raw.id)
        {
            let problem = format!("{:?} is empty, over 64 bytes, or there twice", raw.id);
            return Err(ConfigError::new(key("id"), problem, "give each tenant an id of its own"));
        }
        let expiration = raw.device_expiration_seconds.unwrap_or(DEVICE_EXPIRATION);
        if !(60..=LONGEST_DEVICE_EXPIRATION).contains(&expiration) {
            return Err(ConfigError::new(
                key("device_expiration_seconds"),
                format!("{expiration} is out of range"),
                format!("choose 60 to {LONGEST_DEVICE_EXPIRATION} seconds (a year)"),
            ));
        }
        let strategies = raw.strategies.unwrap_or_else(|| vec![Strategy::AuthenticatorApp]);
        if strategies.is_empty() {
            let mend = "list \"AuthenticatorApp\", \"SMS\" or \"EmailCode\", or leave the key out";
            return Err(ConfigError::new(key("strategies"), "no factor would be taken", mend));
        }
        tenants.push(Tenant {
            name: raw.name.unwrap_or_else(|| raw.id.clone()),
            id: raw.id,
            enforce: raw.enforce.unwrap_or_default(),
            allow_remember: raw.allow_remember,
            device_expiration_seconds: expiration,
            strategies,
        });
    }
    Ok(tenants)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "data = 'd'\nclient_id = 'c-1'\noutbox = 'o'\n[[tenants]]\nid = 'acme'\n[cookies]\n";

    fn refused(before: &str, after: &str) -> String {
        let text = format!("{before}\n{SMALL}{after}");
        Config::parse("t", &text, []).unwrap_err().to_string()
    }

    #[test]
    fn plain_http_on_a_network_is_refused_unless_told() {
        let error = refused("listen = '0.0.0.0:80'", "");
        assert!(error.starts_with("listen: "), "{error}");
        assert!(error.contains("allow_plain_http"), "{error}");
        for told in ["allow_plain_http = true", "trusted_proxies = ['10.0.0.0/8']"] {
            let text = format!("listen = '0.0.0.0:80'\n{told}\n{SMALL}");
            let error = Config::parse("t", &text, []).unwrap_err();
            assert_eq!(error.place(), "base_url", "the page's origin has to be known");
            let text = format!("base_url = 'https://login.example'\n{text}");
            assert!(Config::parse("t", &text, []).is_ok(), "{told}");
        }
    }

    #[test]
    fn each_refusal_names_its_key() {
        for (before, after, key) in [
            ("listen = 'here'", "", "listen"),
            ("base_url = 'ftp://x'", "", "base_url"),
            ("base_url = 'https://x/y'", "", "base_url"),
            ("origins = ['https://a.example', 'null']", "", "origins[1]"),
            ("origins = ['https://*.example']", "", "origins[0]"),
            ("trusted_proxies = ['proxy']", "", "trusted_proxies[0]"),
            ("deadline_seconds = 0", "", "deadline_seconds"),
            ("encoding = 3", "", "encoding"),
            ("service = 'Call 123456'", "", "service"),
            ("language = '../x'", "", "language"),
            ("kms = {wrap = ['w'], unwrap = ['']}", "", "kms.unwrap"),
            ("smtp = {host = 'mail.example', from = 'a@b.c'}", "", "outbox"),
            ("", "same_site = 'none'", "cookies.same_site"),
            ("", "[[tenants]]\nid = 'acme'", "tenants[1].id"),
            ("", "[[tenants]]\nid = 'b'\nstrategies = []", "tenants[1].strategies"),
            (
                "",
                "[[tenants]]\nid = 'b'\ndevice_expiration_seconds = 1",
                "tenants[1].device_expiration_seconds",
            ),
        ] {
            let error = refused(before, after);
            assert!(error.starts_with(&format!("{key}: ")), "{key}: {error}");
            assert!(error.contains("to mend it"), "{error}");
        }
        let error = Config::parse("t", &SMALL.replace("c-1", "a;b"), []).unwrap_err();
        assert_eq!(error.place(), "client_id");
        let error =
            Config::parse("t", &SMALL.replace("[[tenants]]\nid = 'acme'", ""), []).unwrap_err();
        assert_eq!(error.place(), "tenants");
    }

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        assert_eq!(origin("k", "HTTPS://App.Example.com:443/").unwrap(), "https://app.example.com");
        assert_eq!(origin("k", "http://localhost:3000").unwrap(), "http://localhost:3000");
    }
}
