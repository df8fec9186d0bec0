//! The pump between a store in memory and sinks that note, refuse and come back.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use countersign_ceremony::audit::{By, Id, What};
use countersign_ceremony::codec;
use countersign_ceremony::env::{FrozenClock, Later};
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::outbox::LEASE;
use countersign_ceremony::port::{
    EventId, EventRow, Key, Looked, Settle, Settled, StoreError, Version, Walked, WriteId,
};

use super::*;

/// Notes the events that it takes, while it is up.
#[derive(Debug)]
struct Noted {
    name: &'static str,
    up: AtomicBool,
    taken: Mutex<Vec<u8>>,
    asked: AtomicU32,
}

impl Noted {
    fn new(name: &'static str) -> Arc<Self> {
        let (up, asked) = (AtomicBool::new(true), AtomicU32::new(0));
        Arc::new(Self { name, up, taken: Mutex::default(), asked })
    }

    fn taken(&self) -> Vec<u8> {
        self.taken.lock().unwrap().clone()
    }

    fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }
}

impl Sink for Noted {
    fn name(&self) -> &str {
        self.name
    }

    fn take<'a>(&'a self, events: &'a [Audit]) -> Later<'a, Result<(), String>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = if self.up.load(Ordering::SeqCst) {
            self.taken.lock().unwrap().extend(events.iter().map(|event| event.id.0[0]));
            Ok(())
        } else {
            Err("it is down".to_owned())
        };
        Box::pin(std::future::ready(answer))
    }
}

/// A store whose `forget` can be made to fail, as if the node died before it.
#[derive(Debug)]
struct Forgetful {
    store: MemoryStore,
    dies: AtomicBool,
}

impl Store for Forgetful {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        self.store.look(keys).await
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        self.store.settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.store.walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.store.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        if self.dies.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable);
        }
        self.store.forget(ids).await
    }
}

struct World {
    clock: Arc<FrozenClock>,
    env: Env,
    store: Arc<Forgetful>,
    outbox: Outbox,
    one: Arc<Noted>,
    two: Arc<Noted>,
}

impl World {
    fn new(bound: u64, when_full: WhenFull) -> Self {
        let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(1_800_000_000)));
        let env = Env { clock: clock.clone(), ..Env::for_tests().unwrap() };
        let outbox = Outbox { bound, when_full };
        let store = MemoryStore::with_outbox(clock.clone(), outbox);
        let store = Arc::new(Forgetful { store, dies: AtomicBool::new(false) });
        Self { clock, env, store, outbox, one: Noted::new("one"), two: Noted::new("two") }
    }

    fn pump(&self) -> Pump<Forgetful> {
        let sinks: Vec<Arc<dyn Sink>> = vec![self.one.clone(), self.two.clone()];
        Pump::new(Arc::clone(&self.store), self.env.clone(), self.outbox, sinks).unwrap()
    }

    /// Something happens, and its event is written.
    async fn happens(&self, n: u8) -> Result<Settled, StoreError> {
        let event = Audit {
            id: Id([n; 16]),
            at: self.env.clock.now(),
            node: "n".to_owned(),
            user: None,
            tenant: None,
            login: None,
            by: By::Anybody,
            what: What::BrowserStolen,
        };
        let row = codec::seal_event(&*self.env.vault, self.env.draw().unwrap(), &event).unwrap();
        let settle = Settle {
            key: Key::from_bytes([n; 32]),
            expected: Version::ABSENT,
            next: Version::ABSENT.next(WriteId(self.env.draw().unwrap())),
            bytes: vec![n],
            events: vec![row],
            expiry: None,
        };
        self.store.settle(settle).await
    }

    async fn happen(&self, numbers: std::ops::Range<u8>) {
        for n in numbers {
            assert_eq!(self.happens(n).await, Ok(Settled::Won));
        }
    }

    /// Steps until there is nothing to do; the clock goes on, so that nobody rests for long.
    async fn runs(&self, pump: &mut Pump<Forgetful>) {
        for _ in 0..200 {
            if pump.step().await.unwrap() == Step::Idle {
                return;
            }
        }
        panic!("the pump does not come to an end");
    }
}

fn all(numbers: std::ops::Range<u8>) -> Vec<u8> {
    numbers.collect()
}

#[tokio::test]
async fn every_sink_has_every_event_once_and_then_they_are_forgotten() {
    let world = World::new(1000, WhenFull::Refuse);
    let mut pump = world.pump();
    world.happen(0..200).await;
    world.runs(&mut pump).await;
    assert_eq!((world.one.taken(), world.two.taken()), (all(0..200), all(0..200)));
    assert_eq!(world.store.events(10).await.unwrap(), []);
}

