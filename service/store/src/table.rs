//! Tables with typed keys and values.

use crate::definition::{Encoding, TableDefinition};
use crate::error::TableError;
use crate::key::Key;
use crate::store::Store;
use crate::transaction::{OpenTable, ReadTable};

/// One table of a [`Store`]: keys `K` in their order, values `V` in their own encoding. Cheap to clone.
pub struct Table<K, V> {
    store: Store,
    definition: TableDefinition<K, V>,
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            definition: self.definition,
        }
    }
}

impl<K, V> std::fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({})", self.definition.name)
    }
}

impl<K: Key, V: Send + 'static> Table<K, V> {
    /// Opens the table `name` of `store`, or creates it. Blocks on the engine.
    ///
    /// # Errors
    /// [`TableError`], also when the table has other types.
    pub fn open(store: &Store, name: &'static str, encoding: Encoding<V>) -> Result<Self, TableError> {
        store.create_table(name)?;
        Ok(Self {
            store: store.clone(),
            definition: TableDefinition::new(name, encoding),
        })
    }

    /// What a transaction opens this table by.
    pub fn definition(&self) -> TableDefinition<K, V> {
        self.definition
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn get(&self, key: K) -> Result<Option<V>, TableError> {
        self.read(move |table| table.get(&key)).await
    }

    /// All rows in the order of their keys.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn all(&self) -> Result<Vec<(K, V)>, TableError> {
        self.page(None, usize::MAX).await
    }

    /// The first rows, at most `limit` of them, or those that follow the key `after`, in the order of their keys.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn page(&self, after: Option<K>, limit: usize) -> Result<Vec<(K, V)>, TableError> {
        self.read(move |table| table.page(after.as_ref(), limit)).await
    }

    /// How many rows there are. redb knows it; PostgreSQL reads all keys.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn count(&self) -> Result<u64, TableError> {
        self.read(|table| table.count()).await
    }

    /// Writes the value of `key`, in place of an older one; it is durable on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn put(&self, key: K, value: &V) -> Result<(), TableError> {
        let bytes = (self.definition.encoding.encode)(value);
        self.change(move |table| table.put_bytes(&key, &bytes)).await
    }

    /// Removes the row of `key`, if there is one; the removal is durable on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove(&self, key: K) -> Result<(), TableError> {
        self.change(move |table| table.remove(&key)).await
    }

    /// Changes the row of `key` in one transaction: keeps it if `change` returns true, removes it otherwise. Does
    /// nothing if there is no such row.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn update(&self, key: K, change: impl FnOnce(&mut V) -> bool + Send + 'static) -> Result<(), TableError> {
        self.change(move |table| {
            let mut value = match table.get(&key) {
                Ok(None) => return Ok(Ok(())),
                Ok(Some(value)) => value,
                Err(error) => return unless_unchanged(error),
            };
            if change(&mut value) {
                table.put(&key, &value)?;
            } else {
                table.remove(&key)?;
            }
            Ok(Ok(()))
        })
        .await?
    }

    /// Removes rows from the smallest key on while `expired` holds, at most `limit` of them, in one transaction.
    /// Returns how many were removed.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove_leading(
        &self,
        limit: usize,
        expired: impl Fn(&V) -> bool + Send + 'static,
    ) -> Result<usize, TableError> {
        self.change(move |table| match table.remove_leading(limit, expired) {
            Ok(removed) => Ok(Ok(removed)),
            Err(error) => unless_unchanged(error),
        })
        .await?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&ReadTable<'_, K, V>) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        let definition = self.definition;
        self.store.read(move |snapshot| read(&snapshot.open(definition)?)).await
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut OpenTable<'_, K, V>) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        // Without a handle of the store, so that the last one is never dropped by a write.
        let definition = self.definition;
        self.store
            .commit(move |transaction| change(&mut transaction.open(definition)?))
            .await?
    }
}

/// A damaged row has not been changed, so the other writes of the transaction need not fail.
fn unless_unchanged<T>(error: TableError) -> Result<Result<T, TableError>, TableError> {
    match error {
        TableError::Damaged { .. } => Ok(Err(error)),
        _ => Err(error),
    }
}
