//! What the pages about the log show.

use record::LegalDay;

/// The state of the log, as the portal has read and checked it.
#[derive(Clone, Debug)]
pub enum LogState {
    /// The log's signature on the checkpoint is valid.
    Checked {
        /// Origin of the log.
        origin: String,
        /// Number of entries.
        size: u64,
        /// Root hash in 64 hexadecimal digits.
        root: String,
        /// Whether the policy's quorum of witnesses has cosigned.
        quorum: bool,
        /// POSIX seconds at or after which a whole quorum has cosigned.
        quorum_time: Option<u64>,
        /// Text of the checkpoint, as the log serves it.
        checkpoint: String,
    },
    /// The log does not respond.
    Unreachable,
    /// The checkpoint is malformed, or a signature on it is invalid.
    Invalid,
}

/// A witness of the policy.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Name of the witness in the policy.
    pub name: String,
    /// Who runs it, as the operator of the portal states it.
    pub operator: Option<String>,
    /// Whether it has cosigned the checkpoint that is shown.
    pub current: bool,
    /// POSIX seconds of the last cosignature that the portal has seen.
    pub last: Option<u64>,
}

/// How many entries a day has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day in Germany.
    pub day: LegalDay,
    /// The number of entries.
    pub entries: u64,
}

/// A period whose labels no one can compute any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The entry that records it.
    pub entry: u64,
    /// POSIX seconds of that entry.
    pub time: u64,
    /// The period.
    pub period: u32,
    /// How many entries about persons the period has.
    pub entries: u64,
}

/// What the portal has counted by following the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// How many entries were counted.
    pub counted: u64,
    /// Requests for evidence that were forwarded.
    pub exchanges: u64,
    /// Inspections.
    pub visits: u64,
    /// Exchanges that are not closed yet.
    pub open: u64,
    /// Requests that were refused because no rule permits them.
    pub denied: u64,
    /// Entries about persons in periods that are erased.
    pub erased: u64,
    /// Entries per day, ascending, without gaps.
    pub days: Vec<Day>,
    /// The periods that are erased, newest first.
    pub erasures: Vec<Erased>,
}

/// Two checkpoints of one log that exclude each other, both signed by the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// POSIX seconds when the portal noticed it.
    pub noticed: u64,
    /// The text of one.
    pub first: String,
    /// The text of the other.
    pub second: String,
}

/// The result of comparing a checkpoint that a visitor has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The log has only grown since the checkpoint of this size.
    Grown(u64),
    /// It is the same state.
    Same,
    /// The visitor's checkpoint is newer than what the portal sees.
    Newer,
    /// Both are signed, and they exclude each other.
    Contradicts,
    /// The text is no checkpoint that the log has signed.
    Unsigned,
    /// The log did not send what the comparison needs.
    Unable,
}

/// Everything that the pages share.
#[derive(Clone, Debug)]
pub struct LogView {
    /// The state.
    pub state: LogState,
    /// The witnesses of the policy.
    pub witnesses: Vec<Witness>,
    /// What was counted.
    pub counts: LogCounts,
    /// The contradictions that the portal has noticed since it started.
    pub contradictions: Vec<Contradiction>,
    /// POSIX seconds since which the portal watches.
    pub watched_since: u64,
    /// The time now.
    pub now: u64,
}

impl LogView {
    /// How many witnesses have cosigned the checkpoint that is shown.
    pub(super) fn cosigned(&self) -> usize {
        self.witnesses.iter().filter(|witness| witness.current).count()
    }
}
