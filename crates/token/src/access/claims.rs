//! What an access token says. The names in its JSON are this token's own format, and stand in this
//! file alone: registered ones (RFC 7519, section 4.1; OpenID Connect Core, sections 2 and 5.1),
//! those that client libraries of the compatible service read (`tenantId`, `tenantIds`, `type`,
//! `sid`, `roles`, `permissions`), and `firstFactor` and `epoch`, which are ours.

use std::fmt;

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

/// The claims of an access token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// Whom it is for: the client id.
    pub aud: String,
    /// Who the user is.
    pub sub: String,
    /// Which session it belongs to.
    pub sid: String,
    /// Which tenant the user is in at the moment.
    #[serde(rename = "tenantId")]
    pub tenant_id: String,
    /// Which tenants the user is in at all.
    #[serde(rename = "tenantIds")]
    pub tenant_ids: Vec<String>,
    /// The user's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Has the user proved it?
    pub email_verified: bool,
    /// How the user was authenticated (RFC 8176).
    pub amr: Vec<String>,
    /// Which class that is, where a second factor was proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Which first factor that began with: `amr` has one value for several.
    #[serde(rename = "firstFactor")]
    pub first_factor: String,
    /// When that was.
    #[serde(with = "seconds")]
    pub auth_time: UnixTime,
    /// When the token was made.
    #[serde(with = "seconds")]
    pub iat: UnixTime,
    /// From when on it is refused.
    #[serde(with = "seconds")]
    pub exp: UnixTime,
    /// Which token it is.
    pub jti: String,
    /// The user's roles in the tenant.
    pub roles: Vec<String>,
    /// What they permit.
    pub permissions: Vec<String>,
    /// The user's epoch when it was made: our own routes refuse it once the user has another.
    pub epoch: u64,
}

impl fmt::Debug for AccessClaims {
    /// Without the address and what the user may do: logs need neither.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessClaims")
            .field("iss", &self.iss)
            .field("aud", &self.aud)
            .field("sub", &self.sub)
            .field("sid", &self.sid)
            .field("tenant_id", &self.tenant_id)
            .field("amr", &self.amr)
            .field("exp", &self.exp)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// What every access token of ours says beside its claims, so that none of another kind passes for
/// one.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Type {
    #[serde(rename = "userToken")]
    User,
}

/// The JSON: the claims and their type.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload<C> {
    pub(super) r#type: Type,
    #[serde(flatten)]
    pub(super) claims: C,
}

/// NumericDate (RFC 7519, section 2), in whole seconds.
mod seconds {
    use countersign_otp::UnixTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(time.secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixTime, D::Error> {
        u64::deserialize(from).map(UnixTime::from_secs)
    }
}
