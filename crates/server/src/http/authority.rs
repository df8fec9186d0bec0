//! Who manages: a service by its vendor token, or a user who only reads.
//!
//! A vendor token names its client, what it may do and, where it is a tenant's alone, that tenant;
//! each request looks whether its client was revoked since. A user's token reads what holds for its
//! own tenant, and changes nothing: we know no roles. No token of one kind opens as the other (B-03).

use axum::http::HeaderMap;
use countersign_ceremony::policy::scope::Scope;
use countersign_ceremony::port::Store;
use countersign_ceremony::vendor::{Power, VendorClaims};
use countersign_device::{ApplicationId, ClientId, TenantId};

use super::caller::bearer;
use super::error::ApiError;
use crate::node::Node;
use crate::wire::Invalid;

const TENANT: &str = "frontegg-tenant-id";
const APPLICATION: &str = "frontegg-application-id";
/// Where the vendor's own server SDK puts its token.
const ACCESS_TOKEN: &str = "x-access-token";

/// Whoever presents a vendor token with this power.
pub(super) async fn vendor<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
    power: Power,
) -> Result<VendorClaims, ApiError> {
    let token = headers.get(ACCESS_TOKEN).and_then(|value| value.to_str().ok());
    let token = token.map_or_else(|| bearer(headers), Ok)?;
    let vendor = node.engine.vendor(token).await?.ok_or_else(ApiError::unauthorized)?;
    if vendor.powers.include(power) { Ok(vendor) } else { Err(ApiError::forbidden()) }
}

/// The scope whose policy a request changes, and who changes it.
pub(super) async fn changing<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
) -> Result<(Scope, ClientId), ApiError> {
    let token = bearer(headers)?;
    if node.engine.authenticate(token).await?.is_some() {
        return Err(ApiError::forbidden());
    }
    let vendor = vendor(node, headers, Power::Policy).await?;
    let client = vendor.client.clone();
    Ok((scope_of(node, headers, &vendor)?, client))
}

/// The scope whose policy a request reads.
pub(super) async fn reading<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
) -> Result<Scope, ApiError> {
    let user = match bearer(headers) {
        Ok(token) => node.engine.authenticate(token).await?,
        Err(_) => None,
    };
    let Some(user) = user else {
        let vendor = vendor(node, headers, Power::Read).await?;
        return scope_of(node, headers, &vendor);
    };
    let own = TenantId::parse(&user.claims.tenant_id).map_err(|_| ApiError::unauthorized())?;
    if tenant(headers)?.is_some_and(|named| named != own) {
        return Err(ApiError::forbidden());
    }
    Ok(Scope { tenant: Some(own), application: application(headers)? })
}

/// The scope that the headers name, if this vendor may act there.
fn scope_of<S: Store>(
    node: &Node<S>,
    headers: &HeaderMap,
    vendor: &VendorClaims,
) -> Result<Scope, ApiError> {
    let tenant = match (tenant(headers)?, &vendor.tenant) {
        (Some(named), _) if !vendor.acts_on(&named) => return Err(ApiError::forbidden()),
        (Some(named), _) => Some(named),
        (None, own) => own.clone(),
    };
    let known = |id: &TenantId| node.config.tenants.iter().any(|of| of.id == id.as_str());
    if tenant.as_ref().is_some_and(|tenant| !known(tenant)) {
        return Err(ApiError::unknown("Tenant"));
    }
    Ok(Scope { tenant, application: application(headers)? })
}

pub(super) fn tenant(headers: &HeaderMap) -> Result<Option<TenantId>, ApiError> {
    let id = header(headers, TENANT)?.map(TenantId::parse).transpose();
    id.map_err(|_| Invalid::NotAnId(TENANT).into())
}

fn application(headers: &HeaderMap) -> Result<Option<ApplicationId>, ApiError> {
    let id = header(headers, APPLICATION)?.map(ApplicationId::parse).transpose();
    id.map_err(|_| Invalid::NotAnId(APPLICATION).into())
}

/// A header that says something.
pub(super) fn header<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let value = value.to_str().map_err(|_| Invalid::NotAnId(name))?.trim();
    Ok(Some(value).filter(|value| !value.is_empty()))
}
