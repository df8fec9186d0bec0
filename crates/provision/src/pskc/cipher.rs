//! Encrypted values (RFC 6030, section 6): first the MAC, then the cipher.

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::NoPadding},
};
use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::{
    Error, Reason, Unlock,
    element::{Element, Space},
};

const AES_128_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const PBKDF2: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2";

/// The shortest key of a MAC. What a wrong passphrase makes of an encrypted one is often a few bytes, or none: short
/// enough to be the right ones by chance.
const SHORTEST_MAC_KEY: usize = 16;

type Bytes = Zeroizing<Vec<u8>>;

/// The container's key and how its values are authenticated, as far as they are known.
#[derive(Default)]
pub(super) struct Cipher {
    key: Option<Zeroizing<[u8; 16]>>,
    mac: Option<Authentication>,
}

struct Authentication {
    hash: Hash,
    /// Its own key; the encryption key in its place is what the RFC has where there is none.
    key: Option<Bytes>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Cipher {
    /// From `EncryptionKey`: a name for a key that was agreed on, or how to derive one.
    pub(super) fn take_key(&mut self, element: &Element, unlock: &Unlock) -> Result<(), Error> {
        let derived = element.child(Space::Xenc11, "DerivedKey").map_err(|_| Error::Unlock)?;
        self.key = match (unlock, derived) {
            (Unlock::Nothing, _) => None,
            (Unlock::PreSharedKey(key), None) => Some(key.clone()),
            (Unlock::Passphrase { passphrase, max_iterations }, Some(derived)) => {
                Some(derive(derived, passphrase.as_bytes(), *max_iterations)?)
            }
            _ => return Err(Error::Unlock),
        };
        Ok(())
    }

    /// From `MACMethod`. Its key is itself encrypted, and has no MAC (section 6.1.1).
    pub(super) fn take_mac(&mut self, element: &Element) -> Result<(), Error> {
        let hash = element.attribute("Algorithm").and_then(hash).ok_or(Error::Unlock)?;
        let given = element.child(Space::Pskc, "MACKey").map_err(|_| Error::Unlock)?;
        let key = match (given, &self.key) {
            (Some(given), Some(key)) => {
                let sealed = cipher_value(given).map_err(|_| Error::Unlock)?;
                let opened = decrypt(key, &sealed).filter(|key| key.len() >= SHORTEST_MAC_KEY);
                Some(opened.ok_or(Error::Unlock)?)
            }
            _ => None,
        };
        self.mac = Some(Authentication { hash, key });
        Ok(())
    }

    /// A value of the key's data: in plain as base64, or encrypted and authenticated.
    pub(super) fn bytes(&self, value: &Element) -> Result<Bytes, Reason> {
        match self.sealed(value)? {
            Some(bytes) => Ok(bytes),
            None => base64(value.child(Space::Pskc, "PlainValue")?.ok_or(Reason::NoSecret)?),
        }
    }

    /// A number of the key's data: in plain as decimal, or encrypted as four or eight bytes.
    pub(super) fn number<T>(&self, value: &Element) -> Result<T, Reason>
    where
        T: core::str::FromStr + TryFrom<u64>,
    {
        if let Some(bytes) = self.sealed(value)? {
            let number = match *bytes.as_slice() {
                [a, b, c, d] => u64::from(u32::from_be_bytes([a, b, c, d])),
                [a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
                _ => return Err(Reason::Value),
            };
            return T::try_from(number).map_err(|_| Reason::Value);
        }
        let plain = value.child(Space::Pskc, "PlainValue")?.ok_or(Reason::Value)?;
        plain.text().parse().map_err(|_| Reason::Value)
    }

    /// The value if it is encrypted. The MAC comes first: nothing of a forged value is decrypted,
    /// so that no answer tells anything of its padding.
    fn sealed(&self, value: &Element) -> Result<Option<Bytes>, Reason> {
        let Some(encrypted) = value.child(Space::Pskc, "EncryptedValue")? else {
            return Ok(None);
        };
        if value.child(Space::Pskc, "PlainValue")?.is_some() {
            return Err(Reason::Duplicate);
        }
        let sealed = cipher_value(encrypted)?;
        let key = self.key.as_ref().ok_or(Reason::Locked)?;
        let mac = value.child(Space::Pskc, "ValueMAC")?.ok_or(Reason::MacMissing)?;
        let authentication = self.mac.as_ref().ok_or(Reason::MacMissing)?;
        let mac_key = authentication.key.as_ref().map_or(key.as_slice(), |key| key.as_slice());
        if !is_authentic(authentication.hash, mac_key, &sealed, &base64(mac)?) {
            return Err(Reason::MacWrong);
        }
        decrypt(key, &sealed).map(Some).ok_or(Reason::Value)
    }
}

/// The key of AES-128 from a passphrase (RFC 8018, section 5.2).
fn derive(
    derived: &Element,
    passphrase: &[u8],
    max_iterations: u32,
) -> Result<Zeroizing<[u8; 16]>, Error> {
    let method = required(derived, "KeyDerivationMethod")?;
    if method.attribute("Algorithm") != Some(PBKDF2) {
        return Err(Error::Unlock);
    }
    let parameters = required(method, "PBKDF2-params")?;
    let salt = base64(required(required(parameters, "Salt")?, "Specified")?);
    let salt = salt.map_err(|_| Error::Unlock)?;
    let number = |name| required(parameters, name)?.text().parse().map_err(|_| Error::Unlock);
    let iterations: u32 = number("IterationCount")?;
    let length: u32 = number("KeyLength")?;
    if salt.is_empty() || iterations == 0 || length != 16 {
        return Err(Error::Unlock);
    }
    if iterations > max_iterations {
        return Err(Error::Iterations(iterations));
    }
    // HMAC-SHA-1 is what stands for no name (RFC 8018, appendix A.2).
    let prf = parameters.child_anywhere("PRF").map_err(|_| Error::Unlock)?;
    let prf = match prf.and_then(|prf| prf.attribute("Algorithm")) {
        None => Hash::Sha1,
        Some(name) => hash(name).ok_or(Error::Unlock)?,
    };
    let mut key = Zeroizing::new([0; 16]);
    match prf {
        Hash::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(passphrase, &salt, iterations, &mut *key),
        Hash::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(passphrase, &salt, iterations, &mut *key),
        Hash::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(passphrase, &salt, iterations, &mut *key),
    }
    .map_err(|_| Error::Unlock)?;
    Ok(key)
}

fn required<'a>(of: &'a Element, name: &str) -> Result<&'a Element, Error> {
    of.child_anywhere(name).ok().flatten().ok_or(Error::Unlock)
}

