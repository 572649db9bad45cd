//! The store file, and why a read or write of it failed.
//!
//! Every reservation must be on disk before it is answered. Concurrent writes share a synced transaction
//! ([`store::TableFile::commit`]).
//!
//! A write that *refuses* returns the refusal as its value and must not have written anything. A write that fails
//! aborts the others of its transaction: nothing is committed, and every caller receives an error.

use std::path::Path;

use redb::WriteTransaction;
use store::{TableError, TableFile};

/// Why a read or write of the store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store failed, for example because the disk is full. Nothing was committed.
    #[error(transparent)]
    Failed(TableError),
    /// A stored row does not have the expected form, so something else has changed the store.
    #[error("a row of table {0} cannot be read: restore the store from its replica")]
    Corrupt(&'static str),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Failed(TableError::from(error))
    }
}

/// A store file. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct GroupCommitStore {
    file: TableFile,
}

impl GroupCommitStore {
    /// Opens or creates the store file. Only its owner can read it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = TableFile::open(path).map_err(StoreError::Failed)?;
        Ok(Self { file })
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
        self.file.commit(work).await.map_err(StoreError::Failed)?
    }
}
