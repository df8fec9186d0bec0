//! A service trades its secret for a token.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::Field;

/// `POST auth/vendor`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct VendorLogin {
    /// The client.
    pub client_id: Field,
    /// Its secret.
    pub secret: Field,
}

/// The answer.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VendorToken {
    /// The bearer token of the management routes.
    pub token: String,
    /// For how many seconds it lives.
    pub expires_in: u64,
}

/// `GET configurations/v1`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceConfig {
    /// The client id that names the cookies.
    pub id: String,
    /// The key that access tokens are verified with, in PEM.
    pub public_key: String,
    /// Its algorithm.
    pub jwt_algorithm: &'static str,
    /// For how many seconds an access token lives.
    pub default_token_expiration: u64,
    /// For how many seconds a session lives.
    pub default_refresh_token_expiration: u64,
    /// The `SameSite` attribute of cookies: `STRICT`, `LAX` or `NONE`.
    pub cookie_same_site: &'static str,
}

impl std::fmt::Debug for VendorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VendorToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}
