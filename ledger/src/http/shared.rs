//! What the handlers share.

use std::sync::Arc;

use service::secret::CredentialDigest;

use crate::engine::Log;
use crate::engine::publication::Publication;
use crate::rules::{Checker, Rules};

/// What handlers share.
pub(crate) struct Shared {
    /// The log.
    pub(crate) log: Log<Rules>,
    /// The published checkpoint.
    pub(crate) publication: Arc<Publication>,
    /// Checks submissions.
    pub(crate) checker: Checker,
    /// Who may read records.
    pub(crate) records_credentials: Vec<CredentialDigest>,
}
