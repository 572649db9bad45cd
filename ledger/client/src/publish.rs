//! Publishes a change set: writes the entry that names it, with the operator's key.

use output::Failure;
use record::{Body, Receipt, Sequence, SigningKey, Timestamp, Unsigned};
use tlog::Hash;
use trust::SignedChangeSet;

use crate::api::{ApiError, AppendAnswer, LedgerApi, Submission};
use crate::trust::Trust;

/// Why a change set is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The ledger is not reached, or it does not answer for the entry. It may be in the log: read it before you try
    /// again.
    #[error("the ledger cannot be reached: {0}")]
    Unreachable(String),
    /// The ledger refuses the entry, or it was signed for another place.
    #[error("{0}")]
    Refused(String),
}

/// What a command says about it.
impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(reason) => Self::Refused(reason),
            PublishError::Unreachable(reason) => Self::Unreachable(reason),
        }
    }
}

impl From<ApiError> for PublishError {
    fn from(error: ApiError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Appends the entry with the set and checks its receipt. Returns the entry's index.
///
/// The set is in force for those who read the published log when a quorum of witnesses has cosigned a `map` entry that
/// names it.
///
/// # Errors
/// [`PublishError`].
pub async fn publish(
    api: &dyn LedgerApi,
    trust: &Trust,
    operator: &SigningKey,
    set: &SignedChangeSet,
    time: Timestamp,
) -> Result<u64, PublishError> {
    let head = api.writer_head(&operator.id()).await?;
    let (sequence, previous) = head.map_or((Sequence::FIRST, Hash([0; 32])), |head| {
        (head.sequence.next(), head.leaf_hash)
    });
    let body = Body::Document {
        kind: set.header().kind.document_kind(),
        digest: set.signed().digest(),
    };
    let unsigned = Unsigned {
        sequence,
        previous,
        time,
        body,
    };
    let entry = operator.sign(unsigned).map_err(refused)?;
    let submission = Submission {
        leaf: entry.bytes().to_vec(),
        record: None,
        document: Some(set.to_bytes()),
    };
    let receipt = match api.append(vec![submission]).await?.pop() {
        Some(AppendAnswer::Recorded { receipt, .. }) => receipt,
        Some(AppendAnswer::Refused { problem, .. }) => return Err(refused(problem)),
        None => return Err(PublishError::Unreachable("the ledger has not answered".into())),
    };
    let verified = Receipt::parse(&receipt).and_then(|receipt| receipt.verify(&trust.policy));
    let verified = verified.map_err(refused)?;
    if verified.entry() != &entry {
        return Err(refused("the ledger's receipt is of another entry"));
    }
    Ok(verified.index().get())
}

fn refused(reason: impl std::fmt::Display) -> PublishError {
    PublishError::Refused(reason.to_string())
}
