//! The log as identity needs it: where labels stand, proofs, and the few entries that identity writes.
//!
//! A trait, so that tests can stop, delay and repeat what a real ledger does once in a year; the real one is
//! [`crate::followed_log::FollowedLog`], which follows and checks the public log itself. Identity never asks the ledger about a label: that
//! would tell which labels interest it.

use std::future::Future;

pub use ledger_client::follower::Wanted;
use record::{Kind, Label, Period, PeriodEvent, SealedRecord, Timestamp, WriterId};
use tlog::Hash;

/// Why the log gives no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The ledger cannot be reached or has not caught up; try again.
    #[error("the ledger does not answer at present: {0}")]
    Unavailable(String),
    /// What the ledger serves contradicts what was checked before. Nothing may be answered any more.
    #[error("the log is broken: {0}")]
    Broken(String),
}

/// Why an entry was not appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The label stands in the log already.
    #[error("the label stands in the log already")]
    LabelUsed,
    /// The ledger takes nothing at present; try again.
    #[error("the ledger takes nothing at present: {0}")]
    Unavailable(String),
    /// The ledger refused the entry; asking again does not help.
    #[error("the ledger refused the entry: {0}")]
    Refused(String),
}

/// Where a label stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocatedLabel {
    /// Index of the entry.
    pub index: u64,
    /// Its kind.
    pub kind: Kind,
    /// Its time.
    pub time: Timestamp,
}

/// The inclusion of some entries under one checkpoint.
#[derive(Debug, Clone)]
pub struct Proofs {
    /// The checkpoint as the log signed it.
    pub checkpoint: Vec<u8>,
    /// The inclusion proofs, as many as asked for, in that order.
    pub hashes: Vec<Vec<Hash>>,
}

/// Proofs for others, under the published checkpoint.
#[derive(Debug, Clone)]
pub struct PublishedProofs {
    /// The checkpoint with its cosignatures.
    pub checkpoint: Vec<u8>,
    /// [`tlog::map::prove_lookups`], as many as wanted.
    pub maps: Vec<Vec<u8>>,
    /// [`tlog::merkle::inclusion_batch`] of the entries wanted.
    pub tree: Vec<Hash>,
}

/// The log, followed and checked.
pub trait TransparencyLog: Send + Sync + 'static {
    /// Where a label of this period stands, as far as the log has been followed.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn locate(&self, period: Period, label: &Label) -> Result<Option<LocatedLabel>, LogError>;

    /// Follows the log up to its present head.
    fn refresh(&self) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Proofs of entries that have been located, under the newest checkpoint followed.
    ///
    /// # Errors
    /// [`LogError`].
    fn prove(&self, indices: &[u64]) -> Result<Proofs, LogError>;

    /// The `map` entry as of which [`TransparencyLog::prove_published`] proves; none while no checkpoint has been published.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn provable_map(&self) -> Result<Option<u64>, LogError>;

    /// Proofs as of that `map` entry; none when it is not the one any more.
    ///
    /// # Errors
    /// [`LogError`].
    fn prove_published(&self, map: u64, wanted: &Wanted) -> Result<Option<PublishedProofs>, LogError>;

    /// The bytes of an entry that has been located. An old one may have to be fetched, so this is for new ones: whoever needs
    /// an entry again keeps it, or the ledger would see which entries are needed together.
    fn leaf(&self, index: u64) -> impl Future<Output = Result<Vec<u8>, LogError>> + Send;

    /// The time of a writer's last entry, if it has one.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn newest_entry_time(&self, writer: &WriterId) -> Result<Option<Timestamp>, LogError>;

    /// The intents of a period that nothing has closed, as far as the log has been followed.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn open_intents(&self, period: Period) -> Result<Vec<u64>, LogError>;

    /// The root of a period's map, as far as the log has been followed.
    ///
    /// # Errors
    /// [`LogError::Broken`].
    fn map_root(&self, period: Period) -> Result<Hash, LogError>;

    /// Writes that an intent is given up as lost.
    fn give_up(&self, intent: u64) -> impl Future<Output = Result<(), AppendError>> + Send;

    /// Writes what happens to a period.
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
    /// Someone opened records.
    Inspection,
}
