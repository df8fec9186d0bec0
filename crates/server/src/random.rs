//! The system's generator behind the engine's port.

use countersign_ceremony::env::{NoRandomness, Random};
use rand::TryRng;
use rand::rngs::SysRng;

/// The system's generator, as `rand` asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn try_fill(&self, buf: &mut [u8]) -> Result<(), NoRandomness> {
        SysRng.try_fill_bytes(buf).map_err(|_| NoRandomness)
    }
}
