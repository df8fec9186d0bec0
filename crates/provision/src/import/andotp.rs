//! andOTP, the plain backup: an array of keys. What is not an array is its encrypted backup.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Entry, Error, Import, checked, json::Number};
use crate::uri::Query;

/// Reads a plain backup of andOTP.
///
/// # Errors
///
/// [`Error`]. A single entry that means nothing is listed in [`Import::refused`].
pub fn andotp(file: &[u8]) -> Result<Import, Error> {
    let items: Vec<Item<'_>> = serde_json::from_slice(checked(file)?).map_err(|_| Error::Format)?;
    Import::of(items.into_iter().map(Entry::from))
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    secret: Cow<'a, str>,
    issuer: Option<String>,
    #[serde(default)]
    label: String,
    #[serde(rename = "type")]
    kind: String,
    algorithm: Option<String>,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    counter: Number,
}

impl<'a> From<Item<'a>> for Entry<'a> {
    fn from(item: Item<'a>) -> Self {
        let query = Query {
            issuer: item.issuer,
            algorithm: item.algorithm,
            digits: item.digits.into_text(),
            period: item.period.into_text(),
            counter: item.counter.into_text(),
            ..Query::default()
        };
        Entry { kind: item.kind, label: item.label, secret: item.secret, query }
    }
}
