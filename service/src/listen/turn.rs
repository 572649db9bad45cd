//! The place of a request among those that the listener works on at once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A request's place among those in progress: an extension of the request.
///
/// A request that only waits, for minutes and with nothing to compute, gives its place back. Then the listener's
/// connections bound how many of them there are.
#[derive(Clone, Debug)]
pub struct Turn(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Turn {
    /// Takes a place. `None` if all are taken.
    pub(super) fn take(requests: &Arc<Semaphore>) -> Option<Self> {
        let permit = requests.clone().try_acquire_owned().ok()?;
        Some(Self(Arc::new(Mutex::new(Some(permit)))))
    }

    /// Gives the place to another request.
    pub fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
