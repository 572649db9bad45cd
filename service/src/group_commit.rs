//! Group commit: one synced transaction for all writes that wait.
//!
//! A write must be on disk before anything relies on it, and a synced commit costs a disk's time and the pages of a
//! tree, whether it has one row or a hundred. One thread of each file therefore takes all writes that wait, runs them
//! in one transaction, commits once, and only then answers the callers. The writes that come meanwhile are the next
//! group, so a busy file has large groups and an idle one commits at once.
//!
//! Writes run in the order of arrival, and each sees the effects of the earlier ones, including those of its own group.
//! A write that fails aborts its whole group: nothing is committed, and every caller receives an error. A write that
//! refuses without having changed anything returns its refusal as a value.

use std::sync::Arc;
use std::thread::JoinHandle;

use redb::{Database, WriteTransaction};
use tokio::sync::{mpsc, oneshot};

use crate::table_error::TableError;

/// The most writes of one transaction.
const MAX_GROUP: usize = 256;
/// The most writes that wait. Further callers wait for a place.
const QUEUE: usize = 1024;

/// Answers one caller. `Err` if the group was not committed.
type Finish = Box<dyn FnOnce(Result<(), TableError>) + Send>;
/// Runs one write, and returns whether it succeeded.
type Job = Box<dyn FnOnce(&WriteTransaction) -> (bool, Finish) + Send>;

/// The thread that writes a file.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl GroupCommit {
    /// Starts the thread.
    pub(crate) fn start(database: Arc<Database>) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let named = match std::thread::current().name() {
            // The thread's time is then counted for the compartment that opens the file.
            Some(name) if name != "main" => format!("{}-store", name.chars().take(9).collect::<String>()),
            _ => "store".into(),
        };
        let thread = std::thread::Builder::new()
            .name(named)
            .spawn(move || run(&database, queue))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `change` in the next group, and returns once the group is on disk. The inner error is that of `change`. The
    /// write takes place also when the caller stops waiting.
    pub(crate) async fn write<T: Send + 'static, E: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, TableError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let result = change(transaction);
            let succeeded = result.is_ok();
            let finish: Finish = Box::new(move |committed| {
                // The caller may have stopped waiting.
                let _ = answer.send(match (result, committed) {
                    (Err(error), _) => Ok(Err(error)),
                    (Ok(_), Err(error)) => Err(error),
                    (Ok(value), Ok(())) => Ok(Ok(value)),
                });
            });
            (succeeded, finish)
        });
        let jobs = self.jobs.as_ref().ok_or(TableError::Ending)?;
        jobs.send(job).await.map_err(|_| TableError::Ending)?;
        answered.await.map_err(|_| TableError::Ending)?
    }
}

impl Drop for GroupCommit {
    /// Waits for the writes under way, so that the file is closed when its last handle is dropped.
    fn drop(&mut self) {
        self.jobs = None;
        let thread = self.thread.take();
        // The last handle may be part of a write.
        let other = thread.filter(|thread| thread.thread().id() != std::thread::current().id());
        // A panic of the thread has been reported, and there is no caller to tell.
        let _ = other.map(JoinHandle::join);
    }
}

fn run(database: &Database, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        commit(database, group);
    }
}

fn commit(database: &Database, group: Vec<Job>) {
    let transaction = match database.begin_write() {
        Ok(transaction) => transaction,
        Err(error) => {
            // Dropping the jobs answers every caller.
            tracing::error!(%error, "a store cannot be written");
            return;
        }
    };
    let mut sound = true;
    let mut finishes = Vec::with_capacity(group.len());
    for job in group {
        let (succeeded, finish) = job(&transaction);
        sound &= succeeded;
        finishes.push(finish);
    }
    let committed = if sound {
        transaction.commit().map_err(TableError::from)
    } else {
        transaction
            .abort()
            .map_err(TableError::from)
            .and(Err(TableError::Aborted))
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
    use redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition};

    use super::*;

    const COUNTERS: TableDefinition<'_, u8, u64> = TableDefinition::new("counters");

    fn open(dir: &std::path::Path) -> (Arc<Database>, GroupCommit) {
        let database = Arc::new(Database::create(dir.join("s.redb")).unwrap());
        let group = GroupCommit::start(database.clone()).unwrap();
        (database, group)
    }

    fn count(transaction: &WriteTransaction) -> Result<u64, TableError> {
        let mut table = transaction.open_table(COUNTERS)?;
        let next = table.get(0)?.map_or(0, |value| value.value()) + 1;
        table.insert(0, next)?;
        Ok(next)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_writes_are_all_kept_in_order_and_share_commits() {
        let dir = tempfile::tempdir().unwrap();
        let (database, group) = open(dir.path());
        let group = Arc::new(group);
        // The thread is held, so that the other writes wait and are one group.
        let (held, hold) = std::sync::mpsc::channel::<()>();
        let (enters, entered) = oneshot::channel();
        let blocked = tokio::spawn({
            let group = group.clone();
            async move {
                let wait = move |_: &WriteTransaction| {
                    let _ = enters.send(());
                    let _ = hold.recv();
                    Ok::<_, TableError>(())
                };
                group.write(wait).await.unwrap().unwrap();
            }
        });
        entered.await.unwrap();
        let writes: Vec<_> = (0..100)
            .map(|_| {
                let (group, database) = (group.clone(), database.clone());
                let change = move |transaction: &WriteTransaction| {
                    let committed = database.begin_read().unwrap().open_table(COUNTERS).is_ok();
                    Ok::<_, TableError>((count(transaction)?, committed))
                };
                tokio::spawn(async move { group.write(change).await.unwrap().unwrap() })
            })
            .collect();
        let jobs = group.jobs.as_ref().unwrap();
        while jobs.max_capacity() - jobs.capacity() < 100 {
            tokio::task::yield_now().await;
        }
        held.send(()).unwrap();
        blocked.await.unwrap();
        let mut seen = Vec::new();
        for write in writes {
            seen.push(write.await.unwrap());
        }
        seen.sort_unstable();
        let one_group: Vec<_> = (1..=100).map(|count| (count, false)).collect();
        assert_eq!(seen, one_group, "no write sees another one committed before it");
        let table = database.begin_read().unwrap().open_table(COUNTERS).unwrap();
        assert_eq!(table.get(0).unwrap().unwrap().value(), 100);
    }

    #[tokio::test]
    async fn a_failing_write_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (_, group) = open(dir.path());
        let failed = group
            .write(|transaction| {
                count(transaction)?;
                Err::<(), _>(TableError::Ending)
            })
            .await;
        assert!(matches!(failed, Ok(Err(TableError::Ending))));
        assert_eq!(group.write(count).await.unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn the_end_of_the_handle_is_the_end_of_the_writes() {
        let dir = tempfile::tempdir().unwrap();
        let (database, group) = open(dir.path());
        // Nothing waits for the answer.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, group.write(count)).await;
        drop(group);
        assert_eq!(Arc::strong_count(&database), 1, "the thread has ended");
    }
}
