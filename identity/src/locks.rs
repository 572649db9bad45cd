//! One lock per key. A lock is created on first use and dropped when it is free.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

type Slot = Arc<tokio::sync::Mutex<()>>;

/// Locks by key.
#[derive(Debug)]
pub(crate) struct Locks<K> {
    slots: Mutex<HashMap<K, Slot>>,
}

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self {
            slots: Mutex::new(HashMap::new()),
        }
    }
}

impl<K: Hash + Eq + Clone> Locks<K> {
    /// Waits, in order of arrival, until the lock of `key` is free. The lock is held until the guard is dropped.
    pub(crate) async fn lock(&self, key: K) -> OwnedMutexGuard<()> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            // Free slots are dropped from time to time, so that the table does not grow without bound.
            if slots.len() > 64 && slots.len().is_power_of_two() {
                slots.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
            Arc::clone(slots.entry(key).or_default())
        };
        slot.lock_owned().await
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn same_key_waits_other_key_does_not() {
        let locks = Locks::default();
        let held = locks.lock(1).await;
        let _other = locks.lock(2).await;
        assert!(
            tokio::time::timeout(Duration::from_millis(20), locks.lock(1))
                .await
                .is_err()
        );
        drop(held);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), locks.lock(1))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn unused_locks_go_away() {
        let locks = Locks::default();
        for key in 0..1000 {
            drop(locks.lock(key).await);
        }
        assert!(locks.len() <= 129, "{}", locks.len());
    }
}
