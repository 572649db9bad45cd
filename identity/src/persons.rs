//! The person registry: who is meant by a consumer's data, or nobody.
//!
//! The reference registry is one JSON file, an array of
//!
//! ```json
//! {"idnr":"08214967384","family_name":"Mustermann","given_name":"Emma","date_of_birth":"1964-08-12",
//!  "postal_code":"50667","place":"Köln","blocked":false,"subject":"emma"}
//! ```
//!
//! `blocked` is an Auskunftssperre (§ 51 BMG), `subject` the login's `sub` claim at the OpenID Connect issuer.
//!
//! SPEC: § 6 (3)–(5) IDNrG. A person is found by IDNr and date of birth, or by family name, given name, place, postal code and
//! date of birth; exactly one person must fit; under an Auskunftssperre the answer must not tell whether there is a block or no
//! data. So there are two results only: a person, or *nobody* (unknown, ambiguous, blocked: not distinguished in the type, so
//! that nothing behind this module can tell them apart). Both ways of looking up are taken for every query, so the work is the
//! same whatever comes out.
//!
//! Names and places are compared without regard to case and to repeated white space; nothing else is guessed.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use messages::PersonQuery;
use record::{Idnr, TestNumbers};
use serde::Deserialize;

/// Why the registry cannot be used. Says the place in the file, never a person's data.
#[derive(Debug, thiserror::Error)]
pub enum PersonsError {
    /// The file cannot be read.
    #[error("cannot read the person registry {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not the JSON array it must be. (The parser's own message could quote data: only the place is kept.)
    #[error("the person registry is not valid JSON of persons: line {line}, column {column}")]
    Parse {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A person cannot be taken over.
    #[error("person {position} of the registry: {reason}")]
    Person {
        /// Position in the array, from 0.
        position: usize,
        /// What is wrong.
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

/// One person. `Debug` says nothing of it.
#[derive(Clone)]
pub struct RegisteredPerson {
    idnr: Idnr,
    given_name: String,
    family_name: String,
    date_of_birth: String,
    blocked: bool,
}

impl RegisteredPerson {
    /// The person's number.
    pub fn idnr(&self) -> &Idnr {
        &self.idnr
    }

    /// Given and family name, for the person itself to read.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

impl fmt::Debug for RegisteredPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(…)")
    }
}

/// All persons, by number, by name and by login.
pub struct PersonRegistry {
    persons: Vec<RegisteredPerson>,
    by_idnr: HashMap<String, usize>,
    by_name: HashMap<NameKey, Vec<usize>>,
    by_subject: HashMap<String, usize>,
}

/// Family name, given name, date of birth, postal code, place; normalised.
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
    /// When it cannot be read, is not as the module says, or names one IDNr or login twice.
    pub fn load(path: &Path, test_numbers: TestNumbers) -> Result<Self, PersonsError> {
        let text = std::fs::read(path).map_err(|source| PersonsError::Read {
            path: path.into(),
            source,
        })?;
        Self::parse(&text, test_numbers)
    }

    /// Reads the registry from JSON.
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
                return Err(refuse("this login belongs to another person already"));
            }
            registry.add(file, test_numbers).map_err(refuse)?;
        }
        Ok(registry)
    }

    fn add(&mut self, file: RegistryEntry, test_numbers: TestNumbers) -> Result<(), &'static str> {
        let idnr = Idnr::parse(&file.idnr, test_numbers).map_err(|_| "the IDNr is not valid here")?;
        if file.date_of_birth.parse::<jiff::civil::Date>().is_err() || file.date_of_birth.len() != 10 {
            return Err("the date of birth is not a date YYYY-MM-DD");
        }
        let position = self.persons.len();
        if self.by_idnr.insert(idnr.expose().to_owned(), position).is_some() {
            return Err("this IDNr belongs to another person already");
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

    /// The one person that is meant and may be named; `None` is nobody (module comment).
    pub fn find(&self, query: &PersonQuery) -> Option<&RegisteredPerson> {
        let numbered = self.by_number(query);
        let named = self.by_names(query);
        let found = if query.idnr.is_some() { numbered } else { named };
        found.filter(|person| !person.blocked)
    }

    /// SPEC: § 6 (3) IDNrG, IDNr and date of birth. Other data of the query do not matter then: people move and marry.
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

    /// The person that this login belongs to. An Auskunftssperre does not keep anybody from the own data.
    pub fn by_subject(&self, subject: &str) -> Option<&RegisteredPerson> {
        self.persons.get(*self.by_subject.get(subject)?)
    }

    /// How many persons there are.
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }
}

/// What a query says, in one canonical form: queries for the same thing count together ([`crate::state`]'s quota) even if
/// nobody is found by them.
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
