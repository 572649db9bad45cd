//! A store, and where it is.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::TableError;
use crate::file::TableFile;
use crate::postgres::{Database, PostgresConfig};
use crate::transaction::{ReadEngine, Snapshot, Transaction, WriteEngine};

/// Where a compartment has its state: `{"engine": "redb"}`, which is the default, or `{"engine": "postgres", "hosts":
/// […], …}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "engine", rename_all = "lowercase", deny_unknown_fields)]
pub enum StoreConfig {
    /// A file in the compartment's directory.
    #[default]
    Redb,
    /// A PostgreSQL cluster with synchronous replication.
    Postgres(PostgresConfig),
}

impl StoreConfig {
    /// Whether it is the default, which a configuration file need not have.
    pub fn is_default(&self) -> bool {
        *self == Self::Redb
    }

    /// Resolves relative paths.
    #[must_use]
    pub fn resolved(self, base: &Path) -> Self {
        match self {
            Self::Redb => Self::Redb,
            Self::Postgres(postgres) => Self::Postgres(postgres.resolved(base)),
        }
    }
}

/// A store. Clones share it; it is closed when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Store(Engine);

#[derive(Clone, Debug)]
enum Engine {
    Embedded(TableFile),
    Postgres(Arc<Database>),
}

impl Store {
    /// Opens the store `name`, or creates it: the file `name.redb` in `directory`, or the schema `name` of the
    /// database. Blocks on the engine; in a task, the runtime must have several threads.
    ///
    /// # Errors
    /// [`TableError`], also when another process has opened the store, and [`TableError::LeftBehind`] for a database
    /// when there is a file.
    pub fn open(config: &StoreConfig, directory: &Path, name: &'static str) -> Result<Self, TableError> {
        let file = directory.join(name).with_extension("redb");
        Ok(Self(match config {
            StoreConfig::Redb => Engine::Embedded(TableFile::open(&file)?),
            // An empty store in its place would forget what is open, and what was served.
            StoreConfig::Postgres(_) if file.exists() => return Err(TableError::LeftBehind(file)),
            StoreConfig::Postgres(postgres) => Engine::Postgres(Arc::new(Database::open(postgres, name)?)),
        }))
    }

    /// The present state. Blocks on the engine, so a task must not call it ([`Store::read`]).
    ///
    /// # Errors
    /// [`TableError`].
    pub fn snapshot(&self) -> Result<Snapshot, TableError> {
        Ok(Snapshot(match &self.0 {
            Engine::Embedded(file) => ReadEngine::Embedded(file.begin_read()?),
            Engine::Postgres(database) => ReadEngine::Postgres(database.snapshot()?),
        }))
    }

    /// Reads one consistent state. What is read may be committed by others, and it is no base of a decision that is
    /// written later: decide in [`Store::commit`]. If the connection to a database breaks, `read` runs again.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&Snapshot) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        let this = self.clone();
        let reading = tokio::task::spawn_blocking(move || match &this.0 {
            Engine::Embedded(_) => read(&this.snapshot()?),
            Engine::Postgres(database) => database.persist(|| read(&this.snapshot()?)),
        });
        reading.await.map_err(|_| TableError::Ending)?
    }

    /// Runs `change` in one transaction with all other changes that wait, and returns when it is durable. The inner
    /// error is that of `change`; it aborts the changes of the same transaction too, so a change that only refuses
    /// returns its refusal as a value. The change takes place also when the caller stops waiting.
    ///
    /// # Errors
    /// [`TableError`]; then nothing is committed.
    pub async fn commit<T: Send + 'static, E: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, TableError> {
        match &self.0 {
            Engine::Embedded(file) => {
                file.commit(|transaction| change(&Transaction(WriteEngine::Embedded(transaction))))
                    .await
            }
            Engine::Postgres(database) => {
                database
                    .commit(|writer| change(&Transaction(WriteEngine::Postgres(writer))))
                    .await
            }
        }
    }

    /// Waits until another process has taken over the store; returns the reason. The process must end then. A file is
    /// never taken over.
    pub fn taken_over(&self) -> impl Future<Output = TableError> + Send + use<> {
        let database = match &self.0 {
            Engine::Embedded(_) => None,
            Engine::Postgres(database) => Some(database.fenced()),
        };
        async move {
            match database {
                Some(fenced) => fenced.await,
                None => std::future::pending().await,
            }
        }
    }

    pub(crate) fn create_table(&self, name: &'static str) -> Result<(), TableError> {
        match &self.0 {
            Engine::Embedded(file) => file.write(|transaction| crate::embedded::write(transaction, name).map(drop)),
            Engine::Postgres(database) => database.create_table(name),
        }
    }
}
