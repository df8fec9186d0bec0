//! What a route asks of an access token, and why a request has too little.
//!
//! Refuses a token that is none, forged, expired or of another audience; one whose `acr` and `amr` name
//! no second factor (RFC 8176; attack D-16), where one is asked for; one whose `auth_time` is too old,
//! or of a clock too far ahead.

use std::fmt;
use std::sync::Arc;

use countersign_otp::UnixTime;
use countersign_token::{AccessClaims, Keys};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

/// The `acr` of a login that passed two factors.
pub const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// The `amr` values of a second factor; `mfa` stands beside one of them.
const SECOND_FACTORS: [&str; 3] = ["otp", "sms", "hwk"];

/// How far ahead an `auth_time` may lie: the clocks of two machines.
const SKEW_SECS: u64 = 30;

/// What a route asks of the access token of a request. As a [`tower_layer::Layer`] it stands before the
/// route; [`judge`](Self::judge) asks without one.
#[derive(Clone)]
pub struct RequireAssurance {
    keys: Arc<Keys>,
    clock: Arc<dyn Fn() -> UnixTime + Send + Sync>,
    multi_factor: bool,
    max_age: Option<u64>,
}

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denied {
    /// It has no bearer token.
    NoToken,
    /// Its token is not valid: malformed, forged, expired, or for another audience.
    InvalidToken,
    /// Its user proved too little for this, or too long ago.
    Insufficient {
        /// Was a second factor asked for?
        multi_factor: bool,
        /// How old a proof may be, in seconds.
        max_age: Option<u64>,
    },
}

impl RequireAssurance {
    /// Asks for a valid access token, and nothing more yet. `clock` tells the time.
    #[must_use]
    pub fn new(keys: Keys, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        Self { keys: Arc::new(keys), clock: Arc::new(clock), multi_factor: false, max_age: None }
    }

    /// Asks for a second factor that was proved: a remembered browser proves none.
    #[must_use]
    pub const fn multi_factor(mut self) -> Self {
        self.multi_factor = true;
        self
    }

    /// Asks for a proof that is at most so many seconds old.
    #[must_use]
    pub const fn max_age(mut self, secs: u64) -> Self {
        self.max_age = Some(secs);
        self
    }

    /// What the token of a request says, where it says enough.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn judge(&self, headers: &HeaderMap) -> Result<AccessClaims, Denied> {
        let now = (self.clock)();
        let token = bearer(headers).ok_or(Denied::NoToken)?;
        let claims = self.keys.verify(token, now).map_err(|_| Denied::InvalidToken)?;
        let young = self.max_age.is_none_or(|max_age| {
            now.since(claims.auth_time) <= max_age && claims.auth_time.since(now) <= SKEW_SECS
        });
        if young && (!self.multi_factor || has_two_factors(&claims)) {
            return Ok(claims);
        }
        Err(Denied::Insufficient { multi_factor: self.multi_factor, max_age: self.max_age })
    }
}

impl Denied {
    /// The challenge that goes with a 401 (RFC 6750, section 3; RFC 9470, section 3).
    #[must_use]
    pub fn challenge(self) -> HeaderValue {
        let challenge = match self {
            Self::NoToken => "Bearer".to_owned(),
            Self::InvalidToken => "Bearer error=\"invalid_token\"".to_owned(),
            Self::Insufficient { multi_factor, max_age } => {
                let acr = if multi_factor {
                    format!(", acr_values=\"{MULTI_FACTOR}\"")
                } else {
                    String::new()
                };
                let age = max_age.map(|secs| format!(", max_age=\"{secs}\"")).unwrap_or_default();
                format!("Bearer error=\"{}\", error_description=\"{self}\"{acr}{age}", self.error())
            }
        };
        // Numbers and constants are a header's value.
        HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"))
    }

    /// Its error code.
    pub(crate) const fn error(self) -> &'static str {
        match self {
            Self::NoToken | Self::InvalidToken => "invalid_token",
            Self::Insufficient { .. } => "insufficient_user_authentication",
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoToken => "an access token is needed",
            Self::InvalidToken => "the access token is not valid",
            Self::Insufficient { .. } => "a stronger or more recent authentication is needed",
        })
    }
}

impl std::error::Error for Denied {}

impl fmt::Debug for RequireAssurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAssurance")
            .field("multi_factor", &self.multi_factor)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

fn has_two_factors(claims: &AccessClaims) -> bool {
    let has = |value: &str| claims.amr.iter().any(|amr| amr == value);
    claims.acr.as_deref() == Some(MULTI_FACTOR) && has("mfa") && SECOND_FACTORS.into_iter().any(has)
}

/// The one bearer token of a request (RFC 6750, section 2.1). Two are none: who would say which counts?
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
