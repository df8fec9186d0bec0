//! Argon2id (RFC 9106), its cost, and the bounds of that cost.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Version};
use zeroize::Zeroizing;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Params {
    /// 19 MiB, two passes, one lane: the OWASP password storage cheat sheet's choice, about 20 ms.
    pub const DEFAULT: Self = Self { memory: 19 * 1024, passes: 2, lanes: 1 };

    /// The least that Argon2 takes, for tests alone: whoever reads such a hash soon has what was
    /// hashed.
    pub const INSECURE_FOR_TESTS: Self = Self { memory: 8, passes: 1, lanes: 1 };

    /// `memory` in KiB, 7168 to 1048576; `passes` 1 to 16 (3 from where `memory` is below 12288, 5
    /// below 9216, as the OWASP cheat sheet pairs them); `lanes` 1 to 16.
    ///
    /// # Errors
    /// [`ParamsError`] out of these bounds.
    pub const fn new(memory: u32, passes: u32, lanes: u32) -> Result<Self, ParamsError> {
        let least_passes = match memory {
            0..7_168 => return Err(ParamsError),
            7_168..9_216 => 5,
            9_216..12_288 => 4,
            12_288..19_456 => 3,
            19_456..47_104 => 2,
            _ => 1,
        };
        match Self::stored(memory, passes, lanes) {
            Ok(params) if passes >= least_passes => Ok(params),
            _ => Err(ParamsError),
        }
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory(self) -> u32 {
        self.memory
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes of the memory, computed one after the other here.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Those of a hash read back: as weak as they were written, but never so dear that a stored row
    /// stops the process.
    pub(crate) const fn stored(memory: u32, passes: u32, lanes: u32) -> Result<Self, ParamsError> {
        match (memory, passes, lanes) {
            (8..=1_048_576, 1..=16, 1..=16) if memory >= 8 * lanes => {
                Ok(Self { memory, passes, lanes })
            }
            _ => Err(ParamsError),
        }
    }

    fn argon2(self, secret: &[u8]) -> Result<Argon2<'_>, HashError> {
        let params = argon2::Params::new(self.memory, self.passes, self.lanes, Some(OUTPUT))
            .map_err(|_| HashError)?;
        Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params)
            .map_err(|_| HashError)
    }

    pub(crate) fn hash(
        self,
        secret: &[u8],
        input: &[u8],
        salt: &[u8],
    ) -> Result<Zeroizing<[u8; OUTPUT]>, HashError> {
        let argon2 = self.argon2(secret)?;
        let mut memory = memory(argon2.params().block_count())?;
        let mut output = Zeroizing::new([0; OUTPUT]);
        argon2
            .hash_password_into_with_memory(input, salt, output.as_mut_slice(), &mut memory)
            .map_err(|_| HashError)?;
        Ok(output)
    }
}

/// What is larger than this goes back to the system when it is freed. An allocator keeps smaller regions for
/// later, and glibc's does so in each of its arenas: a process that hashed from several threads would hold
/// hundreds of megabytes. (mallopt(3): the threshold is moved up to 32 MiB, and no further.)
const GIVEN_BACK: usize = 33 * 1024 * 1024;

/// Memory to hash in. What of it is not used is never touched, and so takes no memory.
fn memory(blocks: usize) -> Result<Vec<Block>, HashError> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks.max(GIVEN_BACK / Block::SIZE)).map_err(|_| HashError)?;
    memory.resize(blocks, Block::new());
    Ok(memory)
}

impl Default for Params {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Length of a hash in bytes.
pub(crate) const OUTPUT: usize = 32;

/// The cost is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamsError;

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "Argon2id takes 7168 to 1048576 KiB, up to 16 passes and 16 lanes, and more passes the \
             less memory: 19456 KiB with 2 passes is the usual choice",
        )
    }
}

impl std::error::Error for ParamsError {}

/// Nothing was hashed: out of memory, or the input is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashError;

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was hashed: the input is too long, or memory is short")
    }
}

impl std::error::Error for HashError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bounded_costs_are_taken() {
        for (memory, passes, lanes) in [
            (19_456, 2, 1),
            (47_104, 1, 1),
            (12_288, 3, 1),
            (9_216, 4, 1),
            (7_168, 5, 1),
            (1_048_576, 16, 16),
        ] {
            let params = Params::new(memory, passes, lanes).unwrap();
            assert_eq!((params.memory(), params.passes(), params.lanes()), (memory, passes, lanes));
        }
        for (memory, passes, lanes) in [
            (7_167, 16, 1),
            (7_168, 4, 1),
            (19_455, 2, 1),
            (19_456, 1, 1),
            (19_456, 2, 0),
            (19_456, 2, 17),
            (19_456, 17, 1),
            (1_048_577, 2, 1),
            (0, 0, 0),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert_eq!(
                Params::new(memory, passes, lanes),
                Err(ParamsError),
                "{memory} {passes} {lanes}"
            );
        }
        assert_eq!(Params::new(19_456, 2, 1), Ok(Params::DEFAULT));
        assert_eq!(Params::stored(8, 1, 1), Ok(Params::INSECURE_FOR_TESTS));
        assert_eq!(Params::stored(8, 1, 2), Err(ParamsError));
    }

    // RFC 9106, section 5.3, has associated data, which we do not use; so the oracle is the
    // reference implementation in `password`, and here is what separates the inputs.
    #[test]
    fn secret_input_and_salt_all_count() {
        let hash = |secret: &[u8], input: &[u8], salt: &[u8]| {
            *Params::INSECURE_FOR_TESTS.hash(secret, input, salt).unwrap()
        };
        let one = hash(b"s", b"i", b"12345678");
        assert_eq!(one, hash(b"s", b"i", b"12345678"));
        assert_ne!(one, hash(b"t", b"i", b"12345678"));
        assert_ne!(one, hash(b"s", b"j", b"12345678"));
        assert_ne!(one, hash(b"s", b"i", b"12345679"));
        assert_ne!(one, hash(b"", b"si", b"12345678"));
    }
}
