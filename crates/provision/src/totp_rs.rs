//! From the types of `totp-rs` 6, for who keeps its serialised form and moves here.
//!
//! What it refuses is what reading its URI would refuse: `totp-rs` can hold numbers that no code can
//! be made with (a period of 0, ten digits). Its `skew` is no property of the key and is left behind.

use totp_rs::Totp;

use crate::uri::{Parsed, Query, ReadError, found, judged};

impl TryFrom<&Totp> for Parsed {
    type Error = ReadError;

    /// # Errors
    ///
    /// [`ReadError`] if the numbers are out of range or a name is longer than 255 bytes.
    fn try_from(totp: &Totp) -> Result<Self, ReadError> {
        let steam = totp.algorithm().as_str() == "STEAM";
        let query = Query {
            issuer: totp.issuer().map(str::to_owned),
            algorithm: (!steam).then(|| totp.algorithm().as_str().to_owned()),
            digits: Some(totp.digits().to_string()),
            period: Some(totp.step().to_string()),
            ..Query::default()
        };
        let kind = if steam { "steam" } else { "totp" };
        judged(kind, None, totp.account_name(), &query, |warnings| {
            found(totp.secret().as_bytes(), warnings)
        })
    }
}
