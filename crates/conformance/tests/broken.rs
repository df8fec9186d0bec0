//! The suite itself, proved: stores that are broken on purpose, each caught by the property that
//! names its fault, and the memory store, which is not broken.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use countersign_ceremony::env::Clock;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::port::{
    Entry, EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Version,
    Walked, WhenFull, WriteId,
};
use countersign_conformance::{Expectations, Fresh, Property, prove};
use countersign_otp::UnixTime;

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    /// The version is compared, and then the record written, with time between.
    LostUpdate,
    /// Some looks are answered from a cache.
    StaleRead,
    /// After eight writes the counter starts again.
    VersionReset,
    /// Only the counter half of the version is compared.
    CounterOnly,
    /// One byte of the version is lost.
    VersionCut,
    /// Acknowledged while it is still in memory.
    BeforeDurable,
    /// A write whose reply was lost is applied again, over what came since.
    AppliedTwice,
    /// A write whose reply was lost is tried again, and answered as lost.
    WonToldLost,
    /// Some swaps are lost though their version stands.
    LostForNothing,
    /// ABSENT is expected of nobody: it overwrites.
    AbsentOverwrites,
    /// A lost swap renews the record's bytes.
    LostWrites,
    EventsLost,
    EventsDoubled,
    /// Events are written before the swap, whether it is won or not.
    EventsEarly,
    /// The same, but taken back when the swap is lost: for a moment they are there.
    EventsEarlyForAMoment,
    /// Events are written after the swap was acknowledged.
    EventsLate,
    EventsReversed,
    EventBytesCut,
    /// Two keys that differ in the last bit are one.
    KeysMixed,
    /// Bytes end at 60,000.
    BytesCut,
    /// Bytes end at their first zero.
    BytesAreText,
    ExpiryIgnored,
    /// A record lives through the second of its expiry.
    ExpiryLate,
    /// An expired record still has its version.
    ExpiredStillSwaps,
    /// A write without an expiry keeps that of the one before.
    ExpiryKept,
    /// Entries come in the order of the keys.
    LookSorted,
    /// A key named twice is answered once.
    LookOnce,
    WalkUnordered,
    /// The last record of a page is left out.
    WalkSkips,
    /// A walk shows what stood when it began.
    WalkStale,
    /// As many are forgotten as are named: the oldest.
    ForgetsOldest,
    ForgetFailsTwice,
    OutboxUnbounded,
    /// The bound is looked at before the commit and not in it.
    OutboxRacy,
    /// The newest give way.
    DropsNewest,
    Panics,
}

#[derive(Debug)]
struct Faulty {
    inner: MemoryStore,
    fault: Fault,
    fresh: Fresh,
    calls: AtomicUsize,
    notes: Mutex<Notes>,
}

#[derive(Default, Debug)]
struct Notes {
    cache: HashMap<Key, Option<Entry>>,
    log: Vec<Settle>,
    late: Vec<EventRow>,
    expiry: HashMap<Key, UnixTime>,
    walk: Vec<Walked>,
}

/// A record of the wrapper itself; it carries events that belong to no settle.
const HIDDEN: Key = Key::from_bytes([0xdd; 32]);

impl Faulty {
    fn new(fault: Fault, fresh: Fresh) -> Self {
        let outbox = match fault {
            Fault::OutboxUnbounded => Outbox::default(),
            Fault::OutboxRacy => Outbox::default(),
            Fault::DropsNewest => Outbox { bound: 1_000_000, ..fresh.outbox },
            _ => fresh.outbox,
        };
        Self {
            inner: MemoryStore::with_outbox(fresh.clock.clone(), outbox),
            fault,
            fresh,
            calls: AtomicUsize::new(0),
            notes: Mutex::default(),
        }
    }

