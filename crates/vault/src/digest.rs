//! A keyed digest, and its comparison in constant time.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};

/// HMAC-SHA256 (RFC 2104) under a key of its own purpose: what
/// [`Vault::digest`](crate::Vault::digest) returns.
///
/// Stored instead of the secret, or of the address, that it was made from: without the ring's root
/// nobody can try candidates against it. Compared in constant time; `Debug` shows nothing.
#[derive(Clone, Copy)]
pub struct Digest([u8; Self::LEN]);

impl Digest {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A digest read back from where it was stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The whole digest. Compare digests with `==`, not their bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The first 16 bits: enough to find an entry among few, too little to test candidates against
    /// offline.
    #[must_use]
    pub const fn first_u16(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// The first 128 bits, where room counts and collisions would have to be found online.
    #[must_use]
    pub const fn first_u128(&self) -> u128 {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = self.0;
        u128::from_be_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }
}

impl ConstantTimeEq for Digest {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for Digest {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts() {
        let digest = Digest::from_bytes(core::array::from_fn(|i| u8::try_from(i).unwrap()));
        for bit in 0..256 {
            let mut bytes = *digest.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(digest, Digest::from_bytes(bytes), "bit {bit}");
        }
        assert_eq!(digest, Digest::from_bytes(*digest.as_bytes()));
    }

    #[test]
    fn prefixes_are_the_first_bytes() {
        let digest = Digest::from_bytes(core::array::from_fn(|i| u8::try_from(i + 1).unwrap()));
        assert_eq!(digest.first_u16(), 0x0102);
        assert_eq!(digest.first_u128(), 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
        assert_eq!(alloc::format!("{digest:?}"), "Digest(..)");
    }
}
