//! Aegis, "docs/vault.md": an object with `db`, which is a string where it is encrypted.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Entry, Error, Import, checked, json::Number};
use crate::uri::Query;

/// Reads a plain export of Aegis.
///
/// # Errors
///
/// [`Error`]. A single entry that means nothing is listed in [`Import::refused`].
pub fn aegis(file: &[u8]) -> Result<Import, Error> {
    let vault: Vault<'_> = serde_json::from_slice(checked(file)?).map_err(|_| Error::Format)?;
    if vault.db.get().starts_with('"') {
        return Err(Error::Encrypted);
    }
    let db: Db<'_> = serde_json::from_str(vault.db.get()).map_err(|_| Error::Format)?;
    Import::of(db.entries.into_iter().map(Entry::from))
}

#[derive(Deserialize)]
struct Vault<'a> {
    #[serde(borrow)]
    db: &'a RawValue,
}

#[derive(Deserialize)]
struct Db<'a> {
    #[serde(borrow)]
    entries: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    issuer: Option<String>,
    #[serde(borrow)]
    info: Info<'a>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    secret: Cow<'a, str>,
    algo: Option<String>,
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
            algorithm: item.info.algo,
            digits: item.info.digits.into_text(),
            period: item.info.period.into_text(),
            counter: item.info.counter.into_text(),
            ..Query::default()
        };
        Entry { kind: item.kind, label: item.name, secret: item.info.secret, query }
    }
}
