//! Slots for requests that do not begin with a new entry of a known writer ([`super::receive`]).

use std::sync::Arc;

use service::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest body in a small slot.
pub(super) const SMALL: usize = 256 << 10;
const SMALL_SLOTS: usize = 16;

/// The slots.
#[derive(Debug)]
pub(crate) struct StrangerSlots {
    pub(super) small: Arc<Semaphore>,
    pub(super) large: Arc<Semaphore>,
}

impl Default for StrangerSlots {
    fn default() -> Self {
        Self {
            small: Arc::new(Semaphore::new(SMALL_SLOTS)),
            large: Arc::new(Semaphore::new(1)),
        }
    }
}

impl StrangerSlots {
    /// Takes a slot, which is free again when the result is dropped; 429 if there is none.
    pub(super) fn take(slots: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = |_| Problem::too_many(1, "too many requests that do not begin with a new entry");
        slots.clone().try_acquire_owned().map_err(busy)
    }
}
