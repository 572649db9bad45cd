//! The call to the authority's own system when the answer of an asynchronous exchange is here.
//!
//! ```text
//! POST URL
//! Authorization: Einsicht-Callback base64url(signature)
//! { "exchange": "…", "outcome": "available", "sent": "2027-01-15T08:00:00Z" }
//!
//! signature = Ed25519("einsicht/callback/v1" ‖ 0x00 ‖ body)     by the signing key of this connector
//! ```
//!
//! The directory lists the key, so the receiver needs no secret of its own. The call has no evidence and no personal
//! data; the receiver collects the answer with its idempotency key. A call without an answer of 2xx is repeated for a
//! day.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use record::{SigningKey, Timestamp};
use serde::Serialize;
use service::http::Client;
use uuid::Uuid;

const CONTEXT: &str = "einsicht/callback/v1";
const SCHEME: &str = "Einsicht-Callback";
/// How long the authority's system may take for a call.
const LIMIT: Duration = Duration::from_secs(5);
/// A call is repeated for this many seconds.
const REPEATED_FOR: u64 = 86_400;

#[derive(Serialize)]
struct Call {
    exchange: Uuid,
    outcome: &'static str,
    sent: String,
}

/// Where to call.
#[derive(Debug, Clone)]
pub(super) struct Callback {
    url: String,
    client: Client,
}

impl Callback {
    pub(super) fn new(url: &str, client: &Client) -> Self {
        Self {
            url: url.to_owned(),
            client: client.with_timeout(LIMIT),
        }
    }

    /// Says that an answer is here. Returns whether the authority's system has taken it.
    pub(super) async fn available(&self, key: &SigningKey, exchange: Uuid, now: Timestamp) -> bool {
        let call = Call {
            exchange,
            outcome: "available",
            sent: now.to_string(),
        };
        let body = serde_json::to_vec(&call).unwrap_or_default();
        let signature = URL_SAFE_NO_PAD.encode(key.sign_context(CONTEXT, &body));
        let client = self.client.with_authorization(format!("{SCHEME} {signature}"));
        let answer = client.post(&self.url, "application/json", body).await;
        let answer = answer.and_then(|answer| answer.success());
        answer
            .inspect_err(|error| tracing::warn!(%exchange, %error, "the authority's system has not taken the callback"))
            .is_ok()
    }

    /// Whether a call about an answer that came at `at` is not repeated any more.
    pub(super) fn gives_up(&self, at: Timestamp, now: Timestamp) -> bool {
        now.since(at) > REPEATED_FOR
    }
}
