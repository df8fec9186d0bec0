//! A ring that turns while it is in use.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use countersign_vault::{KeyId, OpenError, Purpose, Ring, TurnError, Turning, Vault};

const RECORD: Purpose = Purpose::new("record");
const ROOT: &str = "root AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
const OTHER_ROOT: &str = "root AQEDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
const ONE: &str = "key 1 ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A";
const TWO: &str = "key 2 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2A";
const OTHER_TWO: &str = "key 2 QUFDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2A";

fn ring(lines: &[&str]) -> Ring {
    Ring::parse(&format!("countersign-keys 1\n{}\n", lines.join("\n"))).unwrap()
}

#[test]
fn it_seals_with_the_new_key_and_opens_what_the_old_one_sealed() {
    let vault = Turning::new(ring(&[ROOT, ONE]));
    let old = vault.seal(RECORD, &[b"ada"], [1; 24], b"devices").unwrap();
    let name = vault.digest(RECORD, &[b"ada"]);

    // Known first, and sealing later: so do nodes of a fleet learn of it one after the other.
    assert_eq!(vault.turn(ring(&[ROOT, ONE, TWO, "newest 1"])), Ok(true));
    assert_eq!(vault.newest(), KeyId::new(1));
    assert_eq!(vault.turn(ring(&[ROOT, ONE, TWO])), Ok(true));
    let new = vault.seal(RECORD, &[b"ada"], [2; 24], b"devices").unwrap();
    assert_eq!(vault.key_of(&old), Ok(KeyId::new(1)));
    assert_eq!(vault.key_of(&new), Ok(KeyId::new(2)));
    for sealed in [&old, &new] {
        assert_eq!(**vault.open(RECORD, &[b"ada"], sealed).unwrap(), *b"devices");
    }
    assert_eq!(vault.digest(RECORD, &[b"ada"]), name);

    // Without the old key, what it sealed is closed, and says so.
    assert_eq!(vault.turn(ring(&[ROOT, TWO])), Ok(true));
    assert_eq!(vault.open(RECORD, &[b"ada"], &old), Err(OpenError::UnknownKey(KeyId::new(1))));
    assert_eq!(**vault.open(RECORD, &[b"ada"], &new).unwrap(), *b"devices");
}

#[test]
fn the_same_ring_again_is_no_turn() {
    let vault = Turning::new(ring(&[ROOT, ONE, TWO]));
    assert_eq!(vault.turn(ring(&[ROOT, ONE, TWO, "newest 2"])), Ok(false));
}

#[test]
fn anothers_ring_is_refused_and_the_ring_stays() {
    let vault = Turning::new(ring(&[ROOT, ONE, TWO]));
    let sealed = vault.seal(RECORD, &[], [1; 24], b"devices").unwrap();
    assert_eq!(vault.turn(ring(&[OTHER_ROOT, ONE, TWO])), Err(TurnError::OtherRoot));
    assert_eq!(vault.turn(ring(&[ROOT, ONE, OTHER_TWO])), Err(TurnError::OtherKey(KeyId::new(2))));
    assert_eq!(**vault.open(RECORD, &[], &sealed).unwrap(), *b"devices");
}

#[test]
fn threads_that_seal_and_open_meanwhile_never_fail() {
    let vault = Turning::new(ring(&[ROOT, ONE]));
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let busy: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut kept = vault.seal(RECORD, &[], [3; 24], b"devices").unwrap();
                    let mut rounds = 0_u32;
                    while !ended.load(Ordering::Relaxed) || rounds == 0 {
                        assert_eq!(**vault.open(RECORD, &[], &kept).unwrap(), *b"devices");
                        kept = vault.seal(RECORD, &[], [3; 24], b"devices").unwrap();
                        rounds += 1;
                    }
                })
            })
            .collect();
        for _ in 0..200 {
            assert_eq!(vault.turn(ring(&[ROOT, ONE, TWO])), Ok(true));
            assert_eq!(vault.turn(ring(&[ROOT, ONE, TWO, "newest 1"])), Ok(true));
        }
        ended.store(true, Ordering::Relaxed);
        for thread in busy {
            thread.join().unwrap();
        }
    });
}

#[test]
fn debug_shows_numbers_alone() {
    let shown = format!("{:?}", Turning::new(ring(&[ROOT, ONE])));
    assert_eq!(shown, "Turning(Ring { keys: [KeyId(1)], newest: KeyId(1), .. })");
}
