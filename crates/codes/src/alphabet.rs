//! Characters by their place in an alphabet, and back: every place is looked at, so that neither time
//! nor addresses tell which.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// The character at `place`.
pub(crate) fn character(alphabet: &[u8], place: u64) -> u8 {
    let mut found = 0;
    for (candidate, character) in (0..).zip(alphabet) {
        found.conditional_assign(character, place.ct_eq(&candidate));
    }
    found
}

/// The place of `character`, and whether it has one.
pub(crate) fn place(alphabet: &[u8], character: u8) -> (u64, Choice) {
    let (mut found, mut known) = (0, Choice::from(0));
    for (place, candidate) in (0..).zip(alphabet) {
        let hit = candidate.ct_eq(&character);
        found.conditional_assign(&place, hit);
        known |= hit;
    }
    (found, known)
}
