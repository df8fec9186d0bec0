//! The data input (RFC 6287, section 5.1): suite, zero, counter, question, PIN, session, time, byte
//! for byte.
//!
//! What it refuses: an input that the suite has no place for, and a place without an input. An
//! optional part that is silently left out would be a code for something else.

use core::fmt;

use countersign_otp::{Algorithm, UnixTime};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha512};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::{Question, Suite};

/// What a response is computed over, beside the key. Each part is there if the suite has it.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// `Q`.
    pub question: &'a Question,
    /// `C`: the counter, which both sides raise after each use.
    pub counter: Option<u64>,
    /// `P`.
    pub pin: Option<&'a Pin>,
    /// `S`: the session information, at most as long as the suite says; a shorter one is filled
    /// with zeros from the left, as in the RFC's reference implementation.
    pub session: Option<&'a [u8]>,
    /// `T`: the time; the suite says how long a step is.
    pub time: Option<UnixTime>,
}

impl<'a> Input<'a> {
    /// Nothing but a question.
    #[must_use]
    pub fn new(question: &'a Question) -> Self {
        Self { question, counter: None, pin: None, session: None, time: None }
    }

    /// With a counter.
    #[must_use]
    pub fn counter(self, counter: u64) -> Self {
        Self { counter: Some(counter), ..self }
    }

    /// With a PIN.
    #[must_use]
    pub fn pin(self, pin: &'a Pin) -> Self {
        Self { pin: Some(pin), ..self }
    }

    /// With session information.
    #[must_use]
    pub fn session(self, session: &'a [u8]) -> Self {
        Self { session: Some(session), ..self }
    }

    /// With the time.
    #[must_use]
    pub fn at(self, now: UnixTime) -> Self {
        Self { time: Some(now), ..self }
    }
}

/// The hash of a PIN, wiped when dropped. Its length is the suite's.
#[derive(Clone)]
pub struct Pin {
    algorithm: Algorithm,
    digest: [u8; 64],
}

impl Pin {
    /// The hash of `pin`, by the suite's algorithm; none if the suite has no PIN.
    #[must_use]
    pub fn new(suite: &Suite, pin: &str) -> Option<Self> {
        let algorithm = suite.pin()?;
        Some(match algorithm {
            Algorithm::Sha1 => Self::of(algorithm, &Sha1::digest(pin)),
            Algorithm::Sha256 => Self::of(algorithm, &Sha256::digest(pin)),
            Algorithm::Sha512 => Self::of(algorithm, &Sha512::digest(pin)),
        })
    }

    /// A hash that was kept; none if it has not the length of the suite's.
    #[must_use]
    pub fn from_digest(suite: &Suite, digest: &[u8]) -> Option<Self> {
        let algorithm = suite.pin()?;
        (digest.len() == algorithm.secret_len()).then(|| Self::of(algorithm, digest))
    }

    fn of(algorithm: Algorithm, digest: &[u8]) -> Self {
        let mut pin = Self { algorithm, digest: [0; 64] };
        for (to, from) in pin.digest.iter_mut().zip(digest) {
            *to = *from;
        }
        pin
    }

    fn digest(&self) -> &[u8] {
        // An algorithm's secret is as long as its output.
        self.digest.get(..self.algorithm.secret_len()).unwrap_or_default()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.digest.zeroize();
    }
}

impl ZeroizeOnDrop for Pin {}

/// Why an input does not fit a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// The suite has this part, the input has not.
    Missing(&'static str),
    /// The input has this part, the suite has not.
    Superfluous(&'static str),
    /// The PIN was hashed by another algorithm.
    Pin,
    /// The session information is longer than the suite says.
    Session,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(part) => write!(f, "the suite asks for a {part}, give one"),
            Self::Superfluous(part) => write!(f, "the suite has no place for a {part}"),
            Self::Pin => f.write_str("the PIN was hashed by another algorithm than the suite's"),
            Self::Session => f.write_str("the session information is too long for the suite"),
        }
    }
}

impl core::error::Error for InputError {}

/// The input in its order, each part checked against the suite. `put` is given every byte once.
pub(crate) fn write(
    suite: &Suite,
    input: &Input<'_>,
    mut put: impl FnMut(&[u8]),
) -> Result<(), InputError> {
    let counter = place(suite.has_counter().then_some(()), input.counter, "counter")?;
    let pin = place(suite.pin(), input.pin, "PIN")?;
    let session = place(suite.session(), input.session, "session")?;
    let time = place(suite.step(), input.time, "time")?;
    if pin.is_some_and(|(algorithm, pin)| pin.algorithm != algorithm) {
        return Err(InputError::Pin);
    }
    let session = match session {
        None => None,
        Some((len, session)) => {
            let zeros = usize::from(len).checked_sub(session.len()).ok_or(InputError::Session)?;
            Some((zeros, session))
        }
    };

    put(suite.as_str().as_bytes());
    put(&[0]);
    if let Some(((), counter)) = counter {
        put(&counter.to_be_bytes());
    }
    put(input.question.as_bytes());
    if let Some((_, pin)) = pin {
        put(pin.digest());
    }
    if let Some((zeros, session)) = session {
        put([0; 512].get(..zeros).unwrap_or_default());
        put(session);
    }
    if let Some((step, time)) = time {
        let steps = time.secs().checked_div(u64::from(step)).unwrap_or_default();
        put(&steps.to_be_bytes());
    }
    Ok(())
}

