//! Day keys: one per retention class and expiry day, each in a file of its own in `daykeys/` ([`crate::key_files`]).
//!
//! ```text
//! daykeys/CLASS-DAY.key      CLASS: idnrg-2y, eu-12m; DAY: days since 1970-01-01, ten digits
//! ```
//!
//! Every record's key derives from one of these (design §5.7). Destroying the key of a day destroys every record, copy
//! and export that expires on that day. The folder is therefore replicated, never backed up, and contains nothing else.
//!
//! A key is created on first use and is on disk before it is handed out; a crash could otherwise lose the key of a
//! sealed record. A key is destroyed in the first tick after its day has passed ([`DayKeys::destroy_expired`]) and is
//! never recreated, because a new key could not open the old records. No list of destroyed keys is kept, so a crash
//! cannot lose one: a key whose day has passed is never handed out, even before it is destroyed.
//!
//! Days are days in Germany. A key is destroyed only at a time on which several clocks agree ([`AgreedTime`]), because
//! a wrong clock would erase records that the law keeps.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use record::{DayKey, ExpiryDay, LegalDay, RetentionClass};
use service::clock::AgreedTime;

use crate::key_files::{KeyFileError, KeyFolder};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DayKeyError {
    /// The day has passed.
    #[error("the records of this day have expired")]
    Expired,
    /// A key file cannot be read, written or destroyed.
    #[error(transparent)]
    Files(#[from] KeyFileError),
    /// The folder contains a file that is not a day key. Fatal: an operator must find out where it comes from.
    #[error("{0}.key in the folder of day keys is not a day key: find out where it comes from and remove it")]
    UnknownFile(String),
    /// The task that creates a key was cancelled.
    #[error("identity is shutting down")]
    Ending,
}

type DayKeyId = (RetentionClass, ExpiryDay);

/// The folder of day keys.
#[derive(Clone, Debug)]
pub struct DayKeys {
    folder: KeyFolder,
    keys: Arc<Mutex<BTreeMap<DayKeyId, DayKey>>>,
}

impl DayKeys {
    /// Opens or creates the folder and reads its keys.
    ///
    /// # Errors
    /// [`DayKeyError`]; all of them are fatal.
    pub fn open(folder: &Path) -> Result<Self, DayKeyError> {
        let folder = KeyFolder::open(folder)?;
        let mut keys = BTreeMap::new();
        for name in folder.names()? {
            let id = parse(&name).ok_or_else(|| DayKeyError::UnknownFile(name.clone()))?;
            if let Some(key) = folder.get(&name)? {
                keys.insert(id, DayKey(*key));
            }
        }
        Ok(Self {
            folder,
            keys: Arc::new(Mutex::new(keys)),
        })
    }

    /// The key of that class and day, if it exists and the day has not passed.
    #[must_use]
    pub fn existing(&self, class: RetentionClass, day: ExpiryDay, today: LegalDay) -> Option<DayKey> {
        let keys = self.keys();
        keys.get(&(class, day)).filter(|_| !passed(day, today)).cloned()
    }

    /// The key of that class and day, created if it does not exist.
    ///
    /// # Errors
    /// [`DayKeyError::Expired`] if the day has passed; [`DayKeyError::Files`] if the key cannot be read or created.
    pub async fn get(&self, class: RetentionClass, day: ExpiryDay, today: LegalDay) -> Result<DayKey, DayKeyError> {
        if passed(day, today) {
            return Err(DayKeyError::Expired);
        }
        if let Some(key) = self.existing(class, day, today) {
            return Ok(key);
        }
        let this = self.clone();
        let make = move || {
            // Held while the file is written, so that concurrent callers create the key once.
            let mut keys = this.keys();
            let key = DayKey(*this.folder.make(&name(class, day))?);
            keys.insert((class, day), key.clone());
            Ok(key)
        };
        tokio::task::spawn_blocking(make)
            .await
            .map_err(|_| DayKeyError::Ending)?
    }

    /// Destroys the keys of all days that have passed, and returns how many.
    ///
    /// # Errors
    /// If a file cannot be destroyed. Some keys may still exist, so retry.
    pub fn destroy_expired(&self, now: &AgreedTime) -> Result<usize, DayKeyError> {
        let mut keys = self.keys();
        let expired = |day: &ExpiryDay| now.seconds() >= day.end().0;
        let expired: Vec<DayKeyId> = keys.keys().filter(|(_, day)| expired(day)).copied().collect();
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

/// Whether the day has passed. A record is kept until the end of its expiry day.
pub(crate) fn passed(day: ExpiryDay, today: LegalDay) -> bool {
    day.day() < today
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
    use std::time::Duration;

    use service::ManualClock;
    use service::clock::{CheckedClock, Confirmation, WitnessTime};

    use super::*;

    const CLASS: RetentionClass = RetentionClass::IdnrG2y;

    /// The first second of the day.
    fn at_begin_of(day: u32) -> AgreedTime {
        let clock = ManualClock::new(LegalDay(day).begin().0);
        let clock = CheckedClock::new(clock, Confirmation::After(Duration::MAX));
        clock.agreed(WitnessTime::NotRequired).unwrap()
    }

    fn key_id(key: &DayKey) -> [u8; 32] {
        key.record_key(&record::Label([7; 32])).part(record::PartName::Shared).0
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_callers_get_one_key_per_class_and_day() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DayKeys::open(dir.path()).unwrap();
        let asked: Vec<_> = (0..16)
            .map(|_| {
                let keys = keys.clone();
                tokio::spawn(async move { keys.get(CLASS, ExpiryDay(30), LegalDay(20)).await })
            })
            .collect();
        let mut ids = Vec::new();
        for one in asked {
            ids.push(key_id(&one.await.unwrap().unwrap()));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        let other_class = keys
            .get(RetentionClass::Eu12m, ExpiryDay(30), LegalDay(20))
            .await
            .unwrap();
        let other_day = keys.get(CLASS, ExpiryDay(31), LegalDay(20)).await.unwrap();
        assert_ne!(key_id(&other_class), ids[0]);
        assert_ne!(key_id(&other_day), ids[0]);
        let again = DayKeys::open(dir.path()).unwrap();
        assert_eq!(
            key_id(&again.existing(CLASS, ExpiryDay(30), LegalDay(20)).unwrap()),
            ids[0]
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[tokio::test]
    async fn a_key_exists_until_its_day_ends_and_never_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DayKeys::open(dir.path()).unwrap();
        for day in [20, 21] {
            keys.get(CLASS, ExpiryDay(day), LegalDay(20)).await.unwrap();
        }
        assert_eq!(keys.destroy_expired(&at_begin_of(20)).unwrap(), 0);
        assert!(keys.existing(CLASS, ExpiryDay(20), LegalDay(20)).is_some());
        // The day has passed: the key is not handed out, even before it is destroyed.
        assert!(keys.existing(CLASS, ExpiryDay(20), LegalDay(21)).is_none());
        assert_eq!(keys.destroy_expired(&at_begin_of(21)).unwrap(), 1);
        assert!(matches!(
            keys.get(CLASS, ExpiryDay(20), LegalDay(21)).await,
            Err(DayKeyError::Expired)
        ));
        let again = DayKeys::open(dir.path()).unwrap();
        assert!(
            again.existing(CLASS, ExpiryDay(20), LegalDay(20)).is_none(),
            "a destroyed key does not come back"
        );
        assert!(again.existing(CLASS, ExpiryDay(21), LegalDay(21)).is_some());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_unknown_file_in_the_folder_is_refused() {
        for name in ["idnrg-2y-30", "eu-12m-00000000x1", "x-0000000030"] {
            let dir = tempfile::tempdir().unwrap();
            KeyFolder::open(dir.path()).unwrap().make(name).unwrap();
            assert!(
                matches!(DayKeys::open(dir.path()), Err(DayKeyError::UnknownFile(_))),
                "{name}"
            );
        }
    }
}
