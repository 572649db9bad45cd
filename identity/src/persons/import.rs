//! Fills a population's store from a file, row by row.
//!
//! The file is JSON, an array of persons, one a row:
//!
//! ```json
//! {"idnr":"08214967384","family_name":"Mustermann","given_name":"Emma","date_of_birth":"1964-08-12",
//!  "postal_code":"50667","place":"Köln","blocked":false,"subject":"emma"}
//! ```
//!
//! `given_name` may be missing or empty, because not every person has one, and so may `family_name` beside a given
//! name. A date of birth of which only a part is known is written with zeros ([`text::PartialDate`]). `blocked` is an
//! Auskunftssperre (§ 51 BMG). `subject` is the login's `sub` claim at the OpenID Connect issuer.
//!
//! # Faulty rows
//!
//! A faulty row is set aside and reported with its number and field; the other persons are found as before. Persons
//! with one IDNr or one login are all set aside, because none of them is more right than another. A row that is set
//! aside still makes its name ambiguous: otherwise a fault would let a query find the one of two persons that is left.
//!
//! # Replacement
//!
//! The new store is filled beside the old one and takes its place in one step, so an import that is broken off changes
//! nothing. A running identity keeps the old store until its restart. Neither the file nor the store has to fit into
//! memory.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use record::TestNumbers;
use redb::{ReadableTable, ReadableTableMetadata as _, Table, TableDefinition, WriteTransaction};
use service::durable::sync_directory_of;
use store::TableFile;
use text::{Damage, EachRowError, Fields, JsonError, RowError, each_row};

use super::population::{META, NAMES, NOBODY, Number, PERSONS, SET_ASIDE, SUBJECTS, StoredPerson, digest, number};
use super::row::{self, PersonRow};
use crate::committer::StoreError;

/// The numbers that several rows have. Exists only during an import.
const DOUBLES: TableDefinition<'_, Number, ()> = TableDefinition::new("doubles");
/// How many bytes show whether a file is in another encoding.
const BEGINNING: u64 = 3;

/// Why a file cannot be imported. Errors give the position in the file, never personal data. The store is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is in another encoding.
    #[error("{path} {damage}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What has happened to it.
        damage: Damage,
    },
    /// The file is not a JSON array.
    #[error("the file is not a JSON array of persons: {0}")]
    Form(#[from] JsonError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(service::secret::SecretError),
    /// The new store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// The persons that can be found.
    pub persons: u64,
    /// The rows that are not used; [`super::population::Population::set_aside`] lists them.
    pub set_aside: u64,
}

/// Replaces the store at `store` by one with the persons of `file`.
///
/// # Errors
/// [`ImportError`]. A faulty row is no error.
pub fn import(file: &Path, store: &Path, test_numbers: TestNumbers) -> Result<Imported, ImportError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        |source| ImportError::File { path, source }
    };
    let mut rows = File::open(file).map_err(failed(file))?;
    let mut beginning = Vec::new();
    (&mut rows)
        .take(BEGINNING)
        .read_to_end(&mut beginning)
        .map_err(failed(file))?;
    if let Some(damage) = Damage::of_encoding(&beginning) {
        let path = file.to_path_buf();
        return Err(ImportError::Damaged { path, damage });
    }
    let mut aside = store.as_os_str().to_owned();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&aside)(error)),
        _ => {}
    }
    let imported = {
        let target = TableFile::open(&aside).map_err(StoreError::Failed)?;
        let transaction = target.begin_write().map_err(StoreError::Failed)?;
        let imported = fill(&transaction, beginning.as_slice().chain(rows), test_numbers)?;
        transaction.commit().map_err(StoreError::from)?;
        imported
    };
    std::fs::rename(&aside, store).map_err(failed(store))?;
    sync_directory_of(store).map_err(failed(store))?;
    Ok(imported)
}

fn fill(transaction: &WriteTransaction, rows: impl Read, test_numbers: TestNumbers) -> Result<Imported, ImportError> {
    let mut filling = Filling {
        persons: transaction.open_table(PERSONS).map_err(StoreError::from)?,
        names: transaction.open_table(NAMES).map_err(StoreError::from)?,
        subjects: transaction.open_table(SUBJECTS).map_err(StoreError::from)?,
        set_aside: transaction.open_table(SET_ASIDE).map_err(StoreError::from)?,
        doubles: transaction.open_table(DOUBLES).map_err(StoreError::from)?,
    };
    let read = each_row(rows, |row, fields| filling.add(row as u64, fields, test_numbers));
    read.map_err(|error| match error {
        EachRowError::Form(error) => ImportError::Form(error),
        EachRowError::Stopped(error) => ImportError::Store(error),
    })?;
    filling.separate_logins()?;
    let imported = filling.end()?;
    transaction.delete_table(DOUBLES).map_err(StoreError::from)?;
    let mut meta = transaction.open_table(META).map_err(StoreError::from)?;
    let id = service::secret::random().map_err(ImportError::Random)?;
    meta.insert(0, id).map_err(StoreError::from)?;
    Ok(imported)
}

