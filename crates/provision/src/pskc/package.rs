//! From a `KeyPackage` to a key (RFC 6030, section 4).

use countersign_otp::UnixTime;

use super::{
    Error, Key, Reason, Token,
    cipher::Cipher,
    element::{Element, Space},
    policy,
};
use crate::uri::{Parsed, Query, Warning, found, judged};

/// Algorithms, by section 10.1 and its registry.
const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";

/// Reads one package; what is wrong with it is told with its serial number.
pub(super) fn read(package: &Element, cipher: &Cipher, now: UnixTime) -> Result<Key, Error> {
    let token = token(package);
    key(package, cipher, now, &token).map_err(|reason| Error::Key { token, reason })
}

fn key(package: &Element, cipher: &Cipher, now: UnixTime, token: &Token) -> Result<Key, Reason> {
    let key = package.child(Space::Pskc, "Key")?.ok_or(Reason::NoSecret)?;
    let kind = match key.attribute("Algorithm") {
        Some(HOTP) => "hotp",
        Some(TOTP) => "totp",
        _ => return Err(Reason::Algorithm),
    };
    let policy = key.child(Space::Pskc, "Policy")?;
    let uses = policy.map(|policy| policy::judge(policy, now)).transpose()?.flatten();

    let data = key.child(Space::Pskc, "Data")?.ok_or(Reason::NoSecret)?;
    let secret = data.child(Space::Pskc, "Secret")?.ok_or(Reason::NoSecret)?;
    let secret = cipher.bytes(secret)?;
    let counter: Option<u64> = number(data, "Counter", cipher)?;
    let period: Option<u64> = number(data, "TimeInterval", cipher)?;
    let time: Option<u64> = number(data, "Time", cipher)?;
    let drift: Option<i64> = number(data, "TimeDrift", cipher)?;

    let parameters = key.child(Space::Pskc, "AlgorithmParameters")?;
    let digits = parameters.map(response_format).transpose()?.flatten();
    let suite = parameters.map(|parameters| parameters.child(Space::Pskc, "Suite")).transpose()?;

    let query = Query {
        issuer: text(key, "Issuer").or_else(|| token.manufacturer.clone()),
        algorithm: suite.flatten().map(|suite| suite.text().to_owned()),
        digits: digits.clone(),
        period: period.map(|period| period.to_string()),
        counter: Some(counter.unwrap_or_default().to_string()),
        ..Query::default()
    };
    let account = text(key, "UserId")
        .or_else(|| text(package.child(Space::Pskc, "DeviceInfo").ok()??, "UserId"))
        .or_else(|| text(key, "FriendlyName"))
        .or_else(|| token.serial.clone())
        .or_else(|| token.key_id.clone())
        .unwrap_or_default();
    let mut parsed: Parsed =
        judged(kind, None, &account, &query, |warnings| found(&secret, warnings))?;
    if digits.is_none() {
        parsed.warnings.push(Warning::DigitsAssumed);
    }
    if kind == "hotp" && counter.is_none() {
        parsed.warnings.push(Warning::CounterAssumed);
    }
    Ok(Key { key: parsed, token: token.clone(), time, drift, uses })
}

/// The number of digits, of codes that are digits and nothing else (section 4.3.4).
fn response_format(parameters: &Element) -> Result<Option<String>, Reason> {
    let Some(format) = parameters.child(Space::Pskc, "ResponseFormat")? else {
        return Ok(None);
    };
    let checked = format.attribute("CheckDigits").or_else(|| format.attribute("CheckDigit"));
    if !matches!(checked, None | Some("false" | "0"))
        || format.attribute("Encoding") != Some("DECIMAL")
    {
        return Err(Reason::ResponseFormat);
    }
    match format.attribute("Length") {
        Some(length @ ("6" | "7" | "8")) => Ok(Some(length.to_owned())),
        _ => Err(Reason::ResponseFormat),
    }
}

fn number<T>(data: &Element, name: &str, cipher: &Cipher) -> Result<Option<T>, Reason>
where
    T: core::str::FromStr + TryFrom<u64>,
{
    data.child(Space::Pskc, name)?.map(|value| cipher.number(value)).transpose()
}

fn token(package: &Element) -> Token {
    let device = package.child(Space::Pskc, "DeviceInfo").ok().flatten();
    let key = package.child(Space::Pskc, "Key").ok().flatten();
    Token {
        serial: device.and_then(|device| text(device, "SerialNo")),
        manufacturer: device.and_then(|device| text(device, "Manufacturer")),
        key_id: key.and_then(|key| key.attribute("Id")).map(plain),
    }
}

fn text(of: &Element, name: &str) -> Option<String> {
    let text = of.child(Space::Pskc, name).ok()??.text();
    (!text.is_empty()).then(|| plain(text))
}

/// For lists and logs: without control characters.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "-")
}
