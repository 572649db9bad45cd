//! Persons: where they come from, and how a query finds exactly one of them, or nobody.
//!
//! SPEC: § 6 (3)–(5) IDNrG. A person is found by IDNr and date of birth, or by family name, given name, place,
//! postal code and date of birth. Exactly one person must match. Under an Auskunftssperre the answer must not reveal
//! whether there is a block or no data. A look-up therefore has only two results: a person, or *nobody*. The type does
//! not distinguish unknown, ambiguous and blocked persons, so no caller can tell them apart. Every query runs both
//! look-ups, and every look-up does the same work for each result.
//!
//! Names and places are compared by their search forms ([`text::compare`]); there is no other similarity. A partial
//! date of birth equals the same partial date only.
//!
//! A [`PersonSource`] answers the look-ups. [`population::Population`] is the embedded one: a store that
//! [`import::import`] fills from a file.

pub mod import;
pub mod population;
mod row;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use messages::PersonQuery;
use record::Idnr;
use text::{PartialDate, PersonName, PlaceName, PostalCode, SearchForm};

use crate::committer::StoreError;

/// Why the persons cannot be looked up. Errors contain no personal data.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SourceError {
    /// The source does not answer at present. Retryable.
    #[error("the source of persons is unavailable: {0}")]
    Unavailable(String),
    /// The source's store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of a look-up: the one person, or nobody.
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<Option<T>, SourceError>> + Send + 'a>>;

/// Where persons come from: the embedded population, or an adapter to a register of another operator.
///
/// `None` means nobody: unknown, ambiguous or blocked. A source does the same work for each of these and for a person
/// that it finds, and tells the caller no more.
pub trait PersonSource: fmt::Debug + Send + Sync + 'static {
    /// The person with this IDNr and date of birth. SPEC: § 6 (3) IDNrG. Other data of a query are ignored, because
    /// addresses and names change.
    fn by_number<'a>(&'a self, idnr: &'a Idnr, born: &'a PartialDate) -> SourceFuture<'a, Idnr>;

    /// The one person with these names, place, postal code and date of birth. SPEC: § 6 (3) IDNrG.
    fn by_names<'a>(&'a self, names: &'a NameSet) -> SourceFuture<'a, Idnr>;

    /// The person to whom this login belongs. An Auskunftssperre does not block a person's access to their own data.
    fn by_login<'a>(&'a self, subject: &'a str) -> SourceFuture<'a, RegisteredPerson>;
}

/// The one person that the query matches and that is not blocked. `None` is nobody.
///
/// # Errors
/// [`SourceError`].
pub async fn find(source: &dyn PersonSource, query: &PersonQuery) -> Result<Option<Idnr>, SourceError> {
    let (nobody, names) = (Idnr::nobody(), NameSet::of_query(query));
    let idnr = query.idnr.as_ref();
    let numbered = source.by_number(idnr.unwrap_or(&nobody), &query.date_of_birth).await?;
    let named = source.by_names(&names).await?;
    Ok(if idnr.is_some() { numbered } else { named })
}

/// A person who has logged in. `Debug` prints no personal data.
#[derive(Clone)]
pub struct RegisteredPerson {
    idnr: Idnr,
    display_name: String,
    date_of_birth: Option<PartialDate>,
}

impl RegisteredPerson {
    /// A person with a given and a family name, of which one may be empty.
    pub fn new(idnr: Idnr, given_name: &str, family_name: &str) -> Self {
        Self {
            idnr,
            display_name: format!("{given_name} {family_name}").trim().to_owned(),
            date_of_birth: None,
        }
    }

    /// The same person with the date of birth, by which a request in the person's own name finds them.
    #[must_use]
    pub fn born(self, date_of_birth: Option<PartialDate>) -> Self {
        Self { date_of_birth, ..self }
    }

    /// The date of birth. `None` if a request in the person's own name would find nobody.
    pub fn date_of_birth(&self) -> Option<PartialDate> {
        self.date_of_birth
    }

    /// The person's IDNr.
    pub fn idnr(&self) -> &Idnr {
        &self.idnr
    }

    /// Given and family name, for display to the person only.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }
}

impl fmt::Debug for RegisteredPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegisteredPerson(…)")
    }
}

/// A shared source.
impl<T: PersonSource> PersonSource for Arc<T> {
    fn by_number<'a>(&'a self, idnr: &'a Idnr, born: &'a PartialDate) -> SourceFuture<'a, Idnr> {
        (**self).by_number(idnr, born)
    }

    fn by_names<'a>(&'a self, names: &'a NameSet) -> SourceFuture<'a, Idnr> {
        (**self).by_names(names)
    }

    fn by_login<'a>(&'a self, subject: &'a str) -> SourceFuture<'a, RegisteredPerson> {
        (**self).by_login(subject)
    }
}

/// Family name, given name, postal code and place in their search forms, and the date of birth.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NameSet {
    texts: [SearchForm; 4],
    born: PartialDate,
}

impl NameSet {
    /// The names of one person.
    pub fn new(
        family_name: &PersonName,
        given_name: &PersonName,
        born: PartialDate,
        postal_code: &PostalCode,
        place: &PlaceName,
    ) -> Self {
        let texts = [family_name.into(), given_name.into(), postal_code.into(), place.into()];
        Self { texts, born }
    }

    /// The names in a query.
    pub fn of_query(query: &PersonQuery) -> Self {
        Self::new(
            &query.family_name,
            &query.given_name,
            query.date_of_birth,
            &query.postal_code,
            &query.place,
        )
    }

    /// The names as bytes; different names have different bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in &self.texts {
            add(&mut bytes, text.as_bytes());
        }
        add(&mut bytes, self.born.expose().as_bytes());
        bytes
    }
}

impl fmt::Debug for NameSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameSet(…)")
    }
}

fn add(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part);
}

/// A query in canonical form. Equal queries count towards the same quota in [`crate::state`] even if they match no
/// person.
pub(crate) fn canonical(query: &PersonQuery) -> Vec<u8> {
    let Some(idnr) = &query.idnr else {
        return NameSet::of_query(query).to_bytes();
    };
    let mut bytes = Vec::new();
    for part in ["idnr", idnr.expose(), &query.date_of_birth.expose()] {
        add(&mut bytes, part.as_bytes());
    }
    bytes
}
