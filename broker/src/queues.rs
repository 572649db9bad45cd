//! The queues of the outcome notices, one for each connector that has got one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use record::ParticipantId;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

/// The queues of the connectors. There are at most as many as the directory has had providers, and their length is
/// bounded by the places of the provider ([`crate::outstanding`]).
pub(crate) struct Notices {
    senders: Mutex<BTreeMap<ParticipantId, UnboundedSender<Uuid>>>,
    queues: UnboundedSender<Queue>,
}

/// The receiving end of a connector's queue.
pub(crate) type Queue = (ParticipantId, UnboundedReceiver<Uuid>);

/// The receiving ends of all queues, each with its first notice, for [`crate::notices`].
pub(crate) type Queues = UnboundedReceiver<Queue>;

impl Notices {
    /// No queue yet.
    pub(crate) fn new() -> (Self, Queues) {
        let (queues, receiver) = unbounded_channel();
        let senders = Mutex::default();
        (Self { senders, queues }, receiver)
    }

    /// Adds the notice of a closed exchange. Sending fails only while the process is ending; the next start reads the
    /// journal.
    pub(crate) fn add(&self, provider: &ParticipantId, exchange: Uuid) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = senders.entry(provider.clone()).or_insert_with(|| {
            let (sender, receiver) = unbounded_channel();
            let _ = self.queues.send((provider.clone(), receiver));
            sender
        });
        let _ = sender.send(exchange);
    }
}
