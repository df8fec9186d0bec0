//! One 256-bit secret of the ring, and how the key of a purpose is derived from it.
//!
//! A subkey is HKDF-Expand of one block, `HMAC-SHA256(secret, info | 0x01)` (RFC 5869, section
//! 2.3); the extract step is left out, as section 3.3 allows for a secret that is uniformly random
//! already. It is written out over `hmac` because the block is then ours to wipe, and because it
//! cannot fail; the tests hold it against the `hkdf` crate. What was derived once is kept
//! ([`Subkeys`](crate::subkeys::Subkeys)).

use alloc::boxed::Box;
use core::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use hmac::digest::FixedOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::subkeys::{Ciphers, Macs};
use crate::{Digest, Purpose, frame};

/// Length of every secret and subkey, in bytes.
pub(crate) const LEN: usize = 32;

/// What a subkey does; a sealing key and a digest key of one purpose never coincide.
#[derive(Clone, Copy)]
enum Use {
    Seal,
    Digest,
}

impl Use {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Seal => b"countersign-vault 1 seal",
            Self::Digest => b"countersign-vault 1 digest",
        }
    }
}

/// A secret with its HMAC key state absorbed, so that deriving costs four compressions, and what was
/// derived from it.
pub(crate) struct Key {
    secret: Box<Zeroizing<[u8; LEN]>>,
    state: Hmac<Sha256>,
    ciphers: Ciphers,
    macs: Macs,
}

impl Key {
    /// On the heap, so that moving a key leaves no copy behind.
    pub(crate) fn new(secret: Box<Zeroizing<[u8; LEN]>>) -> Self {
        let state = hmac(&secret);
        Self { secret, state, ciphers: Ciphers::new(), macs: Macs::new() }
    }

    pub(crate) fn secret(&self) -> &[u8; LEN] {
        &self.secret
    }

    /// Does this with what seals for `purpose`.
    pub(crate) fn with_cipher<R>(
        &self,
        purpose: Purpose,
        work: impl FnOnce(&XChaCha20Poly1305) -> R,
    ) -> R {
        let make = || XChaCha20Poly1305::new((&*self.derive(Use::Seal, purpose)).into());
        self.ciphers.with(purpose, make, work)
    }

    fn derive(&self, r#use: Use, purpose: Purpose) -> Zeroizing<[u8; LEN]> {
        let [area, name] = purpose.parts();
        let mut mac = self.state.clone();
        frame::each(&[r#use.label(), area, name], |piece| mac.update(piece));
        mac.update(&[1]);
        let mut subkey = Zeroizing::new([0; LEN]);
        mac.finalize_into((&mut *subkey).into());
        subkey
    }

    pub(crate) fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest {
        let make = || hmac(&self.derive(Use::Digest, purpose));
        let mut mac = self.macs.with(purpose, make, Hmac::clone);
        frame::each(parts, |piece| mac.update(piece));
        Digest::from_bytes(mac.finalize_fixed().into())
    }

    pub(crate) fn same_secret(&self, other: &Self) -> bool {
        self.secret.ct_eq(&**other.secret).into()
    }

    /// All bytes equal: a placeholder or a generator that did nothing, never a key.
    pub(crate) fn is_placeholder(&self) -> bool {
        let (first, rest) = (self.secret[0], &self.secret[1..]);
        rest.iter().fold(0, |differs, byte| differs | (byte ^ first)) == 0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// HMAC keyed with `key`, padded to the block as RFC 2104 says: the constructor that takes a block
/// cannot fail.
fn hmac(key: &[u8; LEN]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..LEN].copy_from_slice(key);
    let mac = Hmac::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use hkdf::Hkdf;
    use proptest::prelude::*;

    use super::*;

    fn key(secret: [u8; LEN]) -> Key {
        Key::new(Box::new(Zeroizing::new(secret)))
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(alloc::format!("{:?}", key([7; LEN])), "Key(..)");
    }

    proptest! {
        #[test]
        fn deriving_is_hkdf_expand(secret: [u8; LEN]) {
            let purpose = Purpose::scoped("token", "login");
            let mut info = Vec::new();
            frame::append(&mut info, &[Use::Seal.label(), b"token", b"login"]);
            let mut expected = [0; LEN];
            Hkdf::<Sha256>::from_prk(&secret).unwrap().expand(&info, &mut expected).unwrap();
            prop_assert_eq!(*key(secret).derive(Use::Seal, purpose), expected);
        }

        #[test]
        fn digesting_is_hmac_over_the_framed_parts(secret: [u8; LEN], parts: Vec<Vec<u8>>) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let purpose = Purpose::new("name");
            let key = key(secret);
            let mut framed = Vec::new();
            frame::append(&mut framed, &parts);
            let mut mac =
                <Hmac<Sha256> as KeyInit>::new_from_slice(&*key.derive(Use::Digest, purpose)).unwrap();
            mac.update(&framed);
            let expected = <[u8; 32]>::from(mac.finalize().into_bytes());
            prop_assert_eq!(*key.digest(purpose, &parts).as_bytes(), expected);
            prop_assert_eq!(*key.digest(purpose, &parts).as_bytes(), expected, "by the subkey that is kept");
        }
    }

    #[test]
    fn no_two_uses_or_purposes_share_a_subkey() {
        let key = key([7; LEN]);
        let purposes = [
            Purpose::new("a"),
            Purpose::new("b"),
            Purpose::scoped("a", ""),
            Purpose::scoped("a", "b"),
            Purpose::new("ab"),
        ];
        let subkeys: Vec<_> = purposes
            .iter()
            .flat_map(|purpose| [Use::Seal, Use::Digest].map(|r#use| *key.derive(r#use, *purpose)))
            .collect();
        for (i, a) in subkeys.iter().enumerate() {
            assert!(subkeys[i + 1..].iter().all(|b| a != b), "{i}");
        }
    }

    // Wiping is a feature of each library: this does not compile without.
    #[test]
    fn what_holds_keys_is_wiped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<Sha256>(); // an HMAC is two of its states and its buffer
        wiped::<XChaCha20Poly1305>();
        wiped::<Zeroizing<[u8; LEN]>>();
    }

    #[test]
    fn placeholders_are_known() {
        assert!(key([0; LEN]).is_placeholder());
        assert!(key([0xff; LEN]).is_placeholder());
        let mut secret = [9; LEN];
        secret[31] = 8;
        assert!(!key(secret).is_placeholder());
    }
}
