//! What a verified bundle has proved.

use record::{CitizenPart, ExpiryDay, Kind, Period, Phase, Series, SharedPart, Timestamp};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use tlog::policy::WitnessCosignature;

/// These are all. Only [`Bundle::verify`] makes one. `Debug` shows nothing of the records.
#[derive(Clone)]
#[non_exhaustive]
pub struct Complete {
    /// As of when: what came later is not known.
    pub as_of: Timestamp,
    /// Whether the policy's quorum has cosigned every checkpoint that the proof rests on.
    pub quorum: bool,
    /// The first period and the last.
    pub periods: (Period, Period),
    /// Since when, if not since the log began: all periods before are destroyed.
    pub since: Option<Timestamp>,
    /// How many exchanges there are, those included whose request was never sent (`void`).
    pub exchanges: usize,
    /// How often somebody has opened the records.
    pub inspections: usize,
    /// Every entry, ascending by index.
    pub entries: Vec<ProvedEntry>,
    /// The `map` entry that the absences are proved under.
    pub map: Index,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Who has cosigned it.
    pub cosignatures: Vec<WitnessCosignature>,
}

/// One entry of the person.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProvedEntry {
    /// Index of the entry in the log.
    pub index: Index,
    /// Its kind.
    pub kind: Kind,
    /// The writer's clock.
    pub time: Timestamp,
    /// The writer's name in the directory.
    pub writer: String,
    /// The entry it closes or is about.
    pub refers: Option<Index>,
    /// The period of its label.
    pub period: Period,
    /// The row.
    pub series: Series,
    /// The number in it.
    pub number: u32,
    /// Which of the number's entries.
    pub phase: Phase,
    /// What its record says.
    pub record: ProvedRecord,
}

/// A record that is the one which was recorded.
#[derive(Clone)]
pub enum ProvedRecord {
    /// It could be opened.
    Open {
        /// The part for both parties, citizen and supervision.
        shared: SharedPart,
        /// The citizen's part.
        citizen: CitizenPart,
    },
    /// It expired at the end of this day, and nobody can open it any more.
    Expired(ExpiryDay),
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
