//! Calls to the broker.

use std::time::Duration;

use messages::{Acknowledgement, Completion, PreviewNotice, SignedDecision, Withdrawal};
use record::SigningKey;
use service::http::{CallError, Client};
use uuid::Uuid;

/// Client of the broker.
#[derive(Debug, Clone)]
pub(crate) struct BrokerClient {
    url: String,
    client: Client,
}

impl BrokerClient {
    /// Calls the broker at this base URL.
    pub(crate) fn new(url: &str, client: &Client, limit: Duration) -> Self {
        Self {
            url: url.to_owned(),
            client: client.with_timeout(limit),
        }
    }

    /// Sends an exchange request in CBOR. Returns the body of a success.
    pub(crate) async fn exchange(&self, request: Vec<u8>) -> Result<Vec<u8>, CallError> {
        self.client.post_cbor(&format!("{}/exchanges", self.url), request).await
    }

    /// Sends a preview's decision.
    pub(crate) async fn decide(&self, decision: &SignedDecision) -> Result<PreviewNotice, CallError> {
        let url = format!("{}/exchanges/{}/preview", self.url, decision.statement.exchange);
        let answer = self.client.post_cbor(&url, record::cbor::to_vec(decision)).await?;
        record::cbor::from_slice(&answer).map_err(|error| CallError::Invalid(error.to_string()))
    }

    /// Withdraws an exchange that waits. Returns how it has ended.
    pub(crate) async fn withdraw(&self, key: &SigningKey, exchange: Uuid) -> Result<Completion, CallError> {
        let withdrawal = Withdrawal::sign(key, exchange);
        let url = format!("{}/exchanges/{exchange}/withdrawal", self.url);
        let answer = self.client.post_cbor(&url, record::cbor::to_vec(&withdrawal)).await?;
        record::cbor::from_slice(&answer).map_err(|error| CallError::Invalid(error.to_string()))
    }

    /// Acknowledges an outcome or a preview, so that the broker may forget what it keeps for this connector. Returns
    /// whether the broker has it.
    pub(crate) async fn acknowledge(&self, key: &SigningKey, exchange: Uuid, entry: u64) -> bool {
        let acknowledgement = Acknowledgement::sign(key, exchange, entry);
        let url = format!("{}/exchanges/{exchange}/acknowledgement", self.url);
        let sent = self
            .client
            .post_cbor(&url, record::cbor::to_vec(&acknowledgement))
            .await;
        sent.inspect_err(|error| tracing::warn!(%exchange, %error, "the broker did not accept the acknowledgement"))
            .is_ok()
    }
}
