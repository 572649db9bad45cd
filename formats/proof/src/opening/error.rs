//! Why an opening is refused.

use record::{ExpiryDay, GenesisError, ReceiptError, RightError, SealedError};
use tlog::merkle::Index;
use trust::{Key, ProofError, QuorumError, SetParseError, SignatureProblem, ThresholdError};

use super::anchor::{MAX_VALUES, MAX_VERSIONS};

/// Why an opening proves nothing. None of these errors is retryable: the file is wrong or belongs to another log.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are not an opening.
    #[error("not an opening file: {0}")]
    Format(String),
    /// A receipt does not verify.
    #[error("the receipt does not verify: {0}")]
    Receipt(#[source] ReceiptError),
    /// The log does not have the given genesis hash, or its genesis entry does not verify.
    #[error("the receipts are not of the log that begins with the genesis entry asked for")]
    Genesis,
    /// A receipt is of another log than the genesis entry.
    #[error("a receipt is of another log than the genesis entry")]
    OtherLog,
    /// The versions of the directory do not lead from the genesis entry to the newest one.
    #[error("the directory does not verify: {0}")]
    Directory(#[from] AnchorProblem),
    /// The writer had no right to this kind of entry, or did not sign the entry.
    #[error("the entry's writer does not verify: {0}")]
    Writer(#[from] WriterProblem),
    /// Entries of this kind have no record.
    #[error("an entry of this kind has no record that could be opened")]
    NoRecord,
    /// The sealed record is not the one to which the entry committed.
    #[error("the record is not the one that was recorded: its SHA-256 is not the entry's commitment")]
    Commitment,
    /// The record does not open with the keys.
    #[error("the record does not open: {0}")]
    Sealed(#[source] SealedError),
    /// There are no keys, and no quorum of witnesses states a time at which the record has expired.
    #[error(
        "there are no keys to a record that is kept until the end of {0}, and no quorum of witnesses states a later time"
    )]
    Withheld(ExpiryDay),
    /// The content does not fit the kind of the entry.
    #[error("the record's content does not fit the kind of its entry")]
    Content,
    /// The receipt is not that of the `begin` entry of the entry's period.
    #[error("the receipt of the period's begin entry belongs to another log or period")]
    Period,
    /// The label belongs to another person, period, series or number.
    #[error("the entry's label is not the one of this person, period, series and number")]
    Label,
}

/// What is wrong with an [`super::Anchor`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorProblem {
    /// There are more versions or values than an anchor may have.
    #[error("an anchor has at most {MAX_VERSIONS} versions and {MAX_VALUES} values")]
    TooMany,
    /// The genesis document cannot be read.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The genesis document demands a number of signatures that no set can have.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// Fewer authorities may sign than must.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// The bytes are not the signed header of a change set.
    #[error("not the header of a change set: {0}")]
    Header(#[from] SetParseError),
    /// The receipt is not of a `directory` entry that names the header.
    #[error("the entry does not name the header of the change set")]
    OtherHeader,
    /// The header is of the Registerlandkarte, or of another log.
    #[error("the change set is of another log or not of the directory")]
    OtherDirectory,
    /// The first version is missing, or is not the one that the genesis document names, in entry 1.
    #[error("the first version is not entry 1 with the change set that the genesis document names")]
    First,
    /// The authorities in force have not signed the header.
    #[error("a change set is not signed as it must be: {0}")]
    Signatures(#[from] SignatureProblem),
    /// Versions, their entries or their values are not in ascending order, or one is there twice.
    #[error("versions, entries or values of the directory are not in ascending order")]
    Order,
    /// The value of a section that an anchor does not have.
    #[error("an anchor must not contain {0}")]
    Section(Key),
    /// A value is not proved under the root of its version.
    #[error("a value of the directory is not proved: {0}")]
    Value(#[from] ProofError),
    /// The version has no value of this key.
    #[error("the directory has no {0}")]
    NoValue(Key),
    /// There are authorities without the number of those that must sign.
    #[error("authorities are proved without their threshold")]
    NoThreshold,
    /// The last receipt is not that of a `map` entry.
    #[error("no map entry shows which version is the newest")]
    NoMap,
    /// The `map` entry names another version as the newest.
    #[error("the last version is not the newest one")]
    NotNewest,
}

/// Why an anchor does not prove that a writer had the right to write an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriterProblem {
    /// The directory in force at the entry's index did not permit it, as far as the anchor proves what was in force.
    #[error(transparent)]
    Right(#[from] RightError),
    /// The entry came after the anchor's `map` entry. A newer anchor can prove the right.
    #[error("the entry came after entry {reach}, up to which the directory is proved")]
    Beyond {
        /// The last entry that the anchor reaches.
        reach: Index,
    },
}
