//! A secret absorbed into a hash: what computes codes.
//!
//! It stands for the key: whoever reads it can compute every code, so it is wiped as a key, and
//! `Debug` says nothing. Keep it as long as a secret may stay open in memory, to halve the work of
//! every code; or make it, use it and drop it at once.

use zeroize::ZeroizeOnDrop;

use crate::{
    Algorithm, Secret,
    midstate::{Sha1, Sha256, Sha512},
};

/// The state of HMAC after a key: a code from it costs two compressions of the hash.
#[derive(Clone)]
pub struct Keyed(State);

#[derive(Clone)]
enum State {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Keyed {
    /// Absorbs `secret`, at the cost of one code.
    pub fn new(secret: &Secret, algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha1 => State::Sha1(Sha1::absorb(secret)),
            Algorithm::Sha256 => State::Sha256(Sha256::absorb(secret)),
            Algorithm::Sha512 => State::Sha512(Sha512::absorb(secret)),
        })
    }

    /// The hash that it was absorbed into.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha1(_) => Algorithm::Sha1,
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// `Snum` of RFC 4226, section 5.3, for each counter: its truncated HMAC, 31 bits.
    #[inline]
    pub(crate) fn truncated<const N: usize>(&self, counters: [u64; N]) -> [u32; N] {
        match &self.0 {
            State::Sha1(state) => state.truncated(counters),
            State::Sha256(state) => state.truncated(counters),
            State::Sha512(state) => state.truncated(counters),
        }
    }

    /// The same by the block functions of `sha1` and `sha2` alone.
    #[cfg(feature = "lanes")]
    pub(crate) fn truncated_by_blocks<const N: usize>(&self, counters: [u64; N]) -> [u32; N] {
        match &self.0 {
            State::Sha1(state) => state.truncated_by_blocks(counters),
            State::Sha256(state) => state.truncated_by_blocks(counters),
            State::Sha512(state) => state.truncated_by_blocks(counters),
        }
    }
}

macro_rules! exposed {
    ($($expose:ident: $hash:ident, [$word:ty; $words:literal])+) => {
        impl Keyed {$(
            #[doc = concat!("The chaining values after `key ^ ipad` and `key ^ opad`, of ", stringify!($hash), ".")]
            /// Whoever reads them can compute every code.
            #[inline]
            pub const fn $expose(&self) -> Option<[&[$word; $words]; 2]> {
                match &self.0 {
                    State::$hash(state) => Some([&state.inner, &state.outer]),
                    _ => None,
                }
            }
        )+}
    };
}

exposed! {
    expose_sha1: Sha1, [u32; 5]
    expose_sha256: Sha256, [u32; 8]
    expose_sha512: Sha512, [u64; 8]
}

// Each state wipes itself.
impl ZeroizeOnDrop for Keyed {}

silent!(Keyed);
