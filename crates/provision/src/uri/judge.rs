//! What a key means: names, type and numbers, wherever they were read. Every number is judged here,
//! and only here.

use countersign_otp::{Algorithm, Digits, Hotp, Period, Secret, Totp};

use super::{
    Kind, Name, Parsed, ReadError, Uri, Warning,
    query::{Query, algorithm, number},
};

/// Makes a key of what was read, or says why it means nothing.
pub(crate) fn judged(
    kind: &str,
    prefix: Option<&str>,
    account: &str,
    query: &Query,
    secret: impl FnOnce(&mut Vec<Warning>) -> Result<Secret, ReadError>,
) -> Result<Parsed, ReadError> {
    let mut warnings = Vec::new();
    let (issuer, account) = names(prefix, account, query.issuer(), &mut warnings)?;
    let kind = read_kind(kind, query)?;
    let steam = issuer.as_ref().is_some_and(|name| is_steam(name.as_str()));
    if steam && matches!(kind, Kind::Totp(_)) {
        warnings.push(Warning::PerhapsSteam);
    }
    let secret = secret(&mut warnings)?;
    Ok(Parsed { uri: Uri::found(issuer, account, secret, kind), warnings })
}

/// Issuer and account, from the label's two halves and the parameter.
fn names(
    prefix: Option<&str>,
    account: &str,
    parameter: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<(Option<Name>, Name), ReadError> {
    let prefix = prefix.map(str::trim).filter(|prefix| !prefix.is_empty());

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
    let account = found(account)?;
    if account.is_empty() {
        warnings.push(Warning::AccountMissing);
    }
    Ok((issuer, account))
}

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
