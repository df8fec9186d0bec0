//! One field of a request (text, flag, number, object), before it is known whether it is there and of the right type.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use zeroize::Zeroizing;

/// A text field. It may hold a password, a code or a token: its `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub enum Field {
    /// Not there, or null.
    #[default]
    Missing,
    /// A string.
    Text(Zeroizing<String>),
    /// There, and no string.
    OtherType,
}

/// A yes-or-no field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flag {
    /// Not there, or null.
    #[default]
    Missing,
    /// A boolean.
    Given(bool),
    /// There, and no boolean.
    OtherType,
}

/// A field that holds a whole number, not below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Number {
    /// Not there, or null.
    #[default]
    Missing,
    /// A number.
    Given(u64),
    /// There, and no such number.
    OtherType,
}

/// A field that holds an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section<T> {
    /// Not there, or null.
    #[default]
    Missing,
    /// An object.
    Given(T),
    /// There, and no object.
    OtherType,
}

/// A field that is missing or of another type: in the words of the contract's validation errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// The field is not there, null or an empty string.
    Empty(&'static str),
    /// The field is no string.
    NotAString(&'static str),
    /// The field is no boolean.
    NotABoolean(&'static str),
    /// The field is no whole number, or a negative one.
    NotANumber(&'static str),
    /// The field is no object.
    NotAnObject(&'static str),
    /// The field is a number, and below or above what it may be.
    OutOfRange(&'static str, u64, u64),
    /// The field is a string, and none that it may be.
    NotOneOf(&'static str, &'static str),
    /// The field is no id: 1 to 64 plain characters.
    NotAnId(&'static str),
    /// The field is no phone number.
    NotAPhoneNumber(&'static str),
    /// The field is no email address.
    NotAnEmail(&'static str),
    /// The field is no base64url (RFC 4648, section 5).
    NotBase64Url(&'static str),
    /// The field is longer than anything it could hold.
    TooLong(&'static str),
    /// Neither `email` nor `username` is there.
    NeitherEmailNorUsername,
}

impl Field {
    /// Longer texts are nobody's password, token or address.
    const LONGEST: usize = 16 * 1024;

    /// The text, which must be there and not empty.
    ///
    /// # Errors
    /// [`Invalid`] with the name.
    pub fn required(&self, name: &'static str) -> Result<&str, Invalid> {
        self.optional(name)?.ok_or(Invalid::Empty(name))
    }

    /// The text, if it is there; an empty one is none.
    ///
    /// # Errors
    /// [`Invalid`] with the name.
    pub fn optional(&self, name: &'static str) -> Result<Option<&str>, Invalid> {
        match self {
            Self::Missing => Ok(None),
            Self::OtherType => Err(Invalid::NotAString(name)),
            Self::Text(text) if text.len() > Self::LONGEST => Err(Invalid::TooLong(name)),
            Self::Text(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        }
    }
}

impl Flag {
    /// Whether it is set; a missing one is not.
    ///
    /// # Errors
    /// [`Invalid::NotABoolean`].
    pub const fn is_set(self, name: &'static str) -> Result<bool, Invalid> {
        match self {
            Self::Missing => Ok(false),
            Self::Given(value) => Ok(value),
            Self::OtherType => Err(Invalid::NotABoolean(name)),
        }
    }
}

impl Flag {
    /// What it says, if it is there.
    ///
    /// # Errors
    /// [`Invalid::NotABoolean`].
    pub const fn optional(self, name: &'static str) -> Result<Option<bool>, Invalid> {
        match self {
            Self::Missing => Ok(None),
            Self::Given(value) => Ok(Some(value)),
            Self::OtherType => Err(Invalid::NotABoolean(name)),
        }
    }
}

impl Number {
    /// The number, if it is there.
    ///
    /// # Errors
    /// [`Invalid::NotANumber`].
    pub const fn optional(self, name: &'static str) -> Result<Option<u64>, Invalid> {
        match self {
            Self::Missing => Ok(None),
            Self::Given(value) => Ok(Some(value)),
            Self::OtherType => Err(Invalid::NotANumber(name)),
        }
    }

    /// The number, if it is there, within bounds.
    ///
    /// # Errors
    /// [`Invalid`] with the name.
    pub const fn within(
        self,
        name: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, Invalid> {
        match self.optional(name) {
            Ok(Some(value)) if value < least || value > most => {
                Err(Invalid::OutOfRange(name, least, most))
            }
            other => other,
        }
    }
}

impl<T: Default + Clone> Section<T> {
    /// The object; a missing one says nothing.
    ///
    /// # Errors
    /// [`Invalid::NotAnObject`].
    pub fn given(&self, name: &'static str) -> Result<T, Invalid> {
        match self {
            Self::Missing => Ok(T::default()),
            Self::Given(value) => Ok(value.clone()),
            Self::OtherType => Err(Invalid::NotAnObject(name)),
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "Missing",
            Self::Text(_) => "Text(..)",
            Self::OtherType => "OtherType",
        })
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(name) => write!(f, "{name} should not be empty"),
            Self::NotAString(name) => write!(f, "{name} must be a string"),
            Self::NotABoolean(name) => write!(f, "{name} must be a boolean value"),
            Self::NotANumber(name) => write!(f, "{name} must be a positive whole number"),
            Self::NotAnObject(name) => write!(f, "{name} must be an object"),
            Self::OutOfRange(name, least, most) => {
                write!(f, "{name} must not be less than {least} or greater than {most}")
            }
            Self::NotOneOf(name, values) => {
                write!(f, "{name} must be one of the following values: {values}")
            }
            Self::NotAnId(name) => write!(f, "{name} must be an id"),
            Self::NotAPhoneNumber(name) => write!(f, "{name} must be a valid phone number"),
            Self::NotAnEmail(name) => write!(f, "{name} must be an email"),
            Self::NotBase64Url(name) => write!(f, "{name} must be a base64url string"),
            Self::TooLong(name) => {
                write!(f, "{name} must be shorter than or equal to {} characters", Field::LONGEST)
            }
            Self::NeitherEmailNorUsername => {
                f.write_str("Either email or username must be provided")
            }
        }
    }
}

impl std::error::Error for Invalid {}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyType).map(|seen| match seen {
            Seen::Text(text) => Self::Text(text),
            Seen::Null => Self::Missing,
            Seen::Flag(_) | Seen::Number(_) | Seen::Other => Self::OtherType,
        })
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyType).map(|seen| match seen {
            Seen::Flag(value) => Self::Given(value),
            Seen::Null => Self::Missing,
            Seen::Text(_) | Seen::Number(_) | Seen::Other => Self::OtherType,
        })
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyType).map(|seen| match seen {
            Seen::Number(value) => Self::Given(value),
            Seen::Null => Self::Missing,
            Seen::Text(_) | Seen::Flag(_) | Seen::Other => Self::OtherType,
        })
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Section<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Bounded: a body has at most 64 kB, and its parser stops at 128 levels.
        Ok(match serde_json::Value::deserialize(from)? {
            serde_json::Value::Null => Self::Missing,
            value @ serde_json::Value::Object(_) => {
                serde_json::from_value(value).map_or(Self::OtherType, Self::Given)
            }
            _ => Self::OtherType,
        })
    }
}

enum Seen {
    Text(Zeroizing<String>),
    Flag(bool),
    Number(u64),
    Null,
    Other,
}

/// Takes any JSON value and keeps no more of it than a field can hold. What is ignored is skipped by the parser without
/// recursion, so depth costs nothing.
struct AnyType;

impl<'de> Visitor<'de> for AnyType {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Seen, E> {
        Ok(Seen::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Seen, E> {
        Ok(Seen::Flag(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Seen, E> {
        Ok(Seen::Null)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seen, E> {
        Ok(Seen::Number(number))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Seen::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Seen, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Seen::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Probe {
        text: Field,
        flag: Flag,
        number: Number,
    }

    fn probe(json: &str) -> Probe {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_missing_null_or_empty_text_is_told_by_its_name() {
        for json in ["{}", r#"{"text":null}"#, r#"{"text":""}"#] {
            assert_eq!(probe(json).text.required("text"), Err(Invalid::Empty("text")), "{json}");
        }
        assert_eq!(probe(r#"{"text":"a","more":[{}]}"#).text.required("text"), Ok("a"));
        assert_eq!(Invalid::Empty("token").to_string(), "token should not be empty");
    }

    #[test]
    fn other_types_are_told_and_nothing_of_them_is_kept() {
        for json in ["1", "-1", "1.5", "true", "[1,[2]]", r#"{"a":{"b":1}}"#] {
            let probe = probe(&format!(r#"{{"text":{json}}}"#));
            assert_eq!(probe.text.required("text"), Err(Invalid::NotAString("text")), "{json}");
        }
        assert_eq!(
            probe(r#"{"flag":"true"}"#).flag.is_set("flag"),
            Err(Invalid::NotABoolean("flag"))
        );
        for json in ["-1", "1.5", r#""1""#, "true", "[1]", "{}"] {
            let probe = probe(&format!(r#"{{"number":{json}}}"#));
            assert_eq!(probe.number.optional("n"), Err(Invalid::NotANumber("n")), "{json}");
        }
        assert_eq!(probe(r#"{"number":7}"#).number.within("n", 1, 7), Ok(Some(7)));
        let beyond = probe(r#"{"number":8}"#).number.within("n", 1, 7);
        assert_eq!(beyond, Err(Invalid::OutOfRange("n", 1, 7)));
        assert_eq!(probe(r#"{"flag":true}"#).flag.is_set("flag"), Ok(true));
        assert_eq!(probe("{}").flag.is_set("flag"), Ok(false));
    }

    #[test]
    fn debug_shows_no_content() {
        assert!(!format!("{:?}", probe(r#"{"text":"hunter2"}"#).text).contains("hunter2"));
    }

    #[test]
    fn depth_takes_no_stack() {
        let deep = format!(r#"{{"text":{}{}}}"#, "[".repeat(60_000), "]".repeat(60_000));
        assert_eq!(probe(&deep).text.required("text"), Err(Invalid::NotAString("text")));
    }
}
