//! Where the database is: the URL's scheme chooses the store.

use std::fmt;
use std::path::{Path, PathBuf};

use countersign_store_postgres::Address;
use countersign_store_redis::Config as RedisConfig;

use super::ConfigError;

/// The database's file in a data directory.
const FILE: &str = "countersign.sqlite";

/// Where the database is.
///
/// What it shows of itself holds no password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DatabaseUrl {
    /// A file of this machine: `sqlite:` and its path.
    Sqlite(PathBuf),
    /// PostgreSQL: `postgres:` and the rest of its URL.
    Postgres(Box<Address>),
    /// Redis or Valkey, one server or a cluster: `redis:` or `rediss:` and the rest of its URL.
    Redis(Box<RedisConfig>),
}

impl DatabaseUrl {
    /// The file that a data directory has by default.
    #[must_use]
    pub fn in_directory(data: &Path) -> Self {
        Self::Sqlite(data.join(FILE))
    }

    /// Reads the URL of a key of the configuration.
    ///
    /// # Errors
    /// [`ConfigError`]: no store has this scheme, or the rest makes no sense to it.
    pub fn parse(key: &str, url: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| {
            let mend = "write it like \"sqlite:/var/lib/countersign/countersign.sqlite\" or \
                        \"postgres://user:password@db.example.com/countersign\" or \
                        \"rediss://user:password@one,two,three?replicas=1\"";
            ConfigError::new(key, problem, mend)
        };
        let (scheme, rest) = url.split_once(':').ok_or_else(|| wrong("it has no scheme"))?;
        match scheme {
            "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
                "" => Err(wrong("it names no file")),
                path => Ok(Self::Sqlite(path.into())),
            },
            "postgres" | "postgresql" => match Address::parse(url) {
                Ok(address) => Ok(Self::Postgres(Box::new(address))),
                Err(error) => Err(wrong(&error.to_string())),
            },
            "redis" | "rediss" => match RedisConfig::parse(url) {
                Ok(config) => Ok(Self::Redis(Box::new(config))),
                Err(error) => Err(wrong(&error.to_string())),
            },
            // The rest may hold a password: it is not repeated.
            _ => Err(wrong(&format!("there is no store for {scheme:?}"))),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
            Self::Redis(config) => config.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_store() {
        let file = |path: &str| DatabaseUrl::Sqlite(path.into());
        assert_eq!(DatabaseUrl::parse("database", "sqlite:/a/b.db"), Ok(file("/a/b.db")));
        assert_eq!(DatabaseUrl::parse("database", "sqlite:///a/b.db"), Ok(file("/a/b.db")));
        assert_eq!(DatabaseUrl::parse("database", "sqlite:b.db"), Ok(file("b.db")));
        let fleet =
            DatabaseUrl::parse("database", "postgres://u:hunter2@db.example.com/d").unwrap();
        assert_eq!(fleet.to_string(), "postgres://db.example.com:5432/d");
        assert!(!format!("{fleet:?}").contains("hunter2"));
        let fleet =
            DatabaseUrl::parse("database", "rediss://u:hunter2@one,two?replicas=1").unwrap();
        assert_eq!(fleet.to_string(), "rediss://one,two");
        assert!(!format!("{fleet:?}").contains("hunter2"));
        for wrong in [
            "",
            "/a/b.db",
            "sqlite:",
            "sqlite://",
            "mysql://u:hunter2@h/d",
            "postgres://u:hunter2@",
            "redis://u:hunter2@one?replicas=none",
        ] {
            let error = DatabaseUrl::parse("database", wrong).unwrap_err();
            assert_eq!(error.place(), "database", "{wrong}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
