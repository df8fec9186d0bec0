//! May browsers be remembered, and how long?

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a tenant says, read afresh at each login.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "(bool, u64)", into = "(bool, u64)")]
pub struct Policy {
    allow: bool,
    secs: u64,
}

/// A policy that remembers for no time, or for longer than 400 days: what browsers keep a cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PolicyError;

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a browser is remembered for 1 second to 400 days")
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// 14 days, in seconds.
    pub const DEFAULT_SECS: u64 = 14 * 24 * 60 * 60;

    /// 400 days, in seconds.
    pub const LONGEST_SECS: u64 = 400 * 24 * 60 * 60;

    /// A policy.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub const fn new(allow: bool, secs: u64) -> Result<Self, PolicyError> {
        if secs == 0 || secs > Self::LONGEST_SECS {
            return Err(PolicyError);
        }
        Ok(Self { allow, secs })
    }

    /// May browsers be remembered?
    #[must_use]
    pub const fn allows(&self) -> bool {
        self.allow
    }

    /// How long, in seconds, from the first grant on.
    #[must_use]
    pub const fn secs(&self) -> u64 {
        self.secs
    }
}

impl Default for Policy {
    /// Off; 14 days where it is turned on.
    fn default() -> Self {
        Self { allow: false, secs: Self::DEFAULT_SECS }
    }
}

impl TryFrom<(bool, u64)> for Policy {
    type Error = PolicyError;

    fn try_from((allow, secs): (bool, u64)) -> Result<Self, PolicyError> {
        Self::new(allow, secs)
    }
}

impl From<Policy> for (bool, u64) {
    fn from(policy: Policy) -> Self {
        (policy.allow, policy.secs)
    }
}
