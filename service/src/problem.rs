//! Problem details (RFC 9457): the error responses of every compartment.
//!
//! `type` is `urn:einsicht:problem:<slug>`. Programs decide by slug and status; title and detail are for people. A
//! detail never has personal data, and refusals that must be uniform have the same slug and no detail.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// Media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";
const TYPE_PREFIX: &str = "urn:einsicht:problem:";

/// A refusal or failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status, 400…599.
    pub status: u16,
    /// The kind of problem: the last part of its `type`.
    pub slug: String,
    /// The kind, for people.
    pub title: String,
    /// The individual case, for people; may be empty.
    pub detail: String,
    /// After how many seconds the caller should retry.
    pub retry_after: Option<u32>,
}

/// The JSON form (RFC 9457 §3.1).
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Problem {
    /// A problem of any status.
    pub fn new(status: u16, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            slug: slug.into(),
            title: title.into(),
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// 400: the request is malformed.
    pub fn bad_request(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(400, slug, "The request is not valid", detail)
    }

    /// 401: the credential is missing or wrong.
    pub fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "A valid credential is needed", "")
    }

    /// 403: the request is understood and refused.
    pub fn forbidden(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(403, slug, "Not allowed", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "Not found", detail)
    }

    /// 409: the request conflicts with recorded data.
    pub fn conflict(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(409, slug, "In conflict with what is recorded", detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, "too-large", "Too large", detail)
    }

    /// 415.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(415, "media-type", "Unsupported media type", detail)
    }

    /// 422: the request is well-formed, but its content cannot be accepted.
    pub fn unprocessable(slug: &str, detail: impl Into<String>) -> Self {
        Self::new(422, slug, "The content cannot be accepted", detail)
    }

    /// 429: the caller should retry after `seconds`.
    pub fn too_many(seconds: u32, detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(429, "busy", "Too many requests", detail)
        }
    }

    /// 503: the caller should retry after `seconds`.
    pub fn unavailable(slug: &str, seconds: u32, detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(503, slug, "Not available at present", detail)
        }
    }

    /// 504: another compartment did not answer in time.
    pub fn timeout(detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(504, "timeout", "No answer in time", detail)
        }
    }

    /// 500: a fault of this process. The reason goes to the log, not to the caller.
    pub fn internal() -> Self {
        Self::new(500, "internal", "Internal error", "")
    }

    /// The problem's `type`.
    pub fn kind(&self) -> String {
        format!("{TYPE_PREFIX}{}", self.slug)
    }

    /// The slug of a `type`; `None` if the type does not have this workspace's prefix.
    pub fn slug_of(kind: &str) -> Option<&str> {
        kind.strip_prefix(TYPE_PREFIX)
    }

    /// Whether the same request may succeed later.
    pub fn retryable(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 502 | 503 | 504)
    }

    /// The JSON form.
    pub fn to_json(&self) -> Vec<u8> {
        let wire = Wire {
            kind: self.kind(),
            title: self.title.clone(),
            status: self.status,
            detail: self.detail.clone(),
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads a response with the error status `status`. A body that is not a problem becomes a problem without its
    /// text.
    pub fn from_response(status: u16, body: &[u8], retry_after: Option<u32>) -> Self {
        let mut problem = match text::json::from_slice::<Wire>(body) {
            Ok(wire) => Self::new(
                status,
                Self::slug_of(&wire.kind).unwrap_or("other"),
                &wire.title,
                wire.detail,
            ),
            Err(_) => Self::new(status, "other", "The server refused", format!("status {status}")),
        };
        problem.retry_after = retry_after;
        problem
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.slug, self.title)?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.detail)
        }
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.to_json()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_serialization() {
        let problem = Problem::conflict("chain", "expected sequence 4");
        let back = Problem::from_response(409, &problem.to_json(), None);
        assert_eq!(back, problem);
        assert!(!back.retryable());
    }

    #[test]
    fn a_body_that_is_not_a_problem_becomes_one_without_its_text() {
        let problem = Problem::from_response(502, b"<html>secret</html>", Some(3));
        assert_eq!((problem.slug.as_str(), problem.retry_after), ("other", Some(3)));
        assert!(problem.retryable());
        assert!(!problem.to_string().contains("secret"));
    }
}
