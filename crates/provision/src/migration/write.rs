//! To the QR codes of a transfer.

use base64ct::{Base64, Encoding as _};
use countersign_otp::{Algorithm, Digits, Period};
use zeroize::Zeroizing;

use super::{
    Error,
    wire::{put_bytes, put_varint},
};
use crate::{Kind, Uri};

/// Keys in one QR code, as the app makes them: more would be hard to scan.
const BATCH: usize = 10;

/// Bytes of a payload that a QR code still shows well: in base64, percent-encoded.
const MAX_BYTES: usize = 1_000;

/// Writes the QR codes of a transfer to Google Authenticator, each with up to ten keys. `id` is
/// what they have in common: any number, best a random one below 2^31.
///
/// # Errors
///
/// [`Error::Unsayable`] for a key with seven digits, another period than 30 s, a counter beyond
/// 2^63 or Steam's letters. [`Error::TooMany`] beyond 1,000 keys.
pub fn write(keys: &[Uri], id: u32) -> Result<Vec<Zeroizing<String>>, Error> {
    if keys.len() > 1000 {
        return Err(Error::TooMany);
    }
    let mut payloads: Vec<(usize, Zeroizing<Vec<u8>>)> = Vec::new();
    for (place, key) in (1..).zip(keys) {
        let key = parameters(key).ok_or(Error::Unsayable { place })?;
        let (held, payload) = match payloads.last_mut() {
            Some((held, payload))
                if *held < BATCH && payload.len().saturating_add(key.len()) <= MAX_BYTES =>
            {
                (held, payload)
            }
            _ => {
                // Room for all at once: a vector that grows leaves its bytes behind.
                let room = MAX_BYTES.max(key.len()).saturating_add(64);
                payloads.push((0, Zeroizing::new(Vec::with_capacity(room))));
                let Some((held, payload)) = payloads.last_mut() else { continue };
                (held, payload)
            }
        };
        *held = held.saturating_add(1);
        put_bytes(payload, 1, &key);
    }
    let size = payloads.len() as u64;
    let uris = (0..).zip(payloads).map(|(index, (_, mut payload))| {
        put_varint(&mut payload, 2, 1);
        put_varint(&mut payload, 3, size);
        put_varint(&mut payload, 4, index);
        put_varint(&mut payload, 5, u64::from(id & 0x7fff_ffff));
        uri(&payload)
    });
    Ok(uris.collect())
}

/// One key's message, or nothing if the format has no words for it.
fn parameters(key: &Uri) -> Option<Zeroizing<Vec<u8>>> {
    let (kind, algorithm, digits, counter) = match key.kind() {
        Kind::Totp(totp) if totp.period() == Period::THIRTY => {
            (2, totp.algorithm(), totp.digits(), 0)
        }
        Kind::Hotp { algorithm, hotp, counter } if i64::try_from(counter).is_ok() => {
            (1, algorithm, hotp.digits(), counter)
        }
        _ => return None,
    };
    let algorithm = match algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => 3,
    };
    let digits = match digits {
        Digits::Six => 1,
        Digits::Eight => 2,
        Digits::Seven => return None,
    };
    let mut message = Zeroizing::new(Vec::with_capacity(1024));
    put_bytes(&mut message, 1, key.secret().expose());
    put_bytes(&mut message, 2, key.account().as_bytes());
    if let Some(issuer) = key.issuer() {
        put_bytes(&mut message, 3, issuer.as_bytes());
    }
    put_varint(&mut message, 4, algorithm);
    put_varint(&mut message, 5, digits);
    put_varint(&mut message, 6, kind);
    put_varint(&mut message, 7, counter);
    Some(message)
}

fn uri(payload: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(Base64::encode_string(payload));
    // Each of `+`, `/` and `=` becomes three letters.
    let room = base64.len().saturating_mul(3).saturating_add(40);
    let mut uri = Zeroizing::new(String::with_capacity(room));
    uri.push_str("otpauth-migration://offline?data=");
    for letter in base64.chars() {
        match letter {
            '+' => uri.push_str("%2B"),
            '/' => uri.push_str("%2F"),
            '=' => uri.push_str("%3D"),
            plain => uri.push(plain),
        }
    }
    uri
}
