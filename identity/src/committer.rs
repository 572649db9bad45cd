//! Group commit: one synced transaction for all waiting writes.
//!
//! Every reservation must be on disk before it is answered, and a synced commit takes milliseconds. One thread
//! therefore takes all waiting writes, runs them in one transaction, commits once, and only then answers the callers.
//! Writes run in the order of arrival, and each sees the effects of the earlier ones, including those of its own group.
//!
//! A write that *refuses* returns the refusal as its value and must not have written anything. A write that fails
//! aborts its whole group: nothing is committed, and every caller receives an error.

use std::path::Path;
use std::sync::Arc;

use redb::WriteTransaction;
use service::table::{TableError, TableFile};
use tokio::sync::{mpsc, oneshot};

/// Maximum number of writes in one transaction.
const MAX_GROUP_SIZE: usize = 256;
const QUEUE_CAPACITY: usize = 1024;

/// Why a read or write of the store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store failed, for example because the disk is full. Nothing was committed.
    #[error(transparent)]
    Failed(TableError),
    /// The store's writer thread cannot be started.
    #[error("the store's writer thread cannot be started: {0}")]
    Thread(#[source] Arc<std::io::Error>),
    /// The store's writer thread has ended because the process is shutting down.
    #[error("the store is closed")]
    Closed,
    /// A stored row does not have the expected form, so something else has changed the store.
    #[error("a row of table {0} cannot be read: restore the store from its replica")]
    Corrupt(&'static str),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Failed(TableError::from(error))
    }
}

/// Answers one caller. `Err` if the group was not committed.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Runs one write. `Err` aborts the group.
type Job = Box<dyn FnOnce(&WriteTransaction) -> (Result<(), StoreError>, Finish) + Send>;

/// A store file with its writer thread. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct GroupCommitStore {
    file: TableFile,
    jobs: mpsc::Sender<Job>,
}

impl GroupCommitStore {
    /// Opens or creates the store file. Only its owner can read it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = TableFile::open(path).map_err(StoreError::Failed)?;
        let (jobs, queue) = mpsc::channel(QUEUE_CAPACITY);
        let writer = file.clone();
        std::thread::Builder::new()
            .name("identity-store".into())
            .spawn(move || run(&writer, queue))
            .map_err(|error| StoreError::Thread(Arc::new(error)))?;
        Ok(Self { file, jobs })
    }

    /// A snapshot for reading.
    pub(crate) fn read(&self) -> Result<redb::ReadTransaction, StoreError> {
        self.file.begin_read().map_err(StoreError::Failed)
    }

    /// Runs `work` in its own transaction on this thread. It blocks on the disk, so use it only while opening the
    /// store.
    pub(crate) fn write_now<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.file.begin_write().map_err(StoreError::Failed)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Runs `work` in the next group. Returns once the group is on disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let result = work(transaction);
            let verdict = result.as_ref().map(|_| ()).map_err(Clone::clone);
            let finish: Finish = Box::new(move |committed| {
                let _ = answer.send(committed.and(result));
            });
            (verdict, finish)
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

fn run(file: &TableFile, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP_SIZE
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        commit(file, group);
    }
}

fn commit(file: &TableFile, group: Vec<Job>) {
    let transaction = match file.begin_write() {
        Ok(transaction) => transaction,
        // Dropping the jobs answers `Closed` to every caller.
        Err(error) => return tracing::error!(%error, "the store cannot be written"),
    };
    let mut verdict = Ok(());
    let mut finishes = Vec::with_capacity(group.len());
    for job in group {
        let (result, finish) = job(&transaction);
        finishes.push(finish);
        if verdict.is_ok() {
            verdict = result;
        }
    }
    let committed = match verdict {
        Ok(()) => transaction.commit().map_err(StoreError::from),
        Err(error) => transaction.abort().map_err(StoreError::from).and(Err(error)),
    };
    if let Err(error) = &committed {
        tracing::error!(%error, "a group of writes was not committed");
    }
    for finish in finishes {
        finish(committed.clone());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use redb::{ReadableTable as _, TableDefinition};

    const COUNTERS: TableDefinition<u8, u64> = TableDefinition::new("counters");

    fn count(transaction: &WriteTransaction) -> Result<u64, StoreError> {
        let mut table = transaction.open_table(COUNTERS)?;
        let next = table.get(0)?.map_or(0, |value| value.value()) + 1;
        table.insert(0, next)?;
        Ok(next)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_writes_are_all_kept_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let store = GroupCommitStore::open(&dir.path().join("s.redb")).unwrap();
        let writes: Vec<_> = (0..100)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.write(count).await.unwrap() })
            })
            .collect();
        let mut seen = Vec::new();
        for write in writes {
            seen.push(write.await.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_failing_write_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = GroupCommitStore::open(&dir.path().join("s.redb")).unwrap();
        let failed: Result<(), _> = store
            .write(|transaction| {
                count(transaction)?;
                Err(StoreError::Corrupt("test"))
            })
            .await;
        assert!(matches!(failed, Err(StoreError::Corrupt("test"))));
        assert_eq!(store.write(count).await.unwrap(), 1);
    }

    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.redb");
        let _store = GroupCommitStore::open(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
