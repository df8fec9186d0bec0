//! Threads that race for few records, a reader of events beside them, and what they all saw.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use countersign_ceremony::port::{Entry, EventId, EventRow, Key, Settled, Store, Version, WriteId};

use crate::ground::{Caller, Ground, bytes, event, key, panicked, settle};
use crate::history::{Call, History, READER, Ticks, What};
use crate::register;

/// How many records all race for.
const HOT: u8 = 3;

/// How often all threads swap the same version at the same moment: once in this many rounds.
const DUEL: usize = 5;

/// More events than a race makes.
const ALL: usize = 100_000;

/// How often the reader of events reads at most.
const READS: usize = 150;

pub(crate) fn linearizable<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let race = Race::run(ground)?;
    race.chains()?;
    if race.won < 10 {
        return Err(format!("only {} settles of a race were won: the rest failed\n", race.won));
    }
    Ok(())
}

pub(crate) fn events_with_commit<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let race = Race::run(ground)?;
    // Without an order of writes there is none of events.
    let chains = race.chains()?;
    race.events(&chains)
}

/// What everybody saw.
struct Race {
    history: History,
    /// How many events each write brought.
    brought: HashMap<WriteId, u8>,
    batches: Vec<Batch>,
    won: usize,
}

/// What one reading of the events showed.
struct Batch {
    begin: u64,
    end: u64,
    rows: Vec<EventRow>,
    /// Which of them were forgotten, and when that was acknowledged.
    forgotten: Option<(u64, Vec<EventId>)>,
}

impl Race {
    fn run<S: Store>(ground: &mut Ground<'_, S>) -> Result<Self, String> {
        let store = ground.store()?;
        let caller = ground.caller(&store)?;
        let (threads, rounds) = (ground.expectations.threads.max(2), ground.expectations.rounds);
        let (ticks, barrier, over) =
            (Ticks::default(), Barrier::new(threads), AtomicBool::new(false));
        let mut reader = Reader { caller: caller.clone(), ticks: &ticks, saw: History::default() };
        let (logs, batches) = thread::scope(|scope| {
            let clients: Vec<_> = (0..threads)
                .map(|thread| {
                    let mut client = Client::new(thread, caller.clone(), &ticks);
                    let barrier = &barrier;
                    scope.spawn(move || {
                        let outcome = client.race(rounds, barrier);
                        outcome.map(|()| (client.saw, client.brought, client.won))
                    })
                })
                .collect();
            let reading = scope.spawn(|| reader.read_until(&over));
            let logs: Vec<_> = clients.into_iter().map(thread::ScopedJoinHandle::join).collect();
            over.store(true, Ordering::SeqCst);
            (logs, reading.join())
        });
        let batches = batches.map_err(panicked)??;
        let mut race = Self { history: reader.saw, brought: HashMap::new(), batches, won: 0 };
        for log in logs {
            let (saw, brought, won) = log.map_err(panicked)??;
            race.history.join(saw);
            race.brought.extend(brought);
            race.won = race.won.saturating_add(won);
        }
        Ok(race)
    }

    fn chains(&self) -> Result<BTreeMap<Key, Vec<Version>>, String> {
        let chain = |(key, calls): (&Key, &Vec<Call>)| {
            let versions = register::chain(calls).map_err(|found| format!("{key:?}: {found}"))?;
            Ok((*key, versions))
        };
        self.history.calls.iter().map(chain).collect()
    }

