//! The broker's journal: what it needs to close an exchange, durable before the exchange's intent is recorded.
//!
//! One row per exchange, keyed by the exchange id, in deterministic CBOR. A row passes through four stages:
//!
//! 1. [`JournalEntry::Open`]: the row has labels and keys; the intent is recorded or about to be.
//! 2. `Open` with a [`Closing`]: it is certain how the exchange ended. The row has the sealed record of the outcome, so
//!    that after a crash the broker appends the same outcome and not a second one with the same label.
//! 3. [`JournalEntry::Closed`]: the outcome is recorded. The row has only what is still to be handed over: the notice,
//!    until the provider's connector has accepted it, and the reply, until the consumer has acknowledged the
//!    completion.
//! 4. If the permission demands a preview and evidence was delivered, the row also has an [`AwaitedPreview`], until the
//!    person's decision is recorded and the consumer has acknowledged the notice.
//! 5. The row is removed when all of this has happened.
//!
//! An exchange that waits for its evidence ([`messages::later`]) is a [`JournalEntry::Deferred`] between the first two
//! stages. It may wait for 30 days beside thousands of others, so it has tables of its own: one with the row, and one
//! with what the schedule needs to know ([`DueExchange`]), which alone is read at the start. An exchange moves between
//! the tables in several transactions. The order is such that after a crash in between it is clear which row counts:
//!
//! ```text
//! defer     deferred row ▸ due row ▸ remove the open row     an open row without a closing yields to the due row
//! close     open row with its closing ▸ remove the due row ▸ remove the deferred row     a closing always counts
//! ```
//!
//! A row holds keys of single records and sealed bytes that the broker cannot open. It never holds personal data or
//! evidence. The number of rows is bounded, because every row takes a place of its consumer and of its provider
//! ([`crate::outstanding`]).

use std::collections::HashMap;
use std::path::Path;

use messages::{Completion, Deferral, ExchangeRequest, LabelAnswer, OutcomeNotice, PreviewNotice, Reply};
use record::content::ExchangeRecord;
use record::{Label, PartKey, ParticipantId, Period, PreviewDecision, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Encoding, Store, StoreConfig, Table, TableError};
use text::Reference;
use tlog::Hash;
use uuid::Uuid;

const STORE: &str = "state";
const EXCHANGES: &str = "exchanges";
const DEFERRED: &str = "deferred";
const DUE: &str = "deferred-due";
/// How many rows are in memory at once when all are read.
const PAGE: usize = 256;

fn cbor<T: Serialize + DeserializeOwned>() -> Encoding<T> {
    Encoding {
        encode: |entry| record::cbor::to_vec(entry),
        decode: |bytes| record::cbor::from_slice(bytes).map_err(|error| error.to_string()),
    }
}

/// One exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEntry {
    /// The outcome is not recorded yet.
    Open(Box<OpenExchange>),
    /// The intent is recorded, and the provider has named a later time for its answer.
    Deferred(Box<DeferredExchange>),
    /// The outcome is recorded.
    Closed(Box<ClosedExchange>),
}

/// An exchange whose outcome is not recorded yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenExchange {
    /// The consumer's request.
    pub request: ExchangeRequest,
    /// Labels and record keys.
    pub labels: LabelAnswer,
    /// The content of the intent's record.
    pub content: ExchangeRecord,
    /// The intent's sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub intent_record: Vec<u8>,
    /// Whether the permission demands a preview of delivered evidence.
    pub preview: bool,
    /// How the exchange ended, once it is certain.
    pub closing: Option<Closing>,
    /// The receipt of the intent, if the exchange has waited. The intent is not appended again after days.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Option<Vec<u8>>,
    /// What recording the exchange for a representative needs, if one acts.
    pub representative: Option<Box<RepresentativeEntries>>,
}

/// What recording an exchange under a label of the representative needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepresentativeEntries {
    /// [`messages::S1::digest`] of the representative's S1.
    #[serde(with = "record::bytes")]
    pub s1: Hash,
    /// Labels and record keys.
    pub labels: LabelAnswer,
    /// The content of the intent's record.
    pub content: ExchangeRecord,
    /// The intent's sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub intent_record: Vec<u8>,
    /// The receipt of the intent, if the exchange has waited.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Option<Vec<u8>>,
}

