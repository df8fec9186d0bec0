//! Where audit events go, and what is refused about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::mail::is_loopback;
use super::sms::{secret, webhook};
use super::{Checked, seconds};
use crate::config::raw::RawSink;
use crate::config::{ConfigError, EventSink, SinkKind, SyslogPeer};

pub(super) fn sinks(raw: BTreeMap<String, RawSink>) -> Checked<Vec<EventSink>> {
    raw.into_iter().map(|(name, raw)| raw.check(name)).collect()
}

impl RawSink {
    fn check(self, name: String) -> Checked<EventSink> {
        let place = format!("events.sinks.{name}");
        let named = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || letter == '_'
        };
        if name.is_empty() || name.len() > 32 || !name.chars().all(named) {
            let mend =
                "use up to 32 of a-z, 0-9, - and _: variables of the environment name it too";
            return Err(ConfigError::new(place, "it is no name of a sink", mend));
        }
        let key = |name: &str| format!("{place}.{name}");
        let kind = match (self.file, self.syslog, self.webhook) {
            (Some(path), None, None) if !path.is_empty() => SinkKind::File(PathBuf::from(path)),
            (None, Some(peer), None) => {
                SinkKind::Syslog(syslog(&key("syslog"), &peer, self.allow_plain)?)
            }
            (None, None, Some(url)) => {
                let variable =
                    format!("COUNTERSIGN_EVENTS__SINKS__{}__SECRET", name.to_uppercase());
                SinkKind::Webhook {
                    url: webhook(&key("webhook"), &url, self.allow_plain)?,
                    secret: secret(&key("secret"), self.secret, &variable)?,
                }
            }
            _ => {
                let mend = "set exactly one of `file`, `syslog` and `webhook`";
                return Err(ConfigError::new(place, "it says not where events go", mend));
            }
        };
        // Shorter than the hold of the node that hands them out.
        let timeout = seconds(&key("timeout_seconds"), self.timeout_seconds, 5, 1..=10)?;
        Ok(EventSink { name, kind, timeout })
    }
}

fn syslog(key: &str, text: &str, allow_plain: bool) -> Checked<SyslogPeer> {
    let mend =
        "write it like \"udp://127.0.0.1:514\", \"tcp://127.0.0.1:601\" or \"unix:/dev/log\"";
    let wrong = || ConfigError::new(key, format!("{text:?} is no place of a syslog server"), mend);
    if let Some(path) = text.strip_prefix("unix:") {
        let path = PathBuf::from(path);
        return if path.is_absolute() { Ok(SyslogPeer::Unix(path)) } else { Err(wrong()) };
    }
    let (scheme, peer) = text.split_once("://").ok_or_else(wrong)?;
    let (host, port) = peer.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || host.contains(['/', '@', ' ']) || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    let place = match scheme {
        "udp" => SyslogPeer::Udp(peer.to_owned()),
        "tcp" => SyslogPeer::Tcp(peer.to_owned()),
        _ => return Err(wrong()),
    };
    if allow_plain || is_loopback(host.trim_matches(['[', ']'])) {
        return Ok(place);
    }
    let table = key.rsplit_once('.').map_or(key, |(table, _)| table);
    Err(ConfigError::new(
        key,
        format!("it would send events in the clear to {host}"),
        format!(
            "name a relay on this machine that speaks TLS, or set `{table}.allow_plain = true`"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, SinkKind, SyslogPeer};

    fn parsed(sinks: &str) -> Result<Config, ConfigError> {
        let text = format!(
            "data = 'd'\nclient_id = 'c-1'\noutbox = 'o'\n[[tenants]]\nid = 'acme'\n{sinks}"
        );
        Config::parse("t", &text, [])
    }

    #[test]
    fn sinks_are_read_in_the_order_of_their_names() {
        let secret = "0123456789abcdef0123456789abcdef";
        let config = parsed(&format!(
            "[events.sinks.siem]\nwebhook = 'https://siem.example/x'\nsecret = '{secret}'\n\
             [events.sinks.log]\nsyslog = 'udp://127.0.0.1:514'\n\
             [events.sinks.far]\nsyslog = 'tcp://log.example:601'\nallow_plain = true\n\
             [events.sinks.dev]\nsyslog = 'unix:/dev/log'\ntimeout_seconds = 1\n\
             [events.sinks.file]\nfile = '/var/log/events.jsonl'\n"
        ))
        .unwrap();
        let names: Vec<_> = config.event_sinks.iter().map(|sink| sink.name.as_str()).collect();
        assert_eq!(names, ["dev", "far", "file", "log", "siem"]);
        let [dev, far, file, log, siem] = &config.event_sinks[..] else { panic!("five") };
        assert_eq!(dev.timeout.as_secs(), 1);
        assert!(
            matches!(&dev.kind, SinkKind::Syslog(SyslogPeer::Unix(path)) if path.ends_with("log"))
        );
        assert!(
            matches!(&far.kind, SinkKind::Syslog(SyslogPeer::Tcp(peer)) if peer == "log.example:601")
        );
        assert!(matches!(&file.kind, SinkKind::File(_)));
        assert!(matches!(&log.kind, SinkKind::Syslog(SyslogPeer::Udp(_))));
        assert!(matches!(&siem.kind, SinkKind::Webhook { .. }));
        assert!(!format!("{config:?}").contains(secret));
    }

    #[test]
    fn a_sink_that_says_too_much_or_too_little_is_refused() {
        for (lines, place) in [
            ("[events.sinks.a]", "events.sinks.a"),
            ("[events.sinks.a]\nfile = ''", "events.sinks.a"),
            ("[events.sinks.a]\nfile = 'x'\nsyslog = 'unix:/dev/log'", "events.sinks.a"),
            ("[events.sinks.'A b']\nfile = 'x'", "events.sinks.A b"),
            ("[events.sinks.a]\nsyslog = 'udp://log.example:514'", "events.sinks.a.syslog"),
            ("[events.sinks.a]\nsyslog = 'udp://127.0.0.1'", "events.sinks.a.syslog"),
            ("[events.sinks.a]\nsyslog = 'unix:log'", "events.sinks.a.syslog"),
            ("[events.sinks.a]\nsyslog = 'tls://127.0.0.1:1'", "events.sinks.a.syslog"),
            ("[events.sinks.a]\nwebhook = 'http://h.example/'", "events.sinks.a.webhook"),
            ("[events.sinks.a]\nwebhook = 'https://h.example/'", "events.sinks.a.secret"),
            (
                "[events.sinks.a]\nfile = 'x'\ntimeout_seconds = 60",
                "events.sinks.a.timeout_seconds",
            ),
        ] {
            assert_eq!(parsed(lines).unwrap_err().place(), place, "{lines}");
        }
    }
}
