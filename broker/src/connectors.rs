//! Calls to the connectors, which the broker signs with the key of its entries.

use std::sync::Arc;
use std::time::Duration;

use messages::{CallCredential, CallKind};
use record::{ParticipantId, SigningKey, Timestamp};
use service::http::CallError;

use crate::transport::Transport;

/// Client for the connectors.
pub(crate) struct Connectors {
    transport: Arc<Transport>,
    key: SigningKey,
}

impl Connectors {
    /// Calls over `transport`, signed by `key`.
    pub(crate) fn new(transport: Arc<Transport>, key: SigningKey) -> Self {
        Self { transport, key }
    }

    /// Sends a signed call to the connector at `route` and returns the body of a success. Every attempt is signed
    /// again, because a connector accepts a signature once.
    pub(crate) async fn call(
        &self,
        kind: CallKind,
        (to, route): (&ParticipantId, &str),
        now: Timestamp,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let credential = CallCredential::sign(&self.key, kind, to.clone(), now, &body)
            .map_err(|error| CallError::Invalid(error.to_string()))?;
        self.transport
            .client(to)?
            .with_timeout(limit)
            .with_authorization(credential.to_header())
            .post_cbor(&format!("{route}{}", kind.path()), body)
            .await
    }
}
