//! Expiry: by the time that the store tells, at the second itself.

use std::thread;
use std::time::Duration;

use countersign_ceremony::port::{Entry, Settle, Settled, Store, Version};
use countersign_otp::UnixTime;

use crate::ground::{Caller, Ground, key};

/// How long a store with its own clock may take for a few seconds.
const LOOKS: u32 = 2000;

pub(crate) fn expiry<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let now = caller.look(&[])?.store_time;
    if !ground.expectations.own_clock && now != ground.dial_time() {
        let given = ground.dial_time();
        return Err(format!("the store tells the time {now:?}; it was given {given:?}\n"));
    }
    let end = now.saturating_add(2);
    let ends = Settle { expiry: Some(end), ..ground.settle(key(1), Version::ABSENT, 1) };
    let stays = ground.settle(key(2), Version::ABSENT, 0);
    let later = now.saturating_add(1_000_000);
    let lasts = Settle { expiry: Some(later), ..ground.settle(key(3), Version::ABSENT, 0) };
    for settle in [&ends, &stays, &lasts] {
        caller.settles(settle, Settled::Won, "nothing stood at this key")?;
    }
    watch(ground, &caller, &ends, end)?;
    caller.stands(key(2), Some(&stays), "it has no expiry")?;
    caller.stands(key(3), Some(&lasts), "its expiry is far away")?;
    if caller.walk(None, 10)?.iter().any(|walked| walked.key == key(1)) {
        return Err("a walk shows a record after its expiry\n".to_owned());
    }
    if caller.events(10)? != ends.events {
        return Err("an event went with the record that expired\n".to_owned());
    }

    let stale = ground.settle(key(1), ends.next, 0);
    caller.settles(&stale, Settled::Lost, "its record has expired: ABSENT stands there")?;
    caller.stands(key(1), None, "a lost swap wrote")?;
    let again = ground.settle(key(1), Version::ABSENT, 0);
    caller.settles(&again, Settled::Won, "ABSENT stands there again")?;
    caller.stands(key(1), Some(&again), "it is a new record, without an expiry")?;
    rewritten(ground, &caller)
}

/// An expiry belongs to the write that gave it: the next write takes it away or puts it off.
fn rewritten<S: Store>(ground: &mut Ground<'_, S>, caller: &Caller<'_, S>) -> Result<(), String> {
    let now = caller.look(&[])?.store_time;
    let soon = now.saturating_add(2);
    let mut last = Vec::new();
    for (n, expiry) in [(4, None), (5, Some(now.saturating_add(1_000_000)))] {
        let first = ground.settle(key(n), Version::ABSENT, 0);
        caller.settles(&Settle { expiry: Some(soon), ..first.clone() }, Settled::Won, "absent")?;
        let second = Settle { expiry, ..ground.settle(key(n), first.next, 0) };
        caller.settles(&second, Settled::Won, "it has not expired")?;
        last.push(second);
    }
    let sentinel = Settle { expiry: Some(soon), ..ground.settle(key(6), Version::ABSENT, 0) };
    caller.settles(&sentinel, Settled::Won, "absent")?;
    watch(ground, caller, &sentinel, soon)?;
    for settle in &last {
        caller.stands(settle.key, Some(settle), "its last write put the expiry off")?;
    }
    Ok(())
}

/// Looks until the record's time has come: there before that second, absent from it on.
fn watch<S: Store>(
    ground: &Ground<'_, S>,
    caller: &Caller<'_, S>,
    settle: &Settle,
    end: UnixTime,
) -> Result<(), String> {
    let due = Entry { version: settle.next, bytes: settle.bytes.clone() };
    for _ in 0..LOOKS {
        let mut looked = caller.look(&[settle.key])?;
        let time = looked.store_time;
        let found = looked.entries.pop().flatten();
        let right = if time < end { found.as_ref() == Some(&due) } else { found.is_none() };
        if !right {
            let (time, end) = (time.secs(), end.secs());
            return Err(format!("at {time} a look found {found:?}; the record ends at {end}\n"));
        }
        if time >= end {
            return Ok(());
        }
        if ground.expectations.own_clock {
            thread::sleep(Duration::from_millis(20));
        } else {
            ground.dial.advance(1);
        }
    }
    Err("the store's time stands still\n".to_owned())
}
