//! The person registry. It maps a consumer's query to exactly one person, or to nobody.
//!
//! The reference registry is one JSON file with an array of persons:
//!
//! ```json
//! {"idnr":"08214967384","family_name":"Mustermann","given_name":"Emma","date_of_birth":"1964-08-12",
//!  "postal_code":"50667","place":"Köln","blocked":false,"subject":"emma"}
//! ```
//!
//! `blocked` is an Auskunftssperre (§ 51 BMG). `subject` is the login's `sub` claim at the OpenID Connect issuer.
//!
//! SPEC: § 6 (3)–(5) IDNrG. A person is found by IDNr and date of birth, or by family name, given name, place,
//! postal code and date of birth. Exactly one person must match. Under an Auskunftssperre the answer must not reveal
//! whether there is a block or no data. A lookup therefore has only two results: a person, or *nobody*. The type does
//! not distinguish unknown, ambiguous and blocked persons, so no caller can tell them apart. Every query runs both
//! lookups, so the work is the same for every result.
//!
//! Names and places are compared case-insensitively and with white space collapsed. There is no other fuzzy matching.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use messages::PersonQuery;
use record::{Idnr, TestNumbers};
use serde::Deserialize;

/// Why the registry is unusable. Errors give the position in the file, never personal data.
#[derive(Debug, thiserror::Error)]
pub enum PersonsError {
    /// The file cannot be read.
    #[error("cannot read the person registry {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not a JSON array of persons. The parser's message may quote data, so only the position is kept.
    #[error("the person registry is not a JSON array of persons: line {line}, column {column}")]
    Parse {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A person of the registry is invalid.
    #[error("person {position} of the registry: {reason}")]
    Person {
        /// Position in the array, from 0.
        position: usize,
        /// The reason.
        reason: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryEntry {
    idnr: String,
    family_name: String,
    given_name: String,
    date_of_birth: String,
    postal_code: String,
    place: String,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    subject: Option<String>,
}

/// A person of the registry. `Debug` prints no personal data.
#[derive(Clone)]
pub struct RegisteredPerson {
    idnr: Idnr,
    given_name: String,
    family_name: String,
    date_of_birth: String,
    blocked: bool,
}

impl RegisteredPerson {
    /// The person's IDNr.
    pub fn idnr(&self) -> &Idnr {
        &self.idnr
    }

    /// Given and family name, for display to the person only.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

impl fmt::Debug for RegisteredPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(…)")
    }
}

/// All persons, indexed by IDNr, by name and by login.
pub struct PersonRegistry {
    persons: Vec<RegisteredPerson>,
    by_idnr: HashMap<String, usize>,
    by_name: HashMap<NameKey, Vec<usize>>,
    by_subject: HashMap<String, usize>,
}

/// Family name, given name, date of birth, postal code and place, normalised.
type NameKey = [String; 5];

impl fmt::Debug for PersonRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonRegistry({} persons)", self.persons.len())
    }
}

impl PersonRegistry {
    /// Reads the registry's file.
    ///
    /// # Errors
    /// If the file cannot be read, is malformed, or names an IDNr or a login twice.
    pub fn load(path: &Path, test_numbers: TestNumbers) -> Result<Self, PersonsError> {
        let text = std::fs::read(path).map_err(|source| PersonsError::Read {
            path: path.into(),
            source,
        })?;
        Self::parse(&text, test_numbers)
    }

    /// Parses the registry.
    ///
    /// # Errors
    /// As [`PersonRegistry::load`].
    pub fn parse(json: &[u8], test_numbers: TestNumbers) -> Result<Self, PersonsError> {
        let files: Vec<RegistryEntry> = serde_json::from_slice(json).map_err(|error| PersonsError::Parse {
            line: error.line(),
            column: error.column(),
        })?;
        let mut registry = Self {
            persons: Vec::with_capacity(files.len()),
            by_idnr: HashMap::new(),
            by_name: HashMap::new(),
            by_subject: HashMap::new(),
        };
        let mut subjects = HashSet::new();
        for (position, file) in files.into_iter().enumerate() {
            let refuse = |reason| PersonsError::Person { position, reason };
            if let Some(subject) = &file.subject
                && !subjects.insert(subject.clone())
            {
                return Err(refuse("another person has the same login"));
            }
            registry.add(file, test_numbers).map_err(refuse)?;
        }
        Ok(registry)
    }

