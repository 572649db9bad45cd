//! Day keys: one per retention class and expiry day, each in a file of its own in `daykeys/` ([`crate::key_files`]).
//!
//! ```text
//! daykeys/CLASS-DAY.key      CLASS: idnrg-2y, eu-12m; DAY: since 1970-01-01, ten digits
//! ```
//!
//! Every record's key hangs on one of these (design §5.7): destroying the key of a day destroys every record, copy and
//! export that expires on it. Therefore the folder is replicated, never backed up, and nothing else is in it.
//!
//! A key is made when it is first asked for, and is on disk before it is handed out: a record sealed under a key that a
//! crash could lose would be lost with it. A key is destroyed when its day has passed, at the first look around after it
//! ([`DayKeys::destroy_expired`]), and never made again: it would take a destroyed one's id with another value. Nothing is noted
//! of a destroyed key, so a crash can lose no note: the day says that it is destroyed, and until it is, nobody gets it any more.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use record::{DayKey, ExpiryDay, RetentionClass};

use crate::key_files::{KeyFileError, KeyFolder};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DayKeyError {
    /// The day has passed.
    #[error("the records of this day have expired")]
    Expired,
    /// The files fail.
    #[error(transparent)]
    Files(#[from] KeyFileError),
    /// A file of another name lies in the folder. Fatal: look what it is.
    #[error("{0}.key in the folder of day keys is no day key: look what it is, and take it away")]
    Stranger(String),
    /// The task that makes a key was stopped.
    #[error("identity is ending")]
    Ending,
}

type DayKeyId = (RetentionClass, ExpiryDay);

/// The store of day keys.
#[derive(Clone, Debug)]
pub struct DayKeys {
    folder: KeyFolder,
    keys: Arc<Mutex<BTreeMap<DayKeyId, DayKey>>>,
}

impl DayKeys {
    /// Opens or creates the folder, and reads what is in it.
    ///
    /// # Errors
    /// [`DayKeyError`]; all are fatal.
    pub fn open(folder: &Path) -> Result<Self, DayKeyError> {
        let folder = KeyFolder::open(folder)?;
        let mut keys = BTreeMap::new();
        for name in folder.names()? {
            let id = parse(&name).ok_or_else(|| DayKeyError::Stranger(name.clone()))?;
            if let Some(key) = folder.get(&name)? {
                keys.insert(id, DayKey(*key));
            }
        }
        Ok(Self {
            folder,
            keys: Arc::new(Mutex::new(keys)),
        })
    }

    /// The key of that class and day, if there is one and the day has not passed. `today` in days since 1970-01-01.
    #[must_use]
    pub fn existing(&self, class: RetentionClass, day: ExpiryDay, today: u32) -> Option<DayKey> {
        let keys = self.keys();
        keys.get(&(class, day)).filter(|_| !passed(day, today)).cloned()
    }

    /// The key of that class and day; made if there is none.
    ///
    /// # Errors
    /// [`DayKeyError::Expired`] when the day has passed; when the files fail.
    pub async fn get(&self, class: RetentionClass, day: ExpiryDay, today: u32) -> Result<DayKey, DayKeyError> {
        if passed(day, today) {
            return Err(DayKeyError::Expired);
        }
        if let Some(key) = self.existing(class, day, today) {
            return Ok(key);
        }
        let this = self.clone();
        let make = move || {
            // Held while the file is written: a key is made once, whoever asks for it at the same time.
            let mut keys = this.keys();
            let key = DayKey(*this.folder.make(&name(class, day))?);
            keys.insert((class, day), key.clone());
            Ok(key)
        };
        tokio::task::spawn_blocking(make)
            .await
            .map_err(|_| DayKeyError::Ending)?
    }

    /// Destroys the keys of all days that have passed; says how many.
    ///
    /// # Errors
    /// When the files fail: some may still be there; try again.
    pub fn destroy_expired(&self, today: u32) -> Result<usize, DayKeyError> {
        let mut keys = self.keys();
        let expired: Vec<DayKeyId> = keys.keys().filter(|(_, day)| passed(*day, today)).copied().collect();
        for (class, day) in &expired {
            self.folder.destroy(&name(*class, *day))?;
            keys.remove(&(*class, *day));
        }
        Ok(expired.len())
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<DayKeyId, DayKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record is kept up to the end of its expiry day.
pub(crate) fn passed(day: ExpiryDay, today: u32) -> bool {
    day.0 < today
}

fn name(class: RetentionClass, day: ExpiryDay) -> String {
    format!("{}-{:010}", class.as_str(), day.0)
}

fn parse(text: &str) -> Option<DayKeyId> {
    let (class, day) = text.rsplit_once('-')?;
    let class = RetentionClass::ALL.into_iter().find(|known| known.as_str() == class)?;
    let day = ExpiryDay(day.parse().ok()?);
    (name(class, day) == text).then_some((class, day))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CLASS: RetentionClass = RetentionClass::IdnrG2y;

    fn key_id(key: &DayKey) -> [u8; 32] {
        key.record_key(&record::Label([7; 32])).part(record::PartName::Shared).0
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_key_per_class_and_day_also_when_asked_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DayKeys::open(dir.path()).unwrap();
        let asked: Vec<_> = (0..16)
            .map(|_| {
                let keys = keys.clone();
                tokio::spawn(async move { keys.get(CLASS, ExpiryDay(30), 20).await })
            })
            .collect();
        let mut ids = Vec::new();
        for one in asked {
            ids.push(key_id(&one.await.unwrap().unwrap()));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        let other_class = keys.get(RetentionClass::Eu12m, ExpiryDay(30), 20).await.unwrap();
        let other_day = keys.get(CLASS, ExpiryDay(31), 20).await.unwrap();
        assert_ne!(key_id(&other_class), ids[0]);
        assert_ne!(key_id(&other_day), ids[0]);
        let again = DayKeys::open(dir.path()).unwrap();
        assert_eq!(key_id(&again.existing(CLASS, ExpiryDay(30), 20).unwrap()), ids[0]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[tokio::test]
    async fn a_key_is_there_up_to_its_day_and_never_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DayKeys::open(dir.path()).unwrap();
        for day in [20, 21] {
            keys.get(CLASS, ExpiryDay(day), 20).await.unwrap();
        }
        assert_eq!(keys.destroy_expired(20).unwrap(), 0);
        assert!(keys.existing(CLASS, ExpiryDay(20), 20).is_some());
        // The day has passed: nobody gets it, even before it is destroyed.
        assert!(keys.existing(CLASS, ExpiryDay(20), 21).is_none());
        assert_eq!(keys.destroy_expired(21).unwrap(), 1);
        assert!(matches!(
            keys.get(CLASS, ExpiryDay(20), 21).await,
            Err(DayKeyError::Expired)
        ));
        let again = DayKeys::open(dir.path()).unwrap();
        assert!(
            again.existing(CLASS, ExpiryDay(20), 20).is_none(),
            "it is gone for good"
        );
        assert!(again.existing(CLASS, ExpiryDay(21), 21).is_some());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_stranger_in_the_folder_is_noticed() {
        for name in ["idnrg-2y-30", "eu-12m-00000000x1", "x-0000000030"] {
            let dir = tempfile::tempdir().unwrap();
            KeyFolder::open(dir.path()).unwrap().make(name).unwrap();
            assert!(
                matches!(DayKeys::open(dir.path()), Err(DayKeyError::Stranger(_))),
                "{name}"
            );
        }
    }
}
