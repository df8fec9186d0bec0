//! Bytes are the engine's: a store keeps each as it is.

use countersign_ceremony::port::{EventRow, Settle, Settled, Store, Version};

use crate::ground::{Ground, key};

/// From no byte at all to 64 kB, at and around the sizes where databases change their ways.
const SIZES: [usize; 17] =
    [0, 1, 2, 16, 255, 256, 1000, 1024, 2000, 2048, 4061, 4096, 8191, 16_384, 65_535, 65_536, 3];

pub(crate) fn bytes<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let mut expected = Version::ABSENT;
    let mut events: Vec<EventRow> = Vec::new();
    for (turn, size) in SIZES.into_iter().enumerate() {
        for filled in [every_value(size, turn), vec![0; size], vec![0xff; size]] {
            let mut settle = ground.settle(key(1), expected, 1);
            settle.bytes.clone_from(&filled);
            for event in &mut settle.events {
                event.bytes.clone_from(&filled);
            }
            caller.settles(&settle, Settled::Won, "its version stood there")?;
            same(&settle, caller.look_at(key(1))?.map(|entry| entry.bytes), "record")?;
            let walked = caller.walk(None, 1)?.pop().map(|walked| walked.entry.bytes);
            same(&settle, walked, "walked record")?;
            events.extend(settle.events);
            expected = settle.next;
        }
    }
    let found = caller.events(events.len().saturating_add(1))?;
    for (at, due) in events.iter().enumerate() {
        if found.get(at) != Some(due) {
            let found = found.get(at).map(|row| row.bytes.len());
            let due = due.bytes.len();
            return Err(format!("event {at} of {due} bytes came back as another: {found:?}\n"));
        }
    }
    Ok(())
}

fn same(settle: &Settle, found: Option<Vec<u8>>, what: &str) -> Result<(), String> {
    let due = &settle.bytes;
    let Some(found) = found else {
        return Err(format!("the {what} of {} bytes is gone\n", due.len()));
    };
    if found == *due {
        return Ok(());
    }
    let (given, told) = (due.len(), found.len());
    let at = due.iter().zip(&found).take_while(|(due, found)| due == found).count();
    Err(format!("the {what} of {given} bytes came back with {told}, another from byte {at} on\n"))
}

/// All 256 values, beginning with another one each time.
fn every_value(size: usize, from: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().skip(from.wrapping_mul(37) % 256).take(size).collect()
}
