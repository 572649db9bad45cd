//! The consumer's request: metadata, the person sealed to identity (S1), the request sealed to the provider, and S2
//! over all of it.
//!
//! ```text
//! sealed_person  = HPKE(identity, "einsicht/person/v1",  aad = message id,   PersonQuery, 2048 bytes)
//! S1             = sign("einsicht/s1/v1", { consumer, provider, message, expires, SHA-256(sealed_person) })
//! sealed_request = HPKE(provider, "einsicht/request/v1", aad = SHA-256(CBOR S1 statement),
//!                       { salt, xml, login, power }, 4096 · 2^k)
//! S2             = sign("einsicht/s2/v1", { SHA-256(CBOR Metadata), answer key, SHA-256(sealed_request), S1 digest,
//!                       digest of the representative's S1 or null })
//! ```
//!
//! A representative has an S1 of their own, with a message id that nothing else has: identity is not told that two
//! requests belong to one exchange.

use record::{Ars, Assurance, Idnr, ParticipantId, Power, SigningKey, SubjectRole, Timestamp, VerifyingKey};
use registerlandkarte::Subject;
use serde::{Deserialize, Serialize};
use text::{PartialDate, PersonName, PlaceName, PostalCode, Reference};
use tlog::Hash;
use trust::Transmission;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::digest::sha256_of;
use crate::error::MessageError;
use crate::limits::MAX_SEALED_REQUEST;
pub use crate::limits::S1_VALIDITY;
use crate::login::LoginProof;
use crate::power::PowerProof;
use crate::seal::{self, PadTo, SealError, SealingKey, SealingPublicKey};
use crate::sign::{self, Signature};

const PERSON_INFO: &str = "einsicht/person/v1";
/// Names and place of the greatest length, in characters of three bytes, fit.
const PERSON_PAD: PadTo = PadTo::Exactly(2048);
const REQUEST_INFO: &str = "einsicht/request/v1";
const REQUEST_PAD: PadTo = PadTo::Doubling(4096);
const S1_CONTEXT: &str = "einsicht/s1/v1";
const S2_CONTEXT: &str = "einsicht/s2/v1";

/// What the broker and both connectors know of an exchange. It contains neither the person nor the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The exchange, UUIDv7.
    pub exchange: Uuid,
    /// Id of the XNachweis message (`nachrichtenUUID`). The answer has the same (TR-03190 DP.7).
    pub message: Uuid,
    /// The consumer's own reference.
    pub request_reference: Reference,
    /// W3C trace id, 32 hex digits.
    pub trace: Reference,
    /// Whether this is a test message, which must not run in production.
    pub test: bool,
    /// The consumer.
    pub consumer: ParticipantId,
    /// The provider.
    pub provider: ParticipantId,
    /// The evidence type (id of the Registerlandkarte).
    pub evidence_type: Reference,
    /// Purpose code of the Registerlandkarte.
    pub purpose: Reference,
    /// Whether the consumer identified the person by IDNr.
    pub idnr_used: bool,
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// What the evidence is about. The permission depends on it.
    pub subject: Subject,
    /// The role in the procedure of the person whom the evidence is about; never [`SubjectRole::Representative`].
    pub role: SubjectRole,
    /// By which power a representative acts for that person. The broker reads it, and learns neither person.
    pub representation: Option<Power>,
    /// The area in which the person lives, as an Amtlicher Regionalschlüssel. The consumer names it where the
    /// permission depends on it, and nowhere else: the broker reads it.
    pub place: Option<Ars>,
    /// Whether the answer must come at once. Otherwise the provider may defer it ([`crate::later`]).
    pub synchronous: bool,
    /// SHA-256(salt ‖ XML) of the request. The salt travels only inside the sealed request.
    #[serde(with = "record::bytes")]
    pub request_digest: Hash,
    /// Pseudonymous handle of the official. It goes only into the supervision's part of the record.
    pub official: Reference,
    /// The provider does not answer after this time.
    pub deadline: Timestamp,
}

impl Metadata {
    /// What a permission of the exchange depends on.
    pub fn transmission(&self) -> Transmission<'_> {
        Transmission {
            consumer: &self.consumer,
            provider: &self.provider,
            evidence_type: &self.evidence_type,
            purpose: &self.purpose,
            subject: self.subject,
            idnr: self.idnr_used,
            represented: self.representation.is_some(),
            place: self.place.as_ref(),
        }
    }

    /// SHA-256 of the deterministic CBOR, which S2 covers.
    pub fn digest(&self) -> Hash {
        sha256_of(&[&record::cbor::to_vec(self)])
    }
}