    /// Holds what the reader saw against the order of the writes.
    fn events(&self, chains: &BTreeMap<Key, Vec<Version>>) -> Result<(), String> {
        let mut due: HashMap<EventId, (EventRow, Key, usize)> = HashMap::new();
        let mut in_order: BTreeMap<Key, Vec<(EventId, usize)>> = BTreeMap::new();
        for (key, versions) in chains {
            for (place, version) in versions.iter().enumerate().skip(1) {
                for index in 0..self.brought.get(&version.write()).copied().unwrap_or(0) {
                    let row = event(*key, version.write(), index);
                    in_order.entry(*key).or_default().push((row.id, place));
                    due.insert(row.id, (row, *key, place));
                }
            }
        }
        let mut first_seen: BTreeMap<Key, Vec<EventId>> = BTreeMap::new();
        let mut seen: HashSet<EventId> = HashSet::new();
        let mut gone: HashSet<EventId> = HashSet::new();
        for batch in &self.batches {
            let mut here = HashSet::new();
            let mut newest: BTreeMap<Key, usize> = BTreeMap::new();
            for row in &batch.rows {
                let Some((is, key, place)) = due.get(&row.id) else {
                    return Err(format!("an event of no won settle is in the outbox: {row:?}\n"));
                };
                if is != row {
                    return Err(format!("an event was changed: {is:?} came back as {row:?}\n"));
                }
                if !here.insert(row.id) {
                    return Err(format!("an event is in the outbox twice: {row:?}\n"));
                }
                if gone.contains(&row.id) {
                    return Err(format!("an event came again after it was forgotten: {row:?}\n"));
                }
                if seen.insert(row.id) {
                    first_seen.entry(*key).or_default().push(row.id);
                }
                let newest = newest.entry(*key).or_default();
                *newest = (*newest).max(*place);
            }
            for (key, calls) in &self.history.calls {
                let versions = chains.get(key).map_or(&[][..], Vec::as_slice);
                let newest = newest.get(key).copied().unwrap_or(0);
                early(calls, versions, batch, newest)?;
                let known = known_before(calls, versions, batch.begin);
                let ids = in_order.get(key).map_or(&[][..], Vec::as_slice);
                let missing = ids.iter().find(|(id, place)| *place <= known && !seen.contains(id));
                if let Some((id, place)) = missing {
                    return Err(format!(
                        "{key:?}: its write {place} was acknowledged, and the event {id:?} of it \
                         was not in the outbox afterwards\n"
                    ));
                }
            }
            if let Some((_, ids)) = &batch.forgotten {
                gone.extend(ids);
            }
        }
        for (key, ids) in &in_order {
            let ids: Vec<_> = ids.iter().map(|(id, _)| *id).collect();
            if first_seen.get(key).is_some_and(|seen| *seen != ids) {
                return Err(format!("{key:?}: its events are in another order than its writes\n"));
            }
        }
        Ok(())
    }
}

/// Nobody who looked after an event was read may have seen less than its write.
fn early(calls: &[Call], versions: &[Version], batch: &Batch, newest: usize) -> Result<(), String> {
    let place = |version| versions.iter().position(|stood| *stood == version);
    let behind = calls.iter().find(|call| match call.what {
        What::Saw(version) => {
            call.begin > batch.end && place(version).is_some_and(|place| place < newest)
        }
        What::Settle { .. } => false,
    });
    behind.map_or(Ok(()), |call| {
        Err(format!(
            "the event of write {newest} was read (at {} to {}) before the write could be seen:\n\
             {call}\n",
            batch.begin, batch.end
        ))
    })
}

/// The last write that somebody knew of before this moment.
fn known_before(calls: &[Call], versions: &[Version], moment: u64) -> usize {
    let known = calls.iter().filter(|call| call.end < moment).filter_map(|call| match call.what {
        What::Saw(version) => Some(version),
        What::Settle { next, answer: Ok(Settled::Won), .. } => Some(next),
        What::Settle { .. } => None,
    });
    known.filter_map(|known| versions.iter().position(|stood| *stood == known)).max().unwrap_or(0)
}

/// One thread that looks and settles.
struct Client<'s, S> {
    thread: usize,
    caller: Caller<'s, S>,
    ticks: &'s Ticks,
    /// What it last saw of each record.
    known: BTreeMap<Key, Version>,
    saw: History,
    brought: HashMap<WriteId, u8>,
    won: usize,
    writes: u64,
    dice: u64,
}

