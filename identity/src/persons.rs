//! The person registry. It maps a consumer's query to exactly one person, or to nobody.
//!
//! The reference registry is one JSON file with an array of persons, one a row:
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
//! SPEC: § 6 (3)–(5) IDNrG. A person is found by IDNr and date of birth, or by family name, given name, place,
//! postal code and date of birth. Exactly one person must match. Under an Auskunftssperre the answer must not reveal
//! whether there is a block or no data. A lookup therefore has only two results: a person, or *nobody*. The type does
//! not distinguish unknown, ambiguous and blocked persons, so no caller can tell them apart. Every query runs both
//! lookups, so the work is the same for every result.
//!
//! Names and places are compared by their search forms ([`text::compare`]); there is no other similarity. A partial
//! date of birth equals the same partial date only.
//!
//! # Faulty rows
//!
//! A faulty row is set aside and reported with its number and field; the other persons are found as before. Persons
//! with one IDNr or one login are all set aside, because none of them is more right than another. A row that is set
//! aside still makes its name ambiguous: otherwise a fault would let a query find the one of two persons that is left.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use messages::PersonQuery;
use record::{Idnr, TestNumbers};
use text::{Fields, JsonError, PartialDate, PersonName, PlaceName, PostalCode, RowError, Rows, SearchForm, SetAside};

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
    /// The file is not a JSON array.
    #[error("the person registry is not a JSON array of persons: {0}")]
    Form(#[from] JsonError),
}

/// A person of the registry. `Debug` prints no personal data.
#[derive(Clone)]
pub struct RegisteredPerson {
    idnr: Idnr,
    given_name: PersonName,
    family_name: PersonName,
    date_of_birth: PartialDate,
    blocked: bool,
}

impl RegisteredPerson {
    /// The person's IDNr.
    pub fn idnr(&self) -> &Idnr {
        &self.idnr
    }

    /// Given and family name, for display to the person only.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given_name.as_str(), self.family_name.as_str())
            .trim()
            .to_owned()
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
    by_name: HashMap<NameKey, Match>,
    by_subject: HashMap<String, usize>,
    set_aside: Vec<SetAside>,
}

/// The persons of one name.
#[derive(Clone, Copy)]
enum Match {
    One(usize),
    /// Several, or only rows that are set aside.
    Ambiguous,
}

/// Family name, given name, postal code and place in their search forms, and the date of birth.
#[derive(Clone, PartialEq, Eq, Hash)]
struct NameKey {
    texts: [SearchForm; 4],
    born: PartialDate,
}

impl NameKey {
    fn new(
        family_name: &PersonName,
        given_name: &PersonName,
        born: PartialDate,
        postal_code: &PostalCode,
        place: &PlaceName,
    ) -> Self {
        let texts = [family_name.into(), given_name.into(), postal_code.into(), place.into()];
        Self { texts, born }
    }

    fn of_query(query: &PersonQuery) -> Self {
        Self::new(
            &query.family_name,
            &query.given_name,
            query.date_of_birth,
            &query.postal_code,
            &query.place,
        )
    }
}

/// A row of the registry.
struct PersonRow {
    person: RegisteredPerson,
    name: NameKey,
    subject: Option<String>,
}

impl PersonRow {
    /// Reads a row. A row with a readable name is counted in `names` even if it is faulty.
    fn read(
        mut fields: Fields,
        test_numbers: TestNumbers,
        names: &mut HashMap<NameKey, usize>,
    ) -> Result<Self, RowError> {
        let family_name: PersonName = fields.parse_optional("family_name")?.unwrap_or_default();
        let given_name: PersonName = fields.parse_optional("given_name")?.unwrap_or_default();
        let date_of_birth = fields.parse("date_of_birth")?;
        let postal_code = fields.parse("postal_code")?;
        let place = fields.parse("place")?;
        let name = NameKey::new(&family_name, &given_name, date_of_birth, &postal_code, &place);
        *names.entry(name.clone()).or_default() += 1;
        if !family_name.is_given() && !given_name.is_given() {
            return Err(RowError::new("family_name", "the person has no name"));
        }
        let idnr = fields.text("idnr")?;
        let idnr = Idnr::parse(&idnr, test_numbers).map_err(|_| RowError::new("idnr", "is not a valid IDNr"))?;
        let blocked = fields.flag("blocked")?;
        let subject = fields.optional_text("subject")?;
        fields.end()?;
        let person = RegisteredPerson {
            idnr,
            given_name,
            family_name,
            date_of_birth,
            blocked,
        };
        Ok(Self { person, name, subject })
    }
}

impl fmt::Debug for PersonRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonRegistry({} persons)", self.persons.len())
    }
}

impl PersonRegistry {
    /// Reads the registry's file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a JSON array. A faulty person is no error; see
    /// [`PersonRegistry::set_aside`].
    pub fn load(path: &Path, test_numbers: TestNumbers) -> Result<Self, PersonsError> {
        let text = service::text_file::read(path).map_err(|source| PersonsError::Read {
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
        let mut names = HashMap::new();
        let mut rows = Rows::of_array(json, |fields| PersonRow::read(fields, test_numbers, &mut names))?;
        rows.set_aside_doubles("idnr", |row| Some(row.person.idnr.expose().to_owned()));
        rows.set_aside_doubles("subject", |row| row.subject.clone());
        let mut registry = Self {
            persons: Vec::with_capacity(rows.sound.len()),
            by_idnr: HashMap::new(),
            by_name: names.keys().map(|name| (name.clone(), Match::Ambiguous)).collect(),
            by_subject: HashMap::new(),
            set_aside: rows.set_aside,
        };
        for (_, row) in rows.sound {
            if names.get(&row.name) == Some(&1) {
                registry.by_name.insert(row.name, Match::One(registry.persons.len()));
            }
            registry.add(row.person, row.subject);
        }
        Ok(registry)
    }

    fn add(&mut self, person: RegisteredPerson, subject: Option<String>) {
        let position = self.persons.len();
        self.by_idnr.insert(person.idnr.expose().to_owned(), position);
        if let Some(subject) = subject {
            self.by_subject.insert(subject, position);
        }
        self.persons.push(person);
    }

    /// The rows that are not used, in the order of the file.
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
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
        (person.date_of_birth == query.date_of_birth).then_some(person)
    }

    /// SPEC: § 6 (3) IDNrG, family name, given name, place, postal code and date of birth.
    fn by_names(&self, query: &PersonQuery) -> Option<&RegisteredPerson> {
        match self.by_name.get(&NameKey::of_query(query))? {
            Match::One(one) => self.persons.get(*one),
            Match::Ambiguous => None,
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
    let mut add = |part: &[u8]| {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    };
    let key = NameKey::of_query(query);
    match &query.idnr {
        Some(idnr) => {
            add(b"idnr");
            add(idnr.expose().as_bytes());
        }
        None => key.texts.iter().for_each(|text| add(text.as_bytes())),
    }
    add(key.born.expose().as_bytes());
    bytes
}
