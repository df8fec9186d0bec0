//! Shared secrets: at least 128 bits, wiped, in an array of their own.
//!
//! What this refuses: fewer than 16 bytes (RFC 4226, section 4, R6) except through the two doors
//! named `import_short`, because credentials of 80 bits are in the field and their owners wish to
//! move them; more than 256 bytes; nothing at all. A secret is filled in place or copied in, never
//! printed, and compared in constant time. Its length is not secret.
//!
//! No allocation: a secret lives where its owner puts it. Rust moves a value by copying its bytes,
//! and what a move leaves behind on the stack is not wiped; keep a secret behind one reference.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::base32::{self, Base32};

/// A secret shared with an authenticator: 16 to 256 bytes, or 1 to 15 if it was imported.
#[derive(Clone)]
pub struct Secret {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl Secret {
    /// The fewest bytes of a secret that is not imported: 128 bits.
    pub const MIN: usize = 16;

    /// The most bytes of any secret.
    pub const MAX: usize = 256;

    /// A secret of these bytes.
    ///
    /// # Errors
    /// When there are fewer than 16 or more than 256.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::copied(bytes, Self::MIN)
    }

    /// A secret that another system issued, perhaps too short for this one to issue: 1 to 256 bytes.
    /// Ask [`Secret::is_short`] afterwards, and have a short one replaced.
    ///
    /// # Errors
    /// When there are none or more than 256.
    pub fn import_short(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::copied(bytes, 1)
    }

    /// A secret of `len` bytes, written in place by `fill`: by a generator, of the length
    /// [`Algorithm::secret_len`](crate::Algorithm::secret_len).
    ///
    /// # Errors
    /// When `len` is not within 16 to 256, or when `fill` fails; then nothing is kept.
    pub fn try_fill<E>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, FillError<E>> {
        let mut secret = Self::zeroed(len, Self::MIN).map_err(FillError::Length)?;
        fill(secret.expose_mut()).map_err(FillError::Source)?;
        Ok(secret)
    }

    /// A secret from base32 (RFC 4648, section 6), read strictly and in constant time: upper case,
    /// padded to a whole group or not at all, no foreign characters, unused bits zero.
    ///
    /// # Errors
    /// When it is not that, or does not hold 16 to 256 bytes.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        Self::decoded(text, Self::MIN)
    }

    /// As [`Secret::from_base32`], for a secret that another system issued: 1 to 256 bytes.
    ///
    /// # Errors
    /// When it is not canonical base32, or does not hold 1 to 256 bytes.
    pub fn import_short_base32(text: &str) -> Result<Self, SecretError> {
        Self::decoded(text, 1)
    }

    /// The bytes. Whoever holds them can compute every code.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The bytes as unpadded base32, for a URI or for a person who types, in a buffer that is wiped.
    #[must_use]
    pub fn to_base32(&self) -> Base32 {
        Base32::encode(self)
    }

    /// Whether it has fewer than 128 bits: only an imported one may.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.len < Self::MIN
    }

    fn expose_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }

    fn zeroed(len: usize, min: usize) -> Result<Self, SecretError> {
        if len < min {
            return Err(SecretError::TooShort);
        }
        if len > Self::MAX {
            return Err(SecretError::TooLong);
        }
        Ok(Self { bytes: [0; Self::MAX], len })
    }

    fn copied(bytes: &[u8], min: usize) -> Result<Self, SecretError> {
        let mut secret = Self::zeroed(bytes.len(), min)?;
        secret.expose_mut().copy_from_slice(bytes);
        Ok(secret)
    }

    fn decoded(text: &str, min: usize) -> Result<Self, SecretError> {
        let symbols = base32::unpadded(text.as_bytes()).ok_or(SecretError::NotBase32)?;
        let mut secret = Self::zeroed(base32::decoded_len(symbols), min)?;
        base32::decode(symbols, secret.expose_mut()).ok_or(SecretError::NotBase32)?;
        Ok(secret)
    }
}

impl ConstantTimeEq for Secret {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.expose().ct_eq(other.expose())
    }
}

