//! What the handles and the task of a follower share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tlog::merkle::Size;
use tokio::sync::watch;
use trust::History;

use super::state::{BundleCache, FollowedLog};
use super::types::FollowerError;
use crate::api::LedgerApi;
use crate::trust::Trust;

/// What the handles and the task of a follower share.
pub(super) struct Shared {
    pub(super) api: Arc<dyn LedgerApi>,
    pub(super) trust: Arc<Trust>,
    state: Mutex<FollowedLog>,
    pub(super) bundles: Mutex<BundleCache>,
    pub(super) broken: OnceLock<Arc<str>>,
    pub(super) size: watch::Sender<Size>,
}

impl Shared {
    pub(super) fn new(api: Arc<dyn LedgerApi>, trust: Arc<Trust>, founded: History) -> Self {
        Self {
            api,
            trust,
            state: Mutex::new(FollowedLog::new(founded)),
            bundles: Mutex::default(),
            broken: OnceLock::new(),
            size: watch::Sender::new(Size::ZERO),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, FollowedLog> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the follower is not broken.
    pub(super) fn sound(&self) -> Result<(), FollowerError> {
        match self.broken.get() {
            Some(reason) => Err(FollowerError::Broken(reason.clone())),
            None => Ok(()),
        }
    }
}
