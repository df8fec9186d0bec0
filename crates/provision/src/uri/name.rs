//! Issuer and account: names that can stand in a label.

use core::fmt;

use super::Warning;

/// Bytes in a name. Two names of this length in ASCII, one of them twice, and a key of 256 bytes
/// still fit a QR code.
const MAX_LEN: usize = 255;

/// Why a name cannot stand in an otpauth URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// A name has no characters.
    Empty,
    /// A name is longer than 255 bytes.
    TooLong,
    /// A `:` separates issuer and account; readers would split the label at the wrong place.
    Colon,
    /// A control character, which could forge a line of a log or of a terminal; or U+FFFD, which a
    /// failed decoding left.
    Control,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a name is empty",
            Self::TooLong => "a name is longer than 255 bytes",
            Self::Colon => "a name has a colon, which separates issuer and account",
            Self::Control => "a name has a control character or U+FFFD",
        })
    }
}

impl core::error::Error for NameError {}

/// At most 255 bytes, trimmed, without `:` and without control characters.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// A name that we give: it must be right, and it must be there.
    pub(crate) fn new(name: &str) -> Result<Self, NameError> {
        let name = name.trim();
        if name.is_empty() {
            Err(NameError::Empty)
        } else if name.len() > MAX_LEN {
            Err(NameError::TooLong)
        } else if name.contains(':') {
            Err(NameError::Colon)
        } else if name.contains(is_misfit) {
            Err(NameError::Control)
        } else {
            Ok(Self(name.to_owned()))
        }
    }

    /// A name that somebody else gave: what cannot stand in it is replaced by `-` and reported, so
    /// that a whole key is not lost for a character of its label.
    pub(crate) fn found(name: &str, warnings: &mut Vec<Warning>) -> Result<Self, NameError> {
        let name = name.trim();
        if name.len() > MAX_LEN {
            return Err(NameError::TooLong);
        }
        let misfit = |c: char| c == ':' || is_misfit(c);
        if name.contains(misfit) && !warnings.contains(&Warning::NameChanged) {
            warnings.push(Warning::NameChanged);
        }
        Ok(Self(name.replace(misfit, "-")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_misfit(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ours_must_be_right() {
        let new = |name: &str| Name::new(name).map(|name| name.0);
        assert_eq!(new("  Example Ltd "), Ok("Example Ltd".to_owned()));
        assert_eq!(new(" \t "), Err(NameError::Empty));
        assert_eq!(new("a:b"), Err(NameError::Colon));
        assert_eq!(new("a\nb"), Err(NameError::Control));
        assert_eq!(new("a\u{fffd}b"), Err(NameError::Control));
        assert_eq!(new(&"é".repeat(128)), Err(NameError::TooLong));
        assert!(new(&"e".repeat(255)).is_ok());
    }

    #[test]
    fn a_name_of_others_is_made_right_and_reported_once() {
        let mut warnings = Vec::new();
        let name = Name::found(" http://a\u{7f}b\u{fffd} ", &mut warnings).map(|name| name.0);
        assert_eq!(name, Ok("http-//a-b-".to_owned()));
        assert_eq!(warnings, [Warning::NameChanged]);
        assert_eq!(Name::found("", &mut warnings).map(|name| name.0), Ok(String::new()));
        assert_eq!(warnings.len(), 1);
    }
}