impl PartialEq for Secret {
    /// In constant time for secrets of one length.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why bytes or text are no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretError {
    /// Fewer than 16 bytes, or none at an import.
    TooShort,
    /// More than 256 bytes.
    TooLong,
    /// Not canonical base32.
    NotBase32,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => {
                "a secret has at least 16 bytes (128 bits), an imported one at least 1"
            }
            Self::TooLong => "a secret has at most 256 bytes",
            Self::NotBase32 => "a secret is written in canonical, upper-case base32",
        })
    }
}

impl core::error::Error for SecretError {}

/// Why a secret was not filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillError<E> {
    /// The length asked for.
    Length(SecretError),
    /// What was to fill it.
    Source(E),
}

impl<E: fmt::Display> fmt::Display for FillError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::Source(error) => write!(f, "the secret could not be filled: {error}"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for FillError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Length(error) => Some(error),
            Self::Source(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::format;

    #[test]
    fn a_secret_has_16_to_256_bytes() {
        let bytes = [7; 300];
        for len in 0..=300 {
            let secret = Secret::from_bytes(&bytes[..len]);
            match len {
                0..16 => assert_eq!(secret.unwrap_err(), SecretError::TooShort),
                16..=256 => {
                    let secret = secret.unwrap();
                    assert_eq!(secret.expose(), &bytes[..len]);
                    assert!(!secret.is_short());
                }
                _ => assert_eq!(secret.unwrap_err(), SecretError::TooLong),
            }
        }
    }

    #[test]
    fn a_short_one_comes_in_by_its_own_door() {
        assert_eq!(Secret::import_short(&[]).unwrap_err(), SecretError::TooShort);
        assert_eq!(Secret::import_short(&[0; 257]).unwrap_err(), SecretError::TooLong);
        for len in 1..=256 {
            assert_eq!(Secret::import_short(&[1; 256][..len]).unwrap().is_short(), len < 16);
        }
        assert!(Secret::import_short_base32("JBSWY3DPEHPK3PXP").unwrap().is_short());
        assert_eq!(Secret::from_base32("JBSWY3DPEHPK3PXP").unwrap_err(), SecretError::TooShort);
    }

    #[test]
    fn it_is_filled_in_place_or_not_at_all() {
        let secret = Secret::try_fill(20, |buf| {
            assert_eq!(buf.len(), 20);
            buf.fill(9);
            Ok::<_, &str>(())
        });
        assert_eq!(secret.unwrap().expose(), [9; 20]);
        assert_eq!(Secret::try_fill(20, |_| Err("dry")).unwrap_err(), FillError::Source("dry"));
        for (len, error) in [(15, SecretError::TooShort), (257, SecretError::TooLong)] {
            let refused = Secret::try_fill(len, |_| Ok::<_, &str>(())).unwrap_err();
            assert_eq!(refused, FillError::Length(error));
        }
    }

    #[test]
    fn equality_looks_at_every_byte_and_the_length() {
        let secret = Secret::from_bytes(&[1; 20]).unwrap();
        assert_eq!(secret, secret.clone());
        assert_ne!(secret, Secret::from_bytes(&[1; 21]).unwrap());
        for i in 0..20 {
            let mut bytes = [1; 20];
            bytes[i] = 2;
            assert_ne!(secret, Secret::from_bytes(&bytes).unwrap());
        }
    }

    #[test]
    fn it_says_nothing() {
        assert_eq!(format!("{:?}", Secret::from_bytes(&[0x41; 16]).unwrap()), "Secret(..)");
        let error = FillError::<SecretError>::Source(SecretError::TooLong);
        assert_eq!(
            format!("{error} / {}", FillError::<SecretError>::Length(SecretError::TooShort)),
            "the secret could not be filled: a secret has at most 256 bytes / \
             a secret has at least 16 bytes (128 bits), an imported one at least 1"
        );
        let source = core::error::Error::source(&error).unwrap();
        assert_eq!(format!("{source}"), "a secret has at most 256 bytes");
    }
}
