//! The outbox: what is forgotten, and what happens at its bound.

use std::sync::Barrier;
use std::thread;

use countersign_ceremony::port::{
    EventId, EventRow, Key, Outbox, Settle, Settled, Store, StoreError, Version, WhenFull,
};

use crate::ground::{Caller, Ground, key, panicked, settle};

pub(crate) fn forget<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let mut due: Vec<EventRow> = Vec::new();
    let mut expected = Version::ABSENT;
    for _ in 0..6 {
        let settle = ground.settle(key(1), expected, 3);
        caller.settles(&settle, Settled::Won, "its version stood there")?;
        due.extend(settle.events);
        expected = settle.next;
    }
    holds(&caller, &due, "each was committed once")?;
    for limit in [0, 1, 5, 100] {
        let some: Vec<_> = due.iter().take(limit).cloned().collect();
        if caller.events(limit)? != some {
            return Err(format!("events({limit}) are not the oldest {limit} of {}\n", due.len()));
        }
    }
    let ids: Vec<EventId> = due.iter().map(|row| row.id).collect();
    let picks: [&[usize]; 6] = [&[0], &[0, 1], &[7, 4], &[], &[17, 17], &[2, 3, 2, 7]];
    for pick in picks {
        let named: Vec<EventId> = pick.iter().filter_map(|at| ids.get(*at)).copied().collect();
        for time in ["", " again"] {
            caller.forget(&named)?;
            due.retain(|row| !named.contains(&row.id));
            holds(&caller, &due, &format!("those numbered {pick:?} were forgotten{time}"))?;
        }
    }
    caller.forget(&[EventId([0xee; 16])])?;
    holds(&caller, &due, "an event that never was there was forgotten")?;
    caller.forget(&ids)?;
    holds(&caller, &[], "all were forgotten")?;
    let settle = ground.settle(key(1), expected, 2);
    caller.settles(&settle, Settled::Won, "forgetting events changes no record")?;
    holds(&caller, &settle.events, "the outbox was empty, and two came")
}

pub(crate) fn bound<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    refuse(ground)?;
    drop_oldest(ground)?;
    race(ground, WhenFull::Refuse)?;
    race(ground, WhenFull::DropOldest)
}

fn refuse<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store_with(Outbox { bound: 3, when_full: WhenFull::Refuse })?;
    let caller = ground.caller(&store)?;
    let (one_key, other_key) = (ground.bounded_key(1), ground.bounded_key(2));
    let two = ground.settle(one_key, Version::ABSENT, 2);
    caller.settles(&two, Settled::Won, "the outbox has room for three")?;
    let four = ground.settle(other_key, Version::ABSENT, 2);
    refused(&caller, &four, "the outbox has room for one more")?;
    caller.stands(other_key, None, "it was refused")?;
    holds(&caller, &two.events, "the others were refused")?;
    let three = ground.settle(other_key, Version::ABSENT, 1);
    caller.settles(&three, Settled::Won, "the outbox has room for one more")?;
    let mut due = two.events.clone();
    due.extend(three.events.clone());
    holds(&caller, &due, "exactly the bound")?;

    let silent = ground.settle(one_key, two.next, 0);
    caller.settles(&silent, Settled::Won, "it brings no event, and needs no room")?;
    let full = ground.settle(one_key, silent.next, 1);
    refused(&caller, &full, "the outbox is full")?;
    caller.stands(one_key, Some(&silent), "it was refused")?;
    let lost = ground.settle(one_key, two.next, 1);
    caller.settles(&lost, Settled::Lost, "another version stands there, full or not")?;

    let oldest: Vec<EventId> = due.iter().take(1).map(|row| row.id).collect();
    caller.forget(&oldest)?;
    caller.settles(&full, Settled::Won, "one was forgotten, so there is room")?;
    due.remove(0);
    due.extend(full.events.clone());
    holds(&caller, &due, "one forgotten, one come")?;
    let more = ground.settle(one_key, full.next, 1);
    refused(&caller, &more, "the outbox is full again")
}

