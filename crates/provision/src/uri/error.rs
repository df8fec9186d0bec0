//! What reading refuses, and what it forgives and reports.

use core::fmt;

/// Why an otpauth URI was refused: it means nothing, or it could mean two things.
///
/// No variant carries anything of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// Longer than 4,096 bytes.
    TooLong,
    /// It does not begin with `otpauth://`.
    Scheme,
    /// It is an `otpauth-migration://` payload, which holds several keys: read it as such.
    Migration,
    /// Neither `totp` nor `hotp` nor `steam`.
    Type,
    /// A name is longer than 255 bytes.
    NameTooLong,
    /// The parameter of this name is there twice, so that two apps would read two keys.
    Duplicate(&'static str),
    /// There is no `secret`.
    SecretMissing,
    /// The secret is not base32 (RFC 4648, section 6), or was cut off.
    SecretEncoding,
    /// The secret has no bytes, or more than 256.
    SecretLength,
    /// An algorithm other than SHA-1, SHA-256 and SHA-512.
    Algorithm,
    /// Other than 6, 7 or 8 digits.
    Digits,
    /// A period of 0, or outside of 15 to 120 seconds.
    Period,
    /// A `hotp` without its counter: any guess could be replayed or refused.
    CounterMissing,
    /// The counter is not a number below 2^64.
    Counter,
    /// An `encoder` other than `steam`: the code would not look as expected.
    Encoder,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than 4096 bytes",
            Self::Scheme => "not an otpauth:// URI",
            Self::Migration => "an otpauth-migration:// payload; read it as one",
            Self::Type => "the type is neither totp nor hotp nor steam",
            Self::NameTooLong => "a name is longer than 255 bytes",
            Self::Duplicate(parameter) => {
                return write!(f, "the parameter `{parameter}` is there twice; remove one");
            }
            Self::SecretMissing => "there is no secret",
            Self::SecretEncoding => "the secret is not base32, or was cut off",
            Self::SecretLength => "the secret is empty or longer than 256 bytes",
            Self::Algorithm => "the algorithm is none of SHA1, SHA256 and SHA512",
            Self::Digits => "digits must be 6, 7 or 8",
            Self::Period => "the period must be 15 to 120 seconds",
            Self::CounterMissing => "hotp needs its counter",
            Self::Counter => "the counter is not a number below 2^64",
            Self::Encoder => "the encoder is not known",
        })
    }
}

impl core::error::Error for ReadError {}

/// What was forgiven. Show it to whoever imports the key; none of it changes what the key means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The secret is shorter than the 128 bits that RFC 4226, section 4, R6 demands. Replace it
    /// when the issuer allows.
    ShortSecret {
        /// Its length in bits.
        bits: usize,
    },
    /// The last letter of the secret carries bits beyond its last byte (RFC 4648, section 3.5).
    /// Apps drop them, and so do we.
    TrailingBits,
    /// The label's prefix and the `issuer` parameter differ; the parameter was taken.
    IssuerMismatch {
        /// The prefix, which was dropped.
        label: String,
    },
    /// The `issuer` has a `+`, and no label says whether it stands for a space. It was kept.
    PlusInIssuer,
    /// There is no account name: the user should give one.
    AccountMissing,
    /// A name had a `:`, a control character or bytes that are not UTF-8; they were replaced.
    NameChanged,
    /// The issuer is `Steam`, yet no `encoder` asks for Steam's letters. It was read as what it
    /// says, digits: a code must not depend on a name.
    PerhapsSteam,
    /// An imported key does not say how many digits it has; six were taken.
    DigitsAssumed,
    /// An imported `hotp` key does not say its counter; 0 was taken, as of a new token.
    CounterAssumed,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShortSecret { bits } => {
                return write!(f, "the secret has {bits} bits, fewer than 128; replace it soon");
            }
            Self::TrailingBits => "the secret ends in bits that no byte takes; they were dropped",
            Self::IssuerMismatch { label } => {
                return write!(f, "the label names another issuer, {label:?}");
            }
            Self::PlusInIssuer => "the issuer has a plus sign that may have meant a space",
            Self::AccountMissing => "there is no account name",
            Self::NameChanged => "characters that a name may not have were replaced",
            Self::PerhapsSteam => "issued by Steam, but read as digits, as it says",
            Self::DigitsAssumed => "the number of digits is not said; six were assumed",
            Self::CounterAssumed => "the counter is not said; 0 was assumed",
        })
    }
}
