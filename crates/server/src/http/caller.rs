//! Who asks, as a handler sees it: the client and what it presents beside the body.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use countersign_ceremony::engine;
use countersign_ceremony::port::Store;
use countersign_device::ApplicationId;
use countersign_remember::Cookie;
use countersign_vault::Purpose;

use super::agent;
use super::client::Client;
use super::cookie::Which;
use super::error::ApiError;
use crate::node::Node;

const NONCE: Purpose = Purpose::new("client nonce");
/// A client without cookies binds its login to this.
const NONCE_HEADER: &str = "countersign-nonce";

/// What browsers, and what services name an application by.
const APPLICATION_HEADERS: [&str; 2] =
    ["frontegg-requested-application-id", "frontegg-application-id"];
/// Every code on the wire of the contract has so many digits.
const DIGITS: usize = 6;

/// Who asks.
#[derive(Clone)]
pub(super) struct Caller {
    /// Where from.
    pub(super) client: Client,
    /// What the engine is told of it.
    pub(super) presented: engine::Client,
    /// For which application, where the client names one.
    pub(super) application: Option<ApplicationId>,
    /// The refresh cookie.
    pub(super) refresh: Option<String>,
}

impl<S: Store> FromRequestParts<Arc<Node<S>>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node<S>>) -> Result<Self, ApiError> {
        let client = parts.extensions.get::<Client>().copied().ok_or_else(ApiError::internal)?;
        let headers = &parts.headers;
        let cookie = node.cookies.read(Which::Device, headers).map(Cookie::parse);
        let vault = &*node.engine.env().vault;
        // Nothing binds to nothing.
        let nonce = headers.get(NONCE_HEADER).filter(|nonce| !nonce.is_empty());
        let nonce = nonce.map(|nonce| *vault.digest(NONCE, &[nonce.as_bytes()]).as_bytes());
        let named = APPLICATION_HEADERS.iter().find_map(|name| headers.get(*name)?.to_str().ok());
        Ok(Self {
            client,
            // An id that is none names no application.
            application: named.and_then(|name| ApplicationId::parse(name).ok()),
            presented: engine::Client {
                cookie: cookie.unwrap_or_default(),
                nonce,
                agent: agent::label(headers),
                session: bearer(headers).ok().and_then(|token| node.engine.session_of(token)),
            },
            refresh: node.cookies.read(Which::Refresh, headers).map(str::to_owned),
        })
    }
}

impl Caller {
    /// Refuses a code that is none, as a wrong one is refused. It is judged by nobody and costs nobody's ledger, and is
    /// counted against the caller's address alone; codes of the right form are the ledger's to count (C-10).
    ///
    /// The token goes first: whoever has none is told so, whatever the code.
    pub(super) fn well_formed<S: Store>(
        &self,
        node: &Node<S>,
        token: &str,
        code: &str,
    ) -> Result<(), ApiError> {
        if is_code(code) {
            return Ok(());
        }
        node.engine.login(token).ok_or_else(ApiError::login_over)?;
        self.six_digits(node, code)
    }

    /// The same where a session asks, which was authenticated before.
    pub(super) fn six_digits<S: Store>(&self, node: &Node<S>, code: &str) -> Result<(), ApiError> {
        self.counted(node, code)?;
        if is_code(code) { Ok(()) } else { Err(ApiError::code()) }
    }

    /// Counts what is no code of six digits against the caller's address.
    pub(super) fn counted<S: Store>(&self, node: &Node<S>, code: &str) -> Result<(), ApiError> {
        if is_code(code) {
            return Ok(());
        }
        let now = node.engine.env().clock.now();
        let counted = node.limiter.count(self.client.address, now);
        counted.map_err(|wait| ApiError::too_many(Some(wait)))
    }
}

/// Every code on the wire of the contract has six digits.
fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The bearer token of a request (RFC 6750, section 2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) =
        value.and_then(|value| value.split_once(' ')).ok_or_else(ApiError::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(ApiError::unauthorized());
    }
    Ok(token.trim())
}
