//! One request at a time for each idempotency key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::key::KeyId;

type Slot = Arc<tokio::sync::Mutex<()>>;

/// The slots of keys with which a request runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<KeyId, Slot>>>);

/// The right to act for a key. Dropping it lets the next request have it.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    id: KeyId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    fn slot(&self, id: KeyId) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(id).or_default().clone()
    }

    fn turn(&self, id: KeyId, guard: OwnedMutexGuard<()>) -> Turn {
        Turn {
            turns: self.clone(),
            id,
            guard: Some(guard),
        }
    }

    /// Waits in order of arrival.
    pub(crate) async fn wait(&self, id: KeyId) -> Turn {
        let guard = self.slot(id).lock_owned().await;
        self.turn(id, guard)
    }

    /// `None` if a request with the key runs.
    pub(crate) fn try_take(&self, id: KeyId) -> Option<Turn> {
        let guard = self.slot(id).try_lock_owned().ok()?;
        Some(self.turn(id, guard))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut slots = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One count is the table's own: no other request has the slot or waits for it.
        if slots.get(&self.id).is_some_and(|slot| Arc::strong_count(slot) == 1) {
            slots.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn one_request_has_a_key_at_a_time_and_slots_go_away() {
        let turns = Turns::default();
        let first = turns.wait([1; 16]).await;
        assert!(turns.try_take([1; 16]).is_none() && turns.try_take([2; 16]).is_some());
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { drop(turns.wait([1; 16]).await) }
        });
        drop(first);
        waiting.await.unwrap();
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
