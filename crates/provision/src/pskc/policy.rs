//! What may be done with a key, and when (RFC 6030, section 5).
//!
//! A policy that is not understood forbids: an element or an attribute that is not known here means
//! that the key must not be used.

use core::fmt;

use countersign_otp::UnixTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Reason,
    element::{Element, Space},
};

/// Why a policy forbids to use a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// It says something that is not known here.
    Unknown,
    /// A date that is none, or is without time zone.
    Date,
    /// `StartDate` is to come.
    NotYet,
    /// `ExpiryDate` is past.
    Expired,
    /// It is for other uses than one-time passwords (`KeyUsage`).
    Usage,
    /// The PIN would have to be checked here, as part of the code (`PINUsageMode` other than
    /// `Local`).
    Pin,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "its policy is not understood, so that it must not be used",
            Self::Date => "a date of its policy cannot be read",
            Self::NotYet => "it may not be used yet",
            Self::Expired => "it has expired",
            Self::Usage => "it is not for one-time passwords",
            Self::Pin => "its PIN would have to be checked with the code",
        })
    }
}

impl From<Policy> for Reason {
    fn from(policy: Policy) -> Self {
        Self::Policy(policy)
    }
}

/// What `PINPolicy` may say. The token checks the PIN, so that all but the mode is its own affair.
const PIN_ATTRIBUTES: [&str; 6] =
    ["PINKeyId", "PINUsageMode", "MaxFailedAttempts", "MinLength", "MaxLength", "PINEncoding"];

/// Judges the policy at `now`, and returns how often the key may be used, if that is limited.
pub(super) fn judge(policy: &Element, now: UnixTime) -> Result<Option<u64>, Reason> {
    let known = ["StartDate", "ExpiryDate", "NumberOfTransactions", "KeyUsage", "PINPolicy"];
    let strange =
        |part: &Element| part.space != Space::Pskc || !known.contains(&part.name.as_str());
    if policy.children.iter().any(strange) {
        return Err(Policy::Unknown.into());
    }
    if let Some(start) = policy.child(Space::Pskc, "StartDate")?
        && now < date(start)?
    {
        return Err(Policy::NotYet.into());
    }
    if let Some(expiry) = policy.child(Space::Pskc, "ExpiryDate")?
        && now >= date(expiry)?
    {
        return Err(Policy::Expired.into());
    }
    let mut usages = policy.children.iter().filter(|part| part.name == "KeyUsage").peekable();
    if usages.peek().is_some() && !usages.any(|usage| usage.text() == "OTP") {
        return Err(Policy::Usage.into());
    }
    if let Some(pin) = policy.child(Space::Pskc, "PINPolicy")? {
        let known = |(name, _): &(String, String)| PIN_ATTRIBUTES.contains(&name.as_str());
        if !pin.attributes.iter().all(known) || !pin.children.is_empty() {
            return Err(Policy::Unknown.into());
        }
        if pin.attribute("PINUsageMode") != Some("Local") {
            return Err(Policy::Pin.into());
        }
    }
    let uses = policy.child(Space::Pskc, "NumberOfTransactions")?;
    uses.map(|uses| uses.text().parse().map_err(|_| Reason::Value)).transpose()
}

/// A date in UTC, before the epoch as the epoch.
fn date(element: &Element) -> Result<UnixTime, Reason> {
    let date = OffsetDateTime::parse(element.text(), &Rfc3339).map_err(|_| Policy::Date)?;
    Ok(UnixTime::from_secs(u64::try_from(date.unix_timestamp()).unwrap_or_default()))
}
