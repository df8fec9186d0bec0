//! To the URI: one form, which every reader takes.

use countersign_otp::{Algorithm, Digits};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use zeroize::Zeroizing;

use super::{Kind, Uri};

/// All but what RFC 3986, section 2.3, leaves unreserved, and `@`, which it allows in a path and in
/// a query and which most accounts have. A space is `%20` and never `+`.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Room for everything but names and secret.
const FRAME: usize = 160;

impl Uri {
    /// The otpauth URI, with the secret in it: for the QR code, and for nothing that is kept.
    ///
    /// Issuer as prefix and as parameter, the secret in base32 without padding, and every number
    /// said even where it is the default. Wiped when dropped.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        // Room for all at once: a string that grows leaves its bytes behind.
        let names = self.issuer().map_or(0, str::len).saturating_mul(2);
        let names = names.saturating_add(self.account().len()).saturating_mul(3);
        let secret = self.secret().expose().len().saturating_mul(2);
        let room = FRAME.saturating_add(names).saturating_add(secret);
        let mut uri = Zeroizing::new(String::with_capacity(room));

        let (kind, algorithm, digits) = match self.kind() {
            Kind::Totp(totp) => ("totp", totp.algorithm(), digits(totp.digits())),
            Kind::Hotp { algorithm, hotp, .. } => ("hotp", algorithm, digits(hotp.digits())),
            Kind::Steam => ("steam", Algorithm::Sha1, "5"),
        };
        uri.extend(["otpauth://", kind, "/"]);
        if let Some(issuer) = self.issuer() {
            uri.extend(encoded(issuer));
            uri.push(':');
        }
        uri.extend(encoded(self.account()));
        uri.push_str("?secret=");
        uri.push_str(self.secret().to_base32().as_str());
        if let Some(issuer) = self.issuer() {
            uri.push_str("&issuer=");
            uri.extend(encoded(issuer));
        }
        uri.extend(["&algorithm=", algorithm.name(), "&digits=", digits]);
        match self.kind() {
            Kind::Totp(totp) => {
                uri.push_str("&period=");
                uri.push_str(&totp.period().secs().to_string());
            }
            Kind::Hotp { counter, .. } => {
                uri.push_str("&counter=");
                uri.push_str(&counter.to_string());
            }
            // Aegis knows Steam by the type, KeePassXC by the encoder.
            Kind::Steam => uri.push_str("&period=30&encoder=steam"),
        }
        uri
    }
}

fn encoded(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, ENCODED)
}

fn digits(digits: Digits) -> &'static str {
    match digits {
        Digits::Six => "6",
        Digits::Seven => "7",
        Digits::Eight => "8",
    }
}
