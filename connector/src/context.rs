//! What the checks of both roles compare a message with.

use std::sync::Arc;

use ledger_client::recorded::Recorded;
use ledger_client::{Anchored, Trust};
use record::{Directory, Participant, ParticipantId};
use registerlandkarte::Snapshot;
use tlog::checkpoint::Checkpoint;

use crate::error::Error;

/// What a connector judges by, all of it proved or from outside the ledger.
#[derive(Debug, Clone)]
pub struct CheckContext {
    /// Log key, witnesses, quorum; genesis hash.
    pub trust: Arc<Trust>,
    /// Origin of the log that begins with the genesis hash.
    pub origin: String,
    /// Participants and writers.
    pub directory: Directory,
    /// The logged Registerlandkarte.
    pub registerlandkarte: Snapshot,
    /// Whose connector this is.
    pub me: Participant,
    /// Whether this system exchanges test messages.
    pub test: bool,
}

impl CheckContext {
    /// From what the anchor has proved.
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
            registerlandkarte: Snapshot::open(&anchored.registry, &anchored.genesis.authorities)?,
            origin: anchored.genesis.origin.clone(),
            trust,
            directory,
            me,
            test,
        })
    }

    /// A receipt proves its entry under a checkpoint of *some* log the policy trusts; it must be the anchored one.
    pub(crate) fn has_our_origin<K>(&self, recorded: &Recorded<K>) -> bool {
        self.is_of_our_log(recorded.checkpoint())
    }

    /// As above, for a checkpoint.
    pub(crate) fn is_of_our_log(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.origin.as_str() == self.origin
    }
}
