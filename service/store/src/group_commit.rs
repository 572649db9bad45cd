//! Group commit: one durable transaction for all writes that wait.
//!
//! A write must be durable before anything relies on it, and a commit costs a disk's time and the pages of a tree, or
//! two flights to a database, whether it has one row or a hundred. One thread of each store therefore takes all writes
//! that wait, runs them in one transaction, commits once, and only then answers the callers. The writes that come
//! meanwhile are the next group, so a busy store has large groups and an idle one commits at once.
//!
//! Writes run in the order of arrival, and each sees the effects of the earlier ones, including those of its own group.
//! A write that fails aborts its whole group: nothing is committed, and every caller receives an error. A write that
//! refuses without having changed anything returns its refusal as a value.

use std::sync::Arc;
use std::thread::JoinHandle;

use redb::{Database, WriteTransaction};
use tokio::sync::{mpsc, oneshot};

use crate::error::TableError;

/// The most writes of one transaction.
const MAX_GROUP: usize = 256;
/// The most writes that wait. Further callers wait for a place.
const QUEUE: usize = 1024;

/// Carries out a group.
pub(crate) trait Engine: Send + 'static {
    /// What a write gets.
    type Transaction;

    /// Waits for the first write of the next group; `None` when there will be no more.
    fn next(&mut self, queue: &mut mpsc::Receiver<Job<Self::Transaction>>) -> Option<Job<Self::Transaction>> {
        queue.blocking_recv()
    }

    /// Runs `work` in a transaction and commits it if `work` returns true. Runs it at most once, and not at all if the
    /// transaction cannot begin.
    fn transact(&mut self, work: &mut dyn FnMut(&Self::Transaction) -> bool) -> Result<(), TableError>;
}

impl Engine for Arc<Database> {
    type Transaction = WriteTransaction;

    fn transact(&mut self, work: &mut dyn FnMut(&WriteTransaction) -> bool) -> Result<(), TableError> {
        let transaction = self.begin_write()?;
        if work(&transaction) {
            return Ok(transaction.commit()?);
        }
        transaction.abort()?;
        Err(TableError::Aborted)
    }
}

/// Answers one caller. `Err` if the group was not committed.
type Finish = Box<dyn FnOnce(Result<(), TableError>) + Send>;

/// One write: runs in a transaction and returns whether it succeeded, or answers its caller that there is none.
pub(crate) type Job<T> = Box<dyn FnOnce(Result<&T, TableError>) -> (bool, Finish) + Send>;

/// The thread that writes a store.
pub(crate) struct GroupCommit<E: Engine> {
    jobs: Option<mpsc::Sender<Job<E::Transaction>>>,
    thread: Option<JoinHandle<()>>,
}

impl<E: Engine> std::fmt::Debug for GroupCommit<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupCommit")
    }
}

impl<E: Engine> GroupCommit<E> {
    /// Starts the thread.
    pub(crate) fn start(engine: E) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let named = match std::thread::current().name() {
            // The thread's time is then counted for the compartment that opens the store.
            Some(name) if name != "main" => format!("{}-store", name.chars().take(9).collect::<String>()),
            _ => "store".into(),
        };
        let thread = std::thread::Builder::new()
            .name(named)
            .spawn(move || run(engine, queue))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `change` in the next group, and returns once the group is durable. The inner error is that of `change`. The
    /// write takes place also when the caller stops waiting.
    pub(crate) async fn write<T: Send + 'static, F: Send + 'static>(
        &self,
        change: impl FnOnce(&E::Transaction) -> Result<T, F> + Send + 'static,
    ) -> Result<Result<T, F>, TableError> {
        let (answer, answered) = oneshot::channel();
        let job: Job<E::Transaction> = Box::new(move |transaction| {
            let result = transaction.map(change);
            let succeeded = matches!(result, Ok(Ok(_)));
            let finish: Finish = Box::new(move |committed| {
                // The caller may have stopped waiting.
                let _ = answer.send(match (result, committed) {
                    (Ok(Ok(_)), Err(error)) => Err(error),
                    (result, _) => result,
                });
            });
            (succeeded, finish)
        });
        let jobs = self.jobs.as_ref().ok_or(TableError::Ending)?;
        jobs.send(job).await.map_err(|_| TableError::Ending)?;
        answered.await.map_err(|_| TableError::Ending)?
    }
}

impl<E: Engine> Drop for GroupCommit<E> {
    /// Waits for the writes under way, so that the store is closed when its last handle is dropped.
    fn drop(&mut self) {
        self.jobs = None;
        let thread = self.thread.take();
        // The last handle may be part of a write.
        let other = thread.filter(|thread| thread.thread().id() != std::thread::current().id());
        // A panic of the thread has been reported, and there is no caller to tell.
        let _ = other.map(JoinHandle::join);
    }
}

fn run<E: Engine>(mut engine: E, mut queue: mpsc::Receiver<Job<E::Transaction>>) {
    while let Some(first) = engine.next(&mut queue) {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        commit(&mut engine, group);
    }
}

fn commit<E: Engine>(engine: &mut E, group: Vec<Job<E::Transaction>>) {
    let mut finishes = Vec::with_capacity(group.len());
    let mut waiting = group.into_iter();
    let committed = engine.transact(&mut |transaction| {
        let mut sound = true;
        for job in waiting.by_ref() {
            let (succeeded, finish) = job(Ok(transaction));
            sound &= succeeded;
            finishes.push(finish);
        }
        sound
    });
    if let Err(error) = &committed {
        tracing::error!(%error, "a group of writes was not committed");
    }
    for finish in finishes {
        finish(committed.clone());
    }
    // If the transaction did not begin.
    if let Err(error) = committed {
        for job in waiting {
            let (_, finish) = job(Err(error.clone()));
            finish(Ok(()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition};

    use super::*;

    const COUNTERS: TableDefinition<'_, u8, u64> = TableDefinition::new("counters");

    fn open(dir: &std::path::Path) -> (Arc<Database>, GroupCommit<Arc<Database>>) {
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
