//! What a single swap means: lost ones, absent ones, and the whole of a version.

use countersign_ceremony::port::{Settle, Settled, Store, Version, WriteId};
use countersign_otp::UnixTime;

use crate::ground::{Caller, Ground, key};

/// A lost swap leaves nothing: not a version, not a byte, not an event, not an expiry.
pub(crate) fn lost_writes_nothing<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let first = ground.settle(key(1), Version::ABSENT, 1);
    caller.settles(&first, Settled::Won, "nothing stood there")?;
    let second = ground.settle(key(1), first.next, 2);
    caller.settles(&second, Settled::Won, "its version stood there")?;

    let ghost = Version::ABSENT.next(ground.write_id());
    let past = Some(UnixTime::from_secs(1));
    let mut losers = Vec::new();
    for (at, expected) in
        [(1, Version::ABSENT), (1, first.next), (1, ghost), (2, ghost), (2, second.next)]
    {
        losers.push(ground.settle(key(at), expected, 3));
        losers.push(Settle { expiry: past, ..ground.settle(key(at), expected, 3) });
    }
    for loser in &losers {
        caller.settles(loser, Settled::Lost, "another version stood there")?;
        caller.stands(key(1), Some(&second), "a lost swap wrote")?;
        caller.stands(key(2), None, "a lost swap wrote")?;
    }
    let due: Vec<_> = first.events.iter().chain(&second.events).cloned().collect();
    let found = caller.events(100)?;
    if found != due {
        return Err(format!(
            "after {} lost swaps with events the outbox holds\n  {found:?}\n  and not {due:?}\n",
            losers.len()
        ));
    }
    let walked = caller.walk(None, 100)?;
    if walked.len() != 1 {
        return Err(format!("after lost swaps a walk shows {walked:?}, not the one record\n"));
    }
    Ok(())
}

/// Where no record stands ABSENT is what is expected; where one stands it is not.
pub(crate) fn absent<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    caller.stands(key(1), None, "the store is fresh")?;
    let from_nowhere = ground.settle(key(1), Version::ABSENT.next(WriteId([1; 8])), 0);
    caller.settles(&from_nowhere, Settled::Lost, "no record stood there")?;
    caller.stands(key(1), None, "a lost swap wrote")?;
    let first = ground.settle(key(1), Version::ABSENT, 0);
    caller.settles(&first, Settled::Won, "nothing stood there")?;
    caller.settles(&first, Settled::Lost, "a record stands there, by this very write")?;
    let again = ground.settle(key(1), Version::ABSENT, 0);
    caller.settles(&again, Settled::Lost, "a record stands there")?;
    caller.stands(key(1), Some(&first), "a lost swap wrote")?;
    let other = ground.settle(key(2), Version::ABSENT, 0);
    caller.settles(&other, Settled::Won, "nothing stood at this key")
}

/// Every one of the 16 bytes is compared, and every one is kept.
pub(crate) fn whole_version<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let mut stands = ground.settle(key(1), Version::ABSENT, 0);
    // All bytes in use, so that none can be lost unseen; the counter's first byte as well.
    stands.next = Version::from_bytes([
        0x81, 0x96, 0xaf, 0xc4, 0xdd, 0xf2, 0x0b, 0x20, 0x39, 0x4e, 0x67, 0x7c, 0x95, 0xaa, 0xc3,
        0xd8,
    ]);
    caller.settles(&stands, Settled::Won, "nothing stood there")?;
    caller.stands(key(1), Some(&stands), "all 16 bytes of its version are its name")?;
    for at in 0..16 {
        for bit in [0x01, 0x80] {
            let mut bytes = stands.next.to_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bit;
            }
            let near = ground.settle(key(1), Version::from_bytes(bytes), 0);
            caller.settles(&near, Settled::Lost, "one bit of the version is another")?;
        }
    }
    caller.stands(key(1), Some(&stands), "a lost swap wrote")?;
    let next = ground.settle(key(1), stands.next, 0);
    caller.settles(&next, Settled::Won, "this is the version")?;
    counters(ground, &caller)
}

/// A counter that comes again with another id is another version.
fn counters<S: Store>(ground: &mut Ground<'_, S>, caller: &Caller<'_, S>) -> Result<(), String> {
    let mut stands = ground.settle(key(2), Version::ABSENT, 0);
    caller.settles(&stands, Settled::Won, "nothing stood there")?;
    for _ in 0..20 {
        let before = stands.expected;
        let rival = before.next(ground.write_id());
        let stale = ground.settle(key(2), rival, 0);
        caller.settles(&stale, Settled::Lost, "the same counter, by another write")?;
        stands = ground.settle(key(2), stands.next, 0);
        caller.settles(&stands, Settled::Won, "this is the version")?;
        caller.stands(key(2), Some(&stands), "it was won")?;
    }
    Ok(())
}