/// The person, as the consumer knows them; only identity can open it. An empty text means not given.
///
/// SPEC: § 6 IDNrG: a person is looked up by IDNr and date of birth, or by names, place, postal code and date of
/// birth. A person may have a family name or given names alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonQuery {
    /// The IDNr, if the consumer has it.
    pub idnr: Option<Idnr>,
    /// Family name.
    pub family_name: PersonName,
    /// Given names.
    pub given_name: PersonName,
    /// Date of birth, as far as it is known; always required.
    pub date_of_birth: PartialDate,
    /// Postal code of the residence.
    pub postal_code: PostalCode,
    /// Place of the residence.
    pub place: PlaceName,
}

impl std::fmt::Debug for PersonQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonQuery(redacted)")
    }
}

impl PersonQuery {
    /// Checks that the query suffices to look a person up.
    ///
    /// # Errors
    /// [`MessageError::Malformed`] with the broken rule, never with a value.
    pub fn check(&self) -> Result<(), MessageError> {
        let named = self.family_name.is_given() || self.given_name.is_given();
        let located = self.postal_code.is_given() && self.place.is_given();
        if self.idnr.is_none() && !(named && located) {
            return Err(MessageError::Malformed(
                "person: neither IDNr nor a name with postal code and place",
            ));
        }
        Ok(())
    }

    /// Seals the query to identity, bound to the message.
    ///
    /// # Errors
    /// When the query breaks a rule of [`PersonQuery::check`], or does not fit into its size class.
    pub fn seal(&self, identity: &SealingPublicKey, message: Uuid) -> Result<Vec<u8>, MessageError> {
        SubjectQuery::Natural(self.clone()).seal(identity, message)
    }
}

/// Whom an exchange is about, for identity. Of a legal person identity learns nothing, because it has no IDNr: the
/// provider alone reads which one it is, in the sealed request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectQuery {
    /// A natural person.
    Natural(PersonQuery),
    /// A legal person.
    Legal,
}

impl std::fmt::Debug for SubjectQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectQuery(redacted)")
    }
}

impl SubjectQuery {
    fn check(&self) -> Result<(), MessageError> {
        match self {
            Self::Natural(person) => person.check(),
            Self::Legal => Ok(()),
        }
    }

    /// Seals the query to identity, bound to the message. All queries have one size.
    ///
    /// # Errors
    /// When the query breaks a rule of [`PersonQuery::check`], or does not fit into its size class.
    pub fn seal(&self, identity: &SealingPublicKey, message: Uuid) -> Result<Vec<u8>, MessageError> {
        self.check()?;
        let plain = Zeroizing::new(record::cbor::to_vec(self));
        Ok(seal::seal(
            identity,
            PERSON_INFO,
            message.as_bytes(),
            &plain,
            PERSON_PAD,
        )?)
    }
}

/// The statement of S1: this consumer asks that provider about the sealed person, in this message, until this time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S1Statement {
    /// The consumer.
    pub consumer: ParticipantId,
    /// The provider.
    pub provider: ParticipantId,
    /// Id of the message.
    pub message: Uuid,
    /// End of validity, [`S1_VALIDITY`] seconds after S1 was made.
    pub expires: Timestamp,
    /// SHA-256 of the sealed person part.
    #[serde(with = "record::bytes")]
    pub sealed_person: Hash,
}

/// The first signature with what it covers. Identity sees nothing else of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S1 {
    /// The signed statement.
    pub statement: S1Statement,
    /// The person, sealed to identity.
    #[serde(with = "record::bytes")]
    pub sealed_person: Vec<u8>,
    /// By the consumer, context `einsicht/s1/v1`.
    pub signature: Signature,
}

impl S1 {
    /// Signs a statement over `sealed_person` that is valid until `now + S1_VALIDITY`.
    pub fn sign(
        key: &SigningKey,
        consumer: ParticipantId,
        provider: ParticipantId,
        message: Uuid,
        now: Timestamp,
        sealed_person: Vec<u8>,
    ) -> Self {
        let statement = S1Statement {
            consumer,
            provider,
            message,
            expires: Timestamp(now.0.saturating_add(S1_VALIDITY)),
            sealed_person: sha256_of(&[&sealed_person]),
        };
        let signature = sign::sign(key, S1_CONTEXT, &statement);
        Self {
            statement,
            sealed_person,
            signature,
        }
    }

    /// SHA-256 of the statement's deterministic CBOR. S2, the sealed request and the provider part are bound to it.
    pub fn digest(&self) -> Hash {
        sha256_of(&[&record::cbor::to_vec(&self.statement)])
    }

