//! The embedded source of persons: a store that holds a whole population, of which only the pages in use are in memory.
//!
//! | Table | Key | Value |
//! | --- | --- | --- |
//! | `persons` | IDNr | [`StoredPerson`]; the number of nobody has a row too |
//! | `names` | SHA-256 of a [`NameSet`] | the IDNr of the one person with these names, or the number of nobody |
//! | `subjects` | the login's `sub` claim | IDNr |
//! | `meta` | 0 | 32 random bytes of this import |
//! | `set_aside` | row of the imported file, from 1 | field and reason |
//!
//! A look-up that finds nobody reads the row of nobody, so it reads and decodes as much as one that finds a person.

use std::path::Path;

use record::Idnr;
use redb::{ReadableTableMetadata as _, TableDefinition};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::TableFile;
use text::{PartialDate, RowError, SetAside};

use super::{NameSet, PersonSource, RegisteredPerson, SourceFuture};
use crate::base_data::BaseData;
use crate::committer::StoreError;

pub(super) type Number = [u8; 11];
pub(super) const PERSONS: TableDefinition<'_, Number, &[u8]> = TableDefinition::new("persons");
pub(super) const NAMES: TableDefinition<'_, [u8; 32], Number> = TableDefinition::new("names");
pub(super) const SUBJECTS: TableDefinition<'_, &str, Number> = TableDefinition::new("subjects");
pub(super) const META: TableDefinition<'_, u8, [u8; 32]> = TableDefinition::new("meta");
pub(super) const SET_ASIDE: TableDefinition<'_, u64, (&str, &str)> = TableDefinition::new("set_aside");
pub(super) const NOBODY: Number = [b'0'; 11];

/// What is kept of a person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPerson {
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) born: String,
    pub(super) postal_code: String,
    pub(super) place: String,
    pub(super) blocked: bool,
    pub(super) subject: Option<String>,
    /// The row of the imported file.
    pub(super) row: u64,
}

impl StoredPerson {
    /// The row of nobody, as long as that of most persons.
    pub(super) fn nobody() -> Self {
        Self {
            given_name: "x".repeat(12),
            family_name: "x".repeat(12),
            born: "0000-00-00".into(),
            postal_code: "00000".into(),
            place: "x".repeat(8),
            blocked: true,
            subject: None,
            row: 0,
        }
    }

    fn base_data(self, idnr: Idnr) -> BaseData {
        BaseData {
            idnr,
            family_name: self.family_name,
            given_name: self.given_name,
            date_of_birth: self.born,
            postal_code: self.postal_code,
            place: self.place,
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        record::cbor::from_slice(bytes).map_err(|_| StoreError::Corrupt("persons"))
    }
}

/// Whom names fit.
#[derive(Debug)]
pub(crate) enum NameMatch {
    /// No person, or one with an Auskunftssperre.
    Nobody,
    /// Several persons, or rows that are set aside.
    Several,
    /// One person.
    One(BaseData),
}

/// The store of a population. `Debug` shows no person.
pub struct Population {
    file: TableFile,
}

impl std::fmt::Debug for Population {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Population(…)")
    }
}

