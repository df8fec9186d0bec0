//! What is sealed opens where it was sealed for, and nowhere else (attacks B-03, B-07, B-08, D-10,
//! E-22).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use countersign_vault::{KeyId, OpenError, Purpose, Ring, Vault};
use proptest::prelude::*;

const RECORD: Purpose = Purpose::new("record");
const EVENT: Purpose = Purpose::new("event");
/// Version, key id, nonce, tag.
const OVERHEAD: usize = 1 + 4 + 24 + 16;

/// A ring of known keys, another for each `seed`.
fn ring(seed: u8) -> Ring {
    let mut next = seed;
    Ring::try_new(|secret| {
        secret.fill_with(|| {
            next = next.wrapping_mul(5).wrapping_add(3);
            next
        });
        Ok::<_, ()>(())
    })
    .unwrap()
}

fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}

fn lists() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..4)
}

proptest! {
    #[test]
    fn opens_as_what_was_sealed(context in lists(), nonce: [u8; 24], plaintext: Vec<u8>) {
        let ring = ring(1);
        let sealed = ring.seal(RECORD, &slices(&context), nonce, &plaintext).unwrap();
        prop_assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
        prop_assert_eq!(&*ring.open(RECORD, &slices(&context), &sealed).unwrap(), &plaintext);
        prop_assert_eq!(ring.key_of(&sealed), Ok(ring.newest()));
    }

    #[test]
    fn another_context_is_refused(a in lists(), b in lists(), plaintext: Vec<u8>) {
        prop_assume!(a != b);
        let ring = ring(1);
        let sealed = ring.seal(RECORD, &slices(&a), [3; 24], &plaintext).unwrap();
        prop_assert_eq!(ring.open(RECORD, &slices(&b), &sealed).unwrap_err(), OpenError::Forged);
    }

    #[test]
    fn digests_differ_where_parts_do(a in lists(), b in lists()) {
        let ring = ring(1);
        prop_assert_eq!(a == b, ring.digest(RECORD, &slices(&a)) == ring.digest(RECORD, &slices(&b)));
    }

    #[test]
    fn foreign_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(ring(1).open(RECORD, &[], &bytes).is_err());
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let ring = ring(1);
    let sealed = ring.seal(RECORD, &[b"alice"], [9; 24], b"a secret of some length").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut forged = sealed.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0 => OpenError::UnknownVersion(forged[0]),
            1..=4 => {
                OpenError::UnknownKey(KeyId::new(1 ^ (1 << (24 - 8 * (bit / 8 - 1) + bit % 8))))
            }
            _ => OpenError::Forged,
        };
        assert_eq!(ring.open(RECORD, &[b"alice"], &forged).unwrap_err(), expected, "bit {bit}");
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let ring = ring(1);
    let sealed = ring.seal(RECORD, &[], [9; 24], b"content").unwrap();
    for length in 0..sealed.len() {
        let expected = if length < OVERHEAD { OpenError::Malformed } else { OpenError::Forged };
        assert_eq!(ring.open(RECORD, &[], &sealed[..length]).unwrap_err(), expected, "{length}");
    }
    assert_eq!(ring.open(RECORD, &[], &[&sealed[..], b"\0"].concat()), Err(OpenError::Forged));
}

#[test]
fn another_purpose_is_refused() {
    let ring = ring(1);
    let sealed = ring.seal(RECORD, &[], [9; 24], b"content").unwrap();
    assert_eq!(ring.open(EVENT, &[], &sealed).unwrap_err(), OpenError::Forged);
    let scoped = Purpose::scoped("record", "");
    assert_eq!(ring.open(scoped, &[], &sealed).unwrap_err(), OpenError::Forged);
    assert_ne!(ring.digest(RECORD, &[b"a"]), ring.digest(EVENT, &[b"a"]));
}

#[test]
fn the_same_key_id_of_another_ring_is_refused() {
    let sealed = ring(1).seal(RECORD, &[], [9; 24], b"content").unwrap();
    assert_eq!(ring(2).open(RECORD, &[], &sealed).unwrap_err(), OpenError::Forged);
    assert_ne!(ring(1).digest(RECORD, &[]), ring(2).digest(RECORD, &[]));
}

#[test]
fn a_megabyte_of_an_unknown_key_is_refused() {
    let mut sealed = vec![0; 1 << 20];
    sealed[0] = 1;
    sealed[4] = 77;
    assert_eq!(
        ring(1).open(RECORD, &[], &sealed).unwrap_err(),
        OpenError::UnknownKey(KeyId::new(77))
    );
}

// A known answer, computed outside Rust from the definition, so that what was sealed yesterday
// opens tomorrow.
#[test]
fn the_layout_stays() {
    let ring = ring(1);
    let sealed = ring.seal(RECORD, &[b"realm", b"alice"], [0x42; 24], b"devices").unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        hex(&sealed),
        format!(
            "01{}{}{}",
            "00000001",
            "42".repeat(24),
            "626aa349dca71387951c6e848c530b1cc0ef3fa4c76384"
        )
    );
    assert_eq!(
        hex(ring.digest(RECORD, &[b"realm", b"alice"]).as_bytes()),
        "f4c8cc5b321b1dedff39f7cf8ee54e6e208504b9313eb0fed26a35b9558405cb"
    );
}
