//! The messages of one exchange between connectors, broker, identity and citizen portal.
//!
//! One exchange consists of these messages (design §6):
//!
//! ```text
//! consumer ── ExchangeRequest ─▶ broker ── LabelRequest ─▶ identity
//!                                broker ◀─ LabelAnswer ──  identity
//!                                broker ── Forward ──────▶ provider
//!                                broker ◀─ Reply ────────  provider
//! consumer ◀── Completion ─────  broker ── OutcomeNotice ▶ provider
//! consumer ── Acknowledgement ─▶ broker
//! consumer ── SignedDecision ──▶ broker                             where the permission demands a preview
//! consumer ◀── PreviewNotice ──  broker
//!                                broker ◀─ Deferral ─────  provider     where the evidence is available later
//! consumer ◀── Deferred ───────  broker
//! consumer ── Withdrawal ──────▶ broker
//! ```
//!
//! A provider that the broker cannot reach collects the calls to it ([`collection`]).
//!
//! Every message is deterministic CBOR ([`record::cbor`]). Every signature is Ed25519 over `context ‖ 0x00 ‖
//! deterministic CBOR` ([`sign`]). Everything confidential is HPKE-sealed ([`seal`]) and padded, so that the broker,
//! which carries it, learns neither content nor length.
//!
//! Recipients of the sealed parts:
//!
//! | Sealed part | Recipient | Content |
//! | --- | --- | --- |
//! | [`S1::sealed_person`](request::S1) | identity | the person, as the consumer knows them |
//! | [`sealed_request`](request::ExchangeRequest) | provider | the XNachweis request 0101, proofs of login and power |
//! | [`for_provider`](labels::LabelAnswer) | provider | IDNr, VRF proofs, chain, key of the intent's shared part |
//! | [`sealed_answer`](answer::Reply) | consumer (a key of this exchange only) | the XNachweis answer 0102 or 0103 |
//!
//! Where a person acts for another, there are two persons in one exchange. Each has an S1, a label, an intent, an
//! outcome and a part for the provider; identity sees two requests with nothing in common. S2 covers both S1.
//!
//! Bindings between the parts: S1 covers the sealed person part. S2 covers the metadata, the answer key, the sealed
//! request and S1. The provider part is bound to label, provider and S1. The request is sealed under S1's digest, the
//! answer under the message's id. Therefore parts of two exchanges can be swapped nowhere on the way.
//!
//! The `Debug` of types with personal data shows none of it.

pub mod answer;
pub mod call;
pub mod collection;
mod digest;
pub mod disclosure;
pub mod document;
mod error;
pub mod labels;
pub mod later;
pub mod limits;
pub mod login;
pub mod power;
pub mod preview;
pub mod request;
pub mod seal;
pub mod sign;
pub mod xnachweis;

pub use answer::{
    Acknowledgement, AnswerContent, AnswerResult, AnswerStatement, CheckName, Completion, FailureReason, Forward,
    OutcomeNotice, Reply, ReplyOutcome, RepresentativeForward, RepresentativeNotice,
};
pub use call::{CallCredential, CallKind};
pub use collection::{CallAnswer, CollectedCall, Collection};
pub use digest::sha256_of;
pub use disclosure::{DisclosedEntry, Disclosure, DisclosureRequest, EntryKeys, PeriodInfo};
pub use document::{DocumentError, EvidenceDocument, EvidenceForm};
pub use error::MessageError;
pub use labels::{
    ChainLink, DenialKeyRequest, LabelAnswer, LabelRequest, LinkedEntry, OutcomeKeyAnswer, OutcomeKeyRequest,
    ProviderContent, ProviderContext, ProviderPart,
};
pub use later::{Deferral, DeferralStatement, Deferred, ExchangeAnswer, ForwardAnswer, Withdrawal};
pub use login::{LoginProof, LoginRefused};
pub use power::{PowerProof, PowerRefused};
pub use preview::{PreviewNotice, PreviewStatement, SignedDecision};
pub use record::random::{RandomnessError, random};
pub use request::{ExchangeRequest, Metadata, PersonQuery, RequestContent, S1, S1Statement, S2Statement, SubjectQuery};
pub use seal::{SealingKey, SealingPublicKey};
pub use sign::Signature;

#[cfg(test)]
mod tests;