impl Population {
    /// Opens a store that was imported.
    ///
    /// # Errors
    /// [`StoreError`], also when the file is not there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            let missing = std::io::Error::new(
                std::io::ErrorKind::NotFound,
                format!("{} does not exist: run `identity import`", path.display()),
            );
            return Err(redb::Error::Io(missing).into());
        }
        let file = TableFile::open(path).map_err(StoreError::Failed)?;
        let population = Self { file };
        population.persons()?;
        Ok(population)
    }

    /// How many persons can be found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn persons(&self) -> Result<u64, StoreError> {
        let all = self.read()?.open_table(PERSONS)?.len()?;
        Ok(all.saturating_sub(1))
    }

    /// How many rows of the imported file are not used, and the first `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_aside(&self, limit: usize) -> Result<(u64, Vec<SetAside>), StoreError> {
        let table = self.read()?.open_table(SET_ASIDE)?;
        let mut first = Vec::new();
        for entry in table.range::<u64>(..)?.take(limit) {
            let (row, error) = entry?;
            let (field, reason) = error.value();
            first.push(SetAside {
                row: usize::try_from(row.value()).unwrap_or(usize::MAX),
                error: RowError::new(field.to_owned(), reason.to_owned()),
            });
        }
        Ok((table.len()?, first))
    }

    /// Whom these names fit. Only for the first fill, which says how good a register's data are: the parties of an
    /// exchange do not learn why nobody was found.
    pub(crate) fn names(&self, names: &NameSet) -> Result<NameMatch, StoreError> {
        let table = self.read()?.open_table(NAMES)?;
        let Some(one) = table.get(digest(names))?.map(|number| number.value()) else {
            return Ok(NameMatch::Nobody);
        };
        let (number, person) = self.person(one)?;
        if number == NOBODY {
            return Ok(NameMatch::Several);
        }
        if person.blocked {
            return Ok(NameMatch::Nobody);
        }
        Ok(NameMatch::One(person.base_data(idnr(number)?)))
    }

    /// What tells this import from others.
    pub(crate) fn import_id(&self) -> Result<[u8; 32], StoreError> {
        let table = self.read()?.open_table(META)?;
        let id = table.get(0)?.map(|id| id.value());
        id.ok_or(StoreError::Corrupt("meta"))
    }

    fn read(&self) -> Result<redb::ReadTransaction, StoreError> {
        self.file.begin_read().map_err(StoreError::Failed)
    }

    /// The person with this number, or nobody.
    fn person(&self, number: Number) -> Result<(Number, StoredPerson), StoreError> {
        let table = self.read()?.open_table(PERSONS)?;
        let nobody = table.get(NOBODY)?.ok_or(StoreError::Corrupt("persons"))?;
        let (number, bytes) = match table.get(number)? {
            Some(person) => (number, person),
            None => (NOBODY, nobody),
        };
        Ok((number, StoredPerson::decode(bytes.value())?))
    }

    fn unblocked(&self, number: Number, born: Option<&PartialDate>) -> Result<Option<Idnr>, StoreError> {
        let (number, person) = self.person(number)?;
        let born_then = born.is_none_or(|born| born.expose() == person.born);
        let found = number != NOBODY && !person.blocked && born_then;
        let idnr = idnr(number)?;
        Ok(found.then_some(idnr))
    }

    fn named(&self, names: &NameSet) -> Result<Number, StoreError> {
        let table = self.read()?.open_table(NAMES)?;
        Ok(table.get(digest(names))?.map_or(NOBODY, |number| number.value()))
    }

    fn logged_in(&self, subject: &str) -> Result<Option<RegisteredPerson>, StoreError> {
        let table = self.read()?.open_table(SUBJECTS)?;
        let Some(number) = table.get(subject)?.map(|number| number.value()) else {
            return Ok(None);
        };
        let (number, person) = self.person(number)?;
        let born = Some(&person.born).filter(|_| !person.blocked);
        let registered = RegisteredPerson::new(idnr(number)?, &person.given_name, &person.family_name);
        let registered = registered.born(born.and_then(|born| born.parse().ok()));
        Ok((number != NOBODY).then_some(registered))
    }
}

impl PersonSource for Population {
    fn by_number<'a>(&'a self, idnr: &'a Idnr, born: &'a PartialDate) -> SourceFuture<'a, Idnr> {
        Box::pin(async move { Ok(self.unblocked(number(idnr), Some(born))?) })
    }

    fn by_names<'a>(&'a self, names: &'a NameSet) -> SourceFuture<'a, Idnr> {
        // The names include the date of birth.
        Box::pin(async move { Ok(self.unblocked(self.named(names)?, None)?) })
    }

    fn by_login<'a>(&'a self, subject: &'a str) -> SourceFuture<'a, RegisteredPerson> {
        Box::pin(async move { Ok(self.logged_in(subject)?) })
    }
}

pub(super) fn digest(names: &NameSet) -> [u8; 32] {
    Sha256::digest(names.to_bytes()).into()
}

pub(super) fn number(idnr: &Idnr) -> Number {
    idnr.expose().as_bytes().try_into().unwrap_or(NOBODY)
}

fn idnr(number: Number) -> Result<Idnr, StoreError> {
    let text = String::from_utf8(number.to_vec()).map_err(|_| StoreError::Corrupt("persons"))?;
    Idnr::try_from(text).map_err(|_| StoreError::Corrupt("persons"))
}
