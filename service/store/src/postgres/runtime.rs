//! The threads that drive connections.
//!
//! Connections have a small runtime of their own, so that they are served, and heartbeats are sent, however busy the
//! HTTP server is.

use tokio::runtime::{Handle, Runtime, RuntimeFlavor};

use super::error::PostgresError;

/// The runtime that drives a store's connections. They are closed when it is dropped.
pub struct Driver {
    handle: Handle,
    /// Taken only when the value is dropped.
    runtime: Option<Runtime>,
}

impl Driver {
    /// Starts the runtime.
    ///
    /// # Errors
    /// [`PostgresError::Configuration`] if the system has no thread left.
    pub fn start() -> Result<Self, PostgresError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("postgres").enable_all().build();
        let runtime = runtime.map_err(|error| PostgresError::configuration("the store's thread", error))?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// What runs tasks in the runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A runtime that waits for its tasks must not be dropped by a task of another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for a future of the store's runtime. A task of another runtime hands its thread over meanwhile
/// (`block_in_place`), so waiting for the network does not keep other requests from being served.
pub fn wait<F: Future>(handle: &Handle, future: F) -> F::Output {
    match Handle::try_current().map(|current| current.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| handle.block_on(future)),
        _ => handle.block_on(future),
    }
}
