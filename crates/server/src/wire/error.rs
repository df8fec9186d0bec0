//! The body of every refusal. The real client crashes on another shape, so there is only this one.

use serde::Serialize;
use utoipa::ToSchema;

/// `{"errors": ["..."], "errorCode": "ER-..."}`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// Sentences for people; the client joins them.
    pub errors: Vec<String>,
    /// One code for programs.
    pub error_code: &'static str,
}
