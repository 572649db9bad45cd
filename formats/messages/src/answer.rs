//! The forward to the provider, its reply, and the completion to the consumer.
//!
//! ```text
//! sealed_answer = HPKE(answer key, "einsicht/answer/v1", aad = message id, { salt, xml }, 16384 · 2^k; PDF: k ≥ 2)
//! signature     = sign("einsicht/answer/v1", AnswerStatement)         by the provider
//! ```
//!
//! A refusal and "nothing found" have a sealed answer of the same kind and size as evidence (XNachweis 0103), and a
//! signed statement. So the broker can record every outcome, and both parties are bound to it.

use record::{PartKey, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::digest::sha256_of;
use crate::document::EvidenceForm;
use crate::error::MessageError;
use crate::limits::MAX_SEALED_ANSWER;
use crate::request::{Metadata, S1};
use crate::seal::{self, PadTo, SealError, SealingKey, SealingPublicKey};
use crate::sign::{self, Signature};

const ANSWER_CONTEXT: &str = "einsicht/answer/v1";
const ANSWER_PAD: PadTo = PadTo::Doubling(16 * 1024);
/// Most PDF documents fit into this class. Its sizes are also those of [`ANSWER_PAD`].
const PDF_PAD: PadTo = PadTo::Doubling(64 * 1024);
const ACKNOWLEDGEMENT_CONTEXT: &str = "einsicht/acknowledgement/v1";

/// Broker → provider's connector, `POST /forward`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The metadata that the consumer signed.
    pub metadata: Metadata,
    /// The consumer's first signature.
    pub s1: S1,
    /// The consumer's second signature.
    pub s2: Signature,
    /// The public key that the answer must be sealed to.
    pub answer_key: SealingPublicKey,
    /// [`crate::RequestContent`].
    #[serde(with = "record::bytes")]
    pub sealed_request: Vec<u8>,
    /// [`crate::ProviderPart`].
    #[serde(with = "record::bytes")]
    pub for_provider: Vec<u8>,
    /// Receipt of the intent, which proves that the exchange is in the log.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Vec<u8>,
    /// The intent's sealed record.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// The same of the representative, if one acts.
    pub representative: Option<Box<RepresentativeForward>>,
}

impl Forward {
    /// The receipt of its last intent. It decides which version of directory and Registerlandkarte the checks need.
    pub fn last_receipt(&self) -> &[u8] {
        let representative = self.representative.as_ref();
        representative.map_or(&self.intent_receipt, |of| &of.intent_receipt)
    }
}

/// What a forward has of the representative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepresentativeForward {
    /// The consumer's S1 over the representative.
    pub s1: S1,
    /// [`crate::ProviderPart`] of the representative.
    #[serde(with = "record::bytes")]
    pub for_provider: Vec<u8>,
    /// Receipt of the intent under the representative's label.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Vec<u8>,
    /// That intent's sealed record.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
}

/// Outcome of a provider's reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyOutcome {
    /// The sealed answer contains evidence.
    Delivered,
    /// The register has no evidence for this person, or there is no such person.
    NothingFound,
    /// A check failed; the register was not asked.
    Refused,
    /// The register was asked, or was to be asked, and gave no usable answer; or a clock was wrong and the register was
    /// not asked.
    Failed,
    /// The forward came too late: after the deadline, or long after the intent. The register was not asked.
    TimedOut,
}

impl From<ReplyOutcome> for record::Outcome {
    fn from(outcome: ReplyOutcome) -> Self {
        match outcome {
            ReplyOutcome::Delivered => Self::Delivered,
            ReplyOutcome::NothingFound => Self::NothingFound,
            ReplyOutcome::Refused => Self::Refused,
            ReplyOutcome::Failed => Self::Failed,
            ReplyOutcome::TimedOut => Self::TimedOut,
        }
    }
}

/// The provider's checks (design §6, step 5). A refusal names the first one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckName {
    /// The intent's receipt.
    P1,
    /// The consumer's signatures.
    P2,
    /// Identity's part.
    P3,
    /// VRF proofs.
    P4,
    /// The chain.
    P5,
    /// The record.
    P6,
    /// The permission.
    P7,
    /// The deadline.
    P8,
    /// Not served before.
    P9,
    /// The person's login.
    P10,
    /// The representative's power.
    P11,
}

impl CheckName {
    /// The check's name in the design and in records: `P1` … `P11`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
            Self::P5 => "P5",
            Self::P6 => "P6",
            Self::P7 => "P7",
            Self::P8 => "P8",
            Self::P9 => "P9",
            Self::P10 => "P10",
            Self::P11 => "P11",
        }
    }
}

