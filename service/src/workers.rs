//! How many files are made at the same time. Drawing a document takes a core for a while, and everything else that the
//! process does needs the cores, too.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// The most files that are made at the same time.
const MAX_WORKERS: usize = 2;
/// How long a request waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(10);

/// Threads for files.
#[derive(Debug)]
pub struct Workers(Arc<Semaphore>);

impl Default for Workers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_WORKERS)))
    }
}

/// There was no turn in time, or the process is being shut down.
#[derive(Debug, thiserror::Error)]
#[error("too many files are being made")]
pub struct Busy;

impl Workers {
    /// Runs the work on a thread where it may block, when it is its turn.
    ///
    /// # Errors
    /// [`Busy`] if its turn does not come, or the work panics.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.0).acquire_owned());
        let Ok(Ok(permit)) = turn.await else {
            return Err(Busy);
        };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // The work continues when the client has gone, so the thread has the permit and not the request.
            drop(permit);
            done
        });
        done.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_files_are_made_at_the_same_time_than_there_are_workers() {
        let workers = Arc::new(Workers::default());
        let mut ends = Vec::new();
        let mut running = Vec::new();
        for _ in 0..MAX_WORKERS {
            let (end, wait) = mpsc::channel::<()>();
            ends.push(end);
            let workers = Arc::clone(&workers);
            running.push(tokio::spawn(async move { workers.run(move || wait.recv()).await }));
        }
        while workers.0.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        // The paused clock does not advance by itself while a thread may block.
        let (refused, ()) = tokio::join!(workers.run(|| ()), tokio::time::advance(TURN_WAIT * 2));
        assert!(refused.is_err(), "all workers are busy");
        ends.clear();
        for run in running {
            assert!(run.await.unwrap().is_ok());
        }
        assert!(workers.run(|| ()).await.is_ok(), "a worker is free again");
    }
}
