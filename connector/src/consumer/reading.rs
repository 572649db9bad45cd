//! Reads the parts of an authority's query: persons, texts, the proof of a login.

use messages::{LoginProof, MessageError, PersonQuery};
use record::{Idnr, TestNumbers, Timestamp};
use registerlandkarte::NotCompetent;
use service::Problem;
use text::{DateError, FieldError, TextError};
use tlog::Hash;

use super::query::{EvidenceQuery, Person};

/// Why a query is refused. The authority receives the reason, without values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The provider is not in the directory.
    #[error("the provider is not in the directory")]
    Provider,
    /// The query names neither a provider nor a place.
    #[error("name the provider, or the place whose competent register is to be asked")]
    NoProvider,
    /// No component is competent.
    #[error(transparent)]
    NotCompetent(#[from] NotCompetent),
    /// This connector's participant is not in the directory as a consumer.
    #[error("the consumer is not in the directory")]
    Consumer,
    /// The directory has no keys of identity.
    #[error("the directory has no keys of identity")]
    Identity,
    /// Everything about a person was requested in another form than JSON.
    #[error("form: everything about a person comes as json alone")]
    Form,
    /// The person's data are insufficient or malformed.
    #[error(transparent)]
    Person(#[from] MessageError),
    /// A text is not what its field may contain.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The date of birth is no date.
    #[error("person: date_of_birth {0}")]
    Date(#[from] DateError),
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        Problem::bad_request("question", error.to_string())
    }
}

/// Reads a text into the type of its field.
pub(super) fn field<T: std::str::FromStr<Err = TextError>>(field: &'static str, text: &str) -> Result<T, FieldError> {
    text.parse().map_err(|error| FieldError { field, error })
}

/// Reads a natural person.
pub(super) fn natural(person: &Person) -> Result<PersonQuery, QueryError> {
    let Person {
        idnr,
        family_name,
        given_name,
        date_of_birth,
        postal_code,
        place,
    } = person;
    let idnr = idnr
        .as_deref()
        .map(|idnr| Idnr::parse(idnr, TestNumbers::Allowed))
        .transpose()
        .map_err(|_| MessageError::Malformed("person: the IDNr is not valid"))?;
    let query = PersonQuery {
        idnr,
        family_name: field("family_name", family_name)?,
        given_name: field("given_name", given_name)?,
        date_of_birth: date_of_birth.parse()?,
        postal_code: field("postal_code", postal_code)?,
        place: field("place", place)?,
    };
    query.check()?;
    Ok(query)
}

/// The proof of a query's login, with a nonce of its own.
pub(super) fn login_proof(query: &EvidenceQuery) -> Result<Option<LoginProof>, QueryError> {
    let Some(proof) = &query.login_proof else {
        return Ok(None);
    };
    let token: Hash = proof
        .token_digest
        .parse()
        .map_err(|_| MessageError::Malformed("login_proof: the token_digest is not 64 hexadecimal digits"))?;
    let at: Timestamp = proof
        .authenticated_at
        .parse()
        .map_err(|_| MessageError::Malformed("login_proof: authenticated_at is no time in RFC 3339"))?;
    let proof = LoginProof::new(token, query.assurance, at).map_err(MessageError::from)?;
    Ok(Some(proof))
}
