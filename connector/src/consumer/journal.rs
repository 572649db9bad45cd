//! The requests that are open, durably: what must survive a crash between sending a request and accepting its answer.
//!
//! An entry has the request as sent and the key of its answer. It contains no personal data in clear: the request
//! holds the person sealed to others, and the message of a request with an idempotency key is sealed with that key,
//! which the connector does not have. The connector removes an entry after the broker has taken the acknowledgement,
//! or when the broker has certainly refused the exchange.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use messages::{ExchangeRequest, SealingKey};
use serde::{Deserialize, Serialize};
use store::{Store, TableError};
use uuid::Uuid;

use super::idempotency::key::KeyId;
use super::idempotency::{ExchangeKey, JournalKey};
use super::request::PendingRequest;
use crate::state::{self, StateTable, exchange_key};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingEntry {
    request: ExchangeRequest,
    #[serde(with = "record::bytes")]
    answer_key: [u8; 32],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<JournalKey>,
}

impl PendingEntry {
    fn pending(self) -> PendingRequest {
        PendingRequest {
            request: self.request,
            answer_key: SealingKey::from_seed(self.answer_key),
            xnachweis: None,
            key: self.key.map(|kept| ExchangeKey { kept, seal: None }),
        }
    }
}

/// Open requests by exchange id.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    rows: StateTable<PendingEntry>,
    /// The open requests with an idempotency key.
    keys: Arc<Mutex<HashMap<KeyId, Uuid>>>,
}

impl Journal {
    /// Opens the journal in a connector's file.
    pub(crate) fn open(store: &Store) -> Result<Self, TableError> {
        Ok(Self {
            rows: state::open_table(store, "asked")?,
            keys: Arc::default(),
        })
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
            key: pending.key.as_ref().map(|key| key.kept.clone()),
        };
        let exchange = pending.request.metadata.exchange;
        self.rows.put(exchange_key(exchange), &entry).await?;
        self.index(pending);
        Ok(())
    }

    /// Removes an exchange.
    pub(crate) async fn forget(&self, exchange: Uuid) -> Result<(), TableError> {
        self.rows.remove(exchange_key(exchange)).await?;
        self.keys().retain(|_, open| *open != exchange);
        Ok(())
    }

    /// The requests that an earlier run left open, without their XNachweis messages.
    pub(crate) async fn pending(&self) -> Result<Vec<PendingRequest>, TableError> {
        let entries = self.rows.all().await?;
        let pending: Vec<_> = entries.into_iter().map(|(_, entry)| entry.pending()).collect();
        pending.iter().for_each(|pending| self.index(pending));
        Ok(pending)
    }

    /// An open request, without its XNachweis message.
    pub(crate) async fn get(&self, exchange: Uuid) -> Result<Option<PendingRequest>, TableError> {
        Ok(self.rows.get(exchange_key(exchange)).await?.map(PendingEntry::pending))
    }

    /// The open request with an idempotency key, without its XNachweis message.
    pub(crate) async fn with_key(&self, id: KeyId) -> Result<Option<PendingRequest>, TableError> {
        let exchange = self.keys().get(&id).copied();
        match exchange {
            Some(exchange) => self.get(exchange).await,
            None => Ok(None),
        }
    }

    fn index(&self, pending: &PendingRequest) {
        if let Some(key) = &pending.key {
            self.keys().insert(key.kept.id, pending.request.metadata.exchange);
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<KeyId, Uuid>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
