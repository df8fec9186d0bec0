//! The question (RFC 6287, sections 5.1, 6.3 and 7): what a response answers.
//!
//! What it refuses: fewer than 4 characters or more than the suite has (too short a question is
//! answered from a table of what was asked before), characters of another format, and a mutual
//! exchange whose two questions read the same in either order, so that one side's response could be
//! sent back to it as the other's.
//!
//! A question enters as 128 bytes, filled from the left. **A decimal one is turned into hexadecimal
//! first** (section 5.1 and the reference implementation), so its leading zeros do not count, and a
//! number and sixteen times it are one question. For a random challenge that is of no weight; do not
//! sign amounts with it. Letters have one reading; so have hexadecimal questions of one length.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Format, Suite};

/// A question as it enters the computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    bytes: [u8; 128],
}

/// Why a text is no question of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuestionError {
    /// Fewer than 4 characters, or more than the suite has.
    Length,
    /// A character that is not of the suite's format.
    Format,
    /// Both questions of a mutual exchange make the same input in either order.
    Reflected,
    /// A document needs a suite with `QH64`.
    Document,
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => {
                "a question has 4 characters at least, and as many as the suite at most"
            }
            Self::Format => "a character is not of the suite's format",
            Self::Reflected => "the two questions can be taken for each other; draw others",
            Self::Document => "a document needs a suite with QH64",
        })
    }
}

impl core::error::Error for QuestionError {}

impl Suite {
    /// A question of this suite: a challenge (section 7.1), or short data to sign (section 7.4).
    ///
    /// # Errors
    ///
    /// [`QuestionError`] for a wrong length or a foreign character.
    pub fn question(&self, text: &str) -> Result<Question, QuestionError> {
        self.check(text)?;
        Ok(Question::of(self.challenge().format, &[text]))
    }

    /// A question over a document of named fields, such as a payment: the SHA-256 of all names and
    /// values, each with its length before it, so that no two documents make the same text. For
    /// suites with `QH64`. Put a reference or a time in, or the response is good for the same
    /// payment again.
    ///
    /// # Errors
    ///
    /// [`QuestionError::Document`] if the suite's question is not `QH64`.
    pub fn document(&self, fields: &[(&str, &str)]) -> Result<Question, QuestionError> {
        let challenge = self.challenge();
        if challenge.format != Format::Hexadecimal || challenge.max != 64 {
            return Err(QuestionError::Document);
        }
        let mut hash = Sha256::new();
        for text in fields.iter().flat_map(|(name, value)| [name, value]) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let mut question = Question { bytes: [0; 128] };
        let digest: [u8; 32] = hash.finalize().into();
        for (byte, digest) in question.bytes.iter_mut().zip(digest) {
            *byte = digest;
        }
        Ok(question)
    }

    fn check(&self, text: &str) -> Result<(), QuestionError> {
        let challenge = self.challenge();
        let known: fn(&u8) -> bool = match challenge.format {
            Format::Alphanumeric => u8::is_ascii_alphanumeric,
            Format::Numeric => u8::is_ascii_digit,
            Format::Hexadecimal => u8::is_ascii_hexdigit,
        };
        if !text.as_bytes().iter().all(known) {
            return Err(QuestionError::Format);
        }
        if !(4..=usize::from(challenge.max)).contains(&text.len()) {
            return Err(QuestionError::Length);
        }
        Ok(())
    }
}

impl Question {
    /// The 128 bytes that are authenticated.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 128] {
        &self.bytes
    }

    /// The texts one after the other, which are of the format and at most 128 characters in all.
    fn of(format: Format, texts: &[&str]) -> Self {
        let text = texts.iter().flat_map(|text| text.bytes());
        let mut bytes = [0; 128];
        match format {
            Format::Alphanumeric => {
                for (byte, character) in bytes.iter_mut().zip(text) {
                    *byte = character;
                }
            }
            Format::Hexadecimal => put_nibbles(&mut bytes, text.map(nibble)),
            Format::Numeric => put_nibbles(&mut bytes, hexadecimal(text).into_iter()),
        }
        Self { bytes }
    }
}

