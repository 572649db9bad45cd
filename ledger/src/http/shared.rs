//! The state that the handlers share.

use std::sync::Arc;

use service::clock::CheckedClock;
use service::secret::CredentialDigest;

use super::served::ServedLog;
use super::strangers::StrangerSlots;
use super::trust_reads::TrustReads;
use crate::engine::publication::Publication;
use crate::rules::SubmissionChecker;
use crate::rules::shared_history::SharedHistory;

/// The state that the handlers share.
pub(crate) struct Shared {
    /// The log.
    pub(crate) log: ServedLog,
    /// The published checkpoint.
    pub(crate) publication: Arc<Publication>,
    /// Checks submissions by themselves.
    pub(crate) checker: SubmissionChecker,
    /// The history of the change sets.
    pub(crate) history: Arc<SharedHistory>,
    /// What reading the change sets keeps and how many readers compute at once.
    pub(crate) trust: TrustReads,
    /// Limits requests that do not begin with a new entry of a known writer.
    pub(crate) strangers: StrangerSlots,
    /// Whether there is a writing entrance.
    pub(crate) writing_entrance: bool,
    /// Digests of the credentials that may read records, if there is none.
    pub(crate) records_credentials: Vec<CredentialDigest>,
    /// The clock that the rules read, for the operator.
    pub(crate) clock: Arc<CheckedClock>,
}
