//! How a connector that collects its calls ([`super::collector`]) is doing.

use std::sync::atomic::{AtomicBool, Ordering};

use service::Impairment;
use service::http::CallError;

/// Whether the broker gives calls to a connector that collects them.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    fails: AtomicBool,
}

impl Collecting {
    pub(super) fn health(&self) -> Result<(), Impairment> {
        if self.fails() {
            return Err(Impairment::Behind("the broker gives no calls to collect".into()));
        }
        Ok(())
    }

    /// Whether the last request for a call has failed.
    pub(super) fn fails(&self) -> bool {
        self.fails.load(Ordering::Relaxed)
    }

    pub(super) fn succeeded(&self) {
        if self.fails.swap(false, Ordering::Relaxed) {
            tracing::info!("the broker gives calls again");
        }
    }

    pub(super) fn failed(&self, error: &CallError) {
        if !self.fails.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "the broker gives no calls to collect");
        }
    }
}
