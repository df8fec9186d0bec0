//! Reads a request's JSON: bounded in size, depth and time, whatever its content type says.
//!
//! A body that is too large is read to its end (within reason) and dropped before it is refused, so
//! that the client reads the refusal instead of a broken connection.

use std::time::Duration;

use axum::body::{Body as Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::ApiError;

/// No request of the contract is larger.
const LIMIT: usize = 64 * 1024;
/// What is read of a body that is refused.
const DRAIN: usize = 32 * 1024 * 1024;
/// How long the next piece of such a body may take.
const PAUSE: Duration = Duration::from_millis(500);

/// The JSON object of a request. An empty body is an empty object.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body()).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        // A derived type would also take an array of its fields.
        let object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if !object {
            return Err(ApiError::malformed());
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|_| ApiError::malformed())
    }
}

async fn read(mut body: Bytes) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut seen: usize = 0;
    // A body that says how long it is, and is too long, may never come: we do not wait for it.
    let announced = body.size_hint().lower() > LIMIT as u64;
    loop {
        let frame = if announced {
            match timeout(PAUSE, body.frame()).await {
                Ok(frame) => frame,
                Err(_) => return Err(ApiError::too_large()),
            }
        } else {
            body.frame().await
        };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| ApiError::unread())?;
        let Some(data) = frame.data_ref() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > DRAIN {
            break;
        }
        if seen <= LIMIT {
            bytes.extend_from_slice(data);
        }
    }
    if announced || seen > LIMIT { Err(ApiError::too_large()) } else { Ok(bytes) }
}
