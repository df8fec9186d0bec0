//! What was acknowledged is there after the store was opened again.

use std::collections::BTreeMap;
use std::thread;

use countersign_ceremony::port::{EventRow, Key, Outbox, Settle, Settled, Store, Version};

use crate::ground::{Caller, Ground, key, panicked, settle};

/// How often it is opened again.
const OPENED: usize = 3;

/// How many records each thread writes, and how often.
const WRITES: u8 = 12;

pub(crate) fn durable<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let mut store = ground.store()?;
    let mut told = Told::default();
    for _ in 0..OPENED {
        let caller = ground.caller(&store)?;
        let threads = ground.expectations.threads.clamp(2, 16);
        let mut work: Vec<Vec<Settle>> = Vec::new();
        for thread in (0..=u8::MAX).take(threads) {
            let from = told.records.get(&key(thread));
            let mut stands = from.map_or(Version::ABSENT, |settle| settle.next);
            let mut settles = Vec::new();
            for _ in 0..WRITES {
                let settle = settle(key(thread), stands, ground.write_id(), 2);
                stands = settle.next;
                settles.push(settle);
            }
            work.push(settles);
        }
        let written = thread::scope(|scope| {
            let mut threads = Vec::new();
            for work in &work {
                let caller = caller.clone();
                threads.push(scope.spawn(move || write(&caller, work)));
            }
            threads.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        for written in written {
            written.map_err(panicked)??;
        }
        for settle in work.into_iter().flatten() {
            told.events.entry(settle.key).or_default().extend(settle.events.clone());
            told.records.insert(settle.key, settle);
        }
        store = ground.reopen(store, Outbox::default())?;
        told.held_by(ground, &store)?;
    }
    Ok(())
}

/// Each of these must be won: nobody else writes there.
fn write<S: Store>(caller: &Caller<'_, S>, work: &[Settle]) -> Result<(), String> {
    work.iter().try_for_each(|settle| {
        caller.settles(settle, Settled::Won, "its version stood there, also if opened again")
    })
}

/// What was acknowledged.
#[derive(Default)]
struct Told {
    /// The last settle of each record.
    records: BTreeMap<Key, Settle>,
    /// The events of each record in their order.
    events: BTreeMap<Key, Vec<EventRow>>,
}

impl Told {
    fn held_by<S: Store>(&self, ground: &mut Ground<'_, S>, store: &S) -> Result<(), String> {
        let caller = ground.caller(store)?;
        for (key, settle) in &self.records {
            caller.stands(*key, Some(settle), "it was acknowledged, and then opened again")?;
            let again = ground.settle(*key, settle.expected, 1);
            caller.settles(&again, Settled::Lost, "its version was replaced before")?;
        }
        let found = caller.events(100_000)?;
        for (key, due) in &self.events {
            let of_this = |row: &&EventRow| row.bytes.starts_with(key.as_bytes());
            let found: Vec<&EventRow> = found.iter().filter(of_this).collect();
            if !found.iter().copied().eq(due) {
                return Err(format!(
                    "{key:?}: of {} acknowledged events {} are there after it was opened again, \
                     or in another order\n",
                    due.len(),
                    found.len()
                ));
            }
        }
        Ok(())
    }
}
