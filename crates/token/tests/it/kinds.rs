//! Three kinds with the same claims, so that only the kind tells them apart; rings of known keys.

use countersign_token::Kind;
use countersign_vault::Ring;

pub(crate) enum Login {}
pub(crate) enum Challenge {}
pub(crate) enum Session {}

impl Kind for Login {
    const NAME: &'static str = "login";
    type Claims = (u64, String, Option<[u8; 16]>);
}

impl Kind for Challenge {
    const NAME: &'static str = "challenge";
    type Claims = (u64, String, Option<[u8; 16]>);
}

impl Kind for Session {
    const NAME: &'static str = "session";
    type Claims = (u64, String, Option<[u8; 16]>);
}

/// Fills with what looks random and is not, another sequence for each `seed`.
pub(crate) fn filling(seed: u64) -> impl FnMut(&mut [u8]) -> Result<(), ()> {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    let mut generator = StdRng::seed_from_u64(seed);
    move |buf| {
        generator.fill_bytes(buf);
        Ok(())
    }
}

pub(crate) fn ring(seed: u64) -> Ring {
    Ring::try_new(filling(seed)).unwrap()
}