fn drop_oldest<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store_with(Outbox { bound: 3, when_full: WhenFull::DropOldest })?;
    let caller = ground.caller(&store)?;
    let mut all: Vec<EventRow> = Vec::new();
    let mut expected = Version::ABSENT;
    for events in [1, 2, 1, 0, 2, 3, 1] {
        let settle = ground.settle(key(1), expected, events);
        caller.settles(&settle, Settled::Won, "a full outbox refuses nobody here")?;
        all.extend(settle.events);
        expected = settle.next;
        let newest = all.len().saturating_sub(3);
        holds(&caller, all.get(newest..).unwrap_or_default(), "the three newest stay")?;
    }
    Ok(())
}

/// Many settles at once on an outbox with room for few.
fn race<S: Store>(ground: &mut Ground<'_, S>, when_full: WhenFull) -> Result<(), String> {
    const BOUND: u8 = 20;
    let store = ground.store_with(Outbox { bound: BOUND.into(), when_full })?;
    let caller = ground.caller(&store)?;
    let threads = ground.expectations.threads.max(2);
    let mut settles: Vec<Vec<Settle>> = Vec::new();
    for thread in (0..=u8::MAX).take(threads) {
        let write = |n| {
            let own = own_key(ground.bounded_key(n), thread);
            settle(own, Version::ABSENT, ground.write_id(), 1)
        };
        settles.push((0..BOUND).map(write).collect());
    }
    let barrier = Barrier::new(settles.len());
    let won = thread::scope(|scope| {
        let threads: Vec<_> = settles
            .iter()
            .map(|settles| {
                let (caller, barrier) = (caller.clone(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let mut won: u64 = 0;
                    for settle in settles {
                        match caller.try_settle(settle.clone())? {
                            Ok(Settled::Won) => won = won.saturating_add(1),
                            Err(StoreError::OutboxFull) if when_full == WhenFull::Refuse => {}
                            answer => {
                                return Err(format!("{settle:?}\n  answered {answer:?}\n"));
                            }
                        }
                    }
                    Ok(won)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|payload| Err(panicked(payload))))
            .sum::<Result<u64, String>>()
    })?;
    let found = caller.events(100_000)?.len();
    if found != usize::from(BOUND) {
        return Err(format!("many settles at once left {found} events; the bound is {BOUND}\n"));
    }
    if when_full == WhenFull::Refuse && won != u64::from(BOUND) {
        return Err(format!("{won} settles of one event each were won; the bound is {BOUND}\n"));
    }
    Ok(())
}

/// This key as one of this thread alone.
fn own_key(key: Key, thread: u8) -> Key {
    let mut bytes = *key.as_bytes();
    if let Some(last) = bytes.last_mut() {
        *last = thread;
    }
    Key::from_bytes(bytes)
}

fn refused<S: Store>(caller: &Caller<'_, S>, settle: &Settle, why: &str) -> Result<(), String> {
    match caller.try_settle(settle.clone())? {
        Err(StoreError::OutboxFull) => Ok(()),
        answer => Err(format!("{settle:?}\n  answered {answer:?}, not OutboxFull: {why}\n")),
    }
}

fn holds<S: Store>(caller: &Caller<'_, S>, due: &[EventRow], why: &str) -> Result<(), String> {
    let found = caller.events(1000)?;
    if found != due {
        return Err(format!("the outbox holds\n  {found:?}\n  and not {due:?}: {why}\n"));
    }
    // A store that keeps its bound in shares may say more, and none may say less: the alarm hangs on it.
    let (told, waits) = (caller.waiting()?, u64::try_from(due.len()).unwrap_or(u64::MAX));
    match told {
        Some(told) if told < waits || (waits == 0 && told > 0) => {
            Err(format!("waiting says {told}, and {waits} events wait: {why}\n"))
        }
        _ => Ok(()),
    }
}
