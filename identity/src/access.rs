//! Who may call identity: the broker and the cockpit, which their certificates tell apart.

use std::sync::Arc;

use certificates::{FollowedDirectory, Peer, Peers, Renewal};
use record::{Kind, ParticipantId};
use service::Listener;
use service::tls::TlsError;

use crate::routes::RouteCallers;

/// Who may call which routes. Who writes intents by the newest directory is the broker; `cockpit` is the cockpit's
/// component.
pub(crate) fn callers(directory: Arc<dyn FollowedDirectory>, cockpit: &ParticipantId) -> RouteCallers {
    RouteCallers {
        broker: Peers::new(directory.clone(), [Peer::WriterOf(Kind::Intent)]),
        cockpit: Peers::new(directory, [Peer::Component(cockpit.clone())]),
    }
}

/// The listener with mutual TLS, which admits the broker and the cockpit alone.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn secure(
    listener: Listener,
    directory: Arc<dyn FollowedDirectory>,
    cockpit: &ParticipantId,
    renewal: &Renewal,
) -> Result<Listener, TlsError> {
    let both = [Peer::WriterOf(Kind::Intent), Peer::Component(cockpit.clone())];
    Peers::new(directory, both).secure(listener, renewal.identity())
}
