//! Broker ↔ identity: labels and keys for an exchange, and the part identity seals to the provider.
//!
//! ```text
//! for_provider = HPKE(provider, "einsicht/provider-part/v1", aad = CBOR [label, provider, S1 digest], 24 KiB exactly)
//! signature    = sign("einsicht/provider-part/v1", [label, provider, S1 digest, SHA-256(CBOR content)])
//! ```
//!
//! The size is the same for every person and for nobody (design §5.5): there is room for the longest chain
//! ([`record::label::MAX_CHAIN`]) under one checkpoint. Label, provider and S1 are in the binding *and* under the
//! signature. Therefore no one can move a part to another exchange, not even the broker together with another
//! provider.

use record::{
    DisclosureClass, ExpiryDay, Idnr, Label, PartKey, ParticipantId, Period, Phase, RecordKey, RetentionClass, Series,
    SigningKey, VerifyingKey,
};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use zeroize::Zeroizing;

use crate::digest::sha256_of;
use crate::error::MessageError;
use crate::request::S1;
use crate::seal::{self, PadTo, SealingKey, SealingPublicKey};
use crate::sign::{self, Signature};

const PART_CONTEXT: &str = "einsicht/provider-part/v1";
const PART_PAD: PadTo = PadTo::Exactly(24 * 1024);

/// Broker → identity, `POST /labels`. Identity learns nothing else about an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRequest {
    /// S1 with the person sealed to identity.
    pub s1: S1,
    /// The permission's retention class.
    pub retention: RetentionClass,
    /// The permission's disclosure class, which selects the series.
    pub disclosure: DisclosureClass,
}

/// Identity → broker: answer to [`LabelRequest`]. The same S1 gets the same labels again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelAnswer {
    /// The period of all labels of the exchange.
    pub period: Period,
    /// Label of the intent, from which those of outcome and preview follow ([`LabelAnswer::label`]).
    pub intent: Label,
    /// Key of the intent's record.
    pub intent_key: RecordKey,
    /// Key of the outcome's record, if the exchange is closed on the same day.
    pub outcome_key: RecordKey,
    /// Retention class of the keys.
    pub class: RetentionClass,
    /// Expiry day of the keys.
    pub expiry: ExpiryDay,
    /// Token for requesting the outcome's key on a later day ([`OutcomeKeyRequest`]).
    #[serde(with = "record::bytes")]
    pub token: Vec<u8>,
    /// [`ProviderPart`], sealed to the provider.
    #[serde(with = "record::bytes")]
    pub for_provider: Vec<u8>,
}

impl LabelAnswer {
    /// The label of a phase of the exchange.
    #[must_use]
    pub fn label(&self, phase: Phase) -> Label {
        record::label::of_phase(&self.intent, phase)
    }
}

/// Broker → identity, `POST /labels/outcome-key`: requests the key for a record that is closed on a later day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeKeyRequest {
    /// The token of the [`LabelAnswer`].
    #[serde(with = "record::bytes")]
    pub token: Vec<u8>,
    /// The label of the outcome or preview.
    pub label: Label,
    /// Whether it is the outcome's or the preview's label.
    pub phase: Phase,
    /// Retention class of the record.
    pub class: RetentionClass,
    /// [`S1::digest`].
    #[serde(with = "record::bytes")]
    pub s1: Hash,
}

/// Identity → broker: the record's key for today's expiry day.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeKeyAnswer {
    /// Key of the record.
    pub key: RecordKey,
    /// Retention class of the key.
    pub class: RetentionClass,
    /// Expiry day of the key.
    pub expiry: ExpiryDay,
}

/// Broker → identity, `POST /labels/denial-key`: requests the key that seals denials of this class and expiry day.
/// The answer is a [`record::DayKey`] that opens only denials of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialKeyRequest {
    /// Retention class of the denial.
    pub class: RetentionClass,
    /// Expiry day of a denial of this class made today.
    pub expiry: ExpiryDay,
}

/// An entry with the proof that it is included under the part's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkedEntry {
    /// The leaf bytes (COSE_Sign1).
    #[serde(with = "record::bytes")]
    pub leaf: Vec<u8>,
    /// Its index.
    pub index: u64,
    /// Inclusion proof, from the leaf to the checkpoint's root.
    #[serde(with = "record::bytes")]
    pub hashes: Vec<Hash>,
}

