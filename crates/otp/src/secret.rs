//! Shared secrets: at least 128 bits, wiped, in an array of their own.
//!
//! What this refuses: fewer than 16 bytes (RFC 4226, section 4, R6) except through the two doors
//! named `import_short`, because credentials of 80 bits are in the field and their owners wish to
//! move them; more than 256 bytes; nothing at all. A secret is filled in place or copied in, never
//! printed. Its length is not secret.
//!
//! No allocation: a secret lives where its owner puts it. Rust moves a value by copying its bytes,
//! and what a move leaves behind on the stack is not wiped; keep a secret behind one reference.

use crate::{
    FillError, Invalid,
    base32::{self, Base32},
};

/// A secret shared with an authenticator: 16 to 256 bytes, or 1 to 15 if it was imported.
#[derive(Clone)]
pub struct Secret {
    /// Zeros from `len` on.
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
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        Self::copied(bytes, Self::MIN)
    }

    /// A secret that another system issued, perhaps too short for this one to issue: 1 to 256 bytes.
    /// Ask [`Secret::is_short`] afterwards, and have a short one replaced.
    ///
    /// # Errors
    /// When there are none or more than 256.
    pub fn import_short(bytes: &[u8]) -> Result<Self, Invalid> {
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
        let mut secret = Self::zeroed(len, Self::MIN).map_err(FillError::Invalid)?;
        fill(secret.expose_mut()).map_err(FillError::Source)?;
        Ok(secret)
    }

    /// A secret from base32 (RFC 4648, section 6), read strictly and in constant time: upper case,
    /// padded to a whole group or not at all, no foreign characters, unused bits zero.
    ///
    /// # Errors
    /// When it is not that, or does not hold 16 to 256 bytes.
    pub fn from_base32(text: &str) -> Result<Self, Invalid> {
        Self::decoded(text, Self::MIN)
    }

    /// As [`Secret::from_base32`], for a secret that another system issued: 1 to 256 bytes.
    ///
    /// # Errors
    /// When it is not canonical base32, or does not hold 1 to 256 bytes.
    pub fn import_short_base32(text: &str) -> Result<Self, Invalid> {
        Self::decoded(text, 1)
    }

    /// The bytes. Whoever holds them can compute every code.
    pub fn expose(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The bytes with zeros after them, if they fit so many: as HMAC fills its first block (RFC 2104,
    /// section 2).
    #[inline]
    pub(crate) fn padded<const LEN: usize>(&self) -> Option<&[u8; LEN]> {
        self.bytes.first_chunk().filter(|_| self.len <= LEN)
    }

    /// The bytes as unpadded base32, for a URI or for a person who types, in a buffer that is wiped.
    pub fn to_base32(&self) -> Base32 {
        Base32::encode(self)
    }

    /// Whether it has fewer than 128 bits: only an imported one may.
    pub const fn is_short(&self) -> bool {
        self.len < Self::MIN
    }

    fn expose_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }

    fn zeroed(len: usize, min: usize) -> Result<Self, Invalid> {
        if len < min {
            return Err(Invalid::ShortSecret);
        }
        if len > Self::MAX {
            return Err(Invalid::LongSecret);
        }
        Ok(Self { bytes: [0; Self::MAX], len })
    }

    fn copied(bytes: &[u8], min: usize) -> Result<Self, Invalid> {
        let mut secret = Self::zeroed(bytes.len(), min)?;
        secret.expose_mut().copy_from_slice(bytes);
        Ok(secret)
    }

    fn decoded(text: &str, min: usize) -> Result<Self, Invalid> {
        let symbols = base32::unpadded(text.as_bytes()).ok_or(Invalid::Base32)?;
        let mut secret = Self::zeroed(base32::decoded_len(symbols), min)?;
        base32::decode(symbols, secret.expose_mut()).ok_or(Invalid::Base32)?;
        Ok(secret)
    }
}

wiped!(Secret, bytes);
