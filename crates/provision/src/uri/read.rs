//! From the URI: lenient on encoding, strict on meaning.

use countersign_otp::{Algorithm, Digits, Hotp, Period, Totp};

use super::{
    Kind, Name, ReadError, Uri, Warning, base32,
    query::{Query, algorithm, number, text},
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

        let mut warnings = Vec::new();
        let (issuer, account) = names(label, query.issuer.as_deref(), &mut warnings)?;
        let kind = read_kind(kind, &query)?;
        if matches!(kind, Kind::Totp(_))
            && issuer.as_ref().is_some_and(|name| is_steam(name.as_str()))
        {
            warnings.push(Warning::PerhapsSteam);
        }
        let secret = query.secret.as_ref().ok_or(ReadError::SecretMissing)?;
        let secret = base32(secret, &mut warnings)?;
        Ok(Parsed { uri: Self::found(issuer, account, secret, kind), warnings })
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

/// Issuer and account, from the label's two halves and the parameter.
fn names(
    label: &str,
    parameter: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<(Option<Name>, Name), ReadError> {
    let parameter = parameter.map(str::trim).filter(|issuer| !issuer.is_empty());
    let (prefix, account) = halves(label, parameter);
    let prefix = prefix.as_deref().map(str::trim).filter(|prefix| !prefix.is_empty());

    let issuer = match (prefix, parameter) {
        // A form encoder writes `+` for a space; the label, which none touches, says which it was.
        (Some(prefix), Some(parameter)) if prefix == parameter.replace('+', " ") => Some(prefix),
        (Some(prefix), Some(parameter)) if prefix != parameter => {
            warnings.push(Warning::IssuerMismatch { label: prefix.to_owned() });
            Some(parameter)
        }
        (None, Some(parameter)) if parameter.contains('+') => {
            warnings.push(Warning::PlusInIssuer);
            Some(parameter)
        }
        (prefix, parameter) => parameter.or(prefix),
    };

    let mut found = |name: &str| Name::found(name, warnings).map_err(|_| ReadError::NameTooLong);
    let issuer = issuer.map(&mut found).transpose()?;
    let account = found(&account)?;
    if account.is_empty() {
        warnings.push(Warning::AccountMissing);
    }
    Ok((issuer, account))
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

/// The way of counting: every number is judged here, and only here.
fn read_kind(kind: &str, query: &Query) -> Result<Kind, ReadError> {
    let steam = match query.encoder.as_deref() {
        None | Some("") => false,
        Some(encoder) if is_steam(encoder) => true,
        Some(_) => return Err(ReadError::Encoder),
    };
    match (kind.to_ascii_lowercase().as_str(), steam) {
        ("steam", _) | ("totp", true) => read_steam(query),
        ("totp", false) => Ok(Kind::Totp(Totp::new(
            read_algorithm(query)?,
            read_digits(query)?,
            read_period(query)?,
        ))),
        ("hotp", false) => {
            let hotp = Hotp::new(read_digits(query)?);
            let algorithm = read_algorithm(query)?;
            let counter = query.counter.as_deref().ok_or(ReadError::CounterMissing)?;
            Ok(Kind::Hotp { algorithm, hotp, counter: number(counter).ok_or(ReadError::Counter)? })
        }
        ("hotp", true) => Err(ReadError::Encoder),
        _ => Err(ReadError::Type),
    }
}

/// Steam's codes have one shape. Numbers that ask for another contradict it.
fn read_steam(query: &Query) -> Result<Kind, ReadError> {
    if query.algorithm.is_some() && read_algorithm(query)? != Algorithm::Sha1 {
        return Err(ReadError::Algorithm);
    }
    if query.digits.as_deref().is_some_and(|digits| number(digits) != Some(5_u8)) {
        return Err(ReadError::Digits);
    }
    if query.period.as_deref().is_some_and(|period| number(period) != Some(30_u8)) {
        return Err(ReadError::Period);
    }
    Ok(Kind::Steam)
}

fn is_steam(name: &str) -> bool {
    name.eq_ignore_ascii_case("steam")
}

fn read_algorithm(query: &Query) -> Result<Algorithm, ReadError> {
    query.algorithm.as_deref().map_or(Ok(Algorithm::Sha1), algorithm)
}

fn read_digits(query: &Query) -> Result<Digits, ReadError> {
    let count = query.digits.as_deref().map_or(Some(6_u8), number);
    count.and_then(|count| Digits::try_from(count).ok()).ok_or(ReadError::Digits)
}

fn read_period(query: &Query) -> Result<Period, ReadError> {
    let seconds = query.period.as_deref().map_or(Some(30), number);
    seconds.and_then(|seconds| Period::new(seconds).ok()).ok_or(ReadError::Period)
}