/// One earlier number of the person, whose label must be in the log (design §5.6).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainLink {
    /// The number.
    pub number: u32,
    /// VRF proof of its label.
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
    /// The intent or void that has this label.
    pub entry: LinkedEntry,
}

impl std::fmt::Debug for ChainLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainLink(redacted)")
    }
}

/// Content of the provider part, which identity discloses to the provider only.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderContent {
    /// The person, or [`Idnr::NOBODY`] (design §5.5).
    pub idnr: Idnr,
    /// Period of the label.
    pub period: Period,
    /// Series of the label, which tells whether disclosure is delayed.
    pub series: Series,
    /// The person's number i of this exchange; random for nobody.
    pub number: u32,
    /// VRF proof of the intent's label.
    #[serde(with = "record::bytes")]
    pub vrf_proof: [u8; 80],
    /// Log-signed checkpoint under which `period_begin` and the chain are included.
    #[serde(with = "record::bytes")]
    pub checkpoint: Vec<u8>,
    /// The entry that begins the period. It carries the VRF public key.
    pub period_begin: LinkedEntry,
    /// The chain of `number`, as [`record::label::chain`] orders it; empty for nobody.
    pub chain: Vec<ChainLink>,
    /// Key of the shared part of the intent's record.
    pub shared_key: PartKey,
}

impl std::fmt::Debug for ProviderContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderContent(redacted)")
    }
}

/// The exchange and recipient that a provider part is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderContext {
    /// The intent's label.
    pub label: Label,
    /// The provider whose key it is sealed to.
    pub provider: ParticipantId,
    /// [`S1::digest`].
    pub s1: Hash,
}

#[derive(Serialize)]
struct SealBinding<'a>(&'a Label, &'a ParticipantId, #[serde(with = "record::bytes")] Hash);

#[derive(Serialize)]
struct SignedBinding<'a>(
    &'a Label,
    &'a ParticipantId,
    #[serde(with = "record::bytes")] Hash,
    #[serde(with = "record::bytes")] Hash,
);

impl ProviderContext {
    fn aad(&self) -> Vec<u8> {
        record::cbor::to_vec(&SealBinding(&self.label, &self.provider, self.s1))
    }
}

/// The content, with identity's signature over it and its context.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderPart {
    /// The content.
    pub content: ProviderContent,
    /// By identity, context `einsicht/provider-part/v1`.
    pub signature: Signature,
}

impl ProviderPart {
    /// Signs `content` for `context`.
    pub fn sign(content: ProviderContent, context: &ProviderContext, key: &SigningKey) -> Self {
        let digest = Self::digest(&content);
        let signature = sign::sign(
            key,
            PART_CONTEXT,
            &SignedBinding(&context.label, &context.provider, context.s1, digest),
        );
        Self { content, signature }
    }

    /// Seals the part to the provider.
    ///
    /// # Errors
    /// When the provider's key is unusable, or the chain's proofs are longer than 24 KiB.
    pub fn seal(&self, context: &ProviderContext, provider: &SealingPublicKey) -> Result<Vec<u8>, MessageError> {
        let plain = Zeroizing::new(record::cbor::to_vec(self));
        Ok(seal::seal(provider, PART_CONTEXT, &context.aad(), &plain, PART_PAD)?)
    }

    /// Opens a sealed part. Does not check the signature; see [`ProviderPart::verify`].
    ///
    /// # Errors
    /// When it does not open under this key and context.
    pub fn open(sealed: &[u8], key: &SealingKey, context: &ProviderContext) -> Result<Self, MessageError> {
        let plain = seal::open(key, PART_CONTEXT, &context.aad(), sealed, PART_PAD)?;
        record::cbor::from_slice(&plain).map_err(|_| MessageError::Malformed("provider part"))
    }

    /// Verifies identity's signature over content and context.
    ///
    /// # Errors
    /// [`MessageError::Signature`].
    pub fn verify(&self, context: &ProviderContext, key: &VerifyingKey) -> Result<(), MessageError> {
        let digest = Self::digest(&self.content);
        let signed = SignedBinding(&context.label, &context.provider, context.s1, digest);
        sign::verify(key, PART_CONTEXT, &signed, &self.signature, "the provider part")
    }

    fn digest(content: &ProviderContent) -> Hash {
        sha256_of(&[&Zeroizing::new(record::cbor::to_vec(content))])
    }
}
