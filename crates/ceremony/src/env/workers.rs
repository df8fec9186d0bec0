//! A bounded pool of threads for costly work.
//!
//! Argon2 takes memory and time by design; so many at once and no more, and a bounded queue before
//! them. Beyond it the answer is [`Busy`], at once: nobody's queue grows without end (E-12).

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Later, Workers};

type Job = Box<dyn FnOnce() + Send>;

/// Too much costly work waits already; try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too much costly work waits already; try again")
    }
}

impl std::error::Error for Busy {}

/// Threads that do costly work. They end when the pool is dropped.
pub struct Threads {
    jobs: SyncSender<Job>,
}

impl Threads {
    /// Starts `threads` threads, before which `waiting` jobs may wait.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(waiting);
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("costly-work-{n}"))
                .spawn(move || while next(&queue).map(|job| job()).is_some() {})?;
        }
        Ok(Self { jobs })
    }
}

/// The next job; none when the pool is gone.
fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Workers for Threads {
    fn run(&self, job: Job) -> Later<'_, Result<(), Busy>> {
        let sent = self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Busy,
        });
        Box::pin(std::future::ready(sent))
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Threads")
    }
}