/// The initialisation vector and the blocks of an `EncryptedDataType`.
fn cipher_value(encrypted: &Element) -> Result<Bytes, Reason> {
    let method = encrypted.child(Space::Xenc, "EncryptionMethod")?;
    if method.and_then(|method| method.attribute("Algorithm")) != Some(AES_128_CBC) {
        return Err(Reason::Cipher);
    }
    let data = encrypted.child(Space::Xenc, "CipherData")?.ok_or(Reason::Value)?;
    base64(data.child(Space::Xenc, "CipherValue")?.ok_or(Reason::Value)?)
}

/// AES-128-CBC; the last byte says how many to drop (XML Encryption 1.0, section 5.2).
fn decrypt(key: &[u8; 16], sealed: &[u8]) -> Option<Bytes> {
    let (vector, blocks) = sealed.split_first_chunk::<16>()?;
    let mut plain = Zeroizing::new(blocks.to_vec());
    let len = cbc::Decryptor::<Aes128>::new(key.into(), vector.into())
        .decrypt_padded::<NoPadding>(&mut plain)
        .ok()?
        .len();
    let padding = usize::from(*plain.last()?);
    if !(1..=16).contains(&padding) {
        return None;
    }
    plain.truncate(len.checked_sub(padding)?);
    Some(plain)
}

/// In constant time. A MAC is as long as its hash: a shorter one is not accepted.
fn is_authentic(hash: Hash, key: &[u8], sealed: &[u8], mac: &[u8]) -> bool {
    match hash {
        Hash::Sha1 => Hmac::<Sha1>::new_from_slice(key)
            .is_ok_and(|hmac| hmac.chain_update(sealed).verify_slice(mac).is_ok()),
        Hash::Sha256 => Hmac::<Sha256>::new_from_slice(key)
            .is_ok_and(|hmac| hmac.chain_update(sealed).verify_slice(mac).is_ok()),
        Hash::Sha512 => Hmac::<Sha512>::new_from_slice(key)
            .is_ok_and(|hmac| hmac.chain_update(sealed).verify_slice(mac).is_ok()),
    }
}

/// The URIs of XML Signature, RFC 4051 and PKCS #5 differ only in what stands before the `#`.
fn hash(uri: &str) -> Option<Hash> {
    match uri.rsplit_once('#')?.1 {
        "hmac-sha1" => Some(Hash::Sha1),
        "hmac-sha256" => Some(Hash::Sha256),
        "hmac-sha512" => Some(Hash::Sha512),
        _ => None,
    }
}

/// Base64 with any white space between (XML Schema's `base64Binary`).
fn base64(element: &Element) -> Result<Bytes, Reason> {
    let text = element.text();
    // Room for all at once: a vector that grows leaves its bytes behind.
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    letters.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; letters.len()]);
    let len = Base64::decode(&*letters, &mut bytes).map_err(|_| Reason::Value)?.len();
    bytes.truncate(len);
    Ok(bytes)
}
