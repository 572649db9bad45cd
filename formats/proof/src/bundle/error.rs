//! Why a bundle proves nothing, and at which place. None of these is retryable with the same file.

use std::fmt;

use record::{ExpiryDay, Period, Phase, RightError, SealedError, Series};
use tlog::map::MapError;
use tlog::merkle::ProofError;
use tlog::policy::VerdictError;
use tlog::vrf::VrfError;

use crate::opening::VerifyError;

/// Why a bundle does not prove that it is complete.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bytes are not a bundle.
    #[error("not a bundle file: {0}")]
    Format(String),
    /// Genesis or directory.
    #[error("the log's beginning: {0}")]
    Beginning(#[source] VerifyError),
    /// The checkpoint is not signed by the log that is trusted.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] VerdictError),
    /// The checkpoint is of another log than the beginning.
    #[error("the checkpoint is of another log than the genesis entry")]
    OtherLog,
    /// The reserved number, which is no person's.
    #[error("the bundle names no person")]
    Nobody,
    /// Something at a place.
    #[error("{place}: {fault}")]
    At {
        /// Where.
        place: Place,
        /// What.
        fault: BundleFault,
    },
}

/// A place in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The proof that all entries stand in the tree.
    Tree,
    /// The `map` entry.
    MapEntry,
    /// The list of periods.
    Periods,
    /// The begin of a period.
    Begin(Period),
    /// The end of a period.
    Final(Period),
    /// The destruction of a period before the first one shown.
    Destroyed(Period),
    /// The map of a period.
    Map(Period),
    /// A row of numbers.
    Series(Period, Series),
    /// An entry of a number, shown or said to be absent.
    Number(Period, Series, u32, Phase),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree => f.write_str("the proof that all entries stand in the log"),
            Self::MapEntry => f.write_str("the map entry"),
            Self::Periods => f.write_str("the list of periods"),
            Self::Begin(period) => write!(f, "the begin of period {period}"),
            Self::Final(period) => write!(f, "the end of period {period}"),
            Self::Destroyed(period) => write!(f, "the destruction of period {period}"),
            Self::Map(period) => write!(f, "the map of period {period}"),
            Self::Series(period, series) => write!(f, "{} of period {period}", row(*series)),
            Self::Number(period, series, number, phase) => {
                let phase = match phase {
                    Phase::Intent => "first entry",
                    Phase::Outcome => "outcome",
                    Phase::Preview => "preview",
                };
                write!(f, "{} of period {period}, number {number}, {phase}", row(*series))
            }
        }
    }
}

fn row(series: Series) -> &'static str {
    match series {
        Series::Exchanges => "exchanges",
        Series::Inspections => "inspections",
        Series::DelayedExchanges => "delayed exchanges",
        Series::DelayedInspections => "delayed inspections",
    }
}

/// What is wrong at a place.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// The bytes are no entry.
    #[error("its bytes are no entry")]
    Entry,
    /// One entry stands at two places of the bundle.
    #[error("the entry {0} stands at another place of the bundle too")]
    Twice(u64),
    /// The writer had no right, or did not sign.
    #[error("its writer does not verify: {0}")]
    Writer(#[source] RightError),
    /// The proof does not lead to the root that the log has signed.
    #[error(transparent)]
    Tree(#[from] ProofError),
    /// The map proof does not lead to the root.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The entry is of another kind than the place, or about something else.
    #[error("the entry says something else than belongs here")]
    Kind,
    /// There is a newer map than the one shown.
    #[error("it is out of date: the witnesses' time is {0} s later")]
    Stale(u64),
    /// None, too many, or not numbered from 1.
    #[error("there must be at least one and at most {MAX_PERIODS}, numbered from 1")]
    Count,
    /// A period is left out, and the map does not say that it is destroyed.
    #[error("the bundle leaves this period out, and the log does not say that its secret is destroyed")]
    NotDestroyed,
    /// The map has another entry in this place.
    #[error("the map has the entry {0} here, not the one that is shown")]
    OtherEntry(u64),
    /// The map does not have the entry.
    #[error("the map does not have the entry that is shown")]
    NotInMap,
    /// What is said to be absent is there.
    #[error("it stands in the log as entry {0}, and the bundle leaves it out")]
    Hidden(u64),
    /// The `map` entry has no root of a period that is said to be open.
    #[error("the map entry has no root of this period")]
    NoRoot,
    /// The VRF key in the begin is none.
    #[error("the VRF key is unusable")]
    Key,
    /// The VRF proof is not of this person, period, series and number.
    #[error("the VRF proof is not of this person and number: {0}")]
    Vrf(#[source] VrfError),
    /// The entry's label is another's.
    #[error("the entry's label is not the one of this person and number")]
    Label,
    /// The entry came after the map that says what is absent.
    #[error("the entry came after the map entry")]
    Later,
    /// There must be a VRF proof for each number whose absence is needed.
    #[error("there must be proofs for exactly {0} absent numbers")]
    Absences(usize),
    /// The record is not what was sealed.
    #[error("the record is not the one that was recorded")]
    Record,
    /// The record is shown sealed, and has not expired.
    #[error("the record is kept until the end of {0}, and the bundle does not open it")]
    Withheld(ExpiryDay),
    /// The record cannot be sealed again.
    #[error("the record cannot be sealed again: {0}")]
    Sealed(#[from] SealedError),
}

/// The most periods that a bundle can be about: eighty years of months.
pub(super) const MAX_PERIODS: u32 = 1000;

impl Place {
    /// An error at this place.
    pub(super) fn because(self, fault: impl Into<BundleFault>) -> BundleError {
        BundleError::At {
            place: self,
            fault: fault.into(),
        }
    }
}
