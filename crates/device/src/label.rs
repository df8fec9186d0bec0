//! Labels: what people call a device, or what a browser says that it is.

use std::fmt;

use crate::text::written_as_text;

/// A short text that is safe to show beside others and to write into a line of a log: at most 64
/// bytes of one line, without control characters, and without the invisible and direction-turning
/// ones that let a text pass for another (Unicode Standard Annex 9, Technical Report 36).
///
/// It is no HTML: whoever puts it into a page escapes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Label(Box<str>);

/// A stored label that [`Label::clean`] would not have made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelError;

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a label is one line of at most 64 bytes that can be seen")
    }
}

impl std::error::Error for LabelError {}

impl Label {
    /// How long it is at most, in bytes of UTF-8.
    pub const MAX: usize = 64;

    /// Makes a label of any text, such as a `User-Agent` header: drops what cannot be seen, makes
    /// one space of each run of white space, and cuts what is too long. Nothing may remain.
    ///
    /// ```
    /// # use countersign_device::Label;
    /// assert_eq!(Label::clean("  My\r\nphone\u{202e} ").as_str(), "My phone");
    /// ```
    #[must_use]
    pub fn clean(text: &str) -> Self {
        let mut label = String::new();
        let mut gap = false;
        for char in text.chars() {
            if char.is_whitespace() {
                gap = !label.is_empty();
            } else if !is_unseen(char) {
                let space = usize::from(gap);
                if label.len() + space + char.len_utf8() > Self::MAX {
                    break;
                }
                label.extend(gap.then_some(' '));
                label.push(char);
                gap = false;
            }
        }
        Self(label.into())
    }

    /// One that was made before.
    fn kept(text: &str) -> Result<Self, LabelError> {
        if text.is_empty() {
            // Most are. Comparing nothing with nothing can be slow: `memcmp` of glibc on AVX-512 reads from an address
            // where nothing is.
            return Ok(Self::default());
        }
        let label = Self::clean(text);
        if *label.0 == *text { Ok(label) } else { Err(LabelError) }
    }

    /// The text. Empty where nobody gave one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

written_as_text!(Label, Label::kept);

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        Self::kept(&text)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.into()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Controls, and what Unicode has for formatting: directions, joiners, tags, annotations.
fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_makes_a_label_that_stays_as_it_is(text in any::<String>()) {
            let label = Label::clean(&text);
            prop_assert!(label.as_str().len() <= Label::MAX);
            prop_assert!(!label.as_str().chars().any(|char| char.is_control() || is_unseen(char)));
            prop_assert_eq!(Label::try_from(label.to_string()), Ok(label.clone()));
            let bytes = postcard::to_allocvec(&label).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Label>(&bytes), Ok(label));
        }
    }

    #[test]
    fn lines_directions_and_lengths_are_taken_out() {
        for (text, label) in [
            ("Firefox on Linux", "Firefox on Linux"),
            ("a\r\nSet-Cookie: b", "a Set-Cookie: b"),
            ("\u{202e}evil\u{2066}", "evil"),
            ("\u{1b}[31mred", "[31mred"),
            (" \t ", ""),
            ("a\u{2028}b", "a b"),
            ("Zoë’s 手机", "Zoë’s 手机"),
        ] {
            assert_eq!(Label::clean(text).as_str(), label, "{text:?}");
        }
        // Cut between characters, and never after a space.
        assert_eq!(Label::clean(&"é".repeat(100)).as_str(), "é".repeat(32));
        assert_eq!(Label::clean(&format!("{} b", "a".repeat(63))).as_str(), "a".repeat(63));
    }

    #[test]
    fn a_stored_one_that_was_never_clean_is_refused() {
        for bad in [" a", "a\n", "a  b", "\u{200b}", &"x".repeat(65)] {
            let bytes = postcard::to_allocvec(bad).unwrap();
            assert!(postcard::from_bytes::<Label>(&bytes).is_err(), "{bad:?}");
        }
    }
}