/// Both or neither.
fn place<A, B>(
    suite: Option<A>,
    input: Option<B>,
    name: &'static str,
) -> Result<Option<(A, B)>, InputError> {
    match (suite, input) {
        (Some(suite), Some(input)) => Ok(Some((suite, input))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(InputError::Missing(name)),
        (None, Some(_)) => Err(InputError::Superfluous(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(suite: &Suite, input: &Input<'_>) -> Result<Vec<u8>, InputError> {
        let mut bytes = Vec::new();
        write(suite, input, |part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    #[test]
    fn every_part_stands_in_its_place() {
        let text = "OCRA-1:HOTP-SHA1-6:C-QH08-PSHA256-S010-T2M";
        let suite: Suite = text.parse().unwrap();
        let question = suite.question("1234abcd").unwrap();
        let pin = Pin::new(&suite, "1234").unwrap();
        let input = Input::new(&question)
            .counter(0x0102_0304_0506_0708)
            .pin(&pin)
            .session(b"abc")
            .at(UnixTime::from_secs(120 * 0x0a0b + 119));

        let mut expected = text.as_bytes().to_vec();
        expected.push(0);
        expected.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        expected.extend([0x12, 0x34, 0xab, 0xcd]);
        expected.extend([0; 124]);
        expected.extend_from_slice(&Sha256::digest("1234"));
        expected.extend(b"\0\0\0\0\0\0\0abc");
        expected.extend([0, 0, 0, 0, 0, 0, 0x0a, 0x0b]);
        assert_eq!(bytes(&suite, &input).unwrap(), expected);

        let kept = Pin::from_digest(&suite, &Sha256::digest("1234")).unwrap();
        assert_eq!(bytes(&suite, &input.pin(&kept)).unwrap(), expected);
    }

    #[test]
    fn every_hash_of_a_pin_has_its_length() {
        for (hash, len) in [("SHA1", 20), ("SHA256", 32), ("SHA512", 64)] {
            let suite: Suite = format!("OCRA-1:HOTP-SHA1-6:QN08-P{hash}").parse().unwrap();
            let question = suite.question("00000000").unwrap();
            let pin = Pin::new(&suite, "1234").unwrap();
            let bytes = bytes(&suite, &Input::new(&question).pin(&pin)).unwrap();
            assert_eq!(bytes.len(), suite.as_str().len() + 1 + 128 + len);
            assert!(Pin::from_digest(&suite, &[0; 16]).is_none());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bare: Suite = "OCRA-1:HOTP-SHA1-6:QN08".parse().unwrap();
        let full: Suite = "OCRA-1:HOTP-SHA1-6:C-QN08-PSHA1-S010-T1M".parse().unwrap();
        let other: Suite = "OCRA-1:HOTP-SHA1-6:C-QN08-PSHA256-S010-T1M".parse().unwrap();
        let question = bare.question("00000000").unwrap();
        let pin = Pin::new(&full, "1234").unwrap();
        let now = UnixTime::from_secs(0);

        let none = Input::new(&question);
        let all = none.counter(0).pin(&pin).session(b"").at(now);
        assert!(bytes(&bare, &none).is_ok() && bytes(&full, &all).is_ok());
        for (input, part) in [
            (none.counter(0), "counter"),
            (none.pin(&pin), "PIN"),
            (none.session(b""), "session"),
            (none.at(now), "time"),
        ] {
            assert_eq!(bytes(&bare, &input), Err(InputError::Superfluous(part)));
        }
        for (input, part) in [
            (Input { counter: None, ..all }, "counter"),
            (Input { pin: None, ..all }, "PIN"),
            (Input { session: None, ..all }, "session"),
            (Input { time: None, ..all }, "time"),
        ] {
            assert_eq!(bytes(&full, &input), Err(InputError::Missing(part)));
        }
        assert_eq!(bytes(&other, &all), Err(InputError::Pin));
        assert_eq!(bytes(&full, &all.session(&[0; 11])), Err(InputError::Session));
        assert!(Pin::new(&bare, "1234").is_none());
        assert_eq!(format!("{pin:?}"), "Pin(..)");
    }
}
