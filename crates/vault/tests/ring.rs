//! Rings: their text, their rotation, their key management service.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::cell::Cell;

use countersign_vault::{
    KeyId, KeyWrap, OpenError, Purpose, Ring, RingError, Vault, WrapError, Zeroizing,
};
use proptest::prelude::*;

const RECORD: Purpose = Purpose::new("record");
const ROOT: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
const ONE: &str = "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A";
const TWO: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2A";

fn filling(seed: u64) -> impl FnMut(&mut [u8]) -> Result<(), ()> {
    let mut state = seed;
    move |secret| {
        secret.fill_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        });
        Ok(())
    }
}

fn refused(text: &str) -> String {
    let error = Ring::parse(text).unwrap_err();
    for secret in [ROOT, ONE, TWO, "hunter2"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    format!("{error:?}")
}

#[test]
fn a_key_file_reads_back() {
    let text = format!("countersign-keys 1\nroot {ROOT}\nkey 1 {ONE}\nkey 7 {TWO}\nnewest 1\n");
    let ring = Ring::parse(&text).unwrap();
    assert_eq!(*ring.to_text(), text);
    assert_eq!(ring.newest(), KeyId::new(1));
    assert_eq!(ring.key_ids().map(KeyId::number).collect::<Vec<_>>(), [1, 7]);
}

#[test]
fn comments_empty_lines_and_line_ends_are_skipped() {
    let text =
        format!("countersign-keys 1\r\n\r\n# ours\r\nroot {ROOT}\r\nkey 1 {ONE}\r\nkey 2 {TWO}");
    assert_eq!(Ring::parse(&text).unwrap().newest(), KeyId::new(2));
}

#[test]
fn what_is_not_a_ring_is_refused_with_its_line() {
    let head = "countersign-keys 1\n";
    let cases = [
        (String::new(), "Header"),
        (format!("countersign-keys 2\nroot {ROOT}\nkey 1 {ONE}"), "Header"),
        (format!("root {ROOT}\nkey 1 {ONE}"), "Header"),
        (format!("{head}key 1 {ONE}"), "NoRoot"),
        (format!("{head}root {ROOT}"), "NoKey"),
        (format!("{head}root {ROOT}\nkey 1 {ONE}\nkey 1 {TWO}"), "Duplicate { line: 4 }"),
        (format!("{head}root {ROOT}\nroot {TWO}\nkey 1 {ONE}"), "Duplicate { line: 3 }"),
        (format!("{head}newest 1\nroot {ROOT}\nkey 1 {ONE}\nnewest 1"), "Duplicate { line: 5 }"),
        (format!("{head}root {ROOT}\nkey 1 {ONE}\nkey 2 {ONE}"), "SameSecret"),
        (format!("{head}root {ONE}\nkey 1 {ONE}"), "SameSecret"),
        (format!("{head}root {ROOT}\nkey 1 {}", "A".repeat(43)), "Placeholder"),
        (format!("{head}root {}\nkey 1 {ONE}", "A".repeat(43)), "Placeholder"),
        (format!("{head}root {ROOT}\nkey 1 {ONE}\nnewest 2"), "NoSuchKey(KeyId(2))"),
        (format!("{head}root {ROOT}\nkey 1 {}", &ONE[1..]), "BadKey { line: 3 }"),
        (format!("{head}root {ROOT}\nkey 1 {ONE}="), "BadKey { line: 3 }"),
        (format!("{head}root {ROOT}\nkey 1 {}B", &ONE[..42]), "BadKey { line: 3 }"),
        (format!("{head}root {ROOT}\nkey 1 {}+", &ONE[..42]), "BadKey { line: 3 }"),
        (format!("{head}root hunter2\nkey 1 {ONE}"), "BadKey { line: 2 }"),
        (format!("{head}root {ROOT}\nkey 01 {ONE}"), "BadId { line: 3 }"),
        (format!("{head}root {ROOT}\nkey +1 {ONE}"), "BadId { line: 3 }"),
        (format!("{head}root {ROOT}\nkey -1 {ONE}"), "BadId { line: 3 }"),
        (format!("{head}root {ROOT}\nkey 4294967296 {ONE}"), "BadId { line: 3 }"),
        (format!("{head}root {ROOT}\nkey 1 {ONE} {TWO}"), "UnknownLine { line: 3 }"),
        (format!("{head}root {ROOT}\nhunter2\nkey 1 {ONE}"), "UnknownLine { line: 3 }"),
        (format!("{head}root {ROOT}\nkey {ONE}"), "UnknownLine { line: 3 }"),
        (format!("{head}root\nkey 1 {ONE}"), "UnknownLine { line: 2 }"),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(&text), expected, "{text}");
    }
}

#[test]
fn more_keys_than_fit_are_refused() {
    let mut fill = filling(1);
    let mut ring = Ring::try_new(&mut fill).unwrap();
    for _ in 1..Ring::MAX_KEYS {
        ring = ring.with_new_key(&mut fill).unwrap();
    }
    // Below what the usual services encrypt at once, as `KeyWrap` promises.
    assert!(ring.to_text().len() < 3000);
    assert!(matches!(ring.with_new_key(&mut fill), Err(RingError::TooManyKeys)));
}

#[test]
fn the_number_after_the_last_is_refused() {
    let text = format!("countersign-keys 1\nroot {ROOT}\nkey 4294967295 {ONE}");
    let ring = Ring::parse(&text).unwrap();
    assert!(matches!(ring.with_new_key(filling(1)), Err(RingError::TooManyKeys)));
}

