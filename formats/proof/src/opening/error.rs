//! Why an opening is refused.

use record::{ExpiryDay, ReceiptError, RightError, SealedError};

/// Why an opening proves nothing. None of these is retryable: the file is wrong, or not of the log that is trusted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are not an opening.
    #[error("not an opening file: {0}")]
    Format(String),
    /// A receipt does not verify.
    #[error("the receipt does not verify: {0}")]
    Receipt(#[source] ReceiptError),
    /// The log is not the one with the genesis hash that was given, or its beginning is not in order.
    #[error("the receipts are not of the log that begins with the genesis entry asked for")]
    Genesis,
    /// A public document is not what it must be.
    #[error("a public document does not verify: {0}")]
    Document(&'static str),
    /// The writer had no right, or did not sign.
    #[error("the entry's writer does not verify: {0}")]
    Writer(#[from] RightError),
    /// The kind of entry has no record, so there is nothing to open.
    #[error("an entry of this kind has no record that could be opened")]
    NoRecord,
    /// The sealed record is not the one that the entry committed to.
    #[error("the record is not the one that was recorded: its SHA-256 is not the entry's commitment")]
    Commitment,
    /// The record does not open with the keys.
    #[error("the record does not open: {0}")]
    Sealed(#[source] SealedError),
    /// There are no keys, and the record has not expired.
    #[error("there are no keys to a record that is kept until the end of {0}")]
    Withheld(ExpiryDay),
    /// The content is of another kind than the entry.
    #[error("the record's content does not fit the kind of its entry")]
    Content,
    /// The period's begin entry is not the one.
    #[error("the receipt of the period's begin is not that of this entry's period")]
    Period,
    /// The label is not this person's.
    #[error("the entry's label is not the one of this person, period, series and number")]
    Label,
}
