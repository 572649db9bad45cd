//! The requests that are open, durably: what must survive a crash between sending a request and accepting its answer.
//!
//! An entry has the request as sent and the key of its answer. It contains no personal data in clear: the request
//! holds the person sealed to others. The connector removes an entry after the broker has taken the acknowledgement,
//! or when the broker has certainly refused the exchange.

use messages::{ExchangeRequest, SealingKey};
use serde::{Deserialize, Serialize};
use service::table::{TableError, TableFile};
use uuid::Uuid;

use super::request::PendingRequest;
use crate::state::{self, StateTable, exchange_key};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingEntry {
    request: ExchangeRequest,
    #[serde(with = "record::bytes")]
    answer_key: [u8; 32],
}

/// Open requests by exchange id.
#[derive(Debug, Clone)]
pub(crate) struct Journal(StateTable<PendingEntry>);

impl Journal {
    /// Opens the journal in a connector's file.
    pub(crate) fn open(file: &TableFile) -> Result<Self, TableError> {
        state::open_table(file, "asked").map(Self)
    }

    /// Opens the journal in `directory`.
    #[cfg(test)]
    pub(crate) fn open_in(directory: &std::path::Path) -> Result<Self, TableError> {
        Self::open(&state::open_file(directory)?)
    }

    /// Records a request and its answer key. The write is durable when the call returns; the request must not be sent
    /// before.
    pub(crate) async fn keep(&self, pending: &PendingRequest) -> Result<(), TableError> {
        let entry = PendingEntry {
            request: pending.request.clone(),
            answer_key: *pending.answer_key.seed(),
        };
        self.0
            .put(exchange_key(pending.request.metadata.exchange), &entry)
            .await
    }

    /// Removes an exchange.
    pub(crate) async fn forget(&self, exchange: Uuid) -> Result<(), TableError> {
        self.0.remove(exchange_key(exchange)).await
    }

    /// The requests that an earlier run left open, without their XNachweis messages.
    pub(crate) async fn pending(&self) -> Result<Vec<PendingRequest>, TableError> {
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
