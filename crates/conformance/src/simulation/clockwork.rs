//! The clockwork: virtual time, and which task moves next, all from one seed.
//!
//! One thread runs every task. Whoever could move is drawn at random, one poll at a time; where
//! nobody can, time goes to the next sleeper. A group of tasks can be killed between any two polls:
//! that is a process that crashed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks that die together. Those of the world itself are never killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Group(u64);

impl Group {
    /// What outlives every crash: people, disks, the world.
    pub(super) const WORLD: Self = Self(0);
}

/// A handle to the clockwork, for whoever lives in it.
#[derive(Clone)]
pub(super) struct Clockwork(Arc<Mutex<State>>);

struct State {
    rng: ChaCha20Rng,
    now: u64,
    sleepers: BTreeMap<(u64, u64), Waker>,
    arrivals: Vec<Task>,
    killed: Vec<Group>,
    names: u64,
}

struct Task {
    group: Group,
    work: Work,
    awake: Arc<Awake>,
}

/// Set where a task may move.
struct Awake(AtomicBool);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clockwork {
    pub(super) fn new(seed: u64) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let (sleepers, arrivals, killed) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(State { rng, now: 0, sleepers, arrivals, killed, names: 0 })))
    }

    /// Only one thread is here, so the lock is never waited for.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the world began.
    pub(super) fn now(&self) -> u64 {
        self.state().now
    }

    /// A number below `bound`, which is at least one.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.state().rng.next_u64() % bound.max(1)
    }

    /// True in so many of a thousand cases.
    pub(super) fn chance(&self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    pub(super) fn fill(&self, buf: &mut [u8]) {
        self.state().rng.fill_bytes(buf);
    }

    /// A group that nobody else is in.
    pub(super) fn group(&self) -> Group {
        let mut state = self.state();
        state.names = state.names.saturating_add(1);
        Group(state.names)
    }

    /// Lets a task live.
    pub(super) fn spawn(&self, group: Group, work: impl Future<Output = ()> + Send + 'static) {
        let awake = Arc::new(Awake(AtomicBool::new(true)));
        self.state().arrivals.push(Task { group, work: Box::pin(work), awake });
    }

    /// Kills every task of a group before anybody moves again.
    pub(super) fn kill(&self, group: Group) {
        self.state().killed.push(group);
    }

    /// Waits so many milliseconds.
    pub(super) fn sleep(&self, millis: u64) -> Sleep {
        let until = self.now().saturating_add(millis);
        Sleep { clockwork: self.clone(), until }
    }

    /// Runs until nobody can move any more.
    pub(super) fn run(&self) {
        let mut tasks: Vec<Task> = Vec::new();
        loop {
            {
                let mut state = self.state();
                tasks.append(&mut state.arrivals);
                let killed = std::mem::take(&mut state.killed);
                drop(state);
                tasks.retain(|task| !killed.contains(&task.group));
            }
            let ready: Vec<usize> = tasks
                .iter()
                .enumerate()
                .filter(|(_, task)| task.awake.0.load(Ordering::Relaxed))
                .map(|(at, _)| at)
                .collect();
            if ready.is_empty() {
                if self.turn() {
                    continue;
                }
                return;
            }
            let drawn = usize::try_from(self.below(ready.len() as u64)).unwrap_or(0);
            let Some(at) = ready.get(drawn).copied() else { return };
            let Some(task) = tasks.get_mut(at) else { return };
            task.awake.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&task.awake));
            if task.work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                tasks.swap_remove(at);
            }
        }
    }

    /// Goes to the next sleeper's time. False where nobody sleeps.
    fn turn(&self) -> bool {
        let mut state = self.state();
        let Some(((until, _), waker)) = state.sleepers.pop_first() else { return false };
        state.now = state.now.max(until);
        drop(state);
        waker.wake();
        true
    }
}

/// See [`Clockwork::sleep`].
pub(super) struct Sleep {
    clockwork: Clockwork,
    until: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clockwork.state();
        if state.now >= self.until {
            return Poll::Ready(());
        }
        state.names = state.names.saturating_add(1);
        let name = state.names;
        state.sleepers.insert((self.until, name), context.waker().clone());
        Poll::Pending
    }
}

impl std::fmt::Debug for Clockwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clockwork")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(seed: u64) -> Vec<(u64, u64)> {
        let clockwork = Clockwork::new(seed);
        let seen = Arc::new(Mutex::new(Vec::new()));
        for n in 0..5 {
            let (world, seen) = (clockwork.clone(), Arc::clone(&seen));
            clockwork.spawn(Group::WORLD, async move {
                for _ in 0..10 {
                    world.sleep(world.below(3)).await;
                    seen.lock().unwrap().push((world.now(), n));
                }
            });
        }
        clockwork.run();
        Arc::try_unwrap(seen).unwrap().into_inner().unwrap()
    }

    #[test]
    fn the_same_seed_is_the_same_story_and_another_is_another() {
        assert_eq!(trace(7), trace(7));
        assert_eq!(trace(7).len(), 50);
        assert_ne!(trace(7), trace(8));
    }

    #[test]
    fn a_killed_group_does_not_move_again_and_others_do() {
        let clockwork = Clockwork::new(1);
        let group = clockwork.group();
        let moved = Arc::new(Mutex::new((0, 0)));
        let (world, count) = (clockwork.clone(), Arc::clone(&moved));
        clockwork.spawn(group, async move {
            loop {
                world.sleep(10).await;
                count.lock().unwrap().0 += 1;
            }
        });
        let (world, count) = (clockwork.clone(), Arc::clone(&moved));
        clockwork.spawn(Group::WORLD, async move {
            world.sleep(55).await;
            world.kill(group);
            world.sleep(100).await;
            count.lock().unwrap().1 += 1;
        });
        clockwork.run();
        assert_eq!(*moved.lock().unwrap(), (5, 1));
    }
}
