//! The result of verifying a bundle.

use record::{CitizenPart, ExpiryDay, Kind, Period, Phase, Series, SharedPart, Timestamp};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use tlog::policy::WitnessCosignature;

/// All entries of a person, proved to be complete. Only [`Bundle::verify`](super::Bundle::verify) makes one. `Debug`
/// shows nothing of the records.
#[derive(Clone)]
#[non_exhaustive]
pub struct Complete {
    /// The time as of which the entries are complete. The bundle proves nothing about later entries.
    pub as_of: Timestamp,
    /// Whether the policy's quorum has cosigned every checkpoint on which the proof relies.
    pub quorum: bool,
    /// The first and the last period.
    pub periods: (Period, Period),
    /// The time since which the entries are complete, because all earlier periods are destroyed; `None` if they are
    /// complete since the log began.
    pub since: Option<Timestamp>,
    /// Number of exchanges, including those whose request was never sent (`void`).
    pub exchanges: usize,
    /// Number of times that the records were opened.
    pub inspections: usize,
    /// Every entry, ascending by index.
    pub entries: Vec<ProvedEntry>,
    /// The `map` entry under whose roots the absences are proved.
    pub map: Index,
    /// The checkpoint under which the entries are proved.
    pub checkpoint: Checkpoint,
    /// The verified cosignatures of the checkpoint.
    pub cosignatures: Vec<WitnessCosignature>,
}

/// One entry of the person.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProvedEntry {
    /// Index of the entry in the log.
    pub index: Index,
    /// Leaf hash of the entry.
    pub leaf: Hash,
    /// Kind of the entry.
    pub kind: Kind,
    /// The time by the writer's clock.
    pub time: Timestamp,
    /// The writer's name in the directory.
    pub writer: String,
    /// The entry that this entry closes or is about.
    pub refers: Option<Index>,
    /// The period of its label.
    pub period: Period,
    /// The series of its label.
    pub series: Series,
    /// The number within the series.
    pub number: u32,
    /// The phase of the number.
    pub phase: Phase,
    /// The day at whose end the record expires.
    pub expiry: ExpiryDay,
    /// The record of the entry.
    pub record: ProvedRecord,
}

/// A record, proved to be the one to which its entry committed.
#[derive(Clone)]
pub enum ProvedRecord {
    /// The record could be opened.
    Open {
        /// The part for both parties, citizen and supervision.
        shared: SharedPart,
        /// The citizen's part.
        citizen: CitizenPart,
    },
    /// The record has expired and can no longer be opened.
    Expired,
}

impl std::fmt::Debug for Complete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Complete")
            .field("as_of", &self.as_of)
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ProvedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvedEntry")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
