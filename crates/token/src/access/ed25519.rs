//! Ed25519 (RFC 8032) for JWS (RFC 8037): deterministic, so that signing needs no generator.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_vault::{Purpose, Vault};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Jwk, PublicKey, Sign, SignError, Verify};

const ALGORITHM: &str = "EdDSA";
const CURVE: &str = "Ed25519";
const SEED: Purpose = Purpose::scoped("access token", "Ed25519 seed");

/// A key that signs. Wiped when dropped.
pub struct Ed25519 {
    key: Box<SigningKey>,
    public: Ed25519Public,
}

impl Ed25519 {
    /// The key of this seed, 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = Box::new(SigningKey::from_bytes(seed));
        let public = Ed25519Public::of(key.verifying_key());
        Self { key, public }
    }

    /// A key filled by the caller's generator.
    ///
    /// # Errors
    /// The generator's.
    pub fn try_new<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut seed = Zeroizing::new([0; 32]);
        fill(seed.as_mut_slice())?;
        Ok(Self::from_seed(&seed))
    }

    /// The key that belongs to this vault: one secret less to keep. `generation` tells the keys of one
    /// vault apart; raise it to retire the present one.
    #[must_use]
    pub fn derive(vault: &dyn Vault, generation: u32) -> Self {
        let seed = vault.digest(SEED, &[&generation.to_be_bytes()]);
        Self::from_seed(&Zeroizing::new(*seed.as_bytes()))
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &Ed25519Public {
        &self.public
    }
}

impl Sign for Ed25519 {
    fn algorithm(&self) -> &'static str {
        ALGORITHM
    }

    fn key_id(&self) -> &str {
        &self.public.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.key.sign(message).to_vec())
    }

    fn verifier(&self) -> Arc<dyn Verify> {
        Arc::new(self.public.clone())
    }
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519({}, ..)", self.public.key_id)
    }
}

/// A key that verifies: that of a retired signer too, until the last token of it has expired.
#[derive(Clone)]
pub struct Ed25519Public {
    key: VerifyingKey,
    key_id: String,
}

impl Ed25519Public {
    /// The key with this encoding (RFC 8032, section 5.1.2).
    ///
    /// # Errors
    /// [`WeakKey`] where it is not the one encoding of a point of the curve, or the point is one
    /// under which signatures mean nothing.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WeakKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| WeakKey)?;
        // Section 5.1.3 refuses a coordinate that is not reduced, the library does not.
        let canonical = key.to_edwards().compress().as_bytes() == bytes;
        if canonical && !key.is_weak() { Ok(Self::of(key)) } else { Err(WeakKey) }
    }

    /// Its encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    fn of(key: VerifyingKey) -> Self {
        Self { key_id: thumbprint(&point(&key)), key }
    }
}

impl Verify for Ed25519Public {
    fn algorithm(&self) -> &'static str {
        ALGORITHM
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        // Strict: one signature has one encoding, and points of small order sign nothing.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    fn jwk(&self) -> Jwk {
        let key = PublicKey::Okp { crv: CURVE, x: point(&self.key) };
        Jwk { kid: self.key_id.clone(), alg: ALGORITHM, r#use: "sig", key }
    }
}

impl fmt::Debug for Ed25519Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Public({})", self.key_id)
    }
}

/// Not a key that verifies anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeakKey;

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a public key of Ed25519")
    }
}

impl std::error::Error for WeakKey {}

fn point(key: &VerifyingKey) -> String {
    Base64UrlUnpadded::encode_string(key.as_bytes())
}

/// RFC 7638, over the members that RFC 8037, section 2, names.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"{CURVE}","kty":"OKP","x":"{x}"}}"#);
    Base64UrlUnpadded::encode_string(&Sha256::digest(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        Base64UrlUnpadded::decode_vec(text).unwrap().try_into().unwrap()
    }

    // RFC 8037, appendices A.1 to A.4.
    #[test]
    fn the_rfcs_key_has_its_point_thumbprint_and_signature() {
        let key = Ed25519::from_seed(&bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(key.public_jwk().key, PublicKey::Okp { crv: "Ed25519", x: x.into() });
        assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");

        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = bytes::<64>(
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        );
        assert_eq!(key.sign(message).unwrap(), signature);
        let public = Ed25519Public::from_bytes(&bytes(x)).unwrap();
        assert!(public.verify(message, &signature));
        assert!(!public.verify(&message[1..], &signature));
        assert!(!public.verify(message, &signature[1..]));
        assert!(!public.verify(message, &[&signature[..], &[0]].concat()));
    }

    #[test]
    fn a_vault_has_one_key_a_generation() {
        let ring = |byte: u8| {
            let mut byte = byte;
            countersign_vault::Ring::try_new(|secret| {
                secret.fill_with(|| {
                    byte = byte.wrapping_mul(5).wrapping_add(3);
                    byte
                });
                Ok::<_, ()>(())
            })
            .unwrap()
        };
        let id = |ring, generation| Ed25519::derive(&ring, generation).key_id().to_owned();
        assert_eq!(id(ring(1), 1), id(ring(1), 1));
        assert_ne!(id(ring(1), 1), id(ring(1), 2));
        assert_ne!(id(ring(1), 1), id(ring(2), 1));
    }

    #[test]
    fn weak_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(Ed25519Public::from_bytes(&identity).unwrap_err(), WeakKey);
        assert_eq!(Ed25519Public::from_bytes(&[0; 32]).unwrap_err(), WeakKey);
        assert_eq!(Ed25519Public::from_bytes(&[0xff; 32]).unwrap_err(), WeakKey);
    }

    // Wiping is a feature of the library: this does not compile without.
    #[test]
    fn the_seed_is_wiped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<SigningKey>();
    }

    #[test]
    fn debug_shows_no_seed() {
        let key = Ed25519::from_seed(&[7; 32]);
        assert_eq!(format!("{key:?}"), format!("Ed25519({}, ..)", key.key_id()));
    }
}