/// Why a provider could not answer. The record's part for the citizen has it; the requester does not receive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureReason {
    /// The register did not answer, or its answer was not valid.
    RegisterUnavailable,
    /// The register has evidence, but it is larger than an answer can carry ([`crate::limits::MAX_EVIDENCE`]).
    EvidenceTooLarge,
    /// The register has evidence, but it cannot be written into an XNachweis answer; or the request asks for a form of
    /// evidence that the provider does not have.
    EvidenceUnusable,
    /// The provider's scanner has found malware in the evidence.
    EvidenceInfected,
    /// The provider's scanner gave no clear answer.
    ScannerUnavailable,
    /// By the provider's clock the intent is from the future. A clock is wrong, and the register was not asked.
    Clock,
}

impl FailureReason {
    /// The reason's code in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegisterUnavailable => "register-unavailable",
            Self::EvidenceTooLarge => "evidence-too-large",
            Self::EvidenceUnusable => "evidence-unusable",
            Self::EvidenceInfected => "evidence-infected",
            Self::ScannerUnavailable => "scanner-unavailable",
            Self::Clock => "clock",
        }
    }
}

/// How a provider's answer ends the exchange, with the detail that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerResult {
    /// Evidence with this digest.
    Delivered(Hash),
    /// No evidence for this person.
    NothingFound,
    /// This check failed.
    Refused(CheckName),
    /// No usable answer of the register, for this reason.
    Failed(FailureReason),
    /// The forward came too late.
    TimedOut,
}

/// The statement that the provider signs about its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerStatement {
    /// Id of the answered message.
    pub message: Uuid,
    /// Index of the intent that the provider relied on.
    pub intent: u64,
    /// The outcome.
    pub outcome: ReplyOutcome,
    /// The check that failed, for [`ReplyOutcome::Refused`] only.
    pub refusal: Option<CheckName>,
    /// Why there is no answer, for [`ReplyOutcome::Failed`] only.
    pub failure: Option<FailureReason>,
    /// SHA-256 of the sealed answer.
    #[serde(with = "record::bytes")]
    pub sealed_answer: Hash,
    /// SHA-256(salt ‖ XML) of the evidence, for [`ReplyOutcome::Delivered`] only. The salt is in the sealed answer.
    #[serde(with = "record::bytes")]
    pub evidence_digest: Option<Hash>,
}

/// Provider's connector → broker: answer to [`Forward`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The signed statement.
    pub statement: AnswerStatement,
    /// [`AnswerContent`], sealed to the consumer's answer key.
    #[serde(with = "record::bytes")]
    pub sealed_answer: Vec<u8>,
    /// By the provider, context `einsicht/answer/v1`.
    pub signature: Signature,
}

impl Reply {
    /// Signs the statement over `sealed_answer`.
    pub fn sign(
        key: &SigningKey,
        (message, intent): (Uuid, u64),
        result: AnswerResult,
        sealed_answer: Vec<u8>,
    ) -> Self {
        let mut statement = AnswerStatement {
            message,
            intent,
            outcome: ReplyOutcome::TimedOut,
            refusal: None,
            failure: None,
            sealed_answer: sha256_of(&[&sealed_answer]),
            evidence_digest: None,
        };
        statement.outcome = match result {
            AnswerResult::Delivered(digest) => {
                statement.evidence_digest = Some(digest);
                ReplyOutcome::Delivered
            }
            AnswerResult::NothingFound => ReplyOutcome::NothingFound,
            AnswerResult::Refused(check) => {
                statement.refusal = Some(check);
                ReplyOutcome::Refused
            }
            AnswerResult::Failed(reason) => {
                statement.failure = Some(reason);
                ReplyOutcome::Failed
            }
            AnswerResult::TimedOut => ReplyOutcome::TimedOut,
        };
        let signature = sign::sign(key, ANSWER_CONTEXT, &statement);
        Self {
            statement,
            sealed_answer,
            signature,
        }
    }

    /// Verifies the provider's signature, the sealed answer's digest, and that the statement does not contradict
    /// itself.
    ///
    /// # Errors
    /// [`MessageError::Signature`], [`MessageError::Mismatch`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(key, ANSWER_CONTEXT, &self.statement, &self.signature, "the answer")?;
        if sha256_of(&[&self.sealed_answer]) != self.statement.sealed_answer {
            return Err(MessageError::Mismatch("the sealed answer is not the signed one"));
        }
        let statement = &self.statement;
        let details = [
            (ReplyOutcome::Refused, statement.refusal.is_some()),
            (ReplyOutcome::Failed, statement.failure.is_some()),
            (ReplyOutcome::Delivered, statement.evidence_digest.is_some()),
        ];
        if details
            .iter()
            .any(|(outcome, given)| (statement.outcome == *outcome) != *given)
        {
            return Err(MessageError::Mismatch("the answer's outcome and its details"));
        }
        Ok(())
    }
}

