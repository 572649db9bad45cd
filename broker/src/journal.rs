//! The broker's journal: what it needs to close an exchange, durable before the exchange's intent is recorded.
//!
//! One row per exchange, keyed by the exchange id, in deterministic CBOR. A row passes through three stages:
//!
//! 1. [`Stage::Open`]: the row has labels and keys; the intent is recorded or about to be.
//! 2. [`Stage::Closed`]: the outcome is recorded. The row is kept until the consumer has acknowledged the completion
//!    *and* the provider's connector has accepted the notice, so that a crash loses neither.
//! 3. The row is removed.
//!
//! A row holds keys of single records and sealed bytes that the broker cannot open. It never holds personal data or
//! evidence.

use std::path::Path;

use messages::{Completion, ExchangeRequest, LabelAnswer};
use record::content::ExchangeRecord;
use serde::{Deserialize, Serialize};
use service::table::{Encoding, Table, TableError, TableFile};
use uuid::Uuid;

const FILE: &str = "state.redb";
const EXCHANGES: &str = "exchanges";
const CBOR: Encoding<JournalEntry> = Encoding {
    encode: |entry| record::cbor::to_vec(entry),
    decode: |bytes| record::cbor::from_slice(bytes).map_err(|error| error.to_string()),
};

/// One exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// The consumer's request.
    pub request: ExchangeRequest,
    /// Labels and record keys.
    pub labels: LabelAnswer,
    /// The content of the intent's record.
    pub content: ExchangeRecord,
    /// The intent's sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub intent_record: Vec<u8>,
    /// The stage of the exchange.
    pub stage: Stage,
}

/// The stage of an exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The outcome is not recorded yet.
    Open,
    /// The outcome is recorded.
    Closed {
        /// The answer to the consumer.
        completion: Box<Completion>,
        /// Whether the consumer has acknowledged the completion.
        acknowledged: bool,
        /// Whether the provider's connector has accepted the outcome.
        notified: bool,
    },
}

/// The journal. Cheap to clone. Every error is fatal for the exchange: nothing may be forwarded without the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    exchanges: Table<[u8; 16], JournalEntry>,
}

impl Journal {
    /// Opens or creates `state.redb` in the broker's directory.
    ///
    /// # Errors
    /// [`TableError`], also when another broker has opened the file.
    pub fn open(directory: &Path) -> Result<Self, TableError> {
        let file = TableFile::open(&directory.join(FILE))?;
        Ok(Self {
            exchanges: Table::open(&file, EXCHANGES, CBOR)?,
        })
    }

    /// Writes a row; it is on disk on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn put(&self, entry: &JournalEntry) -> Result<(), TableError> {
        self.exchanges
            .put(entry.request.metadata.exchange.into_bytes(), entry)
            .await
    }

    /// Removes a row.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove(&self, exchange: Uuid) -> Result<(), TableError> {
        self.exchanges.remove(exchange.into_bytes()).await
    }

    /// Changes a row in one transaction: keeps it if `change` returns true, removes it otherwise. Does nothing if
    /// there is no such row.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn update(
        &self,
        exchange: Uuid,
        change: impl FnOnce(&mut JournalEntry) -> bool + Send + 'static,
    ) -> Result<(), TableError> {
        self.exchanges.update(exchange.into_bytes(), change).await
    }

    /// The row of an exchange.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn get(&self, exchange: Uuid) -> Result<Option<JournalEntry>, TableError> {
        self.exchanges.get(exchange.into_bytes()).await
    }

    /// All rows in the order of their ids, which is the order of time (UUIDv7).
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn all(&self) -> Result<Vec<JournalEntry>, TableError> {
        let rows = self.exchanges.all().await?;
        Ok(rows.into_iter().map(|(_, entry)| entry).collect())
    }
}
