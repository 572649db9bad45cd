//! Day keys: one per retention class and expiry day, in `daykeys.redb`, a file of its own.
//!
//! Every record's key hangs on one of these (design §5.7): destroying the key of a day destroys every record, copy and
//! export that expires on it. Therefore this file is replicated, never backed up, and nothing else is in it.
//!
//! A key is made when it is first asked for, and is on disk before it is handed out: a record sealed under a key that a
//! crash could lose would be lost with it. The key of a day that has passed is never made: it would bring back a destroyed
//! one's place with another value.

use std::path::Path;

use record::{DayKey, ExpiryDay, RetentionClass};
use redb::{ReadableTable as _, TableDefinition};
use zeroize::Zeroizing;

use crate::committer::{Store, StoreError};

/// (retention class, expiry day) → 32 bytes.
const KEYS: TableDefinition<(u8, u32), &[u8]> = TableDefinition::new("keys");

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DayKeyError {
    /// The day has passed.
    #[error("the records of this day have expired")]
    Expired,
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] service::secret::SecretError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store of day keys.
#[derive(Clone, Debug)]
pub struct DayKeys {
    store: Store,
}

impl DayKeys {
    /// Opens or creates the store file.
    ///
    /// # Errors
    /// When the file cannot be opened, or is no store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Store::open(path)?;
        store.write_now(|write| {
            write.open_table(KEYS)?;
            Ok(())
        })?;
        Ok(Self { store })
    }

    /// The key of that class and day, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn existing(&self, class: RetentionClass, day: ExpiryDay) -> Result<Option<DayKey>, StoreError> {
        let table = self.store.read()?.open_table(KEYS)?;
        table
            .get((class.code(), day.0))?
            .map(|value| key(value.value()))
            .transpose()
    }

    /// The key of that class and day; made if there is none. `today` in days since 1970-01-01.
    ///
    /// # Errors
    /// [`DayKeyError::Expired`] when the day has passed; when the store fails.
    pub async fn get(&self, class: RetentionClass, day: ExpiryDay, today: u32) -> Result<DayKey, DayKeyError> {
        if day.0 < today {
            return Err(DayKeyError::Expired);
        }
        if let Some(key) = self.existing(class, day)? {
            return Ok(key);
        }
        let fresh = Zeroizing::new(service::secret::random()?);
        let key = self.store.write(move |write| {
            let mut table = write.open_table(KEYS)?;
            let place = (class.code(), day.0);
            // Somebody else may have made it meanwhile; the first one stands.
            if let Some(value) = table.get(place)? {
                return key(value.value());
            }
            table.insert(place, fresh.as_slice())?;
            key(fresh.as_slice())
        });
        Ok(key.await?)
    }
}

fn key(bytes: &[u8]) -> Result<DayKey, StoreError> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| StoreError::Corrupt("keys"))?;
    Ok(DayKey(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key_id(key: &DayKey) -> [u8; 32] {
        key.record_key(&record::Label([7; 32])).part(record::PartName::Shared).0
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_key_per_class_and_day_also_when_asked_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DayKeys::open(&dir.path().join("daykeys.redb")).unwrap();
        let asked: Vec<_> = (0..16)
            .map(|_| {
                let keys = keys.clone();
                tokio::spawn(async move { keys.get(RetentionClass::IdnrG2y, ExpiryDay(30), 20).await })
            })
            .collect();
        let mut ids = Vec::new();
        for one in asked {
            ids.push(key_id(&one.await.unwrap().unwrap()));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        let other_class = keys.get(RetentionClass::Eu12m, ExpiryDay(30), 20).await.unwrap();
        let other_day = keys.get(RetentionClass::IdnrG2y, ExpiryDay(31), 20).await.unwrap();
        assert_ne!(key_id(&other_class), ids[0]);
        assert_ne!(key_id(&other_day), ids[0]);
        drop(keys);
        let again = reopen(&dir.path().join("daykeys.redb")).await;
        let kept = again.existing(RetentionClass::IdnrG2y, ExpiryDay(30)).unwrap().unwrap();
        assert_eq!(key_id(&kept), ids[0]);
    }

    /// The writing thread lets go of the file a moment after the last handle is dropped.
    async fn reopen(path: &Path) -> DayKeys {
        for _ in 0..100 {
            if let Ok(keys) = DayKeys::open(path) {
                return keys;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        DayKeys::open(path).unwrap()
    }

    #[tokio::test]
    async fn a_passed_day_gets_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DayKeys::open(&dir.path().join("daykeys.redb")).unwrap();
        let late = keys.get(RetentionClass::Eu12m, ExpiryDay(19), 20).await;
        assert!(matches!(late, Err(DayKeyError::Expired)));
        assert!(keys.existing(RetentionClass::Eu12m, ExpiryDay(19)).unwrap().is_none());
    }
}