    /// Every n-th call.
    fn every(&self, n: usize) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) % n == n - 1
    }

    async fn present(&self, key: Key) -> Version {
        let looked = self.inner.look(&[key]).await.unwrap();
        looked.entries.into_iter().flatten().next().map_or(Version::ABSENT, |entry| entry.version)
    }

    /// Writes whatever stands there.
    async fn force(&self, settle: Settle) {
        loop {
            let expected = self.present(settle.key).await;
            // A full outbox refuses for ever.
            if self.inner.settle(Settle { expected, ..settle.clone() }).await != Ok(Settled::Lost) {
                return;
            }
        }
    }

    async fn only_events(&self, events: Vec<EventRow>) {
        let next = Version::ABSENT.next(WriteId([1; 8]));
        let expected = Version::ABSENT;
        let settle = Settle { key: HIDDEN, expected, next, bytes: vec![], events, expiry: None };
        self.force(settle).await;
    }

    /// The first expiry that this record ever had.
    fn first_expiry(&self, key: Key, expiry: Option<UnixTime>) -> Option<UnixTime> {
        let mut notes = self.notes.lock().unwrap();
        if let Some(end) = expiry {
            notes.expiry.entry(key).or_insert(end);
        }
        notes.expiry.get(&key).copied()
    }
}