/// The answer, which only the consumer can open: XNachweis 0102 or 0103 and the salt of its digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerContent {
    /// Random, so that the content cannot be guessed from the digest in the record.
    #[serde(with = "record::bytes")]
    pub salt: [u8; 32],
    /// The XNachweis message.
    #[serde(with = "record::bytes")]
    pub xml: Vec<u8>,
}

impl std::fmt::Debug for AnswerContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnswerContent(redacted)")
    }
}

impl AnswerContent {
    /// SHA-256(salt ‖ XML): the evidence digest.
    pub fn digest(&self) -> Hash {
        sha256_of(&[&self.salt, &self.xml])
    }

    /// Seals the answer to the answer key, bound to the message. The answer to a request for a large form is padded to
    /// the size of that form, also without evidence.
    ///
    /// # Errors
    /// When the answer key is unusable or the answer too long.
    pub fn seal(
        &self,
        answer_key: &SealingPublicKey,
        message: Uuid,
        requested: EvidenceForm,
    ) -> Result<Vec<u8>, MessageError> {
        let pad = match requested {
            EvidenceForm::Json | EvidenceForm::Xml => ANSWER_PAD,
            EvidenceForm::Pdf => PDF_PAD,
        };
        let plain = Zeroizing::new(record::cbor::to_vec(self));
        let sealed = seal::seal(answer_key, ANSWER_CONTEXT, message.as_bytes(), &plain, pad)?;
        if sealed.len() > MAX_SEALED_ANSWER {
            return Err(SealError::TooLong.into());
        }
        Ok(sealed)
    }

    /// Opens a sealed answer, as the consumer.
    ///
    /// # Errors
    /// When it does not open under this key and message.
    pub fn open(sealed: &[u8], key: &SealingKey, message: Uuid) -> Result<Self, MessageError> {
        if sealed.len() > MAX_SEALED_ANSWER {
            return Err(SealError::TooLong.into());
        }
        let open = |pad| seal::open(key, ANSWER_CONTEXT, message.as_bytes(), sealed, pad);
        // Which size it was padded to follows from the request, which the opener may not have any more.
        let plain = match open(ANSWER_PAD) {
            Err(SealError::Padding) => open(PDF_PAD)?,
            opened => opened?,
        };
        record::cbor::from_slice(&plain).map_err(|_| MessageError::Malformed("sealed answer"))
    }
}

/// Broker → both connectors, `POST /outcome` at the provider's: the exchange is closed in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeNotice {
    /// Receipt of the intent.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Vec<u8>,
    /// Receipt of the outcome.
    #[serde(with = "record::bytes")]
    pub outcome_receipt: Vec<u8>,
    /// The outcome's sealed record.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of its shared part.
    pub shared_key: PartKey,
    /// The same of the representative, if one acts.
    pub representative: Option<Box<RepresentativeNotice>>,
}

impl OutcomeNotice {
    /// The receipt of its last entry. It decides which version of directory and Registerlandkarte the checks need.
    pub fn last_receipt(&self) -> &[u8] {
        let representative = self.representative.as_ref();
        representative.map_or(&self.outcome_receipt, |of| &of.outcome_receipt)
    }
}

/// What the notice of an outcome has of the representative.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepresentativeNotice {
    /// Receipt of the intent under the representative's label.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Vec<u8>,
    /// Receipt of the outcome that closes it.
    #[serde(with = "record::bytes")]
    pub outcome_receipt: Vec<u8>,
    /// That outcome's sealed record.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of its shared part.
    pub shared_key: PartKey,
}

/// Broker → consumer's connector: answer to [`crate::ExchangeRequest`], also for refusals and time-outs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// The closed exchange.
    pub notice: OutcomeNotice,
    /// The provider's reply, if there was one.
    pub reply: Option<Reply>,
}

/// Consumer's connector → broker, `POST /exchanges/{exchange}/acknowledgement`: the broker may forget what the consumer
/// has stored, which is the answer after an outcome, and the notice after a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The exchange.
    pub exchange: Uuid,
    /// Index of the outcome or the preview that the consumer accepted.
    pub entry: u64,
    /// By the consumer, context `einsicht/acknowledgement/v1`.
    pub signature: Signature,
}

impl Acknowledgement {
    /// Signs for this exchange and entry.
    pub fn sign(key: &SigningKey, exchange: Uuid, entry: u64) -> Self {
        let signature = sign::sign(key, ACKNOWLEDGEMENT_CONTEXT, &(exchange, entry));
        Self {
            exchange,
            entry,
            signature,
        }
    }

    /// Verifies the consumer's signature.
    ///
    /// # Errors
    /// [`MessageError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(
            key,
            ACKNOWLEDGEMENT_CONTEXT,
            &(self.exchange, self.entry),
            &self.signature,
            "the acknowledgement",
        )
    }
}
