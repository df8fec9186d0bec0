//! What the servers' own configuration makes of an acknowledged write, said plainly.

use std::fmt;

use crate::config::Replicas;

/// When a server puts what it acknowledges on its disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Aof {
    /// It keeps no append-only file: what it holds is gone with it, or as old as its last snapshot.
    Off,
    /// When the system comes to it (`appendfsync no`).
    Sometime,
    /// It does not say (`CONFIG` is withheld).
    Withheld,
    /// Once a second (`appendfsync everysec`).
    EverySecond,
    /// Before it acknowledges (`appendfsync always`).
    Always,
}

/// What an acknowledged settle survives: the weakest of all masters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Durability {
    /// The masters' disks.
    pub aof: Aof,
    /// What is waited for beside the master.
    pub replicas: Option<Replicas>,
    /// How many replicas the master with the fewest has now.
    pub connected: u32,
    /// How many masters there are.
    pub masters: usize,
}

impl Durability {
    /// Does every acknowledged settle survive the sudden end of its master?
    #[must_use]
    pub const fn survives_a_crash(&self) -> bool {
        matches!(self.aof, Aof::Always)
            || matches!(self.replicas, Some(Replicas { on_disk: true, .. }))
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.aof {
            Aof::Off => {
                "no append-only file: a server that restarts forgets what it acknowledged, and \
                 takes spent codes again; set appendonly yes"
            }
            Aof::Sometime => {
                "appendfsync no: a machine that loses its power forgets some tens of seconds of \
                 what it acknowledged"
            }
            Aof::Withheld => {
                "the server does not say when it writes to disk (CONFIG is withheld): ask whoever \
                 runs it for appendfsync always"
            }
            Aof::EverySecond => {
                "appendfsync everysec: a machine that loses its power forgets up to a second or \
                 two of what it acknowledged, and takes codes spent in them again"
            }
            Aof::Always => "appendfsync always: what is acknowledged is on the master's disk",
        })?;
        match (self.replicas, self.connected) {
            (Some(Replicas { count, on_disk, .. }), connected) => {
                let place = if on_disk { "the disks" } else { "the memory" };
                write!(
                    f,
                    "; and in {place} of {count} replica(s): a failover to one of these forgets nothing"
                )?;
                if connected < u32::from(count) {
                    write!(
                        f,
                        ", but a master has only {connected}: its settles are refused until it has {count}"
                    )?;
                }
                Ok(())
            }
            (None, 0) => {
                f.write_str("; a master has no replica: while it is away, so are its users")
            }
            (None, _) => f.write_str(
                "; replicas are not waited for: a failover forgets what had not reached them, and \
                 takes codes spent in that moment again; ask for replicas",
            ),
        }
    }
}

/// What one server says of itself in `INFO`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Info {
    pub(crate) policy: Option<String>,
    pub(crate) aof: bool,
    pub(crate) master: bool,
    pub(crate) replicas: u32,
    pub(crate) cluster: bool,
    /// Major and minor, of Redis or what it is compatible with.
    pub(crate) version: (u32, u32),
}

impl Info {
    pub(crate) fn parse(text: &str) -> Self {
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let mut numbers = field("redis_version").unwrap_or_default().split('.');
        let mut number = || numbers.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Self {
            policy: field("maxmemory_policy").map(str::to_owned),
            aof: field("aof_enabled") == Some("1"),
            master: field("role") != Some("slave"),
            replicas: field("connected_slaves").and_then(|n| n.parse().ok()).unwrap_or(0),
            cluster: field("cluster_enabled") == Some("1"),
            version: (number(), number()),
        }
    }

    /// The policy by which it would forget a record to make room.
    pub(crate) fn forgets(&self) -> Option<&str> {
        match self.policy.as_deref() {
            Some("noeviction") => None,
            other => Some(other.unwrap_or("unknown")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory:0\r\n\
        maxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n# Replication\r\n\
        role:master\r\nconnected_slaves:2\r\n# Cluster\r\ncluster_enabled:0\r\n";

    #[test]
    fn a_server_says_what_it_is() {
        let info = Info::parse(INFO);
        assert_eq!(info.version, (7, 0));
        assert!(info.aof && info.master && !info.cluster);
        assert_eq!((info.replicas, info.forgets()), (2, None));
    }

    #[test]
    fn every_policy_but_one_forgets() {
        for policy in ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random", ""] {
            let info = Info::parse(&INFO.replace("noeviction", policy));
            assert_eq!(info.forgets(), Some(policy));
        }
        assert_eq!(Info::parse("").forgets(), Some("unknown"), "what is not told is not trusted");
    }

    #[test]
    fn what_can_be_lost_is_said() {
        let said = |aof, replicas, connected| {
            Durability { aof, replicas, connected, masters: 1 }.to_string()
        };
        assert!(said(Aof::EverySecond, None, 1).contains("spent"));
        assert!(said(Aof::Always, None, 2).contains("failover forgets"));
        assert!(said(Aof::Always, Some(Replicas::of(1)), 1).contains("forgets nothing"));
        assert!(said(Aof::Always, Some(Replicas::of(2)), 1).contains("refused until"));
        assert!(said(Aof::Off, None, 0).contains("appendonly yes"));
    }
}
