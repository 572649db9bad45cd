//! Why an opening is refused.

use record::{ExpiryDay, ReceiptError, RightError, SealedError};

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
    /// A public document is malformed, unsigned or not the one that its entry names.
    #[error("a public document does not verify: {0}")]
    Document(&'static str),
    /// The writer had no right to this kind of entry, or did not sign the entry.
    #[error("the entry's writer does not verify: {0}")]
    Writer(#[from] RightError),
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
