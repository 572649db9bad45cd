//! The rows of the state, and what is written together.

use record::{DisclosureClass, ExpiryDay, Idnr, Label, ParticipantId, Period, Phase, RetentionClass, Series};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::tables::{NumberTuple, digits};
use crate::committer::StoreError;

/// Which number of whom.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberKey {
    /// The person, or nobody.
    pub idnr: Idnr,
    /// In which period.
    pub period: Period,
    /// Of which series.
    pub series: Series,
    /// The number: below 4096 for a person, any for nobody.
    pub number: u32,
}

impl std::fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NumberKey(period {})", self.period.0)
    }
}

impl NumberKey {
    pub(super) fn tuple(&self) -> NumberTuple {
        (self.period.0, self.series.code(), digits(&self.idnr), self.number)
    }

    pub(super) fn from_tuple(tuple: NumberTuple) -> Result<Self, StoreError> {
        let corrupt = StoreError::Corrupt("numbers");
        let text = String::from_utf8(tuple.2.to_vec()).map_err(|_| corrupt.clone())?;
        Ok(Self {
            idnr: Idnr::try_from(text).map_err(|_| corrupt.clone())?,
            period: Period(tuple.0),
            series: Series::from_code(tuple.1).ok_or(corrupt)?,
            number: tuple.3,
        })
    }
}

/// The three labels of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Phase 0: intent, void or inspection.
    pub intent: Label,
    /// Phase 1.
    pub outcome: Label,
    /// Phase 2.
    pub preview: Label,
}

impl Labels {
    /// The label of a phase.
    pub fn of(&self, phase: Phase) -> &Label {
        match phase {
            Phase::Intent => &self.intent,
            Phase::Outcome => &self.outcome,
            Phase::Preview => &self.preview,
        }
    }
}

/// What was handed out under a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberRow {
    /// Its labels.
    pub labels: Labels,
    /// Retention class of all its records.
    pub class: RetentionClass,
    /// Under which day's key the phase 0 record was to be sealed.
    pub expiry: ExpiryDay,
    /// The days whose keys were given out for the outcome and the preview, ascending.
    pub later: Vec<ExpiryDay>,
    /// Who asked.
    pub consumer: ParticipantId,
    /// Digest of its S1; zero for an inspection.
    #[serde(with = "serde_bytes")]
    pub s1: [u8; 32],
    /// When, POSIX seconds.
    pub reserved_at: u64,
}

/// A period of ours. The only place where a VRF secret is stored, and only wrapped ([`crate::wrapping`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodRow {
    /// POSIX seconds.
    pub start: u64,
    /// The VRF key's seed, wrapped; `None` once it is destroyed.
    #[serde(with = "serde_bytes")]
    pub wrapped: Option<Vec<u8>>,
}

impl std::fmt::Debug for PeriodRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PeriodRow(start {})", self.start)
    }
}

/// The answer to an S1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRow {
    /// Digest of the S1 it answers.
    #[serde(with = "serde_bytes")]
    pub s1: [u8; 32],
    /// The permission's retention class it was asked with.
    pub retention: RetentionClass,
    /// The permission's disclosure class it was asked with.
    pub disclosure: DisclosureClass,
    /// POSIX seconds; later the row may go, because the S1 is refused as expired.
    pub until: u64,
    /// The answer as sent.
    #[serde(with = "serde_bytes")]
    pub answer: Vec<u8>,
}

/// What a reservation counts against.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Days since 1970-01-01.
    pub day: u32,
    /// Keyed digest of who is meant.
    pub person: [u8; 32],
}

/// One reservation, all that is written with it.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The number.
    pub key: NumberKey,
    /// What is handed out.
    pub row: NumberRow,
    /// Counted against the day's limit, if it is an exchange.
    pub quota: Option<Quota>,
    /// The answer to be repeated, if it is an exchange: the message's id and the row.
    pub answer: Option<(Uuid, AnswerRow)>,
    /// The inspection's day and reader, if it is one.
    pub inspection: Option<(u32, String)>,
}

/// How a reservation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It is on disk.
    Done,
    /// The number is not free any more. Nothing was written; take the next.
    Taken,
    /// The day's limit is reached. Nothing was written.
    Limit,
}