impl Store for Faulty {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        let late = std::mem::take(&mut self.notes.lock().unwrap().late);
        if !late.is_empty() {
            self.only_events(late).await;
        }
        match self.fault {
            Fault::Panics if self.every(20) => panic!("on purpose"),
            Fault::LookSorted => {
                let mut keys = keys.to_vec();
                keys.sort();
                self.inner.look(&keys).await
            }
            Fault::LookOnce => {
                let mut once: Vec<Key> = Vec::new();
                for key in keys {
                    if !once.contains(key) {
                        once.push(*key);
                    }
                }
                self.inner.look(&once).await
            }
            Fault::KeysMixed => {
                let keys: Vec<_> = keys.iter().map(|key| masked(*key)).collect();
                self.inner.look(&keys).await
            }
            Fault::ExpiryLate => {
                let mut looked = self.inner.look(keys).await?;
                let notes = self.notes.lock().unwrap();
                for (key, entry) in keys.iter().zip(&mut looked.entries) {
                    if entry.is_none() && notes.expiry.get(key) == Some(&looked.store_time) {
                        *entry = notes.cache.get(key).cloned().flatten();
                    }
                }
                Ok(looked)
            }
            Fault::StaleRead => {
                let stale = self.every(7);
                let mut looked = self.inner.look(keys).await?;
                let mut notes = self.notes.lock().unwrap();
                for (key, entry) in keys.iter().zip(&mut looked.entries) {
                    let cached = notes.cache.insert(*key, entry.clone());
                    if let Some(cached) = cached
                        && stale
                    {
                        notes.cache.insert(*key, cached.clone());
                        *entry = cached;
                    }
                }
                Ok(looked)
            }
            _ => self.inner.look(keys).await,
        }
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let mut settle = settle;
        match self.fault {
            Fault::LostUpdate => {
                if self.present(settle.key).await != settle.expected {
                    return Ok(Settled::Lost);
                }
                thread::yield_now();
                self.force(settle).await;
                Ok(Settled::Won)
            }
            Fault::VersionReset => {
                if settle.next.counter() == 8 {
                    settle.next = Version::ABSENT.next(settle.next.write());
                }
                self.inner.settle(settle).await
            }
            Fault::CounterOnly => {
                let present = self.present(settle.key).await;
                if present.counter() == settle.expected.counter() {
                    settle.expected = present;
                }
                self.inner.settle(settle).await
            }
            Fault::VersionCut => {
                for version in [&mut settle.expected, &mut settle.next] {
                    let mut bytes = version.to_bytes();
                    bytes[8] = 0;
                    *version = Version::from_bytes(bytes);
                }
                self.inner.settle(settle).await
            }
            Fault::BeforeDurable => {
                let answer = self.inner.settle(settle.clone()).await;
                if answer == Ok(Settled::Won) {
                    self.notes.lock().unwrap().log.push(settle);
                }
                answer
            }
            Fault::AppliedTwice => {
                let late = {
                    let log = &mut self.notes.lock().unwrap().log;
                    if log.len() > 6 { log.drain(..).next() } else { None }
                };
                if let Some(late) = late {
                    self.force(Settle { events: vec![], ..late }).await;
                }
                let answer = self.inner.settle(settle.clone()).await;
                if answer == Ok(Settled::Won) {
                    self.notes.lock().unwrap().log.push(settle);
                }
                answer
            }
            Fault::WonToldLost => {
                let answer = self.inner.settle(settle.clone()).await;
                if self.every(9) { self.inner.settle(settle).await } else { answer }
            }
            Fault::LostForNothing if self.every(9) => Ok(Settled::Lost),
            Fault::AbsentOverwrites => {
                if settle.expected == Version::ABSENT {
                    settle.expected = self.present(settle.key).await;
                }
                self.inner.settle(settle).await
            }
            Fault::LostWrites => {
                let (key, bytes) = (settle.key, settle.bytes.clone());
                let answer = self.inner.settle(settle).await?;
                let version = self.present(key).await;
                if answer == Settled::Lost && version != Version::ABSENT {
                    let (expected, next) = (version, version);
                    let touch = Settle { key, expected, next, bytes, events: vec![], expiry: None };
                    let _ = self.inner.settle(touch).await?;
                }
                Ok(answer)
            }
            Fault::EventsLost => {
                if self.every(5) {
                    settle.events.pop();
                }
                self.inner.settle(settle).await
            }
            Fault::EventsDoubled => {
                if self.every(5) {
                    settle.events.extend(settle.events.clone());
                }
                self.inner.settle(settle).await
            }
            Fault::EventsEarly => {
                let events = std::mem::take(&mut settle.events);
                self.only_events(events).await;
                self.inner.settle(settle).await
            }
            Fault::EventsEarlyForAMoment => {
                let events = std::mem::take(&mut settle.events);
                let ids: Vec<_> = events.iter().map(|event| event.id).collect();
                self.only_events(events).await;
                thread::yield_now();
                let answer = self.inner.settle(settle).await;
                if answer != Ok(Settled::Won) {
                    self.inner.forget(&ids).await?;
                }
                answer
            }
            Fault::EventsLate => {
                let events = std::mem::take(&mut settle.events);
                let answer = self.inner.settle(settle).await;
                if answer == Ok(Settled::Won) {
                    self.notes.lock().unwrap().late.extend(events);
                }
                answer
            }
            Fault::EventsReversed => {
                settle.events.reverse();
                self.inner.settle(settle).await
            }
            Fault::EventBytesCut => {
                for event in &mut settle.events {
                    event.bytes.truncate(4000);
                }
                self.inner.settle(settle).await
            }
            Fault::KeysMixed => {
                settle.key = masked(settle.key);
                self.inner.settle(settle).await
            }
            Fault::BytesCut => {
                settle.bytes.truncate(60_000);
                self.inner.settle(settle).await
            }
            Fault::BytesAreText => {
                let zero = settle.bytes.iter().position(|byte| *byte == 0);
                settle.bytes.truncate(zero.unwrap_or(settle.bytes.len()));
                self.inner.settle(settle).await
            }
            Fault::ExpiryIgnored => {
                settle.expiry = None;
                self.inner.settle(settle).await
            }
            Fault::ExpiryLate => {
                if let Some(end) = settle.expiry {
                    let entry = Entry { version: settle.next, bytes: settle.bytes.clone() };
                    let mut notes = self.notes.lock().unwrap();
                    notes.expiry.insert(settle.key, end);
                    notes.cache.insert(settle.key, Some(entry));
                }
                self.inner.settle(settle).await
            }
            Fault::ExpiredStillSwaps => {
                let (key, expected, next) = (settle.key, settle.expected, settle.next);
                if self.present(key).await == Version::ABSENT
                    && self.notes.lock().unwrap().cache.get(&key).is_some_and(|known| {
                        known.as_ref().is_some_and(|entry| entry.version == expected)
                    })
                {
                    settle.expected = Version::ABSENT;
                }
                let answer = self.inner.settle(settle).await;
                if answer == Ok(Settled::Won) {
                    let entry = Entry { version: next, bytes: vec![] };
                    self.notes.lock().unwrap().cache.insert(key, Some(entry));
                }
                answer
            }
            Fault::ExpiryKept => {
                settle.expiry = self.first_expiry(settle.key, settle.expiry);
                self.inner.settle(settle).await
            }
            Fault::OutboxRacy => {
                let Outbox { bound, when_full } = self.fresh.outbox;
                let room = usize::try_from(bound).unwrap();
                let waiting = self.inner.events(2_000_000).await?.len();
                thread::yield_now();
                let over = (waiting + settle.events.len()).saturating_sub(room);
                if over > 0 && !settle.events.is_empty() {
                    if self.present(settle.key).await != settle.expected {
                        return Ok(Settled::Lost);
                    }
                    if when_full == WhenFull::Refuse {
                        return Err(StoreError::OutboxFull);
                    }
                    let oldest = self.inner.events(over).await?;
                    let ids: Vec<_> = oldest.iter().map(|event| event.id).collect();
                    self.inner.forget(&ids).await?;
                }
                self.inner.settle(settle).await
            }
            Fault::DropsNewest => {
                let Outbox { bound, when_full } = self.fresh.outbox;
                if when_full == WhenFull::DropOldest {
                    let waiting = self.inner.events(2_000_000).await?.len();
                    let room = usize::try_from(bound).unwrap().saturating_sub(waiting);
                    settle.events.truncate(room);
                }
                self.inner.settle(settle).await
            }
            _ => self.inner.settle(settle).await,
        }
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        let mut page = self.inner.walk(after, limit + 1).await?;
        page.retain(|row| row.key != HIDDEN);
        page.truncate(limit);
        match self.fault {
            Fault::WalkUnordered if page.len() > 2 => page.swap(0, 1),
            Fault::WalkSkips if page.len() > 4 => {
                page.remove(3);
            }
            Fault::WalkStale => {
                if after.is_none() {
                    let all = self.inner.walk(None, 100_000).await?;
                    self.notes.lock().unwrap().walk = all;
                }
                let notes = self.notes.lock().unwrap();
                let rest = notes.walk.iter().filter(|row| after.is_none_or(|key| row.key > key));
                return Ok(rest.take(limit).cloned().collect());
            }
            _ => {}
        }
        Ok(page)
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.inner.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        match self.fault {
            Fault::ForgetsOldest => {
                let oldest = self.inner.events(ids.len()).await?;
                let ids: Vec<_> = oldest.iter().map(|event| event.id).collect();
                self.inner.forget(&ids).await
            }
            Fault::ForgetFailsTwice => {
                let there = self.inner.events(2_000_000).await?;
                if ids.iter().any(|id| there.iter().all(|event| event.id != *id)) {
                    return Err(StoreError::Unavailable);
                }
                self.inner.forget(ids).await
            }
            _ => self.inner.forget(ids).await,
        }
    }
}

