//! Calls to the connectors, which the broker signs with the key of its entries: over a connection of its own, or left
//! for the connector to collect.

use std::sync::Arc;
use std::time::Duration;

use messages::{CallCredential, CallKind};
use record::{ParticipantId, SigningKey, Timestamp};
use service::http::CallError;

use crate::collection::Mailboxes;
use crate::transport::Transport;

/// How a connector gets its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The broker calls it at this base URL.
    Url(String),
    /// It collects them.
    Collected,
}

/// Client for the connectors.
pub(crate) struct Connectors {
    transport: Arc<Transport>,
    key: SigningKey,
    /// The calls that connectors collect.
    pub(crate) mailboxes: Mailboxes,
}

impl Connectors {
    /// Calls over `transport` or through mailboxes, signed by `key`.
    pub(crate) fn new(transport: Arc<Transport>, key: SigningKey) -> Self {
        Self {
            transport,
            key,
            mailboxes: Mailboxes::default(),
        }
    }

    /// Makes a signed call to the connector and returns the body of a success. Every attempt is signed again, because
    /// a connector accepts a signature once.
    pub(crate) async fn call(
        &self,
        kind: CallKind,
        (to, route): (&ParticipantId, &Route),
        now: Timestamp,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let credential = CallCredential::sign(&self.key, kind, to.clone(), now, &body)
            .map_err(|error| CallError::Invalid(error.to_string()))?;
        let authorization = credential.to_header();
        let url = match route {
            Route::Url(url) => url,
            Route::Collected => return self.mailboxes.call(to, (kind, authorization), body, limit).await,
        };
        self.transport
            .client(to)?
            .with_timeout(limit)
            .with_authorization(authorization)
            .post_cbor(&format!("{url}{}", kind.path()), body)
            .await
    }
}
