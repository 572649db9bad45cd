//! Why a bundle proves nothing, and at which place. None of these errors is retryable with the same file.

use std::fmt;

use record::{ExpiryDay, Period, Phase, SealedError, Series};
use tlog::map::MapError;
use tlog::merkle::ProofError;
use tlog::policy::VerdictError;
use tlog::vrf::VrfError;

use crate::opening::{VerifyError, WriterProblem};

/// Why a bundle does not prove that it is complete.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bytes are not a bundle.
    #[error("not a bundle file: {0}")]
    Format(String),
    /// The bundle does not fit into a file: a reader would refuse it. It has this many bytes.
    #[error("the bundle has {0} bytes, and a file at most {MAX_CONTENT}")]
    TooLong(usize),
    /// The anchor (genesis and directory) does not verify.
    #[error("the log's beginning: {0}")]
    Beginning(#[source] VerifyError),
    /// The trusted log has not signed the checkpoint, or a known witness's cosignature does not verify.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] VerdictError),
    /// The checkpoint belongs to another log than the anchor.
    #[error("the checkpoint is of another log than the genesis entry")]
    OtherLog,
    /// The bundle has the reserved number, which belongs to no person.
    #[error("the bundle names no person")]
    Nobody,
    /// A place of the bundle is wrong.
    #[error("{place}: {fault}")]
    At {
        /// The place.
        place: Place,
        /// What is wrong with it.
        fault: BundleFault,
    },
}

/// A place in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The proof that all entries are in the tree.
    Tree,
    /// The `map` entry.
    MapEntry,
    /// The list of periods.
    Periods,
    /// The `begin` entry of a period.
    Begin(Period),
    /// The `final` entry of a period.
    Final(Period),
    /// The `destroyed` entry of a period before the first one in the bundle.
    Destroyed(Period),
    /// The map of a period.
    Map(Period),
    /// A series of numbers.
    Series(Period, Series),
    /// An entry of a number, which the bundle shows or claims to be absent.
    Number(Period, Series, u32, Phase),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree => f.write_str("the proof that all entries are in the log"),
            Self::MapEntry => f.write_str("the map entry"),
            Self::Periods => f.write_str("the list of periods"),
            Self::Begin(period) => write!(f, "the beginning of period {period}"),
            Self::Final(period) => write!(f, "the end of period {period}"),
            Self::Destroyed(period) => write!(f, "the destruction of period {period}"),
            Self::Map(period) => write!(f, "the map of period {period}"),
            Self::Series(period, series) => write!(f, "{} of period {period}", series_name(*series)),
            Self::Number(period, series, number, phase) => {
                let phase = match phase {
                    Phase::Intent => "first entry",
                    Phase::Outcome => "outcome",
                    Phase::Preview => "preview",
                };
                write!(
                    f,
                    "{} of period {period}, number {number}, {phase}",
                    series_name(*series)
                )
            }
        }
    }
}

fn series_name(series: Series) -> &'static str {
    match series {
        Series::Exchanges => "exchanges",
        Series::Inspections => "inspections",
        Series::DelayedExchanges => "delayed exchanges",
        Series::DelayedInspections => "delayed inspections",
    }
}

/// What is wrong with a place of a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// The bytes are not an entry.
    #[error("its bytes are not an entry")]
    Entry,
    /// The bundle has one entry at two places.
    #[error("the bundle has the entry {0} at another place too")]
    Twice(u64),
    /// The writer had no right to this kind of entry, or did not sign the entry.
    #[error("its writer does not verify: {0}")]
    Writer(#[source] WriterProblem),
    /// The inclusion proof does not lead to the root that the log has signed.
    #[error(transparent)]
    Tree(#[from] ProofError),
    /// The map proof does not lead to the root of the map.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The entry has another kind or content than the place requires.
    #[error("the entry does not belong in this place")]
    Kind,
    /// The entry does not refer to the intent of its number.
    #[error("the entry does not refer to the intent {0} of this number")]
    Refers(u64),
    /// The `map` entry is too old: the witnesses' time is this many seconds later.
    #[error("it is out of date: the witnesses' time is {0} s later")]
    Stale(u64),
    /// The `map` entry is dated this many seconds after the witnesses' time.
    #[error("it is dated {0} s after the witnesses' time")]
    Ahead(u64),
    /// There are no periods, too many, or they are not numbered from 1. Also used for numbers of a series beyond the
    /// limit.
    #[error("there must be at least one and at most {MAX_PERIODS}, numbered from 1")]
    Count,
    /// The bundle omits a period, and the map does not show that the period's secret is destroyed.
    #[error("the bundle omits this period, and the log does not show that its secret is destroyed")]
    NotDestroyed,
    /// The map has another entry in this place.
    #[error("the map has the entry {0} here, not the one in the bundle")]
    OtherEntry(u64),
    /// The map does not have the entry.
    #[error("the map does not have the entry that the bundle shows")]
    NotInMap,
    /// The bundle claims that an entry is absent, but the map has it.
    #[error("it is in the log as entry {0}, and the bundle omits it")]
    Hidden(u64),
    /// The `map` entry has no root for a period that is open according to the bundle.
    #[error("the map entry has no root of this period")]
    NoRoot,
    /// The VRF key in the `begin` entry is not a valid key.
    #[error("the VRF key is unusable")]
    Key,
    /// The VRF proof belongs to another person, period, series or number.
    #[error("the VRF proof is not of this person and number: {0}")]
    Vrf(#[source] VrfError),
    /// The entry's label belongs to another person or number.
    #[error("the entry's label is not the one of this person and number")]
    Label,
    /// The entry came after the `map` entry under which absences are proved.
    #[error("the entry came after the map entry")]
    Later,
    /// The number of VRF proofs is not the number of absences that must be proved.
    #[error("there must be proofs for exactly {0} absent numbers")]
    Absences(usize),
    /// The record is not the one to which the entry committed.
    #[error("the record is not the one that was recorded")]
    Record,
    /// The bundle shows a record sealed that has not expired.
    #[error("the record is kept until the end of {0}, and the bundle does not open it")]
    Withheld(ExpiryDay),
    /// The record cannot be sealed again, or the sealed bytes are malformed.
    #[error("the record cannot be sealed again: {0}")]
    Sealed(#[from] SealedError),
}

/// The longest content of a file in bytes, uncompressed, for writers and readers: some thousand exchanges.
pub const MAX_CONTENT: usize = 16 * 1024 * 1024;

/// The most periods that a bundle can cover: eighty years of months.
pub(super) const MAX_PERIODS: u32 = 1000;

impl Place {
    /// Makes the error that this place has this fault.
    pub(super) fn because(self, fault: impl Into<BundleFault>) -> BundleError {
        BundleError::At {
            place: self,
            fault: fault.into(),
        }
    }
}
