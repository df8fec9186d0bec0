//! Keys: two that differ in one bit are two, and a look answers for each in its place.

use countersign_ceremony::port::{Entry, Key, Settle, Settled, Store, Version};

use crate::ground::{Ground, key};

/// A key and its 256 neighbours, all written, all apart.
pub(crate) fn keys<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let middle = *key(77).as_bytes();
    let mut all =
        vec![Key::from_bytes(middle), Key::from_bytes([0; 32]), Key::from_bytes([255; 32])];
    for (at, _) in middle.iter().enumerate() {
        for bit in 0..8 {
            let mut near = middle;
            if let Some(byte) = near.get_mut(at) {
                *byte ^= 1 << bit;
            }
            all.push(Key::from_bytes(near));
        }
    }
    let settles: Vec<Settle> =
        all.iter().map(|key| ground.settle(*key, Version::ABSENT, 0)).collect();
    for settle in &settles {
        caller.stands(settle.key, None, "only keys that differ were written")?;
        caller.settles(settle, Settled::Won, "nothing stood at this key")?;
    }
    for settle in &settles {
        caller.stands(settle.key, Some(settle), "it was written at this key")?;
    }
    let mut walked = caller.walk(None, 100_000)?.into_iter().map(|row| row.key);
    all.sort_unstable();
    if !walked.by_ref().eq(all.iter().copied()) {
        return Err(format!("a walk over {} keys shows others, or another order\n", all.len()));
    }
    Ok(())
}

/// Many keys in one look: in their order, absent ones in their places, twice where named twice.
pub(crate) fn look_order<S: Store>(ground: &mut Ground<'_, S>) -> Result<(), String> {
    let store = ground.store()?;
    let caller = ground.caller(&store)?;
    let settles: Vec<Settle> = (0..12).map(|n| ground.settle(key(n), Version::ABSENT, 0)).collect();
    for settle in settles.iter().filter(|settle| present(settle)) {
        caller.settles(settle, Settled::Won, "nothing stood at this key")?;
    }
    let orders: [&[u8]; 8] = [
        &[],
        &[3],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
        &[5, 5, 5],
        &[7, 2, 7, 30, 2, 31, 7, 30],
        &[4, 40, 3, 41, 2, 42, 1],
        &[6, 0, 11, 6, 1, 10, 6],
    ];
    for order in orders {
        let asked: Vec<Key> = order.iter().map(|n| key(*n)).collect();
        let due: Vec<Option<Entry>> = asked
            .iter()
            .map(|key| settles.iter().find(|settle| settle.key == *key && present(settle)))
            .map(|settle| settle.map(|s| Entry { version: s.next, bytes: s.bytes.clone() }))
            .collect();
        let found = caller.look(&asked)?.entries;
        if found != due {
            return Err(format!("look at keys {order:?}\n  found {found:?}\n  and not {due:?}\n"));
        }
    }
    Ok(())
}

/// Every third key is left absent.
fn present(settle: &Settle) -> bool {
    settle.key.as_bytes().last().is_some_and(|last| last % 3 != 0)
}
