//! Times as JSON has them (RFC 3339).

use countersign_otp::UnixTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time as the contract's clients parse it. One that no calendar holds is its beginning.
#[must_use]
pub fn rfc3339(time: UnixTime) -> String {
    let seconds = i64::try_from(time.secs()).unwrap_or_default();
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    date.format(&Rfc3339).unwrap_or_default()
}
