//! What reading change sets may cost.
//!
//! Everybody may read them, and some reads compute for a tenth of a second. They run beside the runtime, few at a time,
//! so that they never take more than [`PAGES_AT_ONCE`] and [`VALUES_AT_ONCE`] of the processor's cores from the
//! sequencer. Followers have slots of their own: a flood of searches does not delay them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use service::Problem;
use tlog::Hash;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use trust::{History, HistoryError, StoredValue, TrustKind, TrustMap, Version};

use super::readable;

/// How many pages for followers are made at once.
const PAGES_AT_ONCE: usize = 2;
/// How many other reads compute at once.
const VALUES_AT_ONCE: usize = 1;
/// How long a read waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How many versions are kept as they were built. They share the values and most nodes of their trees.
const MAX_VERSIONS: usize = 8;

/// Slots and caches.
pub(crate) struct TrustReads {
    pages: Arc<Semaphore>,
    values: Arc<Semaphore>,
    versions: Cache<(TrustKind, Version), Arc<TrustMap>>,
    /// The text in which a value is searched, by the value's digest.
    texts: Mutex<HashMap<Hash, Arc<str>>>,
}

impl Default for TrustReads {
    fn default() -> Self {
        Self {
            pages: Arc::new(Semaphore::new(PAGES_AT_ONCE)),
            values: Arc::new(Semaphore::new(VALUES_AT_ONCE)),
            versions: Cache::new(MAX_VERSIONS),
            texts: Mutex::default(),
        }
    }
}

impl TrustReads {
    /// Makes a page for a follower.
    pub(super) async fn page<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        compute(&self.pages, work).await
    }

    /// Reads values of a version.
    pub(super) async fn values<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        compute(&self.values, work).await
    }

    /// A whole version. It is built in time proportional to the number of keys that have ever changed, unless it is the
    /// newest or was read a moment ago.
    pub(super) fn version(
        &self,
        history: &History,
        kind: TrustKind,
        version: Version,
    ) -> Result<Arc<TrustMap>, HistoryError> {
        if let Some(map) = self.versions.get(&(kind, version)) {
            return Ok(map);
        }
        let map = Arc::new(history.map_of(kind, version)?);
        self.versions.insert((kind, version), map.clone());
        Ok(map)
    }

    /// Calls `with` with a function that returns the text in which a value is searched. Texts are made once; those of
    /// values that are no longer used are dropped when they are too many for a version of `len` values.
    pub(super) fn with_texts<T>(
        &self,
        len: usize,
        with: impl FnOnce(&mut dyn FnMut(&StoredValue) -> Arc<str>) -> T,
    ) -> T {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() > 4 * len + 1024 {
            texts.clear();
        }
        with(&mut |stored| {
            let text = texts.entry(stored.digest());
            let text = text.or_insert_with(|| readable::searched_text(&stored.value().to_bytes()).into());
            text.clone()
        })
    }
}

/// Computes with a slot, which the work keeps until its end, also when the client has gone.
async fn compute<T: Send + 'static>(
    slots: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let slot = timeout(MAX_WAIT, slots.clone().acquire_owned()).await;
    let Ok(Ok(slot)) = slot else {
        return Err(Problem::unavailable(
            "busy",
            1,
            "too many readers of the change sets at the moment",
        ));
    };
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(slot);
        done
    });
    done.await.unwrap_or_else(|_| Err(Problem::internal()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_read_waits_for_its_turn_and_pages_do_not_wait_for_searches() {
        let reads = Arc::new(TrustReads::default());
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        // The client of the first read goes away; its work keeps the slot.
        let first = tokio::spawn({
            let reads = reads.clone();
            async move {
                let work = move || {
                    let _ = started.send(());
                    let _ = released.recv();
                    Ok(())
                };
                reads.values(work).await
            }
        });
        has_started.await.unwrap();
        first.abort();
        assert!(first.await.is_err());
        let slot = reads.values.clone();
        assert_eq!(slot.available_permits(), 0);
        assert_eq!(reads.page(|| Ok(7)).await, Ok(7));
        // Time does not pass by itself while the first read computes.
        let second = tokio::spawn({
            let reads = reads.clone();
            async move { reads.values(|| Ok(())).await }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(MAX_WAIT).await;
        assert_eq!(second.await.unwrap().unwrap_err().slug, "busy");
        release.send(()).unwrap();
        assert_eq!(reads.values(|| Ok(8)).await, Ok(8));
    }
}