/// The two questions of a mutual exchange (section 7.3). Each side asks one.
///
/// First the client asks and the server answers over `client ‖ server`; the client verifies that,
/// and only then answers over `server ‖ client`.
#[derive(Debug, Clone, Copy)]
pub struct Mutual<'a> {
    client: &'a str,
    server: &'a str,
}

impl<'a> Mutual<'a> {
    /// The questions that `client` and `server` asked.
    #[must_use]
    pub fn new(client: &'a str, server: &'a str) -> Self {
        Self { client, server }
    }

    /// What the server answers, and the client verifies.
    ///
    /// # Errors
    ///
    /// [`QuestionError`] if either question is not of `suite`, or if both can be taken for each
    /// other.
    pub fn for_server(&self, suite: &Suite) -> Result<Question, QuestionError> {
        self.pair(suite, [self.client, self.server])
    }

    /// What the client answers, and the server verifies.
    ///
    /// # Errors
    ///
    /// As [`Mutual::for_server`].
    pub fn for_client(&self, suite: &Suite) -> Result<Question, QuestionError> {
        self.pair(suite, [self.server, self.client])
    }

    fn pair(&self, suite: &Suite, [first, second]: [&str; 2]) -> Result<Question, QuestionError> {
        suite.check(first)?;
        suite.check(second)?;
        let format = suite.challenge().format;
        let question = Question::of(format, &[first, second]);
        if question == Question::of(format, &[second, first]) {
            return Err(QuestionError::Reflected);
        }
        Ok(question)
    }
}

/// Two nibbles to a byte from the left; a last odd one is the upper half, beside zero.
fn put_nibbles(bytes: &mut [u8; 128], mut nibbles: impl Iterator<Item = u8>) {
    for byte in bytes {
        let Some(high) = nibbles.next() else { return };
        *byte = (high << 4) | nibbles.next().unwrap_or_default();
    }
}

fn nibble(digit: u8) -> u8 {
    let digit = digit.to_ascii_lowercase();
    if digit.is_ascii_digit() { digit & 0x0f } else { (digit & 0x0f).wrapping_add(9) }
}

