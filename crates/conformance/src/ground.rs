//! What every property stands on: fresh stores, a clock to turn, and calls that end.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_ceremony::env::Clock;
use countersign_ceremony::port::{
    Entry, EventId, EventRow, Key, Looked, Outbox, Settle, Settled, Store, StoreError, Version,
    Walked, WriteId,
};
use countersign_otp::UnixTime;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::suite::Expectations;

/// After this long, a call has no answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a fresh store is to be.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Its clock, unless it has one of its own.
    pub clock: Arc<dyn Clock>,
    /// The bound of its outbox.
    pub outbox: Outbox,
}

/// A clock that stands until it is turned.
#[derive(Debug)]
pub struct Dial(AtomicU64);

impl Dial {
    /// A clock at this time.
    #[must_use]
    pub const fn at(time: UnixTime) -> Self {
        Self(AtomicU64::new(time.secs()))
    }

    /// Turns it forward.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Dial {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// The stores under test and how to speak to them.
pub(crate) struct Ground<'a, S> {
    fresh: &'a mut dyn FnMut(Fresh) -> S,
    pub(crate) expectations: Expectations<S>,
    pub(crate) dial: Arc<Dial>,
    runtime: Option<Runtime>,
    /// What keeps the write ids of all stores apart.
    writes: u64,
}

impl<'a, S: Store> Ground<'a, S> {
    pub(crate) fn new(fresh: &'a mut dyn FnMut(Fresh) -> S, expectations: Expectations<S>) -> Self {
        let dial = Arc::new(Dial::at(UnixTime::from_secs(1_700_000_000)));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().ok();
        Self { fresh, expectations, dial, runtime, writes: 0 }
    }

    /// An empty store with an outbox that no test fills.
    pub(crate) fn store(&mut self) -> Result<S, String> {
        self.store_with(Outbox::default())
    }

    /// One whose outbox, or each share of it, has this bound.
    pub(crate) fn store_with(&mut self, outbox: Outbox) -> Result<S, String> {
        let handle = self.handle()?;
        let _entered = handle.enter();
        let fresh = self.given(outbox);
        Ok((self.fresh)(fresh))
    }

    /// The same data, opened again; the store itself where it does not claim to be durable.
    pub(crate) fn reopen(&mut self, store: S, outbox: Outbox) -> Result<S, String> {
        let handle = self.handle()?;
        let _entered = handle.enter();
        let fresh = self.given(outbox);
        Ok(match &mut self.expectations.reopen {
            Some(reopen) => reopen(store, fresh),
            None => store,
        })
    }

    fn given(&self, outbox: Outbox) -> Fresh {
        let bound = outbox.bound.saturating_mul(self.expectations.outbox_shares.max(1));
        Fresh { clock: self.dial.clone(), outbox: Outbox { bound, ..outbox } }
    }

    /// The n-th of the keys whose events share one bound.
    pub(crate) fn bounded_key(&self, n: u8) -> Key {
        let mut bytes = *key(n).as_bytes();
        if self.expectations.outbox_shares > 1 {
            // One partition: its number is in the first two bytes.
            let [first, second, ..] = &mut bytes;
            (*first, *second) = (0x5c, 0x5c);
        }
        Key::from_bytes(bytes)
    }

    pub(crate) fn caller<'s>(&self, store: &'s S) -> Result<Caller<'s, S>, String> {
        Ok(Caller::new(store, self.handle()?))
    }

    /// The time of the clock that stores are given.
    pub(crate) fn dial_time(&self) -> UnixTime {
        self.dial.now()
    }

    /// An id that no other write has.
    pub(crate) fn write_id(&mut self) -> WriteId {
        self.writes = self.writes.wrapping_add(1);
        WriteId(self.writes.to_be_bytes())
    }

    /// A settle of `key` from `expected` with the bytes and events that [`Caller`] expects of it.
    pub(crate) fn settle(&mut self, key: Key, expected: Version, events: u8) -> Settle {
        settle(key, expected, self.write_id(), events)
    }

    fn handle(&self) -> Result<Handle, String> {
        let runtime = self.runtime.as_ref().ok_or("no runtime: the machine has no threads\n")?;
        Ok(runtime.handle().clone())
    }
}

/// Calls a store from any thread, and gives up on a call that does not end.
pub(crate) struct Caller<'s, S> {
    pub(crate) store: &'s S,
    handle: Handle,
}

impl<S> Clone for Caller<'_, S> {
    fn clone(&self) -> Self {
        Self { store: self.store, handle: self.handle.clone() }
    }
}

