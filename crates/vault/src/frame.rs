//! Length framing: every part is written as its length (8 bytes, big-endian) and its bytes.
//!
//! Joining parts without lengths lets `["ab", "c"]` and `["a", "bc"]` collide, and whoever chooses
//! an id chooses the collision (attack D-10). A framed list reads back in one way only, so the
//! framing is injective.

use alloc::vec::Vec;

/// Hands the framing of `parts` to `sink`, piece by piece, so that a MAC needs no buffer.
pub(crate) fn each(parts: &[&[u8]], mut sink: impl FnMut(&[u8])) {
    for part in parts {
        // usize is at most 64 bits on every target that Rust has.
        let length = part.len() as u64;
        sink(&length.to_be_bytes());
        sink(part);
    }
}

/// Appends the framing of `parts` to `out`.
pub(crate) fn append(out: &mut Vec<u8>, parts: &[&[u8]]) {
    out.reserve(parts.iter().map(|part| part.len().saturating_add(8)).sum());
    each(parts, |piece| out.extend_from_slice(piece));
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    /// Reads a framed list back, or nothing if it is not one.
    fn read(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut parts = Vec::new();
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
            let (part, rest) = rest.split_at_checked(length)?;
            parts.push(part.to_vec());
            bytes = rest;
        }
        Some(parts)
    }

    fn framed(parts: &[Vec<u8>]) -> Vec<u8> {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut out = Vec::new();
        super::append(&mut out, &parts);
        out
    }

    proptest! {
        // What reads back unchanged cannot have collided with another list.
        #[test]
        fn a_framed_list_reads_back_as_itself(parts: Vec<Vec<u8>>) {
            prop_assert_eq!(read(&framed(&parts)), Some(parts));
        }

        #[test]
        fn moving_a_border_changes_the_framing(
            bytes in prop::collection::vec(any::<u8>(), 2..64), a: prop::sample::Index, b: prop::sample::Index,
        ) {
            let split = |at: usize| Vec::from([bytes[..at].to_vec(), bytes[at..].to_vec()]);
            let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
            prop_assert_eq!(a == b, framed(&split(a)) == framed(&split(b)));
        }
    }

    #[test]
    fn empty_parts_count() {
        let of = |n: usize| framed(&Vec::from_iter(core::iter::repeat_n(Vec::new(), n)));
        assert_ne!(of(0), of(1));
        assert_ne!(of(1), of(2));
    }
}
