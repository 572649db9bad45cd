//! Calls to the connectors, which the broker signs with the key of its entries.

use std::time::Duration;

use messages::{CallCredential, CallKind};
use record::{ParticipantId, SigningKey, Timestamp};
use service::http::{CallError, Client};

/// Client for the connectors.
pub(crate) struct Connectors {
    client: Client,
    key: SigningKey,
}

impl Connectors {
    /// Calls with the connections of `client`, signed by `key`.
    pub(crate) fn new(client: Client, key: SigningKey) -> Self {
        Self { client, key }
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
        self.client
            .with_timeout(limit)
            .with_authorization(credential.to_header())
            .post_cbor(&format!("{route}{}", kind.path()), body)
            .await
    }
}
