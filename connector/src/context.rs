//! What the checks of both roles compare a message with.
//!
//! Directory and Registerlandkarte change while the connector runs. A request takes one [`CheckContext`], with one
//! history, and uses it to its end. What is in the log is judged by the version in force at its index
//! ([`CheckContext::at`]).
//!
//! A receipt may be newer than the history that is known, so that its writer, a key or a name is not known yet. A check
//! that fails then says nothing: [`LiveContext::judge`] waits once for a newer history and checks again, before
//! anything is refused or called forged.

use std::sync::Arc;
use std::time::Duration;

use ledger_client::recorded::Recorded;
use ledger_client::{LiveTrust, Trust, TrustNotReady};
use record::content::Party;
use record::{IdentityKeys, ParticipantId, Receipt};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use trust::{Component, History, TrustMap};

/// How long to wait for a newer history.
const REFRESH_FOR: Duration = Duration::from_secs(5);

/// What a connector checks the messages of one request against. Every part is proved, or comes from outside the
/// ledger.
#[derive(Debug, Clone)]
pub struct CheckContext {
    /// Log key, witnesses, quorum and genesis hash.
    pub trust: Arc<Trust>,
    /// Origin of the log that begins with the genesis hash.
    pub origin: Arc<str>,
    /// Participants, writers and rules: the newest, and which were in force when.
    pub history: Arc<History>,
    /// The participant whose connector this is.
    pub me: ParticipantId,
    /// Whether this system exchanges test messages.
    pub test: bool,
    /// Whether the request has waited for this history.
    refreshed: bool,
}

impl CheckContext {
    /// The newest directory.
    pub(crate) fn directory(&self) -> &TrustMap {
        self.history.state().directory()
    }

    /// The directory in force for the entry at `index`.
    pub(crate) fn at(&self, index: Index) -> DirectoryAt<'_> {
        DirectoryAt {
            history: &self.history,
            index,
        }
    }

    /// Whether a receipt is from the anchored log. A receipt proves its entry under a checkpoint of *any* log that the
    /// policy trusts.
    pub(crate) fn is_from_our_log<K>(&self, recorded: &Recorded<K>) -> bool {
        self.is_our_log(recorded.checkpoint())
    }

    /// Whether a checkpoint is of the anchored log.
    pub(crate) fn is_our_log(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.origin.as_str() == &*self.origin
    }
}

/// The directory in force for an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectoryAt<'a> {
    history: &'a History,
    index: Index,
}

impl<'a> DirectoryAt<'a> {
    /// The component with this id.
    pub(crate) fn component(self, id: &ParticipantId) -> Option<&'a Component> {
        self.history.component_at(id, self.index).ok().flatten()
    }

    /// The component with this id, if it might request evidence then.
    pub(crate) fn consumer(self, id: &ParticipantId) -> Option<&'a Component> {
        self.component(id).filter(|component| component.may_request())
    }

    /// The component with this id, if it might provide evidence then.
    pub(crate) fn provider(self, id: &ParticipantId) -> Option<&'a Component> {
        self.component(id).filter(|component| component.may_provide())
    }

    /// A component as records name it.
    pub(crate) fn party(self, component: &Component) -> Option<Party> {
        self.history.party_at(component, self.index).ok().flatten()
    }

    /// The keys of identity.
    pub(crate) fn identity(self) -> Option<&'a IdentityKeys> {
        self.history.identity_at(self.index).ok().flatten()
    }
}

/// Makes the contexts of requests from the directory and the Registerlandkarte in force.
#[derive(Debug, Clone)]
pub struct LiveContext {
    /// Directory and Registerlandkarte.
    pub live: LiveTrust,
    /// As in [`CheckContext`].
    pub trust: Arc<Trust>,
    /// As in [`CheckContext`].
    pub origin: Arc<str>,
    /// As in [`CheckContext`].
    pub me: ParticipantId,
    /// As in [`CheckContext`].
    pub test: bool,
}

impl LiveContext {
    fn with(&self, history: Arc<History>, refreshed: bool) -> CheckContext {
        CheckContext {
            trust: self.trust.clone(),
            origin: self.origin.clone(),
            history,
            me: self.me.clone(),
            test: self.test,
            refreshed,
        }
    }

    /// The context for something new.
    ///
    /// # Errors
    /// [`TrustNotReady`], when no quorum confirms the newest versions.
    pub fn confirmed(&self) -> Result<CheckContext, TrustNotReady> {
        Ok(self.with(self.live.confirmed()?, false))
    }

    /// The context to judge what is in the log.
    #[must_use]
    pub fn known(&self) -> CheckContext {
        self.with(self.live.history(), false)
    }

    /// A newer context for a message with a receipt of this entry. `None` if the request has waited before, if
    /// `context` has every version before the entry, or if there is no newer one.
    pub(crate) async fn newer(&self, context: &CheckContext, entry: Index) -> Option<CheckContext> {
        let is_newest = || Arc::ptr_eq(&context.history, &self.live.history());
        if context.refreshed || self.live.covers(entry) && is_newest() {
            return None;
        }
        if is_newest() {
            // A round fails or takes long while the ledger is not reached: then the known history decides.
            let _ = tokio::time::timeout(REFRESH_FOR, self.live.refresh()).await;
        }
        (!is_newest()).then(|| self.with(self.live.history(), true))
    }

    /// Runs a check of a message with this receipt, and once more with a newer context if it fails and there is one.
    /// Returns the context of the last run.
    pub(crate) async fn judge<T, E>(
        &self,
        context: CheckContext,
        receipt: &[u8],
        check: impl Fn(&CheckContext) -> Result<T, E>,
    ) -> (CheckContext, Result<T, E>) {
        let first = check(&context);
        let entry = Receipt::parse(receipt).ok().map(|receipt| receipt.index());
        let (Err(_), Some(entry)) = (&first, entry) else {
            return (context, first);
        };
        match self.newer(&context, entry).await {
            Some(newer) => {
                let second = check(&newer);
                (newer, second)
            }
            None => (context, first),
        }
    }
}
