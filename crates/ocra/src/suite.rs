//! The suite (RFC 6287, section 6): what both sides compute, as a line of text.
//!
//! `OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1-S064-T1M`. The text itself is the first part of what is
//! authenticated, so it is kept as it was written: `QH8` and `QH08` mean the same and make other
//! codes. What it refuses: anything out of the order of section 6.3, lower case, a number out of
//! range, an `H` of zero (which the RFC's table allows, and which would divide by it).

use core::{fmt, str::FromStr};

use countersign_otp::Algorithm;

/// A suite that was read, with its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Suite {
    text: Box<str>,
    algorithm: Algorithm,
    length: Length,
    counter: bool,
    challenge: Challenge,
    pin: Option<Algorithm>,
    session: Option<u16>,
    step: Option<u32>,
}

/// How long a response is (section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// `0`: the whole HMAC.
    Full,
    /// So many digits: 4 to 10.
    Digits(u8),
}

/// What the question is made of (section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Challenge {
    /// Of which characters.
    pub format: Format,
    /// Of how many at most: 4 to 64. A question has 4 at least.
    pub max: u8,
}

/// The characters of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `A`: ASCII letters and digits.
    Alphanumeric,
    /// `N`: decimal digits.
    Numeric,
    /// `H`: hexadecimal digits.
    Hexadecimal,
}

/// Why a text is no suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SuiteError {
    /// It is not of three parts, or the first is not `OCRA-1`.
    Version,
    /// The function is not `HOTP-SHA1-t`, `HOTP-SHA256-t` or `HOTP-SHA512-t`.
    Function,
    /// The length of the response is neither 0 nor 4 to 10.
    Length,
    /// There is no `QFxx`, or its format is not A, N or H, or its length not 4 to 64.
    Challenge,
    /// The hash of the PIN is not SHA1, SHA256 or SHA512.
    Pin,
    /// The length of the session information is not 1 to 512.
    Session,
    /// The time step is not `1S` to `59S`, `1M` to `59M` or `1H` to `48H`.
    Time,
    /// A part that is not known, comes twice or is out of order.
    Part,
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "not a suite of OCRA-1, a function and data",
            Self::Function => "the function is not HOTP with SHA1, SHA256 or SHA512",
            Self::Length => "the response has neither 0 nor 4 to 10 digits",
            Self::Challenge => "the question is not of A, N or H and 4 to 64 long",
            Self::Pin => "the hash of the PIN is not SHA1, SHA256 or SHA512",
            Self::Session => "the session information is not 1 to 512 bytes long",
            Self::Time => "the time step is not 1 to 59 S or M, or 1 to 48 H",
            Self::Part => "a part is unknown, there twice or out of order",
        })
    }
}

impl core::error::Error for SuiteError {}

impl FromStr for Suite {
    type Err = SuiteError;

    /// # Errors
    ///
    /// [`SuiteError`]: which part is wrong.
    fn from_str(text: &str) -> Result<Self, SuiteError> {
        let mut parts = text.split(':');
        let (Some("OCRA-1"), Some(function), Some(data), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SuiteError::Version);
        };
        let (algorithm, length) = read_function(function)?;

        let mut data = data.split('-').peekable();
        let counter = data.next_if_eq(&"C").is_some();
        let challenge = data.next().and_then(read_challenge).ok_or(SuiteError::Challenge)?;
        let mut optional = |letter| data.next_if(|part| part.starts_with(letter));
        let (pin, session, time) = (optional('P'), optional('S'), optional('T'));
        if data.next().is_some() {
            return Err(SuiteError::Part);
        }
        let pin = pin.map(|part| algorithm_of(part.get(1..)).ok_or(SuiteError::Pin));
        let session = session.map(|part| read_session(part).ok_or(SuiteError::Session));
        let step = time.map(|part| read_step(part).ok_or(SuiteError::Time));
        Ok(Self {
            text: text.into(),
            algorithm,
            length,
            counter,
            challenge,
            pin: pin.transpose()?,
            session: session.transpose()?,
            step: step.transpose()?,
        })
    }
}

impl Suite {
    /// The text, as it was read: the first part of what is authenticated.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hash under HMAC.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How long a response is.
    #[must_use]
    pub fn length(&self) -> Length {
        self.length
    }

    /// Whether a counter is counted along (`C`).
    #[must_use]
    pub fn has_counter(&self) -> bool {
        self.counter
    }

    /// What a question is made of (`Q`).
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        self.challenge
    }

    /// How the PIN is hashed, if there is one (`P`).
    #[must_use]
    pub fn pin(&self) -> Option<Algorithm> {
        self.pin
    }

    /// How many bytes of session information there are, if any (`S`).
    #[must_use]
    pub fn session(&self) -> Option<u16> {
        self.session
    }

    /// The time step in seconds, if the time is counted along (`T`).
    #[must_use]
    pub fn step(&self) -> Option<u32> {
        self.step
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn read_function(text: &str) -> Result<(Algorithm, Length), SuiteError> {
    let (hash, length) = text
        .strip_prefix("HOTP-")
        .and_then(|text| text.split_once('-'))
        .ok_or(SuiteError::Function)?;
    let algorithm = algorithm_of(Some(hash)).ok_or(SuiteError::Function)?;
    let length = match length {
        "0" => Length::Full,
        // The one length of two digits; `08` is another text for no other length.
        "10" => Length::Digits(10),
        _ => match number(length, 1).ok_or(SuiteError::Length)? {
            digits @ 4..=9 => Length::Digits(u8::try_from(digits).map_err(|_| SuiteError::Length)?),
            _ => return Err(SuiteError::Length),
        },
    };
    Ok((algorithm, length))
}

fn algorithm_of(name: Option<&str>) -> Option<Algorithm> {
    match name? {
        "SHA1" => Some(Algorithm::Sha1),
        "SHA256" => Some(Algorithm::Sha256),
        "SHA512" => Some(Algorithm::Sha512),
        _ => None,
    }
}

/// `QFxx`. One digit will do: the RFC's own example has `QH8`.
fn read_challenge(part: &str) -> Option<Challenge> {
    let part = part.strip_prefix('Q')?;
    let (format, max) = part.split_at_checked(1)?;
    let format = match format {
        "A" => Format::Alphanumeric,
        "N" => Format::Numeric,
        "H" => Format::Hexadecimal,
        _ => return None,
    };
    let max = number(max, 2).filter(|max| (4..=64).contains(max))?;
    Some(Challenge { format, max: u8::try_from(max).ok()? })
}

/// `Snnn`.
fn read_session(part: &str) -> Option<u16> {
    number(part.strip_prefix('S')?, 3).filter(|bytes| (1..=512).contains(bytes))
}

/// `TG`, in seconds.
fn read_step(part: &str) -> Option<u32> {
    let part = part.strip_prefix('T')?;
    let (count, unit) = part.split_at_checked(part.len().checked_sub(1)?)?;
    let (most, seconds) = match unit {
        "S" => (59, 1),
        "M" => (59, 60),
        "H" => (48, 3600),
        _ => return None,
    };
    let count = number(count, 2).filter(|count| (1..=most).contains(count))?;
    u32::from(count).checked_mul(seconds)
}

/// A number of one to `most` digits and nothing else.
fn number(text: &str, most: usize) -> Option<u16> {
    let digits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
