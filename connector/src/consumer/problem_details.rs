//! The schema of a problem in the interface's description.

use serde::Serialize;
use utoipa::ToSchema;

/// Problem details (RFC 9457). Programs decide by `type` and `status`; title and detail are for people.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProblemDetails {
    /// `urn:einsicht:problem:` and the kind of problem.
    #[serde(rename = "type")]
    #[schema(pattern = "^urn:einsicht:problem:[a-z0-9-]+$")]
    kind: String,
    /// The kind, for people.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The individual case, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}
