//! What must survive a crash between sending and accepting: the request as sent, and the key of its answer.
//!
//! The person is in neither: the request holds it sealed to others. A row goes when the outcome has been acknowledged, or
//! when the broker certainly will not close the exchange.

use std::path::Path;

use messages::{ExchangeRequest, SealingKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ask::Asked;
use crate::store::{Store, StoreError, exchange_key};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    request: ExchangeRequest,
    #[serde(with = "record::bytes")]
    answer_key: [u8; 32],
}

/// The journal.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Store<Row>);

impl Journal {
    /// Opens the journal in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        Store::open(directory, "asked").map(Self)
    }

    /// Keeps a request and its answer key. Durable when it returns: only then may the request be sent.
    pub(crate) async fn keep(&self, asked: &Asked) -> Result<(), StoreError> {
        let row = Row {
            request: asked.request.clone(),
            answer_key: *asked.answer_key.seed(),
        };
        self.0.put(exchange_key(asked.request.metadata.exchange), &row).await
    }

    /// Forgets an exchange.
    pub(crate) async fn forget(&self, exchange: Uuid) -> Result<(), StoreError> {
        self.0.remove(exchange_key(exchange)).await
    }

    /// What an earlier run has left open.
    pub(crate) async fn open_ones(&self) -> Result<Vec<Asked>, StoreError> {
        let rows = self.0.all().await?;
        let asked = rows.into_iter().map(|(_, row)| Asked {
            request: row.request,
            answer_key: SealingKey::from_seed(row.answer_key),
            xnachweis: None,
        });
        Ok(asked.collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixture::World;

    #[tokio::test]
    async fn request_and_answer_key_survive_a_restart_and_the_person_is_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let asked = World::new().ask();
        let journal = Journal::open(directory.path()).unwrap();
        journal.keep(&asked).await.unwrap();
        drop(journal);
        let file = std::fs::read(directory.path().join(crate::store::FILE)).unwrap();
        let text = String::from_utf8_lossy(&file);
        assert!(!text.contains(crate::fixture::IDNR) && !text.contains(crate::fixture::FAMILY_NAME));
        let journal = Journal::open(directory.path()).unwrap();
        let open = journal.open_ones().await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].request, asked.request);
        assert_eq!(open[0].answer_key.public(), asked.request.answer_key);
        journal.forget(asked.request.metadata.exchange).await.unwrap();
        assert!(journal.open_ones().await.unwrap().is_empty());
    }
}
