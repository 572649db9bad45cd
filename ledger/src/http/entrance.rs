//! Who may do what at which entrance.
//!
//! A ledger has one or two entrances. The public one is open to all. The writing one demands a certificate of each
//! client ([`crate::writing`]).
//!
//! | | public, alone | public, beside a writing one | writing |
//! | --- | --- | --- | --- |
//! | reading the log | everyone | everyone | no one |
//! | `POST /entries` | entries of every writer | entries of the operator | entries of the writer in the certificate |
//! | records | readers with a credential | no one | components that the configuration names |
//!
//! The operator writes the entries that begin the log and those with change sets. It has no process and no
//! certificate: before the first entries there is no directory, and so there are no certificates.

use certificates::peer::{is_writer, refusal};
use service::Problem;
use service::tls::PeerName;

use crate::rules::Submission;
use crate::rules::shared_history::SharedHistory;

/// Whose entries an entrance takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writers {
    /// Those of every writer.
    All,
    /// The operator's.
    Operator,
    /// Those of the writer that the client's certificate names.
    Certified,
}

impl Writers {
    /// Refuses a request with an entry of another writer.
    ///
    /// # Errors
    /// [`certificates::peer::refusal`].
    pub(super) fn require<'a>(
        self,
        name: Option<&PeerName>,
        history: &SharedHistory,
        submissions: impl IntoIterator<Item = &'a Submission>,
    ) -> Result<(), Problem> {
        let history = match self {
            Self::All => return Ok(()),
            // Before the genesis entry, only the operator's entries pass the checks.
            Self::Operator => history.current(),
            Self::Certified => None,
        };
        let admitted = |submission: &Submission| {
            let writer = submission.entry().entry().writer;
            match self {
                Self::Certified => is_writer(name, writer),
                _ => history.as_ref().is_none_or(|history| history.is_operator(&writer)),
            }
        };
        if submissions.into_iter().all(admitted) {
            Ok(())
        } else {
            Err(refusal())
        }
    }
}
