//! A walk while others write: every record that stands is on it, once, in its place.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use countersign_ceremony::port::{Key, Settled, Store, Version, WriteId};

use crate::ground::{Caller, Ground, key, panicked, settle};
use crate::history::{Call, History, READER, Ticks, What};
use crate::properties::race::stands;
use crate::register;

/// How many records there are: every second from the beginning, the others come meanwhile.
const KEYS: u8 = 24;

/// How many records a page has.
const PAGE: usize = 5;

/// How often each writer writes each of its records.
const TURNS: usize = 25;

/// After how many walks they need not hurry.
const HURRIED: usize = 50;

pub(crate) fn walk<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    if !caller.walk(None, PAGE)?.is_empty() {
        return Err("a walk over a fresh store shows records\n".to_owned());
    }
    let ticks = Ticks::default();
    let mut history = History::default();
    for n in (0..KEYS).step_by(2) {
        let mut writer = Writer::new(n, caller.clone(), &ticks);
        writer.write()?;
        history.join(writer.saw);
    }
    // Between any two pages a record changes, and one comes where there was none.
    let mut between = [2, 5, 6, 9, 10, 13, 14, 17, 18, 21].into_iter();
    history.join(whole_walk(&caller, &ticks, || {
        between.by_ref().take(4).try_fold(History::default(), |mut history, n| {
            let mut writer = Writer::new(n, caller.clone(), &ticks);
            writer.look()?;
            writer.write()?;
            history.join(writer.saw);
            Ok(history)
        })
    })?);
    let writing = AtomicUsize::new(4);
    let (walks, writes) = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|thread| {
                let (caller, ticks, writing) = (caller.clone(), &ticks, &writing);
                scope.spawn(move || {
                    let outcome = catch_unwind(AssertUnwindSafe(|| write(thread, &caller, ticks)));
                    writing.fetch_sub(1, Ordering::SeqCst);
                    outcome.unwrap_or_else(|payload| Err(panicked(payload)))
                })
            })
            .collect();
        let walks = walk_while(&writing, &caller, &ticks);
        (walks, writers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>())
    });
    history.join(walks?);
    for written in writes {
        history.join(written.map_err(panicked)??);
    }
    for (key, calls) in &history.calls {
        register::chain(calls).map_err(|found| format!("{key:?}: {found}"))?;
    }
    Ok(())
}

/// Walks again and again while somebody writes, and once when nobody does.
fn walk_while<S: Store>(
    writing: &AtomicUsize,
    caller: &Caller<'_, S>,
    ticks: &Ticks,
) -> Result<History, String> {
    let mut seen = History::default();
    for walks in 0.. {
        let last = writing.load(Ordering::SeqCst) == 0;
        seen.join(whole_walk(caller, ticks, || Ok(History::default()))?);
        if last {
            break;
        }
        if walks > HURRIED {
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(seen)
}

/// Walks once, page after page. What stood in the range of a page and was not on it, was absent.
fn whole_walk<S: Store>(
    caller: &Caller<'_, S>,
    ticks: &Ticks,
    mut between: impl FnMut() -> Result<History, String>,
) -> Result<History, String> {
    let all: BTreeSet<Key> = (0..KEYS).map(key).collect();
    let mut seen = History::default();
    let mut after = None;
    loop {
        let begin = ticks.tick();
        let page = caller.walk(after, PAGE)?;
        let end = ticks.tick();
        let mut last = after;
        for row in &page {
            if last.is_some_and(|last| row.key <= last) {
                return Err(format!("walk({after:?}, {PAGE}) is out of order at {row:?}\n"));
            }
            if !all.contains(&row.key) {
                return Err(format!("walk({after:?}, {PAGE}) shows what nobody wrote: {row:?}\n"));
            }
            last = Some(row.key);
        }
        if page.len() > PAGE {
            return Err(format!("walk({after:?}, {PAGE}) shows {} records\n", page.len()));
        }
        let whole = page.len() < PAGE;
        let passed = |key: &&Key| {
            after.is_none_or(|after| **key > after)
                && (whole || last.is_some_and(|last| **key <= last))
        };
        for key in all.iter().filter(passed) {
            let row = page.iter().find(|row| row.key == *key);
            let version = stands(*key, row.map(|row| &row.entry))?;
            seen.add(*key, Call { thread: READER, begin, end, what: What::Saw(version) });
        }
        if whole {
            return Ok(seen);
        }
        after = last;
        seen.join(between()?);
    }
}

/// Writes this thread's records in turn.
fn write<S: Store>(thread: u8, caller: &Caller<'_, S>, ticks: &Ticks) -> Result<History, String> {
    let mut writers: Vec<_> =
        (thread..KEYS).step_by(4).map(|n| Writer::new(n, caller.clone(), ticks)).collect();
    for writer in &mut writers {
        writer.look()?;
    }
    for _ in 0..TURNS {
        writers.iter_mut().try_for_each(Writer::write)?;
        thread::yield_now();
    }
    let mut history = History::default();
    for writer in writers {
        history.join(writer.saw);
    }
    Ok(history)
}

/// The only one who writes a record.
struct Writer<'s, S> {
    n: u8,
    caller: Caller<'s, S>,
    ticks: &'s Ticks,
    stands: Version,
    saw: History,
}

impl<'s, S: Store> Writer<'s, S> {
    fn new(n: u8, caller: Caller<'s, S>, ticks: &'s Ticks) -> Self {
        Self { n, caller, ticks, stands: Version::ABSENT, saw: History::default() }
    }

    fn look(&mut self) -> Result<(), String> {
        self.stands = self.caller.look_at(key(self.n))?.map_or(Version::ABSENT, |e| e.version);
        Ok(())
    }

    fn write(&mut self) -> Result<(), String> {
        let write = (u64::from(self.n) << 32) | self.stands.counter();
        let settle = settle(key(self.n), self.stands, WriteId(write.to_be_bytes()), 0);
        let (expected, next) = (settle.expected, settle.next);
        let begin = self.ticks.tick();
        let answer = self.caller.try_settle(settle)?;
        let end = self.ticks.tick();
        if answer == Ok(Settled::Won) {
            self.stands = next;
        }
        let what = What::Settle { expected, next, answer };
        self.saw.add(key(self.n), Call { thread: usize::from(self.n), begin, end, what });
        Ok(())
    }
}
