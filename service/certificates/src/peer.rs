//! What a peer may do, from its name and the newest directory.

use ledger_client::LiveTrust;
use record::{Kind, ParticipantId, WriterId};
use service::tls::PeerName;

use crate::subject::Subject;

/// Whether the name is that of a component that is active now.
#[must_use]
pub fn is_active_component(live: &LiveTrust, name: &str) -> bool {
    let Ok(subject @ Subject::Component(_)) = name.parse() else {
        return false;
    };
    subject.component(live.history().state().directory()).is_some()
}

/// Whether the name is that of a writer that may write entries of this kind now: who writes intents is the broker.
#[must_use]
pub fn is_writer_of(live: &LiveTrust, kind: Kind, name: &str) -> bool {
    let Ok(Subject::Writer(id)) = name.parse() else {
        return false;
    };
    let history = live.history();
    let grant = history.state().directory().writer(&id);
    grant.is_some_and(|grant| grant.kinds.contains(&kind))
}

/// Whether a request comes from this component.
#[must_use]
pub fn is_component(name: Option<&PeerName>, id: &ParticipantId) -> bool {
    name.is_some_and(|name| *name.0 == *Subject::Component(id.clone()).to_string())
}

/// Whether a request comes from this writer.
#[must_use]
pub fn is_writer(name: Option<&PeerName>, id: WriterId) -> bool {
    name.is_some_and(|name| *name.0 == *Subject::Writer(id).to_string())
}
