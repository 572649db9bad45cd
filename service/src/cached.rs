//! A value that is fetched from another process and kept for a while.
//!
//! Requests of strangers need such values, so the number of fetches must not depend on the number of requests. At most
//! one fetch is under way at a time, concurrent callers share its result, and after a failure no fetch begins until a
//! delay has passed. A fetch runs in a task of its own: a caller that disconnects does not cancel it for the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// A value that is fetched again when it is older than `lifetime`.
#[derive(Debug)]
pub struct Cached<T> {
    lifetime: Duration,
    retry_delay: Duration,
    slot: Arc<Mutex<Slot<T>>>,
}

#[derive(Debug)]
struct Slot<T> {
    value: Option<(Arc<T>, Instant)>,
    failed: Option<Instant>,
}

/// Why there is no value. Both cases are retryable.
#[derive(Debug, thiserror::Error)]
pub enum CacheError<E> {
    /// The fetch failed.
    #[error(transparent)]
    Fetch(E),
    /// A fetch failed a moment ago, and the delay has not passed yet.
    #[error("the last attempt failed a moment ago")]
    RecentFailure,
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// An empty cache. Values are kept for `lifetime`; a failed fetch is repeated after `retry_delay` at the earliest.
    pub fn new(lifetime: Duration, retry_delay: Duration) -> Self {
        Self {
            lifetime,
            retry_delay,
            slot: Arc::new(Mutex::new(Slot {
                value: None,
                failed: None,
            })),
        }
    }

    /// The value, fetched if the cache has none or only an expired one.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn get<E: Send + 'static>(
        &self,
        fetch: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Arc<T>, CacheError<E>> {
        self.younger_than(self.lifetime, fetch).await
    }

    /// A value that is younger than `age`, which bounds how often a caller can cause a fetch.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn younger_than<E: Send + 'static>(
        &self,
        age: Duration,
        fetch: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<Arc<T>, CacheError<E>> {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        if let Some((value, at)) = &slot.value
            && at.elapsed() < age
        {
            return Ok(Arc::clone(value));
        }
        if slot.failed.is_some_and(|at| at.elapsed() < self.retry_delay) {
            return Err(CacheError::RecentFailure);
        }
        let fetched = tokio::spawn(async move {
            match fetch.await {
                Ok(value) => {
                    let value = Arc::new(value);
                    slot.value = Some((Arc::clone(&value), Instant::now()));
                    slot.failed = None;
                    Ok(value)
                }
                Err(error) => {
                    slot.failed = Some(Instant::now());
                    Err(CacheError::Fetch(error))
                }
            }
        });
        // The task ends without a result only when the runtime shuts down.
        fetched.await.unwrap_or(Err(CacheError::RecentFailure))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);
    const RETRY_DELAY: Duration = Duration::from_secs(3);

    async fn fetch(calls: Arc<AtomicUsize>, result: Result<u8, &'static str>) -> Result<u8, &'static str> {
        calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        result
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_one_fetch() {
        let (cached, calls) = (Arc::new(Cached::new(LIFETIME, RETRY_DELAY)), Arc::default());
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (cached, calls) = (Arc::clone(&cached), Arc::clone(&calls));
                tokio::spawn(async move { cached.get(fetch(calls, Ok(7))).await.map(|value| *value) })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap(), 7);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        tokio::time::advance(LIFETIME).await;
        cached.get(fetch(Arc::clone(&calls), Ok(8))).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 2, "an expired value is fetched again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_fetch_is_repeated_only_after_the_delay() {
        let (cached, calls) = (Cached::new(LIFETIME, RETRY_DELAY), Arc::default());
        let down = cached.get(fetch(Arc::clone(&calls), Err("down"))).await;
        assert!(matches!(down, Err(CacheError::Fetch("down"))));
        for _ in 0..100 {
            let again = cached.get(fetch(Arc::clone(&calls), Ok(1))).await;
            assert!(matches!(again, Err(CacheError::RecentFailure)));
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        tokio::time::advance(RETRY_DELAY).await;
        assert_eq!(*cached.get(fetch(Arc::clone(&calls), Ok(1))).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_disconnects_does_not_cancel_the_fetch() {
        let (cached, calls) = (Cached::new(LIFETIME, RETRY_DELAY), Arc::default());
        let gone = cached.get(fetch(Arc::clone(&calls), Ok(7)));
        assert!(tokio::time::timeout(Duration::from_millis(1), gone).await.is_err());
        assert_eq!(*cached.get(fetch(Arc::clone(&calls), Ok(8))).await.unwrap(), 7);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}
