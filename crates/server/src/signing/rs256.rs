//! RS256 (RFC 7518, section 3.3) by ring. Refuses keys of fewer than 2048 bits, as section 3.3 does.

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_token::access::{Jwk, PublicKey, SignError};
use countersign_token::{Sign, Verify};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use ring::{digest, signature};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

const ALGORITHM: &str = "RS256";

/// A key that signs.
pub struct Rs256 {
    key: KeyPair,
    public: Arc<Rs256Public>,
}

/// Its public half.
#[derive(Debug)]
struct Rs256Public {
    key: PublicKeyComponents<Vec<u8>>,
    key_id: String,
}

impl Rs256 {
    /// The key of a PEM file: PKCS#8 (RFC 5958), not encrypted.
    ///
    /// # Errors
    /// A sentence, without anything of the key.
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
            "it is no PKCS#8 key in PEM; make one with `openssl genpkey -algorithm RSA -pkeyopt \
             rsa_keygen_bits:2048`"
                .to_owned()
        })?;
        let key = KeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|error| format!("it is no RSA key of 2048 to 4096 bits ({error})"))?;
        let components = PublicKeyComponents::<Vec<u8>>::from(key.public());
        let key_id = thumbprint(&components);
        Ok(Self { key, public: Arc::new(Rs256Public { key: components, key_id }) })
    }
}

impl Sign for Rs256 {
    fn algorithm(&self) -> &'static str {
        ALGORITHM
    }

    fn key_id(&self) -> &str {
        &self.public.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        // The generator blinds the computation; the signature is the same each time.
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignError::new("RSA did not sign"))?;
        Ok(signature)
    }

    fn verifier(&self) -> Arc<dyn Verify> {
        Arc::<Rs256Public>::clone(&self.public)
    }
}

impl Verify for Rs256Public {
    fn algorithm(&self) -> &'static str {
        ALGORITHM
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let parameters: &signature::RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
        self.key.verify(parameters, message, signature).is_ok()
    }

    fn jwk(&self) -> Jwk {
        let (n, e) = numbers(&self.key);
        Jwk { kid: self.key_id.clone(), alg: ALGORITHM, r#use: "sig", key: PublicKey::Rsa { n, e } }
    }
}

/// Modulus and exponent, as RFC 7518, section 6.3.1, writes them.
fn numbers(key: &PublicKeyComponents<Vec<u8>>) -> (String, String) {
    (Base64UrlUnpadded::encode_string(&key.n), Base64UrlUnpadded::encode_string(&key.e))
}

/// The key's name: its thumbprint (RFC 7638).
fn thumbprint(key: &PublicKeyComponents<Vec<u8>>) -> String {
    let (n, e) = numbers(key);
    let canonical = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    let hash = digest::digest(&digest::SHA256, canonical.as_bytes());
    Base64UrlUnpadded::encode_string(hash.as_ref())
}

impl fmt::Debug for Rs256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rs256({}, ..)", self.public.key_id)
    }
}