    /// Verifies the signature, and that the sealed person part is the signed one. Does not check the time.
    ///
    /// # Errors
    /// [`MessageError::Signature`], [`MessageError::Mismatch`].
    pub fn verify_signature(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(key, S1_CONTEXT, &self.statement, &self.signature, "S1")?;
        if sha256_of(&[&self.sealed_person]) != self.statement.sealed_person {
            return Err(MessageError::Mismatch(
                "the sealed person part is not the one that S1 covers",
            ));
        }
        Ok(())
    }

    /// Verifies signature and time: S1 is valid from 5 minutes before to 5 minutes after it was made.
    ///
    /// # Errors
    /// As [`S1::verify_signature`], and [`MessageError::Expired`].
    pub fn verify(&self, key: &VerifyingKey, now: Timestamp) -> Result<(), MessageError> {
        self.verify_signature(key)?;
        let expires = self.statement.expires.0;
        if now.0 > expires || expires.saturating_sub(now.0) > 2 * S1_VALIDITY {
            return Err(MessageError::Expired);
        }
        Ok(())
    }

    /// Opens the person part, as identity. Call only after [`S1::verify`].
    ///
    /// # Errors
    /// When the part does not open, or the query breaks a rule of [`PersonQuery::check`].
    pub fn open_subject(&self, key: &SealingKey) -> Result<SubjectQuery, MessageError> {
        let plain = seal::open(
            key,
            PERSON_INFO,
            self.statement.message.as_bytes(),
            &self.sealed_person,
            PERSON_PAD,
        )?;
        let query: SubjectQuery =
            record::cbor::from_slice(&plain).map_err(|_| MessageError::Malformed("person part"))?;
        query.check()?;
        Ok(query)
    }
}

/// The statement of S2: these metadata, this answer key and this sealed request belong to that S1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S2Statement {
    /// [`Metadata::digest`].
    #[serde(with = "record::bytes")]
    pub metadata: Hash,
    /// The public key that the answer must be sealed to, fresh for this exchange.
    pub answer_key: SealingPublicKey,
    /// SHA-256 of the sealed request.
    #[serde(with = "record::bytes")]
    pub sealed_request: Hash,
    /// [`S1::digest`].
    #[serde(with = "record::bytes")]
    pub s1: Hash,
    /// [`S1::digest`] of the representative's S1, if one acts.
    #[serde(with = "record::bytes")]
    pub representative: Option<Hash>,
}

impl S2Statement {
    /// The statement over these parts, where the person acts for themselves.
    pub fn new(metadata: &Metadata, answer_key: SealingPublicKey, sealed_request: &[u8], s1: &S1) -> Self {
        Self {
            metadata: metadata.digest(),
            answer_key,
            sealed_request: sha256_of(&[sealed_request]),
            s1: s1.digest(),
            representative: None,
        }
    }

    /// The statement with the S1 of the representative, if one acts.
    #[must_use]
    pub fn with_representative(self, representative: Option<&S1>) -> Self {
        Self {
            representative: representative.map(S1::digest),
            ..self
        }
    }

    /// Signs the statement. The signature is S2.
    pub fn sign(&self, key: &SigningKey) -> Signature {
        sign::sign(key, S2_CONTEXT, self)
    }

    /// Verifies S2.
    ///
    /// # Errors
    /// [`MessageError::Signature`].
    pub fn verify(&self, key: &VerifyingKey, signature: &Signature) -> Result<(), MessageError> {
        sign::verify(key, S2_CONTEXT, self, signature, "S2")
    }
}

/// Verifies both signatures of the consumer over everything it sent. Broker and provider both use it.
///
/// # Errors
/// [`MessageError::Signature`] names the signature that does not verify, [`MessageError::Mismatch`] the parts that do
/// not belong together. The time of S1 is not checked.
pub fn verify_consumer(
    key: &VerifyingKey,
    metadata: &Metadata,
    (s1, representative): (&S1, Option<&S1>),
    s2: &Signature,
    answer_key: SealingPublicKey,
    sealed_request: &[u8],
) -> Result<(), MessageError> {
    s1.verify_signature(key)?;
    let statement = S2Statement::new(metadata, answer_key, sealed_request, s1);
    statement.with_representative(representative).verify(key, s2)?;
    if s1.statement.message != metadata.message {
        return Err(MessageError::Mismatch("S1 and the metadata name different messages"));
    }
    is_between(&s1.statement, metadata)?;
    verify_representative(key, metadata, representative)
}

