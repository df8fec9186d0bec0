//! A public key as SDKs read it: SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in PEM.

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_token::access::{Jwk, PublicKey};
use spki::der::asn1::{AnyRef, BitStringRef, UintRef};
use spki::der::pem::LineEnding;
use spki::der::{Encode, EncodePem};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

/// `rsaEncryption` (RFC 3279, section 2.3.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-Ed25519` (RFC 8410, section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The PEM of a published key. None: its numbers do not encode.
pub(crate) fn public_key(jwk: &Jwk) -> Option<String> {
    let bytes = |text: &str| Base64UrlUnpadded::decode_vec(text).ok();
    let (oid, parameters, key) = match &jwk.key {
        PublicKey::Okp { x, .. } => (ED25519, None, bytes(x)?),
        PublicKey::Rsa { n, e } => {
            let (n, e) = (bytes(n)?, bytes(e)?);
            let numbers = pkcs1::RsaPublicKey {
                modulus: UintRef::new(&n).ok()?,
                public_exponent: UintRef::new(&e).ok()?,
            };
            (RSA, Some(AnyRef::NULL), numbers.to_der().ok()?)
        }
    };
    let info = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid, parameters },
        subject_public_key: BitStringRef::from_bytes(&key).ok()?,
    };
    info.to_pem(LineEnding::LF).ok()
}
