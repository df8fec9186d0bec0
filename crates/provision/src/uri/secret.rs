//! Base32 (RFC 4648, section 6) as people and apps hand it over.
//!
//! Case, padding, spaces and dashes are forgiven: they change no bit. A letter outside the alphabet
//! is not (section 3.3), nor are the look-alikes 0, 1, 8 and 9, nor a length that no encoder makes,
//! because a key that was cut off would still make codes, wrong ones. The decoder is `base32ct`: no
//! branch and no address depends on a letter of the key (section 12); only the places of the
//! separators show.

use base32ct::{Base32Unpadded, Encoding as _};
use countersign_otp::Secret;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{ReadError, Warning};

/// Letters that 256 bytes make.
const MAX_LETTERS: usize = 410;

/// Reads a secret, forgiving its dress.
pub(crate) fn base32(text: &[u8], warnings: &mut Vec<Warning>) -> Result<Secret, ReadError> {
    let letters = undressed(text);
    if letters.is_empty() || letters.len() > MAX_LETTERS {
        return Err(ReadError::SecretLength);
    }
    let mut bytes = Zeroizing::new([0_u8; 256]);
    let key = Base32Unpadded::decode(letters.as_slice(), bytes.as_mut_slice())
        .map_err(|_| ReadError::SecretEncoding)?;

    let mut again = Zeroizing::new([0_u8; MAX_LETTERS]);
    let canonical =
        Base32Unpadded::encode(key, again.as_mut_slice()).map_err(|_| ReadError::SecretEncoding)?;
    if !bool::from(canonical.as_bytes().ct_eq(&letters)) {
        warnings.push(Warning::TrailingBits);
    }
    found(key, warnings)
}

/// A key found in the wild: a short one is let in by its own door and reported.
pub(crate) fn found(key: &[u8], warnings: &mut Vec<Warning>) -> Result<Secret, ReadError> {
    Secret::from_bytes(key).or_else(|_| {
        let secret = Secret::import_short(key).map_err(|_| ReadError::SecretLength)?;
        warnings.push(Warning::ShortSecret { bits: key.len().saturating_mul(8) });
        Ok(secret)
    })
}

/// Without separators and padding, in lower case. `+` is a space that a form encoder wrote.
fn undressed(text: &[u8]) -> Zeroizing<Vec<u8>> {
    // Room for all at once: a vector that grows leaves its bytes behind.
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    let bare = text.trim_ascii_end();
    let padding = bare.iter().rev().take_while(|byte| **byte == b'=').count();
    let bare = bare.get(..bare.len().saturating_sub(padding)).unwrap_or_default();
    letters.extend(
        bare.iter()
            .filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'-' | b'+'))
            .map(u8::to_ascii_lowercase),
    );
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<u8>, Vec<Warning>), ReadError> {
        let mut warnings = Vec::new();
        let secret = base32(text.as_bytes(), &mut warnings)?;
        Ok((secret.expose().to_vec(), warnings))
    }

    #[test]
    fn rfc_4648_section_10() {
        for (text, bytes) in [
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"),
            ("MZXW6YTBOI======", "foobar"),
        ] {
            let short = vec![Warning::ShortSecret { bits: bytes.len() * 8 }];
            assert_eq!(read(text), Ok((bytes.as_bytes().to_vec(), short)), "{text}");
        }
    }

    #[test]
    fn the_dress_is_forgiven() {
        let key = b"12345678901234567890".to_vec();
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "GEZD GNBV GY3T QOJQ gezd gnbv gy3t qojq",
            "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ",
            "GEZDGNBVGY3TQOJQ+GEZDGNBVGY3TQOJQ======\r\n",
        ] {
            assert_eq!(read(text), Ok((key.clone(), vec![])), "{text}");
        }
    }

    #[test]
    fn what_is_not_base32_is_refused() {
        for text in ["GEZDGNB0", "GEZDGNB1", "GEZDGNB8", "GEZDGNB9", "GEZ=DGNB", "GEZ/DGNB", "é"] {
            assert_eq!(read(text), Err(ReadError::SecretEncoding), "{text}");
        }
        // Control characters and the neighbours of the letters are not folded into the alphabet.
        for byte in
            (0..=u8::MAX).filter(|b| !b.is_ascii_alphanumeric() && !b" \t\r\n-+=".contains(b))
        {
            let text = [b"GEZDGNBVGY3TQOJ".as_slice(), &[byte], b"GEZDGNBV"].concat();
            let refused = base32(&text, &mut Vec::new()).err();
            assert_eq!(refused, Some(ReadError::SecretEncoding), "byte {byte}");
        }
    }

    #[test]
    fn what_was_cut_off_is_refused() {
        for letters in 1..=40 {
            let text = "A".repeat(letters);
            let whole = !matches!(letters % 8, 1 | 3 | 6);
            assert_eq!(read(&text).is_ok(), whole, "{letters} letters");
        }
        assert_eq!(read(""), Err(ReadError::SecretLength));
        assert_eq!(read(" - ===="), Err(ReadError::SecretLength));
        assert!(read(&"A".repeat(410)).is_ok());
        assert_eq!(read(&"A".repeat(412)), Err(ReadError::SecretLength));
    }

    #[test]
    fn bits_beyond_the_last_byte_are_dropped_and_reported() {
        let (key, warnings) = read("GEZDGNBVGY3TQOJQGEZDGNBVGZ").unwrap();
        assert_eq!(key, b"1234567890123456");
        assert_eq!(warnings, [Warning::TrailingBits]);
        assert_eq!(read("GEZDGNBVGY3TQOJQGEZDGNBVGY").unwrap().1, []);
    }
}