fn masked(key: Key) -> Key {
    let mut bytes = *key.as_bytes();
    bytes[31] &= 0xfe;
    Key::from_bytes(bytes)
}

/// Opens a store again: what it has in memory is there as after a restart, but for the writes that
/// it acknowledged before they were on its disk.
fn reopen(store: Faulty, fresh: Fresh) -> Faulty {
    if store.fault != Fault::BeforeDurable {
        return store;
    }
    let mut log = std::mem::take(&mut store.notes.lock().unwrap().log);
    log.truncate(log.len().saturating_sub(2));
    let again = Faulty::new(store.fault, fresh);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for settle in &log {
        assert_eq!(runtime.block_on(again.inner.settle(settle.clone())), Ok(Settled::Won));
    }
    again.notes.lock().unwrap().log = log;
    again
}

fn expectations() -> Expectations<Faulty> {
    Expectations { reopen: Some(Box::new(reopen)), ..Expectations::default() }
}

/// Proves that this fault is found, by this property, and that the report shows a history.
fn caught(fault: Fault, by: Property) {
    let broken = prove(|fresh| Faulty::new(fault, fresh), expectations())
        .expect_err("a broken store was found to be safe");
    let names: Vec<_> = broken.iter().map(|broken| broken.property).collect();
    let found = broken.iter().find(|broken| broken.property == by);
    let found = found.unwrap_or_else(|| panic!("{fault:?} was caught by {names:?}, not {by:?}"));
    assert!(found.history.len() > 20, "no history: {found}");
    println!("{fault:?} was caught by {names:?}\n{found}");
}