/// Whether S1 names the participants of the metadata.
fn is_between(statement: &S1Statement, metadata: &Metadata) -> Result<(), MessageError> {
    if statement.consumer == metadata.consumer && statement.provider == metadata.provider {
        Ok(())
    } else {
        Err(MessageError::Mismatch(
            "S1 and the metadata name different participants",
        ))
    }
}

/// Verifies that there is a representative's S1 if and only if the metadata name a power, and that it is a consumer's
/// of these participants, under a message id of its own.
fn verify_representative(
    key: &VerifyingKey,
    metadata: &Metadata,
    representative: Option<&S1>,
) -> Result<(), MessageError> {
    if metadata.role == SubjectRole::Representative {
        return Err(MessageError::Mismatch("the evidence is not about the representative"));
    }
    if metadata.representation.is_some() != representative.is_some() {
        return Err(MessageError::Mismatch(
            "a power needs a representative, and the other way round",
        ));
    }
    let Some(representative) = representative else {
        return Ok(());
    };
    representative.verify_signature(key)?;
    if representative.statement.message == metadata.message {
        return Err(MessageError::Mismatch("the representative's S1 has the message's id"));
    }
    is_between(&representative.statement, metadata)
}

/// The request, which only the provider can open: XNachweis 0101, the salt of its digest, and the proofs of the login
/// and of the power.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestContent {
    /// Random, so that the content cannot be guessed from the digest in the record.
    #[serde(with = "record::bytes")]
    pub salt: [u8; 32],
    /// The XNachweis message.
    #[serde(with = "record::bytes")]
    pub xml: Vec<u8>,
    /// The proof that the person had logged in. `None` where nobody had.
    pub login: Option<LoginProof>,
    /// The proof of the representative's power. `None` where the person acts for themselves.
    pub power: Option<PowerProof>,
}

impl std::fmt::Debug for RequestContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestContent(redacted)")
    }
}

impl RequestContent {
    /// SHA-256(salt ‖ XML), as in the metadata and the record.
    pub fn digest(&self) -> Hash {
        sha256_of(&[&self.salt, &self.xml])
    }

    /// Seals the request to the provider, bound to S1.
    ///
    /// # Errors
    /// When the provider's key is unusable or the request too long.
    pub fn seal(&self, provider: &SealingPublicKey, s1: &Hash) -> Result<Vec<u8>, MessageError> {
        let plain = Zeroizing::new(record::cbor::to_vec(self));
        let sealed = seal::seal(provider, REQUEST_INFO, &s1.0, &plain, REQUEST_PAD)?;
        if sealed.len() > MAX_SEALED_REQUEST {
            return Err(SealError::TooLong.into());
        }
        Ok(sealed)
    }

    /// Opens a sealed request, as the provider.
    ///
    /// # Errors
    /// When it does not open under this key and S1.
    pub fn open(sealed: &[u8], key: &SealingKey, s1: &Hash) -> Result<Self, MessageError> {
        if sealed.len() > MAX_SEALED_REQUEST {
            return Err(SealError::TooLong.into());
        }
        let plain = seal::open(key, REQUEST_INFO, &s1.0, sealed, REQUEST_PAD)?;
        record::cbor::from_slice(&plain).map_err(|_| MessageError::Malformed("sealed request"))
    }
}

/// Consumer's connector → broker, `POST /exchanges`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRequest {
    /// What the broker may know.
    pub metadata: Metadata,
    /// S1 with the person sealed to identity.
    pub s1: S1,
    /// The representative's S1, if one acts.
    pub representative: Option<S1>,
    /// S2, over metadata, answer key, sealed request and S1; context `einsicht/s2/v1`.
    pub s2: Signature,
    /// The public key that the answer must be sealed to.
    pub answer_key: SealingPublicKey,
    /// [`RequestContent`], sealed to the provider.
    #[serde(with = "record::bytes")]
    pub sealed_request: Vec<u8>,
}

impl ExchangeRequest {
    /// Verifies both signatures, the time of S1, and that all parts belong together.
    ///
    /// # Errors
    /// See [`verify_consumer`] and [`S1::verify`].
    pub fn verify(&self, key: &VerifyingKey, now: Timestamp) -> Result<(), MessageError> {
        verify_consumer(
            key,
            &self.metadata,
            (&self.s1, self.representative.as_ref()),
            &self.s2,
            self.answer_key,
            &self.sealed_request,
        )?;
        let representative = self.representative.as_ref();
        representative.map_or(Ok(()), |s1| s1.verify(key, now))?;
        self.s1.verify(key, now)
    }
}
