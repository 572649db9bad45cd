//! The keys of the writers that may be known at all, shared by all request handlers.
//!
//! Handlers verify signatures before the sequencer sees an entry; the sequencer then decides by the directory in force whether the
//! writer may write it. So a key that is here a moment too long or too short does no harm.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use record::{WriterId, WriterKey};

type ById = HashMap<WriterId, WriterKey>;

/// The key set.
#[derive(Debug, Default)]
pub struct Keys(RwLock<Arc<ById>>);

impl Keys {
    /// The keys at this moment.
    pub fn current(&self) -> Arc<ById> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces all keys.
    pub(super) fn replace(&self, keys: impl Iterator<Item = WriterKey>) {
        let keys = Arc::new(keys.map(|key| (key.id(), key)).collect());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}