    fn add(&mut self, file: RegistryEntry, test_numbers: TestNumbers) -> Result<(), &'static str> {
        let idnr = Idnr::parse(&file.idnr, test_numbers).map_err(|_| "the IDNr is not valid")?;
        if file.date_of_birth.parse::<jiff::civil::Date>().is_err() || file.date_of_birth.len() != 10 {
            return Err("the date of birth is not of the form YYYY-MM-DD");
        }
        let position = self.persons.len();
        if self.by_idnr.insert(idnr.expose().to_owned(), position).is_some() {
            return Err("another person has the same IDNr");
        }
        let key = name_key(
            &file.family_name,
            &file.given_name,
            &file.date_of_birth,
            &file.postal_code,
            &file.place,
        );
        self.by_name.entry(key).or_default().push(position);
        if let Some(subject) = file.subject {
            self.by_subject.insert(subject, position);
        }
        self.persons.push(RegisteredPerson {
            idnr,
            given_name: file.given_name,
            family_name: file.family_name,
            date_of_birth: file.date_of_birth,
            blocked: file.blocked,
        });
        Ok(())
    }

    /// The one person that the query matches and that is not blocked. `None` is nobody; see the module documentation.
    pub fn find(&self, query: &PersonQuery) -> Option<&RegisteredPerson> {
        let numbered = self.by_number(query);
        let named = self.by_names(query);
        let found = if query.idnr.is_some() { numbered } else { named };
        found.filter(|person| !person.blocked)
    }

    /// SPEC: § 6 (3) IDNrG, IDNr and date of birth. The query's other data are ignored, because addresses and names
    /// change.
    fn by_number(&self, query: &PersonQuery) -> Option<&RegisteredPerson> {
        let idnr = query.idnr.as_ref().map_or(Idnr::NOBODY, |idnr| idnr.expose());
        let person = self.persons.get(*self.by_idnr.get(idnr)?)?;
        (person.date_of_birth == query.date_of_birth.trim()).then_some(person)
    }

    /// SPEC: § 6 (3) IDNrG, family name, given name, place, postal code and date of birth.
    fn by_names(&self, query: &PersonQuery) -> Option<&RegisteredPerson> {
        let key = query_key(query);
        match self.by_name.get(&key)?.as_slice() {
            [one] => self.persons.get(*one),
            _ => None,
        }
    }

    /// The person to whom this login belongs. An Auskunftssperre does not block a person's access to their own data.
    pub fn by_subject(&self, subject: &str) -> Option<&RegisteredPerson> {
        self.persons.get(*self.by_subject.get(subject)?)
    }

    /// The number of persons.
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    /// Whether the registry is empty.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }
}

/// A query in canonical form. Equal queries count towards the same quota in [`crate::state`] even if they match no
/// person.
pub(crate) fn canonical(query: &PersonQuery) -> Vec<u8> {
    let mut bytes = Vec::new();
    let idnr = query.idnr.as_ref().map_or("", |idnr| idnr.expose());
    let by_number = [String::from("idnr"), idnr.to_owned(), fold(&query.date_of_birth)];
    let by_name = query_key(query);
    let parts: &[String] = if query.idnr.is_some() { &by_number } else { &by_name };
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

fn query_key(query: &PersonQuery) -> NameKey {
    name_key(
        &query.family_name,
        &query.given_name,
        &query.date_of_birth,
        &query.postal_code,
        &query.place,
    )
}

fn name_key(family: &str, given: &str, born: &str, postal_code: &str, place: &str) -> NameKey {
    [fold(family), fold(given), fold(born), fold(postal_code), fold(place)]
}

fn fold(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}