impl<'s, S: Store> Caller<'s, S> {
    pub(crate) fn new(store: &'s S, handle: Handle) -> Self {
        Self { store, handle }
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, String> {
        let patient = async { tokio::time::timeout(PATIENCE, future).await };
        let waited = self.handle.block_on(patient);
        waited.map_err(|_| format!("no answer within {} s\n", PATIENCE.as_secs()))
    }

    pub(crate) fn try_look(&self, keys: &[Key]) -> Result<Result<Looked, StoreError>, String> {
        let answer = self.wait(self.store.look(keys))?;
        if let Ok(looked) = &answer
            && looked.entries.len() != keys.len()
        {
            let (asked, told) = (keys.len(), looked.entries.len());
            return Err(format!("a look at {asked} keys has {told} entries\n"));
        }
        Ok(answer)
    }

    pub(crate) fn look(&self, keys: &[Key]) -> Result<Looked, String> {
        self.try_look(keys)?.map_err(|error| format!("look({keys:?}) failed: {error}\n"))
    }

    pub(crate) fn look_at(&self, key: Key) -> Result<Option<Entry>, String> {
        Ok(self.look(&[key])?.entries.pop().flatten())
    }

    pub(crate) fn try_settle(&self, settle: Settle) -> Result<Result<Settled, StoreError>, String> {
        self.wait(self.store.settle(settle))
    }

    /// A settle that must end so.
    pub(crate) fn settles(&self, settle: &Settle, end: Settled, why: &str) -> Result<(), String> {
        match self.try_settle(settle.clone())? {
            Ok(answer) if answer == end => Ok(()),
            answer => Err(format!("{settle:?}\n  answered {answer:?}, not {end:?}: {why}\n")),
        }
    }

    /// What must stand at a key.
    pub(crate) fn stands(&self, key: Key, at: Option<&Settle>, why: &str) -> Result<(), String> {
        let found = self.look_at(key)?;
        let due = at.map(|settle| Entry { version: settle.next, bytes: settle.bytes.clone() });
        if found == due {
            return Ok(());
        }
        Err(format!("look({key:?})\n  found {found:?}, not {due:?}: {why}\n"))
    }

    pub(crate) fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, String> {
        self.wait(self.store.walk(after, limit))?
            .map_err(|error| format!("walk({after:?}, {limit}) failed: {error}\n"))
    }

    pub(crate) fn events(&self, limit: usize) -> Result<Vec<EventRow>, String> {
        self.wait(self.store.events(limit))?
            .map_err(|error| format!("events({limit}) failed: {error}\n"))
    }

    pub(crate) fn forget(&self, ids: &[EventId]) -> Result<(), String> {
        self.wait(self.store.forget(ids))?.map_err(|error| format!("forget failed: {error}\n"))
    }

    pub(crate) fn waiting(&self) -> Result<Option<u64>, String> {
        self.wait(self.store.waiting())?.map_err(|error| format!("waiting failed: {error}\n"))
    }
}

/// A settle whose bytes and events follow from its key, its versions and its id.
pub(crate) fn settle(key: Key, expected: Version, write: WriteId, events: u8) -> Settle {
    let next = expected.next(write);
    let events = (0..events).map(|index| event(key, write, index));
    Settle { key, expected, next, bytes: bytes(key, next), events: events.collect(), expiry: None }
}

/// The bytes of a record: they tell which record and which version they are.
pub(crate) fn bytes(key: Key, version: Version) -> Vec<u8> {
    let mut bytes = version.to_bytes().to_vec();
    bytes.extend_from_slice(key.as_bytes());
    // Some short, some long, none as long as its neighbour.
    let filler = usize::from(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31) ^ byte));
    bytes.resize(bytes.len().saturating_add(filler), 0xa7);
    bytes
}

/// An event: its id is its write's id and its place in it.
pub(crate) fn event(key: Key, write: WriteId, index: u8) -> EventRow {
    let mut id = [0; 16];
    let (head, tail) = id.split_at_mut(8);
    head.copy_from_slice(&write.0);
    tail.fill(index);
    let mut bytes = key.as_bytes().to_vec();
    bytes.extend_from_slice(&id);
    EventRow { id: EventId(id), bytes }
}

/// A panic of the store, as a finding.
pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("the store panicked: {}\n", text.unwrap_or("and did not say why"))
}

/// The n-th key: far apart in their order, unlike in every byte.
pub(crate) fn key(n: u8) -> Key {
    let mut bytes = [n ^ 0x5c; 32];
    if let Some(first) = bytes.first_mut() {
        *first = n.reverse_bits();
    }
    Key::from_bytes(bytes)
}