/// The digits of a decimal number in hexadecimal, without leading zeros, but at least one.
fn hexadecimal(decimal: impl Iterator<Item = u8>) -> Vec<u8> {
    // 128 decimal digits are 426 bits, 107 nibbles. The least one comes first.
    let mut nibbles: Vec<u8> = Vec::with_capacity(108);
    for digit in decimal {
        let mut carry = u32::from(digit & 0x0f);
        for nibble in &mut nibbles {
            let product = u32::from(*nibble).wrapping_mul(10).wrapping_add(carry);
            let [low, ..] = (product & 0x0f).to_le_bytes();
            *nibble = low;
            carry = product >> 4;
        }
        // The carry is below 10: one nibble.
        if carry > 0 {
            let [low, ..] = carry.to_le_bytes();
            nibbles.push(low);
        }
    }
    if nibbles.is_empty() {
        nibbles.push(0);
    }
    nibbles.reverse();
    nibbles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(suite: &str, text: &str) -> Result<Vec<u8>, QuestionError> {
        let suite: Suite = suite.parse().unwrap();
        let question = suite.question(text)?;
        let end = question.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Ok(question.bytes[..end].to_vec())
    }

    #[test]
    fn decimal_is_turned_into_hexadecimal_from_the_left() {
        let n = |text| bytes("OCRA-1:HOTP-SHA1-6:QN64", text).unwrap();
        assert_eq!(n("0000"), []);
        assert_eq!(n("0001"), [0x10]);
        assert_eq!(n("0015"), [0xf0]);
        assert_eq!(n("0016"), [0x10]);
        assert_eq!(n("0255"), [0xff]);
        assert_eq!(n("4095"), [0xff, 0xf0]);
        assert_eq!(n("12345678"), [0xbc, 0x61, 0x4e]);
        assert_eq!(n("00000000000012345678"), [0xbc, 0x61, 0x4e]);
        assert_eq!(n("18446744073709551615"), [0xff; 8]);
        assert_eq!(n("18446744073709551616"), [0x10]);
        assert_eq!(n("340282366920938463463374607431768211455"), [0xff; 16]);
        let most = n(&"9".repeat(64));
        assert_eq!((most.len(), &most[..3]), (27, &[0x18, 0x4f, 0x03][..]));
    }

    #[test]
    fn a_number_and_sixteen_times_it_are_one_question() {
        let n = |text| bytes("OCRA-1:HOTP-SHA1-6:QN12", text).unwrap();
        assert_eq!(n("000000001250"), n("000000020000"));
        let a = |text| bytes("OCRA-1:HOTP-SHA1-6:QA12", text).unwrap();
        assert_ne!(a("000000001250"), a("000000020000"));
    }

    #[test]
    fn hexadecimal_may_be_odd_and_of_either_case() {
        let h = |text| bytes("OCRA-1:HOTP-SHA1-6:QH64", text).unwrap();
        assert_eq!(h("09afAF"), [0x09, 0xaf, 0xaf]);
        assert_eq!(h("abcde"), [0xab, 0xcd, 0xe0]);
        assert_eq!(h("0000f"), [0, 0, 0xf0]);
    }

    #[test]
    fn letters_are_themselves() {
        assert_eq!(bytes("OCRA-1:HOTP-SHA1-6:QA08", "SIG10000").unwrap(), b"SIG10000");
    }

    #[test]
    fn what_is_not_of_the_suite_is_refused() {
        for (suite, text, error) in [
            ("QN08", "", QuestionError::Length),
            ("QN08", "123", QuestionError::Length),
            ("QN08", "123456789", QuestionError::Length),
            ("QN08", "1234567a", QuestionError::Format),
            ("QN08", "+1234", QuestionError::Format),
            ("QN08", "١٢٣٤", QuestionError::Format),
            ("QH08", "1234567g", QuestionError::Format),
            ("QH08", "0x123", QuestionError::Format),
            ("QA08", "a b c", QuestionError::Format),
            ("QA08", "abcdé", QuestionError::Format),
        ] {
            let suite = format!("OCRA-1:HOTP-SHA1-6:{suite}");
            assert_eq!(bytes(&suite, text), Err(error), "{suite} {text}");
        }
    }

    #[test]
    fn two_questions_that_read_the_same_are_refused() {
        let a: Suite = "OCRA-1:HOTP-SHA1-6:QA08".parse().unwrap();
        for (client, server) in [("abcd", "abcd"), ("abab", "ababab"), ("aaaa", "aaaaaaa")] {
            let mutual = Mutual::new(client, server);
            assert_eq!(mutual.for_server(&a), Err(QuestionError::Reflected));
            assert_eq!(mutual.for_client(&a), Err(QuestionError::Reflected));
        }
        let n: Suite = "OCRA-1:HOTP-SHA1-6:QN08".parse().unwrap();
        assert_eq!(Mutual::new("0000", "00000").for_server(&n), Err(QuestionError::Reflected));
        let mutual = Mutual::new("CLI22220", "SRV11110");
        assert_ne!(mutual.for_server(&a).unwrap(), mutual.for_client(&a).unwrap());
        assert_eq!(Mutual::new("abc", "abcd").for_server(&a), Err(QuestionError::Length));
    }

    #[test]
    fn a_document_has_one_reading() {
        let suite: Suite = "OCRA-1:HOTP-SHA256-8:QH64".parse().unwrap();
        let of = |fields: &[(&str, &str)]| suite.document(fields).unwrap();
        let payment = of(&[("amount", "10.00"), ("payee", "DE02")]);
        assert_eq!(payment, of(&[("amount", "10.00"), ("payee", "DE02")]));
        for other in [
            of(&[("amount", "10.0"), ("0payee", "DE02")]),
            of(&[("amount", "10.00"), ("payee", "DE03")]),
            of(&[("payee", "DE02"), ("amount", "10.00")]),
            of(&[("amount", "10.00payeeDE02")]),
            of(&[("amount", "10.00"), ("payee", "DE02"), ("", "")]),
        ] {
            assert_ne!(payment, other);
        }
        for short in ["QH40", "QA64", "QN64"] {
            let suite: Suite = format!("OCRA-1:HOTP-SHA256-8:{short}").parse().unwrap();
            assert_eq!(suite.document(&[]), Err(QuestionError::Document));
        }
    }
}
