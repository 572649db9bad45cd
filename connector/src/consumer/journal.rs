//! What must survive a crash between sending and accepting: the request as sent, and the key of its answer.
//!
//! The person is in neither: the request holds it sealed to others. A row goes when the outcome has been acknowledged, or
//! when the broker certainly will not close the exchange.

use std::path::Path;

use messages::{ExchangeRequest, SealingKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::PendingRequest;
use crate::store::{Store, StoreError, exchange_key};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingEntry {
    request: ExchangeRequest,
    #[serde(with = "record::bytes")]
    answer_key: [u8; 32],
}

/// The journal.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Store<PendingEntry>);

impl Journal {
    /// Opens the journal in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        Store::open(directory, "asked").map(Self)
    }

    /// Keeps a request and its answer key. Durable when it returns: only then may the request be sent.
    pub(crate) async fn keep(&self, pending: &PendingRequest) -> Result<(), StoreError> {
        let entry = PendingEntry {
            request: pending.request.clone(),
            answer_key: *pending.answer_key.seed(),
        };
        self.0
            .put(exchange_key(pending.request.metadata.exchange), &entry)
            .await
    }

    /// Forgets an exchange.
    pub(crate) async fn forget(&self, exchange: Uuid) -> Result<(), StoreError> {
        self.0.remove(exchange_key(exchange)).await
    }

    /// What an earlier run has left open.
    pub(crate) async fn pending(&self) -> Result<Vec<PendingRequest>, StoreError> {
        let entries = self.0.all().await?;
        let pending = entries.into_iter().map(|(_, entry)| PendingRequest {
            request: entry.request,
            answer_key: SealingKey::from_seed(entry.answer_key),
            xnachweis: None,
        });
        Ok(pending.collect())
    }
}

#[cfg(test)]
mod tests;
