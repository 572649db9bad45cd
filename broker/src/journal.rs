//! The broker's journal: what closing an exchange needs, durable before the exchange's intent is recorded.
//!
//! One row per exchange, keyed by its id, deterministic CBOR. It goes through three stages:
//!
//! 1. [`Stage::Open`]: labels and keys are here, the intent is on its way into the log or stands there;
//! 2. [`Stage::Closed`]: the outcome stands in the log; kept until the consumer acknowledges *and* the provider has taken the
//!    notice, so that neither answer nor outcome is lost to a crash;
//! 3. gone.
//!
//! It holds keys of single records and sealed bytes that the broker cannot open; never a person, never a content.

use std::path::Path;
use std::sync::Arc;

use messages::{Completion, ExchangeRequest, LabelAnswer};
use record::content::ExchangeRecord;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const EXCHANGES: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("exchanges");

/// Why the journal cannot be used. All of it is fatal: nothing may be forwarded without the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store failed: disk full, damaged, locked by another process.
    #[error("store: {0}")]
    Store(#[from] Box<redb::Error>),
    /// A row is not what this version writes.
    #[error("a row cannot be read: {0}")]
    Row(#[from] record::cbor::CborError),
    /// The task that writes was ended.
    #[error("the process is ending")]
    Ending,
}

/// One exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What the consumer sent.
    pub request: ExchangeRequest,
    /// Labels and record keys.
    pub labels: LabelAnswer,
    /// What the intent's record says.
    pub content: ExchangeRecord,
    /// The intent's sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub intent_record: Vec<u8>,
    /// How far it is.
    pub stage: Stage,
}

/// How far an exchange is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Not closed yet.
    Open,
    /// The outcome stands in the log.
    Closed {
        /// What the consumer gets.
        completion: Box<Completion>,
        /// The consumer has it.
        acknowledged: bool,
        /// The provider's connector has taken the outcome.
        notified: bool,
    },
}

/// The journal's store. Cheap to clone.
#[derive(Clone)]
pub struct Journal(Arc<Database>);

impl Journal {
    /// Opens or creates `state.redb` in the broker's directory.
    ///
    /// # Errors
    /// When the store cannot be opened; another broker may have it open.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let database = Database::create(directory.join("state.redb")).map_err(store)?;
        let transaction = database.begin_write().map_err(store)?;
        transaction.open_table(EXCHANGES).map_err(store)?;
        transaction.commit().map_err(store)?;
        Ok(Self(Arc::new(database)))
    }

    /// Writes a row durably; returns when it is synced.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn put(&self, row: &Row) -> Result<(), JournalError> {
        let key = row.request.metadata.exchange.into_bytes();
        let bytes = record::cbor::to_vec(row);
        self.write(move |table| table.insert(&key, bytes.as_slice()).map(|_| ()).map_err(store))
            .await
    }

    /// Removes a row.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn remove(&self, exchange: Uuid) -> Result<(), JournalError> {
        self.write(move |table| table.remove(&exchange.into_bytes()).map(|_| ()).map_err(store))
            .await
    }

    /// Changes a row in one transaction; `change` says whether it is kept. A row that is not there stays so.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn update(
        &self,
        exchange: Uuid,
        change: impl FnOnce(&mut Row) -> bool + Send + 'static,
    ) -> Result<(), JournalError> {
        self.write(move |table| {
            let key = exchange.into_bytes();
            let Some(mut row) = table
                .get(&key)
                .map_err(store)?
                .map(|value| decode(value.value()))
                .transpose()?
            else {
                return Ok(());
            };
            if change(&mut row) {
                table
                    .insert(&key, record::cbor::to_vec(&row).as_slice())
                    .map_err(store)?;
            } else {
                table.remove(&key).map_err(store)?;
            }
            Ok(())
        })
        .await
    }

    /// The row of an exchange.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn get(&self, exchange: Uuid) -> Result<Option<Row>, JournalError> {
        let transaction = self.0.begin_read().map_err(store)?;
        let table = transaction.open_table(EXCHANGES).map_err(store)?;
        match table.get(&exchange.into_bytes()).map_err(store)? {
            Some(value) => decode(value.value()).map(Some),
            None => Ok(None),
        }
    }

    /// All rows, in the order of their ids, which is that of time (UUIDv7).
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn all(&self) -> Result<Vec<Row>, JournalError> {
        let transaction = self.0.begin_read().map_err(store)?;
        let table = transaction.open_table(EXCHANGES).map_err(store)?;
        let mut rows = Vec::new();
        for item in table.iter().map_err(store)? {
            let (_, value) = item.map_err(store)?;
            rows.push(decode(value.value())?);
        }
        Ok(rows)
    }

    async fn write<F>(&self, change: F) -> Result<(), JournalError>
    where
        F: FnOnce(&mut redb::Table<'_, &'static [u8; 16], &'static [u8]>) -> Result<(), JournalError> + Send + 'static,
    {
        let database = self.0.clone();
        tokio::task::spawn_blocking(move || {
            let transaction = database.begin_write().map_err(store)?;
            {
                let mut table = transaction.open_table(EXCHANGES).map_err(store)?;
                change(&mut table)?;
            }
            transaction.commit().map_err(store)
        })
        .await
        .map_err(|_| JournalError::Ending)?
    }
}

fn decode(bytes: &[u8]) -> Result<Row, JournalError> {
    Ok(record::cbor::from_slice(bytes)?)
}

fn store(error: impl Into<redb::Error>) -> JournalError {
    JournalError::Store(Box::new(error.into()))
}
