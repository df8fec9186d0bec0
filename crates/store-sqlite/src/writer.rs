//! The one thread that writes.
//!
//! It sleeps until something waits, takes what waits, commits it, and answers. There is no timer:
//! a lone write is committed at once, and under load the writes that came while the last commit
//! reached the disk are the next group. Two writes of one record never share a group.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{Key, Outbox, StoreError};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::checkpointer::Wake;
use crate::group::{self, Verdict, Work};

/// How many writes share a transaction at most.
const GROUP: usize = 64;

/// How many writes wait at most; the next one is told that the store is not available.
const QUEUE: usize = 4096;

/// The writer, as the store holds it. Dropping it commits what waits and ends the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

/// What was committed since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: AtomicU64,
    pub(crate) writes: AtomicU64,
}

#[derive(Debug)]
struct Job {
    work: Work,
    reply: oneshot::Sender<Verdict>,
}

impl Writer {
    pub(crate) fn start(
        conn: Connection,
        clock: Arc<dyn Clock>,
        outbox: Outbox,
        wake: Wake,
    ) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let counts = Arc::new(Counts::default());
        let writing = Writing { conn, clock, outbox, wake, counts: Arc::clone(&counts) };
        let builder = thread::Builder::new().name("countersign-sqlite-writer".to_owned());
        let thread = builder.spawn(move || writing.run(&jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), counts })
    }

    /// Has this written, and waits for the verdict.
    pub(crate) async fn write(&self, work: Work) -> Verdict {
        let (reply, verdict) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StoreError::Unavailable)?;
        match queue.try_send(Job { work, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                return Err(StoreError::Unavailable);
            }
        }
        // A writer that died may have died after the commit.
        verdict.await.unwrap_or(Err(StoreError::Unknown))
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It ends by itself now; that it panicked was told to whom it concerned.
            let _ended = thread.join();
        }
    }
}

/// The writer, as its thread holds it.
struct Writing {
    conn: Connection,
    clock: Arc<dyn Clock>,
    outbox: Outbox,
    wake: Wake,
    counts: Arc<Counts>,
}

impl Writing {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut waiting = VecDeque::with_capacity(2 * GROUP);
        loop {
            if waiting.is_empty() {
                match jobs.recv() {
                    Ok(job) => waiting.push_back(job),
                    Err(_) => return,
                }
            }
            let room = (2 * GROUP).saturating_sub(waiting.len());
            waiting.extend(jobs.try_iter().take(room));
            self.commit(next_group(&mut waiting));
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        let work = group.iter().map(|job| &job.work);
        let verdicts = group::commit(&mut self.conn, self.outbox, || self.clock.now(), work);
        // Whoever does not wait any more asked not to know.
        match verdicts {
            Ok(verdicts) => {
                let writes = u64::try_from(group.len()).unwrap_or(u64::MAX);
                self.counts.commits.fetch_add(1, Ordering::Relaxed);
                self.counts.writes.fetch_add(writes, Ordering::Relaxed);
                for (job, verdict) in group.into_iter().zip(verdicts) {
                    let _unheard = job.reply.send(verdict);
                }
            }
            Err(error) => {
                for job in group {
                    let _unheard = job.reply.send(Err(error));
                }
            }
        }
        self.wake.wake();
    }
}

/// What may be written together, in the order of arrival: at most one write a record.
///
/// A second write of a record waits for the next group, and keeps its place before a third.
fn next_group(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut keys: HashSet<Key> = HashSet::with_capacity(GROUP);
    let mut group = Vec::with_capacity(GROUP.min(waiting.len()));
    let mut later = VecDeque::new();
    for job in waiting.drain(..) {
        let alone = match &job.work {
            Work::Settle(settle) => keys.insert(settle.key),
            Work::Forget(_) => true,
        };
        if alone && group.len() < GROUP {
            group.push(job);
        } else {
            later.push_back(job);
        }
    }
    *waiting = later;
    group
}

#[cfg(test)]
mod tests {
    use countersign_ceremony::port::{Settle, Version, WriteId};

    use super::*;

    fn job(key: u8, tag: u8) -> Job {
        let settle = Settle {
            key: Key::from_bytes([key; 32]),
            expected: Version::ABSENT,
            next: Version::ABSENT.next(WriteId([tag; 8])),
            bytes: vec![tag],
            events: Vec::new(),
            expiry: None,
        };
        Job { work: Work::Settle(settle), reply: oneshot::channel().0 }
    }

    fn tags(group: &[Job]) -> Vec<u8> {
        let tag = |job: &Job| match &job.work {
            Work::Settle(settle) => settle.bytes.first().copied(),
            Work::Forget(_) => None,
        };
        group.iter().filter_map(tag).collect()
    }

    #[test]
    fn a_group_has_one_write_a_record_and_keeps_their_order() {
        let mut waiting = VecDeque::from([job(1, 1), job(2, 2), job(1, 3), job(3, 4), job(1, 5)]);
        assert_eq!(tags(&next_group(&mut waiting)), [1, 2, 4]);
        assert_eq!(tags(&next_group(&mut waiting)), [3]);
        assert_eq!(tags(&next_group(&mut waiting)), [5]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_group_is_bounded() {
        let mut waiting: VecDeque<_> = (0..100).map(|n| job(n, n)).collect();
        assert_eq!(next_group(&mut waiting).len(), GROUP);
        assert_eq!(tags(&next_group(&mut waiting)), (64..100).collect::<Vec<_>>());
    }
}
