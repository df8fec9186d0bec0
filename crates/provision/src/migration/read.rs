//! From the QR codes of a transfer.

use base64ct::{Base64Unpadded, Encoding as _};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{
    Batch, Error, MAX_LEN, Payload,
    wire::{Fields, Value},
};
use crate::{
    import::{Refused, split},
    uri::{Parsed, Query, ReadError, found, judged},
};

const PREFIX: &str = "otpauth-migration://offline?";

/// Keys in a payload.
const MAX_KEYS: usize = 1000;

/// Reads one QR code of a transfer.
///
/// # Errors
///
/// [`Error`]. A single key that means nothing is listed in [`Payload::refused`].
pub fn read(uri: &str) -> Result<Payload, Error> {
    let payload = decoded(data(uri.trim())?)?;
    let mut read = Payload { keys: Vec::new(), refused: Vec::new(), batch: Batch::default() };
    let mut seen = Seen::default();
    let mut place = 0_usize;
    for field in Fields(&payload) {
        match field? {
            (1, Value::Bytes(key)) => {
                place = place.saturating_add(1);
                if place > MAX_KEYS {
                    return Err(Error::TooMany);
                }
                match parameters(key)? {
                    (_, Ok(key)) => read.keys.push(key),
                    (name, Err(reason)) => read.refused.push(Refused { place, name, reason }),
                }
            }
            (number @ 3..=5, Value::Varint(value)) => {
                seen.once(number)?;
                let value = int32(value)?;
                match number {
                    3 => read.batch.size = value,
                    4 => read.batch.index = value,
                    _ => read.batch.id = value,
                }
            }
            (1 | 3..=5, _) => return Err(Error::Wire),
            _ => {}
        }
    }
    Ok(read)
}

/// The one `data` of the query, still encoded.
fn data(uri: &str) -> Result<&str, Error> {
    let (prefix, query) = uri.split_at_checked(PREFIX.len()).ok_or(Error::Uri)?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return Err(Error::Uri);
    }
    let mut data = query.split('&').filter_map(|pair| pair.strip_prefix("data="));
    match (data.next(), data.next()) {
        (Some(data), None) => Ok(data),
        _ => Err(Error::Uri),
    }
}

/// Base64 of either alphabet, padded or not; a space is a `+` that a form decoder took away.
fn decoded(data: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    // Three letters an encoded one at most, and four letters three bytes.
    if data.len() > MAX_LEN.saturating_mul(4) {
        return Err(Error::TooLarge);
    }
    let mut letters = Zeroizing::new(Vec::with_capacity(data.len()));
    letters.extend(percent_decode_str(data).map(|byte| match byte {
        b' ' | b'-' => b'+',
        b'_' => b'/',
        other => other,
    }));
    let padding = letters.iter().rev().take_while(|byte| **byte == b'=').count();
    let bare = letters.len().saturating_sub(padding);
    let mut payload = Zeroizing::new(vec![0; letters.len()]);
    let len = Base64Unpadded::decode(letters.get(..bare).unwrap_or_default(), &mut payload)
        .map_err(|_| Error::Base64)?
        .len();
    payload.truncate(len);
    if payload.len() > MAX_LEN { Err(Error::TooLarge) } else { Ok(payload) }
}

/// One key: its name, for a list of what was refused, and what it means.
fn parameters(message: &[u8]) -> Result<(String, Result<Parsed, ReadError>), Error> {
    let mut seen = Seen::default();
    let (mut secret, mut name, mut issuer): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let (mut algorithm, mut digits, mut kind, mut counter) = (0, 0, 0, 0);
    for field in Fields(message) {
        let (number, value) = field?;
        match (number, value) {
            (1, Value::Bytes(bytes)) => secret = bytes,
            (2, Value::Bytes(bytes)) => name = bytes,
            (3, Value::Bytes(bytes)) => issuer = bytes,
            (4, Value::Varint(value)) => algorithm = value,
            (5, Value::Varint(value)) => digits = value,
            (6, Value::Varint(value)) => kind = value,
            (7, Value::Varint(value)) => counter = value,
            (1..=7, _) => return Err(Error::Wire),
            _ => continue,
        }
        seen.once(number)?;
    }
    let name = String::from_utf8_lossy(name);
    let issuer = String::from_utf8_lossy(issuer);
    let meaning = meaning(&name, &issuer, secret, [algorithm, digits, kind, counter]);
    Ok((name.replace(char::is_control, "-"), meaning))
}

/// The numbers of the enumerations; 0 is what was not said, and stands for the default.
fn meaning(
    name: &str,
    issuer: &str,
    secret: &[u8],
    [algorithm, digits, kind, counter]: [u64; 4],
) -> Result<Parsed, ReadError> {
    let algorithm = match algorithm {
        0 | 1 => "SHA1",
        2 => "SHA256",
        3 => "SHA512",
        _ => return Err(ReadError::Algorithm),
    };
    let digits = match digits {
        0 | 1 => "6",
        2 => "8",
        _ => return Err(ReadError::Digits),
    };
    let kind = match kind {
        1 => "hotp",
        0 | 2 => "totp",
        _ => return Err(ReadError::Type),
    };
    // A counter is signed on the wire; a negative one is no counter.
    if i64::try_from(counter).is_err() {
        return Err(ReadError::Counter);
    }
    let (prefix, account) = split(name, Some(issuer));
    let query = Query {
        issuer: Some(issuer.to_owned()),
        algorithm: Some(algorithm.to_owned()),
        digits: Some(digits.to_owned()),
        counter: Some(counter.to_string()),
        ..Query::default()
    };
    judged(kind, prefix, account, &query, |warnings| found(secret, warnings))
}

fn int32(value: u64) -> Result<u32, Error> {
    // An identifier may be negative, which is written as ten bytes.
    let [a, b, c, d, ..] = value.to_le_bytes();
    match value >> 31 {
        0 | 0x1_ffff_ffff => Ok(u32::from_le_bytes([a, b, c, d])),
        _ => Err(Error::Wire),
    }
}

/// Which fields were there: a second one could be read by another app in place of the first.
#[derive(Default)]
struct Seen(u64);

impl Seen {
    fn once(&mut self, number: u64) -> Result<(), Error> {
        let bit = 1_u64.checked_shl(u32::try_from(number).unwrap_or(u32::MAX)).unwrap_or_default();
        if self.0 & bit != 0 {
            return Err(Error::Wire);
        }
        self.0 |= bit;
        Ok(())
    }
}