impl OpenExchange {
    /// Whether the exchange has been deferred. Then it takes the places of exchanges that wait, and no others.
    pub fn has_waited(&self) -> bool {
        self.intent_receipt.is_some()
    }
}

/// An exchange that waits for its evidence.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeferredExchange {
    /// The exchange, with the receipt of its intent.
    pub open: OpenExchange,
    /// What the provider has signed last.
    pub deferral: Deferral,
}

/// What the schedule needs to know of an exchange that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DueExchange {
    /// When the provider is asked again.
    pub due: Timestamp,
    /// When the exchange is closed without an answer.
    pub expiry: Timestamp,
    /// The consumer.
    pub consumer: ParticipantId,
    /// The provider.
    pub provider: ParticipantId,
    /// Whether the exchange takes a place for a preview.
    pub preview: bool,
}

/// How an exchange ended: what the outcome's entry commits to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The outcome's sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of its shared part.
    pub shared_key: PartKey,
    /// The content of the record that a preview repeats, if one follows.
    pub previewed: Option<Box<ExchangeRecord>>,
    /// The provider's reply, if there was one.
    pub reply: Option<Reply>,
    /// The result, for the metrics.
    pub outcome: record::Outcome,
    /// The representative's outcome, if one acts and their intent is recorded.
    pub representative: Option<Box<SealedOutcome>>,
}

/// The sealed record of an outcome.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedOutcome {
    /// The sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of its shared part.
    pub shared_key: PartKey,
}

impl Closing {
    /// Whether the provider may have served the exchange. If it certainly has not, it has nothing to compare the
    /// outcome with, and may not exist at all.
    pub fn may_be_served(&self) -> bool {
        self.reply.is_some() || self.outcome == record::Outcome::TimedOut
    }
}

/// An exchange whose outcome is recorded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedExchange {
    /// The exchange.
    pub exchange: Uuid,
    /// [`request_digest`] of the consumer's request.
    #[serde(with = "record::bytes")]
    pub request: Hash,
    /// The consumer.
    pub consumer: ParticipantId,
    /// The provider.
    pub provider: ParticipantId,
    /// When the outcome was recorded.
    pub closed: Timestamp,
    /// What both connectors receive.
    pub notice: OutcomeNotice,
    /// The provider's reply, until the consumer has acknowledged the completion.
    pub reply: Option<Reply>,
    /// Whether the exchange has waited for its evidence, and takes a place of those that do.
    pub waited: bool,
    /// Whether the consumer has acknowledged the completion.
    pub acknowledged: bool,
    /// Whether the provider's connector has accepted the outcome.
    pub notified: bool,
    /// The preview, until it is recorded and the consumer has acknowledged that.
    pub preview: Option<Box<AwaitedPreview>>,
}

/// A preview of delivered evidence: what recording it needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwaitedPreview {
    /// The content of the outcome's record.
    pub content: ExchangeRecord,
    /// The period of the intent.
    pub period: Period,
    /// The label of the preview.
    pub label: Label,
    /// Identity's token for the key of the record.
    #[serde(with = "record::bytes")]
    pub token: Vec<u8>,
    /// The digest of S1, which the token is for.
    #[serde(with = "record::bytes")]
    pub s1: Hash,
    /// Pseudonymous handle of the official.
    pub official: Reference,
    /// Index of the intent.
    pub intent: u64,
    /// Index of the outcome.
    pub outcome: u64,
    /// How far it has come.
    pub stage: PreviewStage,
}

/// How far a preview has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewStage {
    /// The person has not decided yet.
    Awaiting,
    /// It is certain what is recorded: the sealed record, so that after a crash no second one is made.
    Sealed(SealedPreview),
    /// It is recorded.
    Recorded {
        /// The index of the entry.
        index: u64,
        /// What the consumer receives.
        notice: PreviewNotice,
    },
}

/// The sealed record of a preview.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedPreview {
    /// The sealed record, byte for byte.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of its shared part.
    pub shared_key: PartKey,
    /// The decision, for the metrics.
    pub decision: PreviewDecision,
}

impl AwaitedPreview {
    /// The index of the entry, once the preview is recorded.
    pub fn recorded(&self) -> Option<u64> {
        match self.stage {
            PreviewStage::Recorded { index, .. } => Some(index),
            PreviewStage::Awaiting | PreviewStage::Sealed(_) => None,
        }
    }
}

impl ClosedExchange {
    /// Whether nothing is left to be handed over or to be recorded.
    pub fn is_settled(&self) -> bool {
        self.acknowledged && self.notified && self.preview.is_none()
    }

