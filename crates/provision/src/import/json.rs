//! Numbers as apps write them, and secrets that are not copied.

use core::fmt;

use serde::{Deserialize, Deserializer, de::Visitor};

/// A number, written as such or as text; kept as text, because it is judged elsewhere.
#[derive(Default)]
pub(super) struct Number(Option<String>);

impl Number {
    pub(super) fn into_text(self) -> Option<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number.to_string())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number(Some(number.to_string())))
            }
            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(Number(Some(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(Text)
    }
}
