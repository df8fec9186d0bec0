//! Containers that a passphrase opens, written by a twin: PBKDF2 by its definition (RFC 8018, section 5.2)
//! over `hmac`, CBC by its own over the block cipher. The key comes out; with one byte of the container
//! changed, or with another passphrase, the same key comes out or none. Each execution derives one key at
//! least.
#![no_main]

use aes::{Aes128, cipher::BlockCipherEncrypt};
use base64ct::{Base64, Encoding};
use countersign_otp::UnixTime;
use countersign_provision::pskc::{self, Unlock};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn up_to(&mut self, most: u8) -> &'a [u8] {
        let len = usize::from(self.byte() % most) + 1;
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        if taken.is_empty() { &[7] } else { taken }
    }
}

fn mac(hash: u8, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn by<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }
    match hash % 3 {
        0 => by::<Hmac<sha1::Sha1>>(key, parts),
        1 => by::<Hmac<sha2::Sha256>>(key, parts),
        _ => by::<Hmac<sha2::Sha512>>(key, parts),
    }
}

const NAMES: [&str; 3] = ["hmac-sha1", "hmac-sha256", "hmac-sha512"];

fn pbkdf2(hash: u8, passphrase: &[u8], salt: &[u8], iterations: u32) -> [u8; 16] {
    let mut last = mac(hash, passphrase, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = last.clone();
    for _ in 1..iterations {
        last = mac(hash, passphrase, &[&last]);
        sum.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum[..16].try_into().expect("every hash is longer")
}

fn encrypt(key: &[u8; 16], vector: [u8; 16], plain: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new(key.into());
    let mut padded = plain.to_vec();
    let padding = 16 - plain.len() % 16;
    padded.resize(plain.len() + padding, u8::try_from(padding).expect("to 16"));
    let (mut sealed, mut previous) = (vector.to_vec(), vector);
    for block in padded.chunks(16) {
        let mut block: [u8; 16] = std::array::from_fn(|i| block[i] ^ previous[i]);
        cipher.encrypt_block((&mut block).into());
        sealed.extend(block);
        previous = block;
    }
    sealed
}

fn value(sealed: &[u8]) -> String {
    let base64 = Base64::encode_string(sealed);
    format!(
        "<x:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/>\
         <x:CipherData><x:CipherValue>{base64}</x:CipherValue></x:CipherData>"
    )
}

fuzz_target!(|input: &[u8]| {
    let mut bytes = Bytes(input);
    let (hash, mac_hash) = (bytes.byte(), bytes.byte());
    let iterations = 1 + u32::from(bytes.byte() % 32);
    let (at, change) = (usize::from(bytes.byte()) << 8 | usize::from(bytes.byte()), bytes.byte());
    let vector = [(); 16].map(|()| bytes.byte());
    let (salt, passphrase) = (bytes.up_to(40), bytes.up_to(100));
    let passphrase = String::from_utf8_lossy(passphrase).into_owned();
    let (mac_key, secret) = (bytes.up_to(80), bytes.up_to(96));
    // A MAC key that is shorter is refused: another passphrase could decrypt to it by chance.
    let mac_key = &[mac_key, &[7; 16]].concat();

    let key = pbkdf2(hash, passphrase.as_bytes(), salt, iterations);
    let sealed = encrypt(&key, vector, secret);
    let tag = Base64::encode_string(&mac(mac_hash, mac_key, &[&sealed]));
    let prf = NAMES[usize::from(hash % 3)];
    let mac_name = NAMES[usize::from(mac_hash % 3)];
    let xml = format!(
        "<p:KeyContainer xmlns:p=\"urn:ietf:params:xml:ns:keyprov:pskc\" \
         xmlns:d=\"http://www.w3.org/2009/xmlenc11#\" xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\" \
         Version=\"1.0\"><p:EncryptionKey><d:DerivedKey><d:KeyDerivationMethod \
         Algorithm=\"http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#pbkdf2\">\
         <PBKDF2-params><Salt><Specified>{salt}</Specified></Salt>\
         <IterationCount>{iterations}</IterationCount><KeyLength>16</KeyLength>\
         <PRF Algorithm=\"#{prf}\"/></PBKDF2-params></d:KeyDerivationMethod></d:DerivedKey>\
         </p:EncryptionKey><p:MACMethod Algorithm=\"#{mac_name}\"><p:MACKey>{mac_key}</p:MACKey>\
         </p:MACMethod><p:KeyPackage><p:Key Id=\"1\" \
         Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\"><p:Data><p:Secret>\
         <p:EncryptedValue>{sealed}</p:EncryptedValue><p:ValueMAC>{tag}</p:ValueMAC>\
         </p:Secret></p:Data></p:Key></p:KeyPackage></p:KeyContainer>",
        salt = Base64::encode_string(salt),
        mac_key = value(&encrypt(&key, vector, mac_key)),
        sealed = value(&sealed),
    );
    let read = |xml: &[u8], passphrase: &str| -> Vec<_> {
        let passphrase = passphrase.to_owned().into();
        // A change may make the number of iterations larger.
        let unlock = Unlock::Passphrase { passphrase, max_iterations: 99 };
        let Ok(keys) = pskc::read(xml, unlock, UnixTime::EPOCH) else { return Vec::new() };
        keys.filter_map(Result::ok).map(|key| key.key.uri.secret().expose().to_vec()).collect()
    };
    assert_eq!(read(xml.as_bytes(), &passphrase), [secret]);

    let other = read(xml.as_bytes(), &format!("{passphrase}!"));
    assert!(other.is_empty(), "the MAC is under another key");

    let mut changed = xml.into_bytes();
    let at = at % changed.len();
    changed[at] ^= change;
    assert!(read(&changed, &passphrase).iter().all(|key| key == secret), "{at} ^ {change}");
});
