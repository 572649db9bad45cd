//! The public keys of all known writers, shared by all request handlers.
//!
//! Handlers verify signatures before the sequencer sees an entry. The sequencer then decides, by the directory in
//! force, whether the writer may write it. This set may therefore lag behind the directory without harm.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use record::{PreparedKey, VerifyingKey, WriterId};

/// Prepared keys by their id.
pub(super) type KeysById = HashMap<WriterId, Arc<PreparedKey>>;

/// The set of writer keys.
#[derive(Debug, Default)]
pub struct WriterKeys(RwLock<Arc<KeysById>>);

impl WriterKeys {
    /// The current keys.
    pub(super) fn current(&self) -> Arc<KeysById> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces all keys. Keys that are already present keep their prepared form, which is expensive to compute.
    pub(super) fn replace(&self, keys: impl Iterator<Item = VerifyingKey>) {
        let before = self.current();
        let prepare = |key: VerifyingKey| {
            let id = key.id();
            let known = before.get(&id).cloned();
            (id, known.unwrap_or_else(|| Arc::new(PreparedKey::new(key))))
        };
        let keys = Arc::new(keys.map(prepare).collect());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}