macro_rules! caught {
    ($($test:ident: $fault:ident by $property:ident;)*) => {$(
        #[test]
        fn $test() {
            caught(Fault::$fault, Property::$property);
        }
    )*};
}

caught! {
    lost_update: LostUpdate by Linearizable;
    stale_read: StaleRead by Linearizable;
    version_reset: VersionReset by WholeVersion;
    version_reset_in_a_race: VersionReset by Linearizable;
    only_the_counter_compared: CounterOnly by WholeVersion;
    version_cut: VersionCut by WholeVersion;
    acknowledged_before_durable: BeforeDurable by Durable;
    reply_lost_and_applied_twice: AppliedTwice by Linearizable;
    won_and_told_lost: WonToldLost by Linearizable;
    lost_for_nothing: LostForNothing by Linearizable;
    absent_overwrites: AbsentOverwrites by Absent;
    absent_overwrites_in_a_race: AbsentOverwrites by Linearizable;
    lost_swap_writes: LostWrites by LostWritesNothing;
    events_lost: EventsLost by EventsWithCommit;
    events_doubled: EventsDoubled by EventsWithCommit;
    events_early_and_of_lost_swaps: EventsEarly by LostWritesNothing;
    events_early: EventsEarlyForAMoment by EventsWithCommit;
    events_late: EventsLate by EventsWithCommit;
    events_reversed: EventsReversed by EventsWithCommit;
    event_bytes_cut: EventBytesCut by Bytes;
    keys_mixed: KeysMixed by Keys;
    bytes_cut: BytesCut by Bytes;
    bytes_taken_for_text: BytesAreText by Bytes;
    expiry_ignored: ExpiryIgnored by Expiry;
    expiry_a_second_late: ExpiryLate by Expiry;
    expired_records_still_swap: ExpiredStillSwaps by Expiry;
    expiry_kept: ExpiryKept by Expiry;
    look_order_mixed: LookSorted by LookOrder;
    look_without_duplicates: LookOnce by LookOrder;
    walk_unordered: WalkUnordered by Walk;
    walk_skips: WalkSkips by Walk;
    walk_stale: WalkStale by Walk;
    forgets_the_oldest: ForgetsOldest by Forget;
    forgetting_again_fails: ForgetFailsTwice by Forget;
    outbox_without_bound: OutboxUnbounded by OutboxBound;
    outbox_bound_outside_the_commit: OutboxRacy by OutboxBound;
    outbox_drops_the_newest: DropsNewest by OutboxBound;
    a_script_shrinks: LostWrites by Model;
    panics: Panics by Linearizable;
}

#[test]
fn the_memory_store_is_safe() {
    let memory = |fresh: Fresh| MemoryStore::with_outbox(fresh.clock, fresh.outbox);
    let report = prove(memory, Expectations::default()).unwrap_or_else(|broken| {
        panic!("{}", broken.iter().map(ToString::to_string).collect::<String>())
    });
    assert!(!report.durable);
    assert_eq!(report.held.len(), 13);
    println!("{report}");
}

#[test]
fn a_wrapper_without_a_fault_is_safe() {
    let report = prove(|fresh| Faulty::new(Fault::None, fresh), expectations());
    assert_eq!(report.map(|report| report.held.len()), Ok(14));
}

/// A clock that only this store has.
#[derive(Debug)]
struct Own;

impl Clock for Own {
    #[allow(clippy::disallowed_methods, reason = "a store whose time nobody gives it")]
    fn now(&self) -> UnixTime {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixTime::from_secs(since.unwrap().as_secs())
    }
}

#[test]
fn a_store_with_its_own_clock_is_waited_for() {
    let memory = |fresh: Fresh| MemoryStore::with_outbox(Arc::new(Own), fresh.outbox);
    let expectations = Expectations { own_clock: true, ..Expectations::default() };
    let report = prove(memory, expectations);
    assert_eq!(report.map(|report| report.held.len()), Ok(13));
    let broken = prove(memory, Expectations::default()).expect_err("its clock is not the given");
    assert!(broken.iter().any(|broken| broken.property == Property::Expiry));
}
