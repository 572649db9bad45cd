//! The [`TransparencyLog`] of production: a follower that reads and checks the whole public log, and a writer with its
//! own chain.
//!
//! Reads are answered from the followed log. Only a leaf that is no longer cached is fetched, as part of its bundle of
//! 256.

use ledger_client::follower::FollowerError;
use ledger_client::recorded::{Inspection, Lost, Period as PeriodKind, Void};
use ledger_client::{AppendError as WriterError, Draft, Follower, Writer};
use record::{Body, Label, LabelledKind, Period, PeriodEvent, ReferenceKind, SealedRecord, Timestamp, WriterId};
use service::clock::WitnessTime;
use tlog::Hash;
use tlog::merkle::Index;

use crate::log::{AppendError, LocatedLabel, LogError, OwnKind, Proofs, PublishedProofs, TransparencyLog, Wanted};

/// The followed log and identity's writer.
#[derive(Debug, Clone)]
pub struct FollowedLog {
    follower: Follower,
    writer: Writer,
}

impl FollowedLog {
    /// Combines a running follower and a running writer.
    pub fn new(follower: Follower, writer: Writer) -> Self {
        Self { follower, writer }
    }

    /// Whether the log has been followed to a head, and continues to be.
    ///
    /// # Errors
    /// Why it is not.
    pub fn head(&self) -> Result<(), LogError> {
        Ok(self.follower.head().map(drop)?)
    }

    /// Why the writer has stopped permanently, if it has.
    pub fn stopped(&self) -> Option<String> {
        self.writer
            .alarm()
            .map(|alarm| format!("the writer has stopped: {alarm}"))
    }
}

impl From<FollowerError> for LogError {
    fn from(error: FollowerError) -> Self {
        match error {
            FollowerError::Broken(reason) => Self::Broken(reason.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<WriterError> for AppendError {
    fn from(error: WriterError) -> Self {
        match error {
            WriterError::LabelUsed => Self::LabelUsed,
            WriterError::Refused(problem) => Self::Refused(problem.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

fn index_of(index: u64) -> Result<Index, LogError> {
    Index::new(index).map_err(|error| LogError::Unavailable(error.to_string()))
}

impl TransparencyLog for FollowedLog {
    fn locate(&self, period: Period, label: &Label) -> Result<Option<LocatedLabel>, LogError> {
        let located = self.follower.locate(label)?;
        Ok(located
            .filter(|located| located.period == period)
            .map(|located| LocatedLabel {
                index: located.index.get(),
                kind: located.kind,
                time: located.time,
            }))
    }

    async fn refresh(&self) -> Result<(), LogError> {
        self.follower.refresh().await?;
        Ok(())
    }

    fn prove(&self, indices: &[u64]) -> Result<Proofs, LogError> {
        let head = self.follower.head()?;
        let size = head.checkpoint().size;
        let mut hashes = Vec::with_capacity(indices.len());
        for index in indices {
            hashes.push(self.follower.inclusion(index_of(*index)?, size)?);
        }
        Ok(Proofs {
            checkpoint: head.bytes().to_vec(),
            hashes,
        })
    }

    fn provable_map(&self) -> Result<Option<u64>, LogError> {
        Ok(self.follower.proved()?.map(|proved| proved.map.get()))
    }

    fn prove_published(&self, map: u64, wanted: &Wanted) -> Result<Option<PublishedProofs>, LogError> {
        let proofs = self.follower.prove(index_of(map)?, wanted)?;
        Ok(proofs.map(|proofs| PublishedProofs {
            checkpoint: proofs.published.bytes().to_vec(),
            maps: proofs.maps,
            tree: proofs.tree,
        }))
    }

    async fn leaf(&self, index: u64) -> Result<Vec<u8>, LogError> {
        Ok(self.follower.leaf(index_of(index)?).await?)
    }

    fn newest_entry_time(&self, writer: &WriterId) -> Result<Option<Timestamp>, LogError> {
        Ok(self.follower.last_of(writer)?.map(|last| last.time))
    }

    fn witness_time(&self) -> WitnessTime {
        self.follower.witness_time()
    }

    fn open_intents(&self, period: Period) -> Result<Vec<u64>, LogError> {
        let open = self.follower.open_intents(period)?;
        Ok(open.into_iter().map(Index::get).collect())
    }

    fn map_root(&self, period: Period) -> Result<Hash, LogError> {
        Ok(self.follower.map_root(period)?)
    }

    async fn give_up(&self, intent: u64) -> Result<(), AppendError> {
        let refers = Index::new(intent).map_err(|error| AppendError::Refused(error.to_string()))?;
        let kind = ReferenceKind::Lost;
        let draft = Draft::now(Body::Reference { kind, refers });
        self.writer.append::<Lost>(draft, None, None).await?;
        Ok(())
    }

    async fn write_period(&self, period: Period, event: PeriodEvent) -> Result<(), AppendError> {
        let draft = Draft::now(Body::Period { period, event });
        self.writer.append::<PeriodKind>(draft, None, None).await?;
        Ok(())
    }

    async fn append(
        &self,
        kind: OwnKind,
        period: Period,
        label: Label,
        record: SealedRecord,
    ) -> Result<(), AppendError> {
        let draft = |kind| {
            Draft::now(Body::Labelled {
                kind,
                period,
                label,
                commitment: record.commitment(),
                refers: None,
            })
        };
        match kind {
            OwnKind::Void => {
                let draft = draft(LabelledKind::Void);
                self.writer.append::<Void>(draft, Some(record), None).await?;
            }
            OwnKind::Inspection => {
                let draft = draft(LabelledKind::Inspection);
                self.writer.append::<Inspection>(draft, Some(record), None).await?;
            }
        }
        Ok(())
    }
}
