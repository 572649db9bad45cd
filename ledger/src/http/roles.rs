//! The role of this process, which the request handlers see through [`Roles`].

use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRef;
use certificates::FollowedDirectory;
use service::Impairment;
use trust::History;

use super::shared::Shared;
use super::tree::ReadApi;

/// The state of the request handlers, which is replaced when this process takes over the log. A request keeps the state
/// that it began with.
#[derive(Clone)]
pub(crate) struct Roles(Arc<RwLock<Arc<Shared>>>);

impl Roles {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let roles = Self(Arc::new(RwLock::new(shared)));
        roles.measure();
        roles
    }

    pub(crate) fn current(&self) -> Arc<Shared> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves with another state from now on.
    pub(crate) fn replace(&self, shared: Arc<Shared>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shared;
        self.measure();
    }

    /// The role's name.
    pub(crate) fn name(&self) -> &'static str {
        match self.current().log.sequenced() {
            Some(_) => "sequencer",
            None => "follower",
        }
    }

    /// Shows the role in the metrics.
    pub(crate) fn measure(&self) {
        let sequences = self.current().log.sequenced().is_some();
        metrics::gauge!("ledger_sequencer").set(if sequences { 1.0 } else { 0.0 });
    }

    /// What is wrong with the ledger, in its role.
    pub(crate) fn health(&self) -> Result<(), Impairment> {
        let shared = self.current();
        match shared.log.followed() {
            None => sequencer_health(&shared)?,
            Some(follower) => {
                if let Some(reason) = follower.behind {
                    return Err(Impairment::Behind(format!("as a follower: {reason}")));
                }
            }
        }
        shared.clock.health()
    }
}

/// The directory in the ledger's own store.
impl FollowedDirectory for Roles {
    fn newest(&self) -> Option<Arc<History>> {
        self.current().history.current()
    }

    fn confirmed(&self) -> Result<Arc<History>, String> {
        self.newest().ok_or_else(|| "the log has not begun".to_owned())
    }
}

impl FromRef<Roles> for Arc<Shared> {
    fn from_ref(roles: &Roles) -> Self {
        roles.current()
    }
}

impl FromRef<Roles> for ReadApi {
    fn from_ref(roles: &Roles) -> Self {
        let shared = roles.current();
        Self {
            rows: shared.log.rows().clone(),
            snapshots: shared.log.snapshots(),
            publication: shared.publication.clone(),
        }
    }
}

/// Halted when the log has stopped, behind while the quorum of the witnesses is lost or claims a larger log.
pub(crate) fn sequencer_health(shared: &Shared) -> Result<(), Impairment> {
    let stopped = shared.log.sequenced().and_then(|log| log.stop_reason());
    if let Some(reason) = stopped {
        return Err(Impairment::Halted(reason.text));
    }
    if let Some(reason) = shared.publication.halt_reason() {
        return Err(Impairment::Halted(reason.into()));
    }
    if let Some(reason) = shared.publication.doubt_reason() {
        return Err(Impairment::Behind(reason.to_string()));
    }
    if shared.publication.quorum_is_lost() {
        return Err(Impairment::Behind("the quorum of the witnesses is lost".into()));
    }
    Ok(())
}
