//! Why the sequencer does not record a submission.

use super::refusal::Refusal;
use crate::store::StoreError;

/// A submission was not recorded.
#[derive(Debug)]
pub(super) enum Reject {
    /// A rule forbids it; the log continues with the next submission.
    Refused(Refusal),
    /// The store failed; the log stops.
    Store(StoreError),
}

impl From<Refusal> for Reject {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Reject {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
