//! The URI's parameters, each at most once.

use countersign_otp::Algorithm;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::ReadError;

/// What stands after the `?`: decoded, not yet judged. A parameter that no one reads (`image`,
/// `color`, `lock`) is left aside, as often as it comes.
#[derive(Default)]
pub(crate) struct Query {
    pub(crate) secret: Option<Zeroizing<Vec<u8>>>,
    pub(crate) issuer: Option<String>,
    pub(crate) algorithm: Option<String>,
    pub(crate) digits: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) counter: Option<String>,
    pub(crate) encoder: Option<String>,
}

impl Query {
    /// Splits at `&` and at the first `=`. Names are compared without regard to case.
    pub(super) fn read(query: &str) -> Result<Self, ReadError> {
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A name may be encoded too, and must not pass for another one by that.
            match text(name).to_ascii_lowercase().as_str() {
                "secret" => once(&mut read.secret, bytes(value), "secret")?,
                "issuer" => once(&mut read.issuer, text(value), "issuer")?,
                "algorithm" => once(&mut read.algorithm, text(value), "algorithm")?,
                "digits" => once(&mut read.digits, text(value), "digits")?,
                "period" => once(&mut read.period, text(value), "period")?,
                "counter" => once(&mut read.counter, text(value), "counter")?,
                "encoder" => once(&mut read.encoder, text(value), "encoder")?,
                _ => {}
            }
        }
        Ok(read)
    }

    /// The issuer, if it has a letter.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref().map(str::trim).filter(|issuer| !issuer.is_empty())
    }
}

/// Percent-decodes; a `%` without two hex digits stands for itself, bytes that are not UTF-8 become
/// replacement characters, and `+` is a plus sign (RFC 3986, section 2).
pub(super) fn text(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// The algorithm by any of the names that apps write: `SHA1`, `sha-1`, `HmacSHA256`,
/// `HMAC-SHA-512`, `SHA_256`.
pub(crate) fn algorithm(name: &str) -> Result<Algorithm, ReadError> {
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' ' | '/'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match name.strip_prefix("hmac").unwrap_or(&name) {
        "sha1" => Ok(Algorithm::Sha1),
        "sha256" => Ok(Algorithm::Sha256),
        "sha512" => Ok(Algorithm::Sha512),
        _ => Err(ReadError::Algorithm),
    }
}

/// A decimal number of digits alone: no sign, no other script.
pub(super) fn number<T: core::str::FromStr>(text: &str) -> Option<T> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn bytes(encoded: &str) -> Zeroizing<Vec<u8>> {
    // Room for all at once: a vector that grows leaves its bytes behind.
    let mut decoded = Zeroizing::new(Vec::with_capacity(encoded.len()));
    decoded.extend(percent_decode_str(encoded));
    decoded
}

fn once<T>(slot: &mut Option<T>, value: T, name: &'static str) -> Result<(), ReadError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ReadError::Duplicate(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_comes_once_in_any_case_and_any_coding() {
        for (query, name) in [
            ("secret=A&secret=A", "secret"),
            ("secret=A&SECRET=B", "secret"),
            ("secret=A&%73ecret=B", "secret"),
            ("issuer=&issuer=A", "issuer"),
            ("algorithm=SHA1&Algorithm=SHA1", "algorithm"),
            ("digits=6&digits=6", "digits"),
            ("period&period", "period"),
            ("counter=0&counter=1", "counter"),
            ("encoder=steam&encoder=steam", "encoder"),
        ] {
            assert_eq!(Query::read(query).err(), Some(ReadError::Duplicate(name)), "{query}");
        }
        assert!(Query::read("image=a&image=b&&secret=A&").is_ok());
    }

    #[test]
    fn percent_coding() {
        for (encoded, decoded) in [
            ("Big%20Corporation%3a", "Big Corporation:"),
            ("a+b%2Bc", "a+b+c"),
            ("50%", "50%"),
            ("%zz%4", "%zz%4"),
            ("%C3%A9%e2%82%ac", "é€"),
            ("%ff", "\u{fffd}"),
            ("%00", "\0"),
        ] {
            assert_eq!(text(encoded), decoded);
        }
    }

    #[test]
    fn algorithms_by_their_aliases() {
        for name in ["SHA1", "sha1", "SHA-1", "HmacSHA1", "HMAC-SHA-1", "hmac_sha1"] {
            assert_eq!(algorithm(name), Ok(Algorithm::Sha1), "{name}");
        }
        for name in ["SHA256", "HmacSHA256", "SHA-256", "sha_256"] {
            assert_eq!(algorithm(name), Ok(Algorithm::Sha256), "{name}");
        }
        for name in ["SHA512", "HmacSHA512", "SHA-512", "HMAC SHA512"] {
            assert_eq!(algorithm(name), Ok(Algorithm::Sha512), "{name}");
        }
        for name in ["", "SHA", "SHA2", "MD5", "SHA224", "SHA3-256", "hmac", "hmachmacsha1"] {
            assert_eq!(algorithm(name), Err(ReadError::Algorithm), "{name}");
        }
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(number::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(number::<u64>(" 06 "), Some(6));
        for text in ["", "+6", "-1", "6.0", "0x6", "٦", "18446744073709551616"] {
            assert_eq!(number::<u64>(text), None, "{text}");
        }
    }
}
