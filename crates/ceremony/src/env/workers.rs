//! A bounded pool of threads for costly work.
//!
//! Argon2 takes memory and time by design; so many at once and no more, and a bounded queue before
//! them. Beyond it the answer is [`Busy`], at once: nobody's queue grows without end (E-12).
//!
//! Known browsers go first, and strangers fill a queue of their own: a flood of wrong passwords
//! holds up other strangers. Every fourth turn is a stranger's all the same, so that nobody's own
//! known browser shuts the others out.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{Later, Workers};
use crate::record::Class;

type Job = Box<dyn FnOnce() + Send>;

/// Of so many turns one is a stranger's, whoever waits.
const STRANGERS_TURN: u8 = 4;

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
    waiting: usize,
    shared: Arc<Shared>,
}

impl Threads {
    /// Starts `threads` threads, one at least, before which `waiting` jobs of strangers and as many
    /// of known browsers may wait.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let pool = Self { waiting, shared: Arc::default() };
        for n in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new()
                .name(format!("costly-work-{n}"))
                .spawn(move || while shared.next().map(|job| job()).is_some() {})?;
        }
        Ok(pool)
    }
}

impl Workers for Threads {
    fn run(&self, whose: Class, job: Job) -> Later<'_, Result<(), Busy>> {
        let taken = self.shared.enter(whose, job, self.waiting);
        Box::pin(std::future::ready(taken))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.queue().over = true;
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Threads")
    }
}

/// What the threads and whoever brings work share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// What waits.
#[derive(Default)]
struct Queue {
    known: VecDeque<Job>,
    strangers: VecDeque<Job>,
    /// Turns of known browsers since a stranger's.
    turns: u8,
    /// Threads that wait for work: what they are about to take does not wait.
    idle: usize,
    over: bool,
}

impl Shared {
    /// No job runs while the lock is held, so a poisoned one is whole all the same.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, whose: Class, job: Job, most: usize) -> Result<(), Busy> {
        let mut queue = self.queue();
        let most = most.saturating_add(queue.idle);
        let line = match whose {
            Class::Known => &mut queue.known,
            Class::Stranger => &mut queue.strangers,
        };
        if line.len() >= most {
            return Err(Busy);
        }
        line.push_back(job);
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job, when there is one; none when the pool is gone.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if queue.over {
                return None;
            }
            if let Some(job) = queue.take() {
                return Some(job);
            }
            queue.idle = queue.idle.saturating_add(1);
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle = queue.idle.saturating_sub(1);
        }
    }
}

impl Queue {
    fn take(&mut self) -> Option<Job> {
        let is_strangers = self.turns.saturating_add(1) >= STRANGERS_TURN;
        let known =
            if is_strangers && !self.strangers.is_empty() { None } else { self.known.pop_front() };
        if known.is_some() {
            self.turns = self.turns.saturating_add(1);
            return known;
        }
        self.turns = 0;
        self.strangers.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// One thread that is held up, and who was served after it, in order.
    struct Held {
        pool: Threads,
        go: Sender<()>,
        told: Sender<String>,
        served: Receiver<String>,
    }

    impl Held {
        fn new(waiting: usize) -> Self {
            let pool = Threads::start(1, waiting).unwrap();
            let ((go, wait), (told, served)) = (channel(), channel());
            let (begun, begins) = channel();
            let job = Box::new(move || {
                begun.send(()).unwrap();
                // Whoever ends the test lets it go as well.
                let _ = wait.recv();
            });
            pool.shared.enter(Class::Stranger, job, 1).unwrap();
            begins.recv().unwrap();
            Self { pool, go, told, served }
        }

        fn add(&self, whose: Class, name: &str) -> Result<(), Busy> {
            let (told, name) = (self.told.clone(), name.to_owned());
            let job = Box::new(move || told.send(name).unwrap());
            self.pool.shared.enter(whose, job, self.pool.waiting)
        }

        fn order(self, count: usize) -> Vec<String> {
            self.go.send(()).unwrap();
            self.served.iter().take(count).collect()
        }
    }

    #[test]
    fn known_browsers_go_first_and_every_fourth_turn_is_a_strangers() {
        let held = Held::new(16);
        for n in 0..3 {
            held.add(Class::Stranger, &format!("stranger {n}")).unwrap();
        }
        for n in 0..5 {
            held.add(Class::Known, &format!("known {n}")).unwrap();
        }
        let order = held.order(8);
        assert_eq!(
            order,
            [
                "known 0",
                "known 1",
                "known 2",
                "stranger 0",
                "known 3",
                "known 4",
                "stranger 1",
                "stranger 2"
            ]
        );
    }

    #[test]
    fn strangers_fill_their_own_queue_and_nobody_elses() {
        let held = Held::new(2);
        assert_eq!(held.add(Class::Stranger, "1"), Ok(()));
        assert_eq!(held.add(Class::Stranger, "2"), Ok(()));
        assert_eq!(held.add(Class::Stranger, "3"), Err(Busy));
        assert_eq!(held.add(Class::Known, "known"), Ok(()));
        assert_eq!(held.order(3), ["known", "1", "2"]);
    }

    #[test]
    fn no_more_run_at_once_than_there_are_threads() {
        let pool = Threads::start(2, 64).unwrap();
        let running = Arc::new(Mutex::new((0_usize, 0_usize)));
        let (done, all) = channel();
        for _ in 0..32 {
            let (running, done) = (Arc::clone(&running), done.clone());
            let job = Box::new(move || {
                {
                    let mut running = running.lock().unwrap();
                    running.0 += 1;
                    running.1 = running.1.max(running.0);
                }
                thread::sleep(std::time::Duration::from_millis(1));
                running.lock().unwrap().0 -= 1;
                done.send(()).unwrap();
            });
            pool.shared.enter(Class::Stranger, job, pool.waiting).unwrap();
        }
        assert_eq!(all.iter().take(32).count(), 32);
        assert_eq!(running.lock().unwrap().1, 2, "both threads were at work, and no third");
    }
}
