//! From the URI: lenient on encoding, strict on meaning.

use super::{
    ReadError, Uri, Warning, base32,
    judge::judged,
    query::{Query, text},
};

/// Longer than any app writes, and than any QR code of alphanumerics holds.
const MAX_LEN: usize = 4096;

const SCHEME: &str = "otpauth://";
const MIGRATION: &str = "otpauth-migration:";

/// A URI that was read, and what had to be forgiven for it.
#[derive(Debug)]
#[must_use]
pub struct Parsed {
    /// What the URI says.
    pub uri: Uri,
    /// What to tell whoever imports it; empty if the URI is as the format asks.
    pub warnings: Vec<Warning>,
}

impl Uri {
    /// Reads an otpauth URI.
    ///
    /// Forgiven silently: case of scheme, type, parameter names and secret, padding, spaces and
    /// dashes in the secret, aliases of the algorithm, `%3A` for `:`. Forgiven and reported:
    /// [`Warning`]. A parameter that is not of the format is ignored, as is a fragment, a `period`
    /// of a `hotp` and a `counter` of a `totp`.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: what was wrong. None of them carries any of the secret.
    pub fn parse(uri: &str) -> Result<Parsed, ReadError> {
        let (kind, label, query) = split(uri.trim())?;
        let query = Query::read(query)?;
        let (prefix, account) = halves(label, query.issuer());
        judged(kind, prefix.as_deref(), &account, &query, |warnings| {
            base32(query.secret.as_ref().ok_or(ReadError::SecretMissing)?, warnings)
        })
    }
}

/// Type, label and query, still encoded.
fn split(uri: &str) -> Result<(&str, &str, &str), ReadError> {
    if uri.len() > MAX_LEN {
        return Err(ReadError::TooLong);
    }
    let begins = |scheme: &str| {
        uri.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    if begins(MIGRATION) {
        return Err(ReadError::Migration);
    }
    if !begins(SCHEME) {
        return Err(ReadError::Scheme);
    }
    let rest = uri.get(SCHEME.len()..).unwrap_or_default();
    let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    Ok((kind, label, query))
}

/// Issuer and account of the label. Neither should have a colon, and some have (an issuer that is
/// an address): so the label is split where the parameter says that the issuer ends, else at the
/// first colon that stands unencoded, else at the first encoded one.
fn halves(label: &str, parameter: Option<&str>) -> (Option<String>, String) {
    let decoded = text(label);
    let said = parameter.and_then(|parameter| {
        let spaced = parameter.replace('+', " ");
        let after = |issuer: &str| decoded.strip_prefix(issuer)?.strip_prefix(':');
        after(parameter)
            .map(|account| (Some(parameter.to_owned()), account.to_owned()))
            .or_else(|| after(&spaced).map(|account| (Some(spaced.clone()), account.to_owned())))
    });
    let raw = || {
        let (issuer, account) = label.split_once(':')?;
        Some((Some(text(issuer)), text(account)))
    };
    let coded = || {
        let (issuer, account) = decoded.split_once(':')?;
        Some((Some(issuer.to_owned()), account.to_owned()))
    };
    said.or_else(raw).or_else(coded).unwrap_or((None, decoded))
}
