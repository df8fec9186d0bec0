//! How a checked text is written and read: as the text that it is, without a copy that is not kept.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a text, and checks it as whoever gives it in person would have it checked.
pub(crate) fn read<'de, D, T, E>(
    from: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    from.deserialize_str(Parsed(parse, PhantomData))
}

/// Has a type written as its text, and read by whatever checks one.
macro_rules! written_as_text {
    ($name:ty, $parse:path) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::text::read(from, $parse)
            }
        }
    };
}
pub(crate) use written_as_text;

struct Parsed<P, T, E>(P, PhantomData<(T, E)>);

impl<T, E: fmt::Display, P: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Parsed<P, T, E> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
        (self.0)(text).map_err(F::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use crate::{EmailAddress, Label, TenantId};

    fn is_written_as_its_text<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        of: &T,
        text: &str,
    ) {
        let bytes = postcard::to_allocvec(of).unwrap();
        assert_eq!(bytes, postcard::to_allocvec(text).unwrap());
        assert_eq!(&postcard::from_bytes::<T>(&bytes).unwrap(), of);
    }

    #[test]
    fn a_checked_text_is_written_as_the_text() {
        for text in ["a", "auth0|5f7c", &"x".repeat(64)] {
            is_written_as_its_text(&TenantId::parse(text).unwrap(), text);
        }
        for text in ["", "My phone", "é"] {
            is_written_as_its_text(&Label::clean(text), text);
        }
        let text = "Alice@Example.com";
        is_written_as_its_text(&EmailAddress::parse(text).unwrap(), text);
    }

    #[test]
    fn what_would_not_have_been_made_is_not_read() {
        for text in ["two  spaces", " ", "a\n", &"x".repeat(65)] {
            let bytes = postcard::to_allocvec(text).unwrap();
            assert!(postcard::from_bytes::<Label>(&bytes).is_err(), "{text:?}");
            assert!(postcard::from_bytes::<TenantId>(&bytes).is_err(), "{text:?}");
            assert!(postcard::from_bytes::<EmailAddress>(&bytes).is_err(), "{text:?}");
        }
    }
}