impl<'s, S: Store> Client<'s, S> {
    fn new(thread: usize, caller: Caller<'s, S>, ticks: &'s Ticks) -> Self {
        let seed = u64::try_from(thread).unwrap_or(0).wrapping_add(1);
        Self {
            thread,
            caller,
            ticks,
            known: BTreeMap::new(),
            saw: History::default(),
            brought: HashMap::new(),
            won: 0,
            // The id of a write begins with its thread.
            writes: seed << 40,
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    /// Keeps every appointment even after a failure, so that nobody waits for ever.
    fn race(&mut self, rounds: usize, barrier: &Barrier) -> Result<(), String> {
        let mut outcome = Ok(());
        for round in 0..rounds {
            let duel = round % DUEL == 0;
            if duel {
                barrier.wait();
            }
            let at = if duel { u8::try_from(round % 251).unwrap_or(0) } else { self.roll() };
            let key = key(at % HOT);
            if outcome.is_ok() && (duel || !self.roll().is_multiple_of(4)) {
                outcome = unpanicked(|| self.look(key));
            }
            if duel {
                barrier.wait();
            }
            if outcome.is_ok() {
                outcome = unpanicked(|| self.settle(key));
            }
        }
        outcome
    }

    fn look(&mut self, at: Key) -> Result<(), String> {
        // Sometimes all of them, in one trip.
        let keys =
            if self.roll().is_multiple_of(4) { (0..HOT).map(key).collect() } else { vec![at] };
        for (key, version) in look(&self.caller, self.ticks, self.thread, &keys, &mut self.saw)? {
            self.known.insert(key, version);
        }
        Ok(())
    }

    fn settle(&mut self, at: Key) -> Result<(), String> {
        let expected = self.known.get(&at).copied().unwrap_or(Version::ABSENT);
        self.writes = self.writes.wrapping_add(1);
        let write = WriteId(self.writes.to_be_bytes());
        let events = self.roll() % 3;
        self.brought.insert(write, events);
        let settle = settle(at, expected, write, events);
        let next = settle.next;
        let begin = self.ticks.tick();
        let answer = self.caller.try_settle(settle)?;
        let end = self.ticks.tick();
        if answer == Ok(Settled::Won) {
            self.known.insert(at, next);
            self.won = self.won.saturating_add(1);
        }
        let what = What::Settle { expected, next, answer };
        self.saw.add(at, Call { thread: self.thread, begin, end, what });
        Ok(())
    }

    /// Xorshift: no judgement hangs on its quality.
    fn roll(&mut self) -> u8 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice.to_le_bytes()[3]
    }
}

/// The thread that reads events and looks at the records beside them.
struct Reader<'s, S> {
    caller: Caller<'s, S>,
    ticks: &'s Ticks,
    saw: History,
}

impl<S: Store> Reader<'_, S> {
    /// Ends with a reading, and a look, that began after everybody else had ended.
    fn read_until(&mut self, over: &AtomicBool) -> Result<Vec<Batch>, String> {
        let mut batches = Vec::new();
        loop {
            let last = over.load(Ordering::SeqCst);
            if last || batches.len() < READS {
                batches.push(self.read()?);
            }
            if last {
                return Ok(batches);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn read(&mut self) -> Result<Batch, String> {
        let begin = self.ticks.tick();
        let rows = self.caller.events(ALL)?;
        let end = self.ticks.tick();
        let keys: Vec<Key> = (0..HOT).map(key).collect();
        look(&self.caller, self.ticks, READER, &keys, &mut self.saw)?;
        let ids: Vec<_> = rows.iter().take(rows.len() / 2).map(|row| row.id).collect();
        self.caller.forget(&ids)?;
        Ok(Batch { begin, end, rows, forgotten: Some((self.ticks.tick(), ids)) })
    }
}

/// A look, written down; every record must have the bytes of its version.
fn look<S: Store>(
    caller: &Caller<'_, S>,
    ticks: &Ticks,
    thread: usize,
    keys: &[Key],
    saw: &mut History,
) -> Result<Vec<(Key, Version)>, String> {
    let begin = ticks.tick();
    let Ok(looked) = caller.try_look(keys)? else { return Ok(Vec::new()) };
    let end = ticks.tick();
    keys.iter()
        .zip(looked.entries)
        .map(|(key, entry)| {
            let version = stands(*key, entry.as_ref())?;
            saw.add(*key, Call { thread, begin, end, what: What::Saw(version) });
            Ok((*key, version))
        })
        .collect()
}

/// The version of an entry, once its bytes are seen to be those of this key and version.
pub(crate) fn stands(key: Key, entry: Option<&Entry>) -> Result<Version, String> {
    let Some(entry) = entry else { return Ok(Version::ABSENT) };
    if entry.bytes == bytes(key, entry.version) {
        return Ok(entry.version);
    }
    Err(format!("{key:?}: {entry:?} has bytes of another key or version\n"))
}

/// A panic of the store is a finding, and must not leave the others waiting.
fn unpanicked(work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let outcome = catch_unwind(AssertUnwindSafe(work));
    outcome.unwrap_or_else(|payload| Err(panicked(payload)))
}
