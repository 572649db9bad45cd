//! The history of the change sets, shared by all request handlers.
//!
//! It may have sets whose commit is still under way. Handlers show only sets whose entries are published.

use std::sync::{Arc, PoisonError, RwLock};

use trust::History;

/// The history up to the newest set; `None` before the genesis entry.
#[derive(Debug, Default)]
pub(crate) struct SharedHistory(RwLock<Option<Arc<History>>>);

impl SharedHistory {
    /// The history.
    pub(crate) fn current(&self) -> Option<Arc<History>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace(&self, history: Arc<History>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(history);
    }
}
