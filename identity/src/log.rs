//! The log as identity uses it: locating labels, proofs, and the few entries that identity writes.
//!
//! This is a trait so that tests can interrupt, delay and repeat what a real ledger rarely does. The implementation of
//! production is [`crate::followed_log::FollowedLog`], which follows and checks the public log itself. Identity never
//! asks the ledger about a single label, because that would reveal which labels interest it.

use std::future::Future;

pub use ledger_client::follower::Wanted;
use record::{Kind, Label, Period, PeriodEvent, SealedRecord, Timestamp, WriterId};
use service::clock::WitnessTime;
use tlog::Hash;

/// Why the log cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The ledger is unreachable or the follower has not caught up. Retry.
    #[error("the ledger is unavailable: {0}")]
    Unavailable(String),
    /// The ledger serves data that contradicts what was checked before. Identity must stop answering.
    #[error("the log is broken: {0}")]
    Broken(String),
}

/// Why an entry was not appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The label is already in the log.
    #[error("the label is already in the log")]
    LabelUsed,
    /// The ledger does not accept entries at present. Retry.
    #[error("the ledger accepts no entries at present: {0}")]
    Unavailable(String),
    /// The ledger refused the entry. A retry does not help.
    #[error("the ledger refused the entry: {0}")]
    Refused(String),
}

/// The entry that carries a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocatedLabel {
    /// The entry's index.
    pub index: u64,
    /// The entry's kind.
    pub kind: Kind,
    /// The entry's time.
    pub time: Timestamp,
}

/// Inclusion proofs of some entries under one checkpoint.
#[derive(Debug, Clone)]
pub struct Proofs {
    /// The checkpoint as the log signed it.
    pub checkpoint: Vec<u8>,
    /// The inclusion proofs, one per requested index, in the order of the request.
    pub hashes: Vec<Vec<Hash>>,
}

/// Proofs under the published checkpoint, for verification by others.
#[derive(Debug, Clone)]
pub struct PublishedProofs {
    /// The checkpoint with its cosignatures.
    pub checkpoint: Vec<u8>,
    /// The output of [`tlog::map::prove_lookups`], one per requested lookup.
    pub maps: Vec<Vec<u8>>,
    /// The output of [`tlog::merkle::inclusion_batch`] for the requested entries.
    pub tree: Vec<Hash>,
}

/// The followed and checked log.
pub trait TransparencyLog: Send + Sync + 'static {
    /// Locates a label of this period in the part of the log that has been followed.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn locate(&self, period: Period, label: &Label) -> Result<Option<LocatedLabel>, LogError>;

    /// Follows the log up to its current head.
    fn refresh(&self) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Proves the inclusion of located entries under the newest followed checkpoint.
    ///
    /// # Errors
    /// [`LogError`].
    fn prove(&self, indices: &[u64]) -> Result<Proofs, LogError>;

    /// The index of the `map` entry as of which [`TransparencyLog::prove_published`] proves. `None` until a checkpoint
    /// is published.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn provable_map(&self) -> Result<Option<u64>, LogError>;

    /// Proofs as of that `map` entry. `None` if another one has been published since.
    ///
    /// # Errors
    /// [`LogError`].
    fn prove_published(&self, map: u64, wanted: &Wanted) -> Result<Option<PublishedProofs>, LogError>;

    /// The bytes of a located entry. Use this for new entries only, since an old one may have to be fetched. A caller
    /// that needs an entry again must keep it; otherwise the ledger sees which entries are needed together.
    fn leaf(&self, index: u64) -> impl Future<Output = Result<Vec<u8>, LogError>> + Send;

    /// The time of a writer's last entry, if it has one.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn newest_entry_time(&self, writer: &WriterId) -> Result<Option<Timestamp>, LogError>;

    /// The time that the quorum of witnesses has cosigned last.
    fn witness_time(&self) -> WitnessTime;

    /// The intents of a period that no entry has closed, in the part of the log that has been followed.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn open_intents(&self, period: Period) -> Result<Vec<u64>, LogError>;

    /// The root of a period's map over the part of the log that has been followed.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn map_root(&self, period: Period) -> Result<Hash, LogError>;

    /// Writes a `lost` entry for an intent.
    fn give_up(&self, intent: u64) -> impl Future<Output = Result<(), AppendError>> + Send;

    /// Writes a `period` entry.
    fn write_period(&self, period: Period, event: PeriodEvent) -> impl Future<Output = Result<(), AppendError>> + Send;

    /// Writes a `void` or an `inspection` with its record.
    fn append(
        &self,
        kind: OwnKind,
        period: Period,
        label: Label,
        record: SealedRecord,
    ) -> impl Future<Output = Result<(), AppendError>> + Send;
}

/// The labelled kinds that identity writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnKind {
    /// A label was handed out and not used.
    Void,
    /// A reader opened records.
    Inspection,
}
