//! Who acts for the person of a query, and by which power.

use messages::xnachweis::Representative;
use messages::{MessageError, PersonQuery, PowerProof, S1, SealingPublicKey};
use record::{Assurance, IdentityKeys, LegalDay, SigningKey, SubjectRole, Timestamp};
use service::Problem;
use uuid::Uuid;

use super::query::{EvidenceQuery, RepresentativeQuery};
use super::reading::{QueryError, login_proof, natural};

/// The representative of a query.
pub(super) struct QueryRepresentative {
    person: PersonQuery,
    pub(super) power: PowerProof,
}

impl QueryRepresentative {
    /// Reads the representative of a query, if one acts.
    pub(super) fn read(query: &EvidenceQuery) -> Result<Option<Self>, QueryError> {
        if query.role == SubjectRole::Representative {
            return Err(malformed(
                "role: the evidence is about the person; name who acts in `representative`",
            ));
        }
        let Some(representative) = &query.representative else {
            return Ok(None);
        };
        if query.legal_person.is_some() {
            return Err(malformed(
                "representative: a legal person is named without who acts for it",
            ));
        }
        Ok(Some(Self {
            person: natural(&representative.person)?,
            power: power(representative)?,
        }))
    }

    /// The representative in the XNachweis request.
    pub(super) fn of_message(&self, assurance: Assurance) -> Box<Representative> {
        let PersonQuery {
            date_of_birth,
            family_name,
            given_name,
            idnr,
            ..
        } = self.person.clone();
        Box::new(Representative {
            idnr,
            ..Representative::new(date_of_birth, family_name, given_name, assurance)
        })
    }

    /// Signs the representative's S1, beside the S1 of the represented person. It has a message id of its own, so that
    /// identity is not told which two requests belong together.
    pub(super) fn sign(
        &self,
        key: &SigningKey,
        identity: &IdentityKeys,
        beside: &S1,
        now: Timestamp,
    ) -> Result<S1, MessageError> {
        let message = Uuid::new_v4();
        let sealed = self.person.seal(&SealingPublicKey(identity.sealing), message)?;
        let (consumer, provider) = (beside.statement.consumer.clone(), beside.statement.provider.clone());
        Ok(S1::sign(key, consumer, provider, message, now, sealed))
    }
}

fn malformed(why: &'static str) -> QueryError {
    MessageError::Malformed(why).into()
}

fn power(query: &RepresentativeQuery) -> Result<PowerProof, QueryError> {
    let day = |text: &str, why| text.parse::<LegalDay>().map_err(|_| malformed(why));
    let until = query.valid_until.as_deref();
    Ok(PowerProof {
        power: query.power,
        document: query
            .document_digest
            .parse()
            .map_err(|_| malformed("representative: the document_digest is not 64 hexadecimal digits"))?,
        from: day(
            &query.valid_from,
            "representative: valid_from is no day like 2026-11-21",
        )?,
        until: until
            .map(|text| day(text, "representative: valid_until is no day like 2026-11-21"))
            .transpose()?,
    })
}

/// Checks that a query by a representative proves that they have logged in, and that their power is valid and suits the
/// represented person. The provider checks the same.
///
/// # Errors
/// 400, with the reason.
pub(crate) fn require_power(query: &EvidenceQuery, now: Timestamp) -> Result<(), Problem> {
    let Some(representative) = QueryRepresentative::read(query)? else {
        return Ok(());
    };
    let logged_in = login_proof(query)?.is_some_and(|proof| proof.check(now).is_ok());
    if !logged_in {
        return Err(Problem::bad_request(
            "login-required",
            "a representative acts: name the proof of their login, of the last three hours and of level substantial or \
             high",
        ));
    }
    let person = query.person.as_ref().map(natural).transpose()?;
    let person = person.ok_or_else(|| Problem::bad_request("question", "representative: no person is represented"))?;
    let checked = representative.power.check(person.date_of_birth, now);
    checked.map_err(|refused| Problem::bad_request("power", refused.to_string()))
}
