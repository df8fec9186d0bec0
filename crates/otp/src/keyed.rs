//! A secret absorbed into a hash: what computes codes.
//!
//! It stands for the key: whoever reads it can compute every code, so it is wiped as a key, and
//! `Debug` says nothing. Keep it as long as a secret may stay open in memory, to halve the work of
//! every code; or make it, use it and drop it at once.

use core::fmt;

use zeroize::ZeroizeOnDrop;

use crate::{
    Algorithm, Secret,
    midstate::{Midstate, Sha1, Sha256, Sha512},
};

/// The state of HMAC after a key: a code from it costs two compressions of the hash.
#[derive(Clone)]
pub struct Keyed(State);

#[derive(Clone)]
enum State {
    Sha1(Midstate<Sha1>),
    Sha256(Midstate<Sha256>),
    Sha512(Midstate<Sha512>),
}

impl Keyed {
    /// Absorbs `secret`, at the cost of one code.
    #[must_use]
    pub fn new(secret: &Secret, algorithm: Algorithm) -> Self {
        let key = secret.expose();
        Self(match algorithm {
            Algorithm::Sha1 => State::Sha1(Midstate::absorb(key)),
            Algorithm::Sha256 => State::Sha256(Midstate::absorb(key)),
            Algorithm::Sha512 => State::Sha512(Midstate::absorb(key)),
        })
    }

    /// The hash that it was absorbed into.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha1(_) => Algorithm::Sha1,
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// `Snum` of RFC 4226, section 5.3: the truncated HMAC of `counter`, 31 bits.
    #[inline]
    pub(crate) fn truncated(&self, counter: u64) -> u64 {
        match &self.0 {
            State::Sha1(state) => state.truncated(counter),
            State::Sha256(state) => state.truncated(counter),
            State::Sha512(state) => state.truncated(counter),
        }
    }
}

/// Each state wipes itself.
impl ZeroizeOnDrop for Keyed {}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::format;

    #[test]
    fn it_says_nothing_but_its_hash() {
        let secret = Secret::from_bytes(&[0x41; 20]).unwrap();
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
            let keyed = Keyed::new(&secret, algorithm);
            assert_eq!(format!("{keyed:?}"), "Keyed(..)");
            assert_eq!(keyed.algorithm(), algorithm);
            assert_eq!(keyed.clone().truncated(1), keyed.truncated(1));
        }
    }

    #[test]
    fn it_is_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Keyed>();
    }

    #[test]
    fn the_key_state_is_two_chaining_values() {
        assert_eq!(size_of::<Midstate<Sha1>>(), 40);
        assert_eq!(size_of::<Midstate<Sha256>>(), 64);
        assert_eq!(size_of::<Midstate<Sha512>>(), 128);
    }
}