    /// The answer to the consumer; `None` after its acknowledgement.
    pub fn completion(&self) -> Option<Completion> {
        (!self.acknowledged).then(|| Completion {
            notice: self.notice.clone(),
            reply: self.reply.clone(),
        })
    }
}

/// SHA-256 of a request's deterministic CBOR.
pub fn request_digest(request: &ExchangeRequest) -> Hash {
    messages::sha256_of(&[&record::cbor::to_vec(request)])
}

impl JournalEntry {
    /// The consumer.
    pub fn consumer(&self) -> &ParticipantId {
        match self {
            Self::Open(open) => &open.request.metadata.consumer,
            Self::Deferred(deferred) => &deferred.open.request.metadata.consumer,
            Self::Closed(closed) => &closed.consumer,
        }
    }

    /// The exchange.
    pub fn exchange(&self) -> Uuid {
        match self {
            Self::Open(open) => open.request.metadata.exchange,
            Self::Deferred(deferred) => deferred.open.request.metadata.exchange,
            Self::Closed(closed) => closed.exchange,
        }
    }
}

/// The journal. Cheap to clone. Every error is fatal for the exchange: nothing may be forwarded without the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    store: Store,
    exchanges: Table<[u8; 16], JournalEntry>,
    deferred: Table<[u8; 16], DeferredExchange>,
    due: Table<[u8; 16], DueExchange>,
}

impl Journal {
    /// Opens or creates the store `state`, which is a file in the broker's directory or in a database.
    ///
    /// # Errors
    /// [`TableError`], also when another broker has opened it.
    pub fn open(config: &StoreConfig, directory: &Path) -> Result<Self, TableError> {
        let store = Store::open(config, directory, STORE)?;
        Ok(Self {
            exchanges: Table::open(&store, EXCHANGES, cbor())?,
            deferred: Table::open(&store, DEFERRED, cbor())?,
            due: Table::open(&store, DUE, cbor())?,
            store,
        })
    }

    /// Waits until another broker has taken over the journal's database; returns the reason.
    pub fn taken_over(&self) -> impl Future<Output = TableError> + Send + use<> {
        self.store.taken_over()
    }

    /// Writes the row of an exchange that does not wait; it is durable on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn put(&self, entry: &JournalEntry) -> Result<(), TableError> {
        self.exchanges.put(entry.exchange().into_bytes(), entry).await
    }

    /// Makes an exchange one that waits; it is durable on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn defer(&self, deferred: &DeferredExchange, due: &DueExchange) -> Result<(), TableError> {
        let key = deferred.open.request.metadata.exchange.into_bytes();
        self.deferred.put(key, deferred).await?;
        self.due.put(key, due).await?;
        self.exchanges.remove(key).await
    }

    /// Removes what waits of an exchange whose closing is written.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove_deferred(&self, exchange: Uuid) -> Result<(), TableError> {
        self.due.remove(exchange.into_bytes()).await?;
        self.deferred.remove(exchange.into_bytes()).await
    }

    /// What the schedule needs to know of all exchanges that wait.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn due(&self) -> Result<HashMap<Uuid, DueExchange>, TableError> {
        let rows = self.due.all().await?.into_iter();
        Ok(rows.map(|(key, row)| (Uuid::from_bytes(key), row)).collect())
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
        let key = exchange.into_bytes();
        if let Some(entry) = self.exchanges.get(key).await? {
            return Ok(Some(entry));
        }
        let deferred = self.deferred.get(key).await?;
        Ok(deferred.map(|row| JournalEntry::Deferred(Box::new(row))))
    }

    /// The rows that follow `after`, some of them at once, in the order of their ids, which is the order of time
    /// (UUIDv7). Without those that wait. Empty at the end.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn page(&self, after: Option<Uuid>) -> Result<Vec<JournalEntry>, TableError> {
        let rows = self.exchanges.page(after.map(Uuid::into_bytes), PAGE).await?;
        Ok(rows.into_iter().map(|(_, entry)| entry).collect())
    }

    /// All rows, for tests.
    #[cfg(test)]
    pub(crate) async fn all(&self) -> Result<Vec<JournalEntry>, TableError> {
        let rows = self.exchanges.all().await?;
        Ok(rows.into_iter().map(|(_, entry)| entry).collect())
    }
}
