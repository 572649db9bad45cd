//! The rows of the state, and the rows that a reservation writes together.

use record::{DisclosureClass, ExpiryDay, Idnr, Label, ParticipantId, Period, Phase, RetentionClass, Series};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::tables::{NumberTuple, digits};
use crate::committer::StoreError;

/// The key of a number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberKey {
    /// The person, or nobody.
    pub idnr: Idnr,
    /// The period.
    pub period: Period,
    /// The series.
    pub series: Series,
    /// The number: below 4096 for a person, any value for nobody.
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

/// The row of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberRow {
    /// Its labels.
    pub labels: Labels,
    /// Retention class of all its records.
    pub class: RetentionClass,
    /// The expiry day whose key seals the record of phase 0.
    pub expiry: ExpiryDay,
    /// The days whose keys were given out for the outcome and the preview, ascending.
    pub later: Vec<ExpiryDay>,
    /// The requesting consumer.
    pub consumer: ParticipantId,
    /// Digest of its S1. Zero for an inspection.
    #[serde(with = "serde_bytes")]
    pub s1: [u8; 32],
    /// Time of the reservation, POSIX seconds.
    pub reserved_at: u64,
}

/// A period of this identity. A VRF secret is stored only here, and only wrapped ([`crate::wrapping`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodRow {
    /// Start of the period, POSIX seconds.
    pub start: u64,
    /// The VRF key's seed in wrapped form. `None` once it is destroyed.
    #[serde(with = "serde_bytes")]
    pub wrapped: Option<Vec<u8>>,
}

impl std::fmt::Debug for PeriodRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PeriodRow(start {})", self.start)
    }
}

/// What is kept of the answer to an S1 until the S1 expires. The bytes of the answer have a row of their own, which is
/// deleted as soon as the log has the answer's label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRow {
    /// Digest of the S1 it answers.
    #[serde(with = "serde_bytes")]
    pub s1: [u8; 32],
    /// The retention class of the permission in the request.
    pub retention: RetentionClass,
    /// The disclosure class of the permission in the request.
    pub disclosure: DisclosureClass,
    /// POSIX seconds. The row may be deleted after this time, because the S1 has expired then.
    pub until: u64,
    /// The label that was handed out.
    pub intent: Label,
}

/// An answer that is stored with its reservation.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    /// Id of the answered message.
    pub message: Uuid,
    /// Its row.
    pub row: AnswerRow,
    /// Its bytes, to be repeated.
    pub bytes: Vec<u8>,
}

/// The quota that a reservation counts towards, in its period.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Keyed digest of the person, or of the query if it matches no person.
    pub person: [u8; 32],
}

/// A reservation, with everything that is written in its transaction.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// The number.
    pub key: NumberKey,
    /// The row to store.
    pub row: NumberRow,
    /// The VRF proof of the number's labels.
    pub proof: [u8; 80],
    /// The quota, for an exchange.
    pub quota: Option<Quota>,
    /// The answer to repeat, for an exchange.
    pub answer: Option<NewAnswer>,
    /// The day and the reader, for an inspection.
    pub inspection: Option<(u32, String)>,
}

/// The result of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The reservation is on disk.
    Done,
    /// The number is taken. Nothing was written. Try the next one.
    Taken,
    /// The consumer has reached its limit for the person and period. Nothing was written.
    Limit,
}
