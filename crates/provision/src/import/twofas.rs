//! 2FAS, a `.2fas` file: an object with `services`, and `servicesEncrypted` in their place where a
//! password was set.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

use super::{Entry, Error, Import, checked, json::Number};
use crate::uri::Query;

/// Reads a backup of 2FAS that was made without a password.
///
/// # Errors
///
/// [`Error`]. A single entry that means nothing is listed in [`Import::refused`].
pub fn twofas(file: &[u8]) -> Result<Import, Error> {
    let backup: Backup<'_> = serde_json::from_slice(checked(file)?).map_err(|_| Error::Format)?;
    if backup.encrypted.is_some() {
        return Err(Error::Encrypted);
    }
    Import::of(backup.services.into_iter().map(Entry::from))
}

#[derive(Deserialize)]
struct Backup<'a> {
    #[serde(borrow)]
    services: Vec<Service<'a>>,
    #[serde(rename = "servicesEncrypted")]
    encrypted: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Service<'a> {
    #[serde(default)]
    name: String,
    #[serde(borrow)]
    secret: Cow<'a, str>,
    #[serde(default)]
    otp: Otp,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Otp {
    account: Option<String>,
    label: Option<String>,
    issuer: Option<String>,
    token_type: Option<String>,
    algorithm: Option<String>,
    digits: Number,
    period: Number,
    counter: Number,
}

impl<'a> From<Service<'a>> for Entry<'a> {
    fn from(service: Service<'a>) -> Self {
        let Otp { account, label, issuer, token_type, algorithm, digits, period, counter } =
            service.otp;
        let given = |name: Option<String>| name.filter(|name| !name.trim().is_empty());
        let query = Query {
            issuer: given(issuer).or(Some(service.name)),
            algorithm,
            digits: digits.into_text(),
            period: period.into_text(),
            counter: counter.into_text(),
            ..Query::default()
        };
        Entry {
            // The first versions knew no other type and did not write it.
            kind: token_type.unwrap_or_else(|| "totp".to_owned()),
            label: given(account).or(given(label)).unwrap_or_default(),
            secret: service.secret,
            query,
        }
    }
}
