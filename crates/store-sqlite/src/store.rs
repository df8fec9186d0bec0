//! The store: the port's verbs over one file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Walked,
};

use crate::checkpointer::Checkpointer;
use crate::error::{BackupError, CheckError, OpenError};
use crate::file;
use crate::group::Work;
use crate::looks::Looks;
use crate::maintenance;
use crate::readers::Readers;
use crate::schema;
use crate::writer::Writer;

/// The largest record or event, in bytes; far above any of ours, and far below what would fail a
/// whole group.
const LARGEST: usize = 16 << 20;

/// How many events leave the outbox in one write.
const FORGOTTEN: usize = 256;

/// After how many pages the writer itself checkpoints, should the checkpointer not come to it.
const BACKSTOP: i64 = 8000;

/// How large the log stays once it starts again at its beginning: a long backup may let it grow.
const LOG: i64 = 64 << 20;

/// Records and events in one SQLite file.
///
/// Open it once a process and share it: several processes may have the same file open, and stay
/// linearizable, but only the writes of one process share a commit.
///
/// Dropping it commits what waits, ends its two threads and closes the file; it blocks that long.
#[derive(Debug)]
pub struct SqliteStore {
    // In the order in which they end: the writer wakes the checkpointer until it has ended.
    writer: Writer,
    _checkpointer: Checkpointer,
    looks: Looks,
    readers: Readers,
    clock: Arc<dyn Clock>,
    path: PathBuf,
}

/// What a store has written since it was opened: the mean size of a group is `writes / commits`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Transactions.
    pub commits: u64,
    /// Settles and forgettings in them, won or lost.
    pub writes: u64,
}

impl SqliteStore {
    /// Opens the file, or makes it with mode 0600, and brings it to this release's schema.
    ///
    /// `clock` is the store's own time, by which records expire.
    ///
    /// # Errors
    /// [`OpenError`], with the file left as it was.
    pub fn open(
        path: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
        outbox: Outbox,
    ) -> Result<Self, OpenError> {
        let path = file::prepare(path.as_ref())?;
        let mut conn = file::connect(&path)?;
        schema::migrate(&mut conn)?;
        conn.pragma_update(None, "wal_autocheckpoint", BACKSTOP)?;
        conn.pragma_update(None, "journal_size_limit", LOG)?;
        conn.set_prepared_statement_cache_capacity(32);
        let readers = Readers::open(&path)?;
        let (checkpointer, wake) = Checkpointer::start(&path)?;
        let writer = Writer::start(conn, Arc::clone(&clock), outbox, wake)?;
        Ok(Self {
            writer,
            _checkpointer: checkpointer,
            looks: Looks::default(),
            readers,
            clock,
            path,
        })
    }

    /// Where the file is, in full.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written since this was opened.
    #[must_use]
    pub fn written(&self) -> Written {
        let counts = self.writer.counts();
        Written {
            commits: counts.commits.load(Ordering::Relaxed),
            writes: counts.writes.load(Ordering::Relaxed),
        }
    }

    /// Copies the database as of one moment into a new file of mode 0600, while it serves.
    ///
    /// The copy is compact, whole and durable when this returns, and is opened like any other.
    /// Blocks as long as reading and writing the whole takes: call it on a thread that may.
    ///
    /// # Errors
    /// [`BackupError`], with no file of that name left behind.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), BackupError> {
        maintenance::backup(&self.path, to.as_ref())
    }

    /// The same of a database that nobody here has open, as of a backup that is to be restored.
    ///
    /// # Errors
    /// [`BackupError`], with no file of that name left behind.
    pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), BackupError> {
        maintenance::backup(from.as_ref(), to.as_ref())
    }

    /// Reads the whole file and says whether it is sound. Blocks as [`Self::backup`] does.
    ///
    /// # Errors
    /// [`CheckError`], with what is wrong.
    pub fn check(&self) -> Result<(), CheckError> {
        maintenance::check(&self.path)
    }
}

impl Store for SqliteStore {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.looks.look(keys, &self.readers, &*self.clock).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let mut sizes = settle.events.iter().map(|event| event.bytes.len());
        if settle.bytes.len() > LARGEST || sizes.any(|size| size > LARGEST) {
            return Err(StoreError::Unavailable);
        }
        self.writer.write(Work::Settle(settle)).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.readers.walk(after, limit, self.clock.now())
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.readers.events(limit)
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        for some in ids.chunks(FORGOTTEN) {
            let found = self.readers.find(some)?;
            if !found.is_empty() {
                let _won = self.writer.write(Work::Forget(found)).await?;
            }
        }
        Ok(())
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        self.readers.waiting().map(Some)
    }
}
