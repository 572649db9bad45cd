//! The queues of the outcome notices, one for each connector.

use std::collections::BTreeMap;

use record::ParticipantId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

/// The queues of the connectors. Their length is bounded by the places of the provider ([`crate::outstanding`]).
pub(crate) struct Notices(BTreeMap<ParticipantId, UnboundedSender<Uuid>>);

/// The receiving ends, for [`crate::notices`].
pub(crate) type Queues = Vec<(ParticipantId, UnboundedReceiver<Uuid>)>;

impl Notices {
    /// A queue for each of the participants that have a route.
    pub(crate) fn new<'a>(participants: impl Iterator<Item = &'a ParticipantId>) -> (Self, Queues) {
        let (mut senders, mut queues) = (BTreeMap::new(), Vec::new());
        for participant in participants {
            let (sender, receiver) = unbounded_channel();
            senders.insert(participant.clone(), sender);
            queues.push((participant.clone(), receiver));
        }
        (Self(senders), queues)
    }

    /// Adds the notice of a closed exchange. A provider without a route gets none until it has one.
    pub(crate) fn add(&self, provider: &ParticipantId, exchange: Uuid) {
        if let Some(sender) = self.0.get(provider) {
            // Fails only while the process is ending; the next start reads the journal.
            let _ = sender.send(exchange);
        }
    }
}
