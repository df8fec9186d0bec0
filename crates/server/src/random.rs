//! The system's generator behind the engine's port.
//!
//! A verification draws a dozen times, some bytes each; asking the system for each of them costs as much as deciding. So
//! a thread asks for a few hundred bytes at once and gives each of them out once. No more than that is ever known ahead:
//! who resumes a snapshot of a running machine twice has so many bytes twice.

use std::cell::RefCell;

use countersign_ceremony::env::{NoRandomness, Random};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::{Zeroize, Zeroizing};

/// How many bytes a thread asks for.
const AT_ONCE: usize = 256;

/// What is longer is asked for by itself.
const SHORT: usize = 64;

thread_local! {
    static AHEAD: RefCell<Ahead> = RefCell::new(Ahead::none());
}

/// The system's generator, as `rand` asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn try_fill(&self, buf: &mut [u8]) -> Result<(), NoRandomness> {
        if buf.len() > SHORT {
            return ask(buf);
        }
        let ahead = AHEAD.try_with(|ahead| ahead.try_borrow_mut().map(|mut ahead| ahead.give(buf)));
        match ahead {
            Ok(Ok(given)) => given,
            // The thread is ending.
            Ok(Err(_)) | Err(_) => ask(buf),
        }
    }
}

fn ask(buf: &mut [u8]) -> Result<(), NoRandomness> {
    SysRng.try_fill_bytes(buf).map_err(|_| NoRandomness)
}

/// Bytes that the system gave and nobody has.
struct Ahead {
    bytes: Zeroizing<[u8; AT_ONCE]>,
    /// How many of them, from the first on, are given out and wiped.
    given: usize,
}

impl Ahead {
    fn none() -> Self {
        Self { bytes: Zeroizing::new([0; AT_ONCE]), given: AT_ONCE }
    }

    fn give(&mut self, buf: &mut [u8]) -> Result<(), NoRandomness> {
        if self.bytes.len().saturating_sub(self.given) < buf.len() {
            // Nothing of a buffer that was filled in part is given out.
            self.given = AT_ONCE;
            ask(self.bytes.as_mut_slice())?;
            self.given = 0;
        }
        let end = self.given.saturating_add(buf.len());
        let next = self.bytes.get_mut(self.given..end).ok_or(NoRandomness)?;
        buf.copy_from_slice(next);
        next.zeroize();
        self.given = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    fn drawn<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        SystemRandom.try_fill(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn no_bytes_are_given_twice() {
        let threads: Vec<_> = (0..8)
            .map(|_| thread::spawn(|| (0..2_000).map(|_| drawn::<8>()).collect::<Vec<_>>()))
            .collect();
        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 16_000);
    }

    #[test]
    fn every_length_is_filled_to_its_last_byte() {
        for length in 0..=3 * AT_ONCE {
            // One of 2^64 is zeros by chance.
            let mut buf = vec![0; length];
            SystemRandom.try_fill(&mut buf).unwrap();
            assert!(buf.chunks(8).all(|part| part.len() < 8 || part != [0; 8]), "{length}");
        }
    }

    #[test]
    fn what_was_given_is_wiped() {
        let mut ahead = Ahead::none();
        let mut buf = [0; 24];
        for _ in 0..9 {
            ahead.give(&mut buf).unwrap();
            assert!(ahead.bytes.iter().take(ahead.given).all(|byte| *byte == 0));
            assert_ne!(buf, [0; 24]);
        }
    }
}
