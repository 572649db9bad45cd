//! One request to shut down, visible to every task of a process.

use tokio_util::sync::CancellationToken;

/// A handle on the process's shutdown. Every clone can request it and wait for it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// A shutdown that is not requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A shutdown that SIGINT or SIGTERM requests. Must be called inside a tokio runtime.
    pub fn on_signals() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let shutdown = Self::new();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let trigger = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("shutdown requested");
            trigger.trigger();
        });
        Ok(shutdown)
    }

    /// Requests the shutdown. Later calls do nothing.
    pub fn trigger(&self) {
        self.token.cancel();
    }

    /// Whether shutdown has been requested.
    pub fn is_triggered(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Returns once shutdown is requested; at once if it has been requested before. Safe to cancel.
    pub async fn wait(&self) {
        self.token.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_clone_sees_the_request_also_afterwards() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.wait().await }
        });
        assert!(!shutdown.is_triggered());
        shutdown.trigger();
        assert!(waiting.await.is_ok());
        shutdown.wait().await;
        assert!(shutdown.is_triggered());
    }
}
