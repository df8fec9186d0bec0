//! Looks that wait together: one snapshot for all of them, and each record read once.
//!
//! Every look asks for the policies of a tenant beside the record of a user, and each snapshot after a commit reads the
//! upper pages of the file anew. So a look gives way once to whatever else is ready to run; whoever comes back first
//! reads for all that asked meanwhile, in the order of the file. Where nothing else is ready it goes on at once: there
//! is no timer.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{Entry, Key, Looked, StoreError};
use tokio::sync::oneshot;

use crate::readers::Readers;

/// How many looks share a snapshot at most.
const GROUP: usize = 64;

/// What waits.
#[derive(Default)]
pub(crate) struct Looks(Mutex<Vec<Asked>>);

struct Asked {
    keys: Vec<Key>,
    reply: oneshot::Sender<Result<Looked, StoreError>>,
}

impl Looks {
    /// The records of these keys as of one moment, and when that was.
    pub(crate) async fn look(
        &self,
        keys: &[Key],
        readers: &Readers,
        clock: &dyn Clock,
    ) -> Result<Looked, StoreError> {
        let (reply, mut found) = oneshot::channel();
        self.waiting().push(Asked { keys: keys.to_vec(), reply });
        give_way().await;
        loop {
            match found.try_recv() {
                Ok(found) => return found,
                // Whoever read for this one is gone, which only a panic explains.
                Err(oneshot::error::TryRecvError::Closed) => return Err(StoreError::Unavailable),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let group = self.group();
            if group.is_empty() {
                // Another worker reads for this one now.
                return found.await.unwrap_or(Err(StoreError::Unavailable));
            }
            answer(group, readers, clock);
        }
    }

    /// Those that have waited longest.
    fn group(&self) -> Vec<Asked> {
        let mut waiting = self.waiting();
        // Whoever gave up a look asks for nothing any more.
        waiting.retain(|asked| !asked.reply.is_closed());
        if waiting.len() <= GROUP {
            return std::mem::take(&mut *waiting);
        }
        waiting.drain(..GROUP).collect()
    }

    /// Nothing panics while it holds the lock.
    fn waiting(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Looks")
    }
}

/// Lets whatever else is ready run first, once.
async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if gave {
            return Poll::Ready(());
        }
        gave = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Reads for all of these, each key once.
fn answer(group: Vec<Asked>, readers: &Readers, clock: &dyn Clock) {
    let store_time = clock.now();
    // A key, who asked for it, and its place among theirs.
    let mut wanted: Vec<(Key, usize, usize)> = Vec::with_capacity(group.len().saturating_mul(3));
    for (asker, asked) in group.iter().enumerate() {
        wanted.extend(asked.keys.iter().enumerate().map(|(at, key)| (*key, asker, at)));
    }
    wanted.sort_unstable();
    let of_one_key = || wanted.chunk_by(|(one, ..), (other, ..)| one == other);
    let keys = of_one_key().filter_map(|wanted| wanted.first().map(|(key, ..)| *key));
    let read = match readers.look(keys, store_time) {
        Ok(read) => read,
        Err(StoreError::Corrupt) if group.len() > 1 => {
            // A row that is none is the concern of those alone who asked for it.
            group.into_iter().for_each(|asked| answer(vec![asked], readers, clock));
            return;
        }
        Err(error) => {
            for asked in group {
                let _unheard = asked.reply.send(Err(error));
            }
            return;
        }
    };
    let mut entries: Vec<Vec<Option<Entry>>> =
        group.iter().map(|asked| vec![None; asked.keys.len()]).collect();
    for (wanted, entry) in of_one_key().zip(read) {
        let Some((last, others)) = wanted.split_last() else { continue };
        let mut put = |(_, asker, at): &(Key, usize, usize), entry| {
            let place = entries.get_mut(*asker).and_then(|entries| entries.get_mut(*at));
            if let Some(place) = place {
                *place = entry;
            }
        };
        for other in others {
            put(other, entry.clone());
        }
        put(last, entry);
    }
    for (asked, entries) in group.into_iter().zip(entries) {
        // Whoever does not wait any more asked not to know.
        let _unheard = asked.reply.send(Ok(Looked { entries, store_time }));
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Waker};

    use countersign_otp::UnixTime;
    use rusqlite::Connection;
    use tokio::task::JoinSet;

    use super::*;
    use crate::{file, schema};

    /// Counts how often it is asked: once for each snapshot.
    #[derive(Debug, Default)]
    struct Snapshots(AtomicUsize);

    impl Clock for Snapshots {
        fn now(&self) -> UnixTime {
            self.0.fetch_add(1, Ordering::SeqCst);
            UnixTime::from_secs(1000)
        }
    }

    #[derive(Debug)]
    struct Store {
        looks: Looks,
        readers: Readers,
        clock: Snapshots,
        writer: Mutex<Connection>,
        _dir: tempfile::TempDir,
    }

    impl Store {
        /// With records of the keys 0 to 99, each of one byte.
        fn open() -> Arc<Self> {
            let dir = tempfile::tempdir().unwrap();
            let path = file::prepare(&dir.path().join("db")).unwrap();
            let mut writer = file::connect(&path).unwrap();
            schema::migrate(&mut writer).unwrap();
            for n in 0..100_u8 {
                let record = "INSERT INTO record (key, version, bytes) VALUES (?1, ?2, ?3)";
                writer.execute(record, (key(n).as_bytes(), [n; 16], [n])).unwrap();
            }
            let (looks, clock) = (Looks::default(), Snapshots::default());
            let readers = Readers::open(&path).unwrap();
            Arc::new(Self { looks, readers, clock, writer: Mutex::new(writer), _dir: dir })
        }

        async fn look(&self, keys: &[Key]) -> Result<Vec<Option<u8>>, StoreError> {
            let looked = self.looks.look(keys, &self.readers, &self.clock).await?;
            Ok(looked.entries.into_iter().map(|entry| Some(entry?.bytes[0])).collect())
        }

        fn snapshots(&self) -> usize {
            self.clock.0.load(Ordering::SeqCst)
        }
    }

    fn key(n: u8) -> Key {
        // Not in the order in which they are asked for.
        Key::from_bytes([n.wrapping_mul(77); 32])
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn looks_that_wait_together_share_a_snapshot_and_each_has_its_own_answer() {
        let store = Store::open();
        block_on(async {
            let mut looks = JoinSet::new();
            for n in 0..200_u8 {
                let store = Arc::clone(&store);
                looks.spawn(async move { (n, store.look(&[key(n), key(7), key(n)]).await) });
            }
            for _ in 0..200 {
                let (n, found) = looks.join_next().await.unwrap().unwrap();
                let own = (n < 100).then_some(n);
                assert_eq!(found, Ok(vec![own, Some(7), own]));
            }
        });
        assert_eq!(store.snapshots(), 200_usize.div_ceil(GROUP));
    }

    #[test]
    fn a_lone_look_is_answered_at_once_and_asks_for_nothing_where_there_is_nothing() {
        let store = Store::open();
        assert_eq!(block_on(store.look(&[key(3)])), Ok(vec![Some(3)]));
        assert_eq!(block_on(store.look(&[])), Ok(vec![]));
        assert_eq!(store.snapshots(), 2);
    }

    #[test]
    fn whoever_gives_up_a_look_takes_nobodys_with_it() {
        let store = Store::open();
        {
            let keys = [key(1)];
            let gone = pin!(store.look(&keys));
            assert!(gone.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(block_on(store.look(&[key(2)])), Ok(vec![Some(2)]));
        assert!(store.looks.waiting().is_empty());
    }

    #[test]
    fn a_row_that_is_none_fails_those_alone_who_asked_for_it() {
        let store = Store::open();
        let spoilt = "UPDATE record SET version = x'07' WHERE key = ?1";
        store.writer.lock().unwrap().execute(spoilt, [key(1).as_bytes()]).unwrap();
        block_on(async {
            let (one, other, both) = ([key(1)], [key(2)], [key(3), key(1)]);
            let found = tokio::join!(store.look(&one), store.look(&other), store.look(&both));
            assert_eq!((found.0, found.2), (Err(StoreError::Corrupt), Err(StoreError::Corrupt)));
            assert_eq!(found.1, Ok(vec![Some(2)]));
        });
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_to_all_that_wait() {
        let store = Store::open();
        store.writer.lock().unwrap().execute_batch("DROP TABLE record").unwrap();
        block_on(async {
            let (one, other) = ([key(1)], [key(2)]);
            let both = tokio::join!(store.look(&one), store.look(&other));
            assert_eq!(both, (Err(StoreError::Unavailable), Err(StoreError::Unavailable)));
        });
        assert_eq!(store.snapshots(), 1);
    }
}
