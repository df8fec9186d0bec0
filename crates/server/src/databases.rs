//! What a node serves from: one database, or two while everything moves from one to the other.

use std::sync::Arc;

use countersign_ceremony::env::Clock;
use countersign_ceremony::moving::Moving;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Walked,
};
use countersign_vault::Vault;

use crate::config::DatabaseUrl;
use crate::database::Database;
use crate::node::NotUp;

/// One database, or two.
#[derive(Debug)]
pub enum Databases {
    /// One, as nearly always.
    One(Database),
    /// Two: a record lives in the first until a mark says that it has moved.
    Moving(Box<Moving<Database, Database>>),
}

impl Databases {
    /// Opens what the configuration names; `vault` knows the marks.
    ///
    /// # Errors
    /// [`NotUp`].
    pub async fn open(
        database: &DatabaseUrl,
        moving_to: Option<&DatabaseUrl>,
        vault: &Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
        outbox: Outbox,
    ) -> Result<Self, NotUp> {
        let one = Database::open(database, Arc::clone(&clock), outbox).await?;
        let Some(to) = moving_to else { return Ok(Self::One(one)) };
        if to == database {
            return Err(NotUp::at(to, &"`moving_to` is the database that everything moves from"));
        }
        let to = Database::open(to, clock, outbox).await?;
        Ok(Self::Moving(Box::new(Moving::new(one, to, Arc::clone(vault)))))
    }
}

impl Store for Databases {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        match self {
            Self::One(store) => store.look(keys).await,
            Self::Moving(stores) => stores.look(keys).await,
        }
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        match self {
            Self::One(store) => store.settle(settle).await,
            Self::Moving(stores) => stores.settle(settle).await,
        }
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        match self {
            Self::One(store) => store.walk(after, limit).await,
            Self::Moving(stores) => stores.walk(after, limit).await,
        }
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        match self {
            Self::One(store) => store.events(limit).await,
            Self::Moving(stores) => stores.events(limit).await,
        }
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        match self {
            Self::One(store) => store.forget(ids).await,
            Self::Moving(stores) => stores.forget(ids).await,
        }
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        match self {
            Self::One(store) => store.waiting().await,
            Self::Moving(stores) => stores.waiting().await,
        }
    }
}
