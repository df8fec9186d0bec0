//! A service trades its secret for a token.

use serde::{Deserialize, Serialize};

use super::field::Field;

/// `POST auth/vendor`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VendorLogin {
    /// The client.
    pub client_id: Field,
    /// Its secret.
    pub secret: Field,
}

/// The answer.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VendorToken {
    /// The bearer token of the management routes.
    pub token: String,
    /// For how many seconds it lives.
    pub expires_in: u64,
}

impl std::fmt::Debug for VendorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VendorToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}
