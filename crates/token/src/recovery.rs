//! The recovery code: 80 random bits that the owner keeps on paper.
//!
//! NIST SP 800-63B-4 asks 64 bits of a saved recovery code; what has less than 112 is stored as a
//! password is, so: Argon2id with a salt of 32 bytes and a pepper from the vault (OWASP ASVS 6.5.2,
//! attacks E-08, E-09). A 16-bit keyed tag beside the hash turns away a flood of wrong codes before
//! it costs any hashing (E-12).

use std::fmt;

use countersign_vault::{Purpose, Vault};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::argon::{HashError, OUTPUT, Params, ParamsError};
use crate::crockford;

const TAG: Purpose = Purpose::scoped("recovery", "tag");
const PEPPER: Purpose = Purpose::scoped("recovery", "pepper");
const SALT: usize = 32;

/// A recovery code: sixteen characters of Crockford's base32. Wiped when dropped, compared in
/// constant time.
///
/// ```
/// use countersign_token::RecoveryCode;
///
/// let written = RecoveryCode::parse("0123-4567-89ab-cdef")?;
/// let misread = RecoveryCode::parse("OI23 4567 89AB CDEF")?;
/// assert!(written == misread);
/// assert_eq!(*written.reveal(), "0123456789ABCDEF");
/// assert_eq!(format!("{written:?}"), "RecoveryCode(..)");
/// # Ok::<_, countersign_token::RecoveryCodeError>(())
/// ```
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<[u8; crockford::BYTES]>);

impl RecoveryCode {
    /// Characters of a code.
    pub const CHARS: usize = crockford::CHARS;

    /// No more characters are looked at: a code with a separator after every character is half of
    /// it.
    const MAX_INPUT: usize = 64;

    /// A code filled by the caller's generator. All 2^80 are as likely, and so are the characters
    /// at each place.
    ///
    /// # Errors
    /// The generator's.
    pub fn try_fill<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut code = Self(Zeroizing::default());
        fill(code.0.as_mut_slice())?;
        Ok(code)
    }

    /// Reads a code as people write it: in either case, with spaces and dashes, O for 0, I and L
    /// for 1.
    ///
    /// # Errors
    /// [`RecoveryCodeError`] where anything else is left over, or missing.
    pub fn parse(text: &str) -> Result<Self, RecoveryCodeError> {
        if text.len() > Self::MAX_INPUT {
            return Err(RecoveryCodeError);
        }
        let mut chars = Zeroizing::new([0; Self::CHARS]);
        let mut places = chars.iter_mut();
        for char in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            *places.next().ok_or(RecoveryCodeError)? = char;
        }
        if places.next().is_some() {
            return Err(RecoveryCodeError);
        }
        crockford::decode(&chars).map(Self).ok_or(RecoveryCodeError)
    }

    /// The code, to be shown to its owner once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        crockford::encode(&self.0)
    }

    /// What is stored of it. `salt` is drawn uniformly at random for each code. Takes as long as
    /// `params` say: run it where blocking is allowed, and few at a time.
    ///
    /// # Errors
    /// [`HashError`] where memory is short.
    pub fn hash(
        &self,
        pepper: &Pepper,
        salt: &[u8; SALT],
        params: Params,
    ) -> Result<RecoveryHash, HashError> {
        let output = params.hash(&*pepper.0, &*self.0, salt)?;
        Ok(RecoveryHash { params, salt: *salt, output: *output })
    }

    /// The tag to look for before anything is hashed. `context` says whose the code is.
    #[must_use]
    pub fn tag(&self, vault: &dyn Vault, context: &[&[u8]]) -> RecoveryTag {
        let parts: Vec<&[u8]> = [&self.0[..]].into_iter().chain(context.iter().copied()).collect();
        RecoveryTag(vault.digest(TAG, &parts).first_u16())
    }
}

impl PartialEq for RecoveryCode {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for RecoveryCode {}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

/// The secret that every recovery hash is keyed with: never stored, derived from the vault's root.
pub struct Pepper(Zeroizing<[u8; 32]>);

impl Pepper {
    /// That of this vault.
    #[must_use]
    pub fn of(vault: &dyn Vault) -> Self {
        Self(Zeroizing::new(*vault.digest(PEPPER, &[]).as_bytes()))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// The Argon2id hash of a recovery code, with its salt and what it cost: about 70 bytes encoded.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct RecoveryHash {
    params: Params,
    salt: [u8; SALT],
    output: [u8; OUTPUT],
}

impl RecoveryHash {
    /// Is it that of `code`? Takes as long as hashing does, and compares in constant time.
    ///
    /// # Errors
    /// [`HashError`] where memory is short: no decision was reached.
    pub fn verify(&self, pepper: &Pepper, code: &RecoveryCode) -> Result<bool, HashError> {
        let output = self.params.hash(&*pepper.0, &*code.0, &self.salt)?;
        Ok(output.ct_eq(&self.output).into())
    }

    /// What it cost.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.params
    }
}

impl fmt::Debug for RecoveryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryHash").field("params", &self.params).finish_non_exhaustive()
    }
}

/// Sixteen keyed bits of a recovery code: one wrong code in 65536 has the right ones.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct RecoveryTag(u16);

impl RecoveryTag {
    /// In constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for RecoveryTag {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for RecoveryTag {}

impl fmt::Debug for RecoveryTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryTag(..)")
    }
}

/// The text is not that of a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryCodeError;

impl fmt::Display for RecoveryCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recovery code has 16 letters and digits")
    }
}

impl std::error::Error for RecoveryCodeError {}

/// A [`RecoveryHash`] as it is encoded; read back through the bounds of its cost.
#[derive(Serialize, Deserialize)]
struct Stored {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT],
    output: [u8; OUTPUT],
}

impl From<RecoveryHash> for Stored {
    fn from(RecoveryHash { params, salt, output }: RecoveryHash) -> Self {
        let (memory, passes, lanes) = (params.memory(), params.passes(), params.lanes());
        Self { memory, passes, lanes, salt, output }
    }
}

impl TryFrom<Stored> for RecoveryHash {
    type Error = ParamsError;

    fn try_from(stored: Stored) -> Result<Self, ParamsError> {
        let params = Params::stored(stored.memory, stored.passes, stored.lanes)?;
        Ok(Self { params, salt: stored.salt, output: stored.output })
    }
}
