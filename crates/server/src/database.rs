//! The database of a node: the one place that knows which stores there are.
//!
//! Everything above is generic over the port; this is the type that the binary fills it with. A new
//! store is a variant here, an arm in each verb, and a scheme in [`DatabaseUrl`].

use std::sync::Arc;

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Walked,
};
use countersign_store_postgres::PostgresStore;
use countersign_store_redis::RedisStore;
use countersign_store_sqlite::SqliteStore;

use crate::clock::SystemClock;
use crate::config::DatabaseUrl;
use crate::node::NotUp;

/// A database, whichever the configuration names.
#[derive(Debug)]
pub enum Database {
    /// A file of this machine.
    Sqlite(SqliteStore),
    /// A database of PostgreSQL.
    Postgres(PostgresStore),
    /// Redis or Valkey.
    Redis(Box<RedisStore>),
}

/// The same call on whichever store it is.
macro_rules! on {
    ($database:expr, $store:ident => $call:expr) => {
        match $database {
            Self::Sqlite($store) => $call,
            Self::Postgres($store) => $call,
            Self::Redis($store) => $call,
        }
    };
}

impl Database {
    /// Opens the database, or makes it; `clock` is the time of a store that has none of its own.
    ///
    /// # Errors
    /// [`NotUp`] names the database, without a password, and what is wrong.
    pub async fn open(
        url: &DatabaseUrl,
        clock: Arc<dyn Clock>,
        outbox: Outbox,
    ) -> Result<Self, NotUp> {
        match url {
            DatabaseUrl::Sqlite(path) => SqliteStore::open(path, clock, outbox)
                .map(Self::Sqlite)
                .map_err(|error| NotUp::at(url, &error)),
            DatabaseUrl::Postgres(address) => PostgresStore::open((**address).clone(), outbox)
                .await
                .map(Self::Postgres)
                .map_err(|error| NotUp::at(url, &error)),
            DatabaseUrl::Redis(config) => {
                let opened = RedisStore::open(config, outbox).await;
                let store = opened.map_err(|error| NotUp::at(url, &error))?;
                let durability = store.durability();
                if durability.survives_a_crash() {
                    tracing::info!(%durability, "redis");
                } else {
                    tracing::warn!(%durability, "redis");
                }
                Ok(Self::Redis(Box::new(store)))
            }
        }
    }

    /// The same for a command beside a server: a file that is not there is not made.
    ///
    /// # Errors
    /// [`NotUp`].
    pub async fn open_existing(url: &DatabaseUrl) -> Result<Self, NotUp> {
        if let DatabaseUrl::Sqlite(path) = url
            && !path.is_file()
        {
            return Err(NotUp::at(url, &"there is no database; was a server ever started on it?"));
        }
        Self::open(url, Arc::new(SystemClock), Outbox::default()).await
    }
}

impl Database {
    /// What the store itself can say of its soundness, without the keys.
    ///
    /// # Errors
    /// [`NotUp`] says what is damaged.
    pub fn check(&self) -> Result<(), NotUp> {
        match self {
            Self::Sqlite(store) => {
                store.check().map_err(|error| NotUp::at(&store.path().display(), &error))
            }
            // Their files are the databases' own to check (`pg_amcheck`, `redis-check-aof`).
            Self::Postgres(_) | Self::Redis(_) => Ok(()),
        }
    }
}

impl Store for Database {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        on!(self, store => store.look(keys).await)
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        on!(self, store => store.settle(settle).await)
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        on!(self, store => store.walk(after, limit).await)
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        on!(self, store => store.events(limit).await)
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        on!(self, store => store.forget(ids).await)
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        on!(self, store => store.waiting().await)
    }
}