/// The tables while they are filled.
struct Filling<'a> {
    persons: Table<'a, Number, &'static [u8]>,
    names: Table<'a, [u8; 32], Number>,
    subjects: Table<'a, &'static str, Number>,
    set_aside: Table<'a, u64, (&'static str, &'static str)>,
    doubles: Table<'a, Number, ()>,
}

impl Filling<'_> {
    fn add(&mut self, row: u64, fields: Result<Fields, RowError>, test_numbers: TestNumbers) -> Result<(), StoreError> {
        let (names, person) = match fields {
            Ok(fields) => row::read(fields, test_numbers),
            Err(error) => (None, Err(error)),
        };
        if let Some(names) = names {
            let one = person.as_ref().map_or(NOBODY, |person| number(&person.idnr));
            let names = digest(&names);
            let several = self.names.get(names)?.is_some();
            self.names.insert(names, if several { NOBODY } else { one })?;
        }
        match person {
            Ok(person) => self.add_person(row, person),
            Err(error) => self.set_aside(row, &error.field, &error.reason),
        }
    }

    /// Adds a person, unless another row has the same IDNr.
    fn add_person(&mut self, row: u64, person: PersonRow) -> Result<(), StoreError> {
        let key = number(&person.idnr);
        let first = match self.persons.remove(key)? {
            Some(stored) => Some(StoredPerson::decode(stored.value())?.row),
            None => None,
        };
        if let Some(first) = first {
            self.doubles.insert(key, ())?;
            self.set_aside_double(first, "idnr")?;
        }
        if self.doubles.get(key)?.is_some() {
            return self.set_aside_double(row, "idnr");
        }
        let stored = StoredPerson {
            given_name: person.given_name.as_str().to_owned(),
            family_name: person.family_name.as_str().to_owned(),
            born: person.date_of_birth.expose().to_owned(),
            postal_code: person.postal_code.as_str().to_owned(),
            place: person.place.as_str().to_owned(),
            blocked: person.blocked,
            subject: person.subject,
            row,
        };
        self.persons.insert(key, record::cbor::to_vec(&stored).as_slice())?;
        Ok(())
    }

    /// Gives each login its person, and sets aside all persons that share one.
    fn separate_logins(&mut self) -> Result<(), StoreError> {
        for entry in self.persons.iter()? {
            let (key, stored) = entry?;
            if let Some(subject) = StoredPerson::decode(stored.value())?.subject {
                let several = self.subjects.get(subject.as_str())?.is_some();
                let one = if several { NOBODY } else { key.value() };
                self.subjects.insert(subject.as_str(), one)?;
            }
        }
        let mut failed = Ok(());
        let (subjects, set_aside) = (&self.subjects, &mut self.set_aside);
        self.persons.retain(|key, stored| {
            let kept = keeps_login(subjects, set_aside, key, stored);
            kept.unwrap_or_else(|error| {
                failed = Err(error);
                true
            })
        })?;
        failed?;
        self.subjects.retain(|_, number| number != NOBODY)?;
        Ok(())
    }

    fn end(mut self) -> Result<Imported, StoreError> {
        let imported = Imported {
            persons: self.persons.len()?,
            set_aside: self.set_aside.len()?,
        };
        let nobody = record::cbor::to_vec(&StoredPerson::nobody());
        self.persons.insert(NOBODY, nobody.as_slice())?;
        Ok(imported)
    }

    fn set_aside_double(&mut self, row: u64, field: &str) -> Result<(), StoreError> {
        self.set_aside(row, field, "another row has the same")
    }

    fn set_aside(&mut self, row: u64, field: &str, reason: &str) -> Result<(), StoreError> {
        self.set_aside.insert(row, (field, reason))?;
        Ok(())
    }
}

/// Whether a person has a login of its own, or none. Otherwise the row is set aside.
fn keeps_login(
    subjects: &Table<'_, &'static str, Number>,
    set_aside: &mut Table<'_, u64, (&'static str, &'static str)>,
    key: Number,
    stored: &[u8],
) -> Result<bool, StoreError> {
    let person = StoredPerson::decode(stored)?;
    let Some(subject) = person.subject else {
        return Ok(true);
    };
    if subjects
        .get(subject.as_str())?
        .is_some_and(|number| number.value() == key)
    {
        return Ok(true);
    }
    set_aside.insert(person.row, ("subject", "another row has the same"))?;
    Ok(false)
}
