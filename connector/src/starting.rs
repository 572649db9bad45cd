//! A role that is still starting while its routes are served already.

use std::sync::{Arc, OnceLock};

use service::Problem;

/// A role that may not have started yet.
pub(crate) struct Starting<T>(pub(crate) Arc<OnceLock<T>>);

impl<T> Clone for Starting<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Starting<T> {
    /// Returns the role once it has started.
    ///
    /// # Errors
    /// 503 until then.
    pub(crate) fn started(&self) -> Result<&T, Problem> {
        self.0
            .get()
            .ok_or_else(|| Problem::unavailable("starting", 2, "the connector is still waiting for the ledger"))
    }
}
