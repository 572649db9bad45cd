//! What the checks of both roles compare a message with.

use std::sync::Arc;

use ledger_client::recorded::Recorded;
use ledger_client::{Anchored, Trust};
use record::{Directory, Participant, ParticipantId};
use registerlandkarte::Snapshot;
use tlog::checkpoint::Checkpoint;

use crate::error::Error;

/// What a connector checks messages against. Every part is proved, or comes from outside the ledger.
#[derive(Debug, Clone)]
pub struct CheckContext {
    /// Log key, witnesses, quorum and genesis hash.
    pub trust: Arc<Trust>,
    /// Origin of the log that begins with the genesis hash.
    pub origin: String,
    /// Participants and writers.
    pub directory: Directory,
    /// The logged Registerlandkarte.
    pub registerlandkarte: Snapshot,
    /// The participant whose connector this is.
    pub me: Participant,
    /// Whether this system exchanges test messages.
    pub test: bool,
}

impl CheckContext {
    /// Takes directory and Registerlandkarte from the anchor, which has proved them.
    ///
    /// # Errors
    /// [`Error::Registerlandkarte`], and [`Error::Directory`] when the participant is not listed.
    pub fn new(trust: Arc<Trust>, anchored: &Anchored, me: &ParticipantId, test: bool) -> Result<Self, Error> {
        let directory = anchored.directory.clone();
        let me = directory
            .participant(me)
            .cloned()
            .ok_or_else(|| Error::Directory(me.clone(), "participant"))?;
        Ok(Self {
            registerlandkarte: Snapshot::open(&anchored.registerlandkarte, &anchored.genesis.authorities)?,
            origin: anchored.genesis.origin.clone(),
            trust,
            directory,
            me,
            test,
        })
    }

    /// Whether a receipt is from the anchored log. A receipt proves its entry under a checkpoint of *any* log that the
    /// policy trusts.
    pub(crate) fn is_from_our_log<K>(&self, recorded: &Recorded<K>) -> bool {
        self.is_our_log(recorded.checkpoint())
    }

    /// Whether a checkpoint is of the anchored log.
    pub(crate) fn is_our_log(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.origin.as_str() == self.origin
    }
}