#[test]
fn a_generator_that_fails_or_does_nothing_makes_no_ring() {
    assert!(matches!(Ring::try_new(|_| Err(())), Err(RingError::Random)));
    assert!(matches!(Ring::try_new(|_| Ok::<_, ()>(())), Err(RingError::Placeholder)));
    let ring = Ring::try_new(filling(1)).unwrap();
    assert!(matches!(ring.with_new_key(|_| Err(())), Err(RingError::Random)));
}

#[test]
fn keys_turn_without_losing_anything() {
    let mut fill = filling(1);
    let old = Ring::try_new(&mut fill).unwrap();
    let by_old = old.seal(RECORD, &[b"alice"], [1; 24], b"old").unwrap();
    let name = old.digest(RECORD, &[b"alice"]);

    // First every node learns the new key, and nobody seals under it.
    let text = old.to_text();
    let ready = old.with_new_key(&mut fill).unwrap().sealing_with(KeyId::new(1)).unwrap();
    let by_ready = ready.seal(RECORD, &[b"alice"], [2; 24], b"ready").unwrap();
    assert_eq!(
        **Ring::parse(&text).unwrap().open(RECORD, &[b"alice"], &by_ready).unwrap(),
        *b"ready"
    );

    // Then it seals.
    let new = Ring::parse(&ready.to_text()).unwrap().sealing_with(KeyId::new(2)).unwrap();
    let by_new = new.seal(RECORD, &[b"alice"], [3; 24], b"new").unwrap();
    assert_eq!(new.key_of(&by_old), Ok(KeyId::new(1)));
    assert_eq!(new.key_of(&by_new), Ok(new.newest()));
    assert_eq!(**new.open(RECORD, &[b"alice"], &by_old).unwrap(), *b"old");
    assert_eq!(**ready.open(RECORD, &[b"alice"], &by_new).unwrap(), *b"new");
    assert_eq!(new.digest(RECORD, &[b"alice"]), name);

    // At last the old one goes, and what was left under it is refused, not guessed at.
    let alone = new.without_key(KeyId::new(1)).unwrap();
    assert_eq!(
        alone.open(RECORD, &[b"alice"], &by_old).unwrap_err(),
        OpenError::UnknownKey(KeyId::new(1))
    );
    assert!(matches!(alone.without_key(KeyId::new(2)), Err(RingError::NoSuchKey(_))));
}

#[test]
fn a_ring_says_nothing_in_debug() {
    let ring = Ring::parse(&format!("countersign-keys 1\nroot {ROOT}\nkey 1 {ONE}")).unwrap();
    assert_eq!(format!("{ring:?}"), "Ring { keys: [KeyId(1)], newest: KeyId(1), .. }");
}

/// A key management service that fits in a test: it counts, and refuses what it did not make.
#[derive(Debug, Default)]
struct Toy {
    asked: Cell<u32>,
}

impl KeyWrap for Toy {
    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, WrapError> {
        self.asked.set(self.asked.get() + 1);
        let sum = secret.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        Ok(secret.iter().chain([&sum]).map(|byte| byte ^ 0x5a).collect())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        self.asked.set(self.asked.get() + 1);
        let mut secret: Vec<u8> = wrapped.iter().map(|byte| byte ^ 0x5a).collect();
        let sum = secret.pop();
        let expected = secret.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        if sum == Some(expected) {
            Ok(Zeroizing::new(secret))
        } else {
            Err(WrapError::new("not mine"))
        }
    }
}

#[test]
fn a_service_wraps_the_ring_and_is_asked_no_more() {
    let (kms, ring) = (Toy::default(), Ring::try_new(filling(1)).unwrap());
    let text = ring.to_wrapped_text(&kms).unwrap();
    let plain = ring.to_text();
    let root = plain.lines().nth(1).unwrap().split(' ').nth(1).unwrap();
    assert!(!text.contains(root));

    let again = Ring::parse_wrapped(&text, &kms).unwrap();
    let sealed = again.seal(RECORD, &[], [1; 24], b"content").unwrap();
    assert_eq!(**ring.open(RECORD, &[], &sealed).unwrap(), *b"content");
    assert_eq!(kms.asked.get(), 2);

    assert!(matches!(Ring::parse(&text), Err(RingError::Header)));
    assert!(matches!(Ring::parse_wrapped(&plain, &kms), Err(RingError::Header)));
    let refusal = Ring::parse_wrapped("countersign-wrapped-keys 1\nAAAA\n", &kms).unwrap_err();
    assert!(matches!(refusal, RingError::Wrap(_)));
    assert_eq!(refusal.to_string(), "the key management service refused: not mine");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(countersign-keys 1\n)?((root|key|newest|#)? ?[0-9]{0,3} ?[A-Za-z0-9_-]{0,44}\n){0,6}") {
        let _ = Ring::parse(&text);
    }

    #[test]
    fn a_made_ring_reads_back(seed: u64, turns in 0usize..4) {
        let mut fill = filling(seed);
        let mut ring = Ring::try_new(&mut fill).unwrap();
        for _ in 0..turns {
            ring = ring.with_new_key(&mut fill).unwrap();
        }
        let text = ring.to_text();
        prop_assert_eq!(&*Ring::parse(&text).unwrap().to_text(), &*text);
    }
}
