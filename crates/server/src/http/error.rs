//! Every refusal that a client sees: a status, one sentence, one code.
//!
//! Three classes are told apart and nothing within them (see docs/http.md): before a first factor,
//! a judged code, and what a passed first factor has earned to know.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use countersign_ceremony::rules::RESEND_SECS;

use crate::wire::{ErrorBody, Invalid};

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    errors: Vec<String>,
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { status, code, errors: vec![sentence.into()], retry_after: None }
    }

    /// A wrong password or an unknown user: one answer for both.
    #[must_use]
    pub fn credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "ER-01013", "Incorrect email or password")
    }

    /// A client that is unknown, or whose secret is wrong: one answer for both.
    #[must_use]
    pub fn client_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "ER-00401", "Invalid client credentials")
    }

    /// A token that is malformed, foreign, expired or spent.
    #[must_use]
    pub fn login_over() -> Self {
        let sentence = "Your login has expired. Please log in again";
        Self::new(StatusCode::UNAUTHORIZED, "ER-00440", sentence)
    }

    /// A link that was opened, has ended, or is none of ours.
    #[must_use]
    pub fn link_over() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "ER-01014", "This link has expired")
    }

    /// A session or a vendor token that is not, or no longer, one.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "ER-00401", "Unauthorized")
    }

    /// A code that is wrong, replayed, of a dead challenge or of an unknown device.
    #[must_use]
    pub fn code() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-01011", "Invalid code")
    }

    /// A recovery that fails, for whatever reason and whoever's.
    #[must_use]
    pub fn recovery() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-00460", "Invalid recovery code")
    }

    /// The login has no factor of the kind that was asked for.
    #[must_use]
    pub fn no_such_factor() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-01016", "Unknown device")
    }

    /// The user has a factor already.
    #[must_use]
    pub fn already_enrolled() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-00461", "MFA is already enrolled")
    }

    /// The profile asks that logins be bound, and nothing was offered to bind this one to.
    #[must_use]
    pub fn unbound() -> Self {
        let sentence =
            "This login has to be bound to its client: send the header countersign-nonce";
        Self::new(StatusCode::BAD_REQUEST, "ER-00464", sentence)
    }

    /// The session has to prove more, or anew, before this: a client answers it by a step-up.
    #[must_use]
    pub fn step_up() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ER-00462", "Please confirm that it is you")
    }

    /// The tenant demands a second factor, and this is the last one.
    #[must_use]
    pub fn forced() -> Self {
        let sentence = "MFA is enforced for your account and cannot be disabled";
        Self::new(StatusCode::FORBIDDEN, "ER-00463", sentence)
    }

    /// The user has no factor. The contract's clients read this very sentence.
    #[must_use]
    pub fn not_enrolled() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-01097", "MFA is not enrolled")
    }

    /// The user may not log in.
    #[must_use]
    pub fn locked() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ER-01034", "User is locked out")
    }

    /// Too many tries; after so many seconds there may be another.
    #[must_use]
    pub fn too_many(retry_after: Option<u64>) -> Self {
        let sentence = "Too many attempts. Please try again later";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "ER-00429", sentence);
        Self { retry_after, ..error }
    }

    /// No decision was reached.
    #[must_use]
    pub fn unavailable() -> Self {
        let sentence = "The service is not available at the moment. Please try again";
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "ER-00503", sentence);
        Self { retry_after: Some(1), ..error }
    }

    /// The code is in nobody's hands: another may be asked for.
    #[must_use]
    pub fn undelivered() -> Self {
        let sentence = "Failed to send the code. Please try again";
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "ER-01037", sentence);
        Self { retry_after: Some(RESEND_SECS), ..error }
    }

    /// A defect of ours.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ER-00500", "Something went wrong")
    }

    /// There is no such route.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ER-00404", "Not found")
    }

    /// The vendor named something that is not there.
    #[must_use]
    pub fn unknown(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ER-00404", format!("{what} not found"))
    }

    /// The token is one, and does not go so far.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ER-00403", "Forbidden")
    }

    /// A policy that is not there.
    #[must_use]
    pub fn no_policy(sentence: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ER-00404", sentence)
    }

    /// A policy that is there already.
    #[must_use]
    pub fn policy_exists(sentence: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "ER-00409", sentence)
    }

    /// A policy that cannot be.
    #[must_use]
    pub fn policy(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-00400", sentence)
    }

    /// The report takes no effect: its user is erased.
    #[must_use]
    pub fn conflict() -> Self {
        Self::new(StatusCode::CONFLICT, "ER-00409", "The user is erased, or unknown")
    }

    /// The route takes another method.
    #[must_use]
    pub fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "ER-00405", "Method not allowed")
    }

    /// The body is no JSON object.
    #[must_use]
    pub fn malformed() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-00400", "The request body is not a JSON object")
    }

    /// The body could not be read to its end.
    #[must_use]
    pub fn unread() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ER-00400", "The request body could not be read")
    }

    /// The body is too large.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "ER-00413", "The request body is too large")
    }

    /// A page of another site asked for what only our own pages, and those configured, may.
    #[must_use]
    pub fn origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ER-00403", "This origin is not allowed")
    }

    /// Plain HTTP, from where it is not taken.
    #[must_use]
    pub fn plain_http() -> Self {
        Self::new(StatusCode::FORBIDDEN, "ER-00426", "Use HTTPS")
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        let code = match invalid {
            Invalid::Empty("phoneNumber") => "ER-000b32220f",
            Invalid::NeitherEmailNorUsername => "ER-000a64f544",
            _ => "ER-00400",
        };
        Self::new(StatusCode::BAD_REQUEST, code, invalid.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { errors: self.errors, error_code: self.code };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
