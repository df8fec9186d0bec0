//! Whose account a request acts on, and by whose authority: the user's own access token, or a vendor
//! token that names the user.
//!
//! A user's token opens that user's account, whatever the headers say. A vendor token opens that of
//! `frontegg-user-id`, in the tenant of `frontegg-tenant-id`; where that names none of the user's
//! tenants, there is no such user (E-19).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use countersign_ceremony::engine::Account;
use countersign_ceremony::port::Store;
use countersign_ceremony::vendor::Power;
use countersign_device::UserId;

use super::authority;
use super::caller::{Caller, bearer};
use super::error::ApiError;
use crate::node::Node;
use crate::wire::Invalid;

const USER: &str = "frontegg-user-id";

/// Who asks, and for which account.
#[derive(Clone)]
pub(super) struct Asker {
    /// The client.
    pub(super) caller: Caller,
    /// The account.
    pub(super) account: Account,
}

impl<S: Store> FromRequestParts<Arc<Node<S>>> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node<S>>) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, node).await?;
        if let Ok(token) = bearer(&parts.headers)
            && let Some(authenticated) = node.engine.authenticate(token).await?
        {
            return Ok(Self { caller, account: authenticated.account().clone() });
        }
        let power = if parts.method == Method::GET { Power::Read } else { Power::Users };
        let user = || {
            let id = authority::header(&parts.headers, USER)?.ok_or(Invalid::Empty(USER))?;
            UserId::parse(id).map_err(|_| Invalid::NotAnId(USER).into())
        };
        let account = administered(node, &parts.headers, power, user).await?;
        Ok(Self { caller, account })
    }
}

/// The account of a user, for the holder of a vendor token with this power. Who the user is, is read
/// once the token is found good.
pub(super) async fn administered<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
    power: Power,
    user: impl FnOnce() -> Result<UserId, ApiError>,
) -> Result<Account, ApiError> {
    let vendor = authority::vendor(node, headers, power).await?;
    let (user, tenant) = (user()?, authority::tenant(headers)?);
    if tenant.as_ref().is_some_and(|tenant| !vendor.acts_on(tenant)) {
        return Err(ApiError::forbidden());
    }
    let account = node.engine.administered(user, tenant, &vendor).await?;
    account.ok_or_else(|| ApiError::unknown("User"))
}