#[tokio::test]
async fn a_sink_that_is_down_holds_up_nobody_and_has_all_in_order_when_it_is_back() {
    let world = World::new(1000, WhenFull::Refuse);
    let mut pump = world.pump();
    world.two.set_up(false);
    for first in (0..150).step_by(10) {
        world.happen(first..first + 10).await;
        world.runs(&mut pump).await;
        assert_eq!(world.one.taken(), all(0..first + 10), "the other goes on");
    }
    assert!(world.two.taken().is_empty());
    assert_eq!(world.two.asked.load(Ordering::SeqCst), 1, "it rests");
    // Another node goes on where this one stopped.
    drop(pump);
    world.clock.advance(LEASE);
    let mut pump = world.pump();
    world.runs(&mut pump).await;
    world.two.set_up(true);
    world.happen(150..160).await;
    world.clock.advance(REST);
    world.runs(&mut pump).await;
    world.happen(160..170).await;
    world.runs(&mut pump).await;
    assert_eq!((world.one.taken(), world.two.taken()), (all(0..170), all(0..170)));
}

#[tokio::test]
async fn a_death_before_they_are_forgotten_brings_them_again_and_loses_none() {
    let world = World::new(1000, WhenFull::Refuse);
    let mut pump = world.pump();
    world.happen(0..20).await;
    world.store.dies.store(true, Ordering::SeqCst);
    world.two.set_up(false);
    assert!(pump.step().await.is_err());
    assert_eq!(world.one.taken(), all(0..20));
    drop(pump);
    world.store.dies.store(false, Ordering::SeqCst);
    world.two.set_up(true);
    let mut next = world.pump();
    assert_eq!(next.step().await, Ok(Step::Standby), "the dead one still holds the lease");
    world.clock.advance(LEASE);
    world.runs(&mut next).await;
    for sink in [&world.one, &world.two] {
        let mut taken = sink.taken();
        assert_eq!(taken.len(), 40, "again: {taken:?}");
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken, all(0..20));
    }
}

#[tokio::test]
async fn two_nodes_do_not_double_what_one_hands_out() {
    let world = World::new(1000, WhenFull::Refuse);
    let (mut one, mut two) = (world.pump(), world.pump());
    let mut handed = [0, 0];
    for first in (0..200).step_by(10) {
        world.happen(first..first + 10).await;
        for (pump, handed) in [&mut one, &mut two].into_iter().zip(&mut handed) {
            *handed += u32::from(pump.step().await.unwrap() == Step::Moved);
        }
        world.clock.advance(3);
    }
    assert_eq!(handed, [20, 0]);
    // The first one ends: the second goes on at once.
    one.lease.release(&*world.store, &world.env).await.unwrap();
    world.happen(200..210).await;
    world.runs(&mut two).await;
    assert_eq!((world.one.taken(), world.two.taken()), (all(0..210), all(0..210)));
}

#[tokio::test]
async fn beyond_the_bound_a_sink_loses_its_oldest_or_all_is_refused_as_was_chosen() {
    for when_full in [WhenFull::DropOldest, WhenFull::Refuse] {
        let world = World::new(30, when_full);
        let mut pump = world.pump();
        world.two.set_up(false);
        let mut refused = 0;
        let mut happened = Vec::new();
        for n in 0..100 {
            match world.happens(n).await {
                Ok(Settled::Won) => happened.push(n),
                Err(StoreError::OutboxFull) => refused += 1,
                other => panic!("{other:?}"),
            }
            world.runs(&mut pump).await;
        }
        assert!(pump.lanes.iter().any(|lane| lane.warned), "{when_full:?}: the alarm");
        world.two.set_up(true);
        world.clock.advance(REST);
        world.runs(&mut pump).await;
        assert_eq!(world.one.taken(), happened, "{when_full:?}");
        if when_full == WhenFull::Refuse {
            assert!(refused > 0 && happened.len() >= 30, "{happened:?}");
            assert_eq!(world.two.taken(), happened, "what was not refused is not lost");
            assert_eq!(world.happens(200).await, Ok(Settled::Won), "and there is room again");
        } else {
            assert_eq!((refused, world.two.taken()), (0, all(70..100)));
        }
    }
}

#[tokio::test]
async fn an_event_that_no_key_opens_stays_and_holds_up_nobody() {
    let world = World::new(1000, WhenFull::Refuse);
    let mut pump = world.pump();
    let row = EventRow { id: EventId([9; 16]), bytes: b"sealed by a key of long ago".to_vec() };
    let settle = Settle {
        key: Key::from_bytes([99; 32]),
        expected: Version::ABSENT,
        next: Version::ABSENT.next(WriteId([1; 8])),
        bytes: vec![1],
        events: vec![row.clone()],
        expiry: None,
    };
    assert_eq!(world.store.settle(settle).await, Ok(Settled::Won));
    world.happen(10..50).await;
    world.runs(&mut pump).await;
    assert_eq!(world.one.taken(), all(10..50));
    assert_eq!(world.store.events(10).await.unwrap(), [row]);
}
