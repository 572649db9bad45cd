//! What an entry of the log says. The crate does no I/O, reads no clock and compiles to `wasm32-unknown-unknown`, so
//! the browser checks with the same code as the server. Its only outside input is randomness, for the nonces and
//! salts of sealed records.
//!
//! | module | concept |
//! | --- | --- |
//! | [`entry`] | the public leaf: COSE_Sign1 over a deterministic CBOR map |
//! | [`sealed`], [`content`] | the sealed record: the entry's opening, encrypted and deletable, and its contents |
//! | [`label`] | labels by VRF, chains, and the absences that prove completeness |
//! | [`receipt`] | the tlog-proof that carries the entry it proves |
//! | [`submission`] | how entries travel to the ledger, and what the ledger answers |
//! | [`stored`] | how entries and their records are read together |
//! | [`genesis`], [`writer`] | the first document of a log; the rights of writers |
//! | [`time`], [`legal_day`], [`retention`] | POSIX times; days in Germany; how long records are kept |
//! | [`idnr`] | the identification number, which is never printed |
//! | [`id`], [`ars`], [`key`] | identifiers; areas; Ed25519 keys |
//! | [`padding`], [`random`] | padding of plaintexts; random bytes |
//! | [`cbor`], [`bytes`], [`sorted`] | deterministic CBOR, the encoding of byte fields, small sets |
//!
//! `docs/entry.cddl` is the normative definition of the formats. Every parser in this crate accepts exactly what the
//! matching writer produces.

pub mod ars;
pub mod bytes;
pub mod cbor;
pub mod content;
mod cose;
pub mod entry;
pub mod genesis;
pub mod id;
pub mod idnr;
mod kdf;
pub mod key;
pub mod label;
pub mod legal_day;
pub mod padding;
pub mod power;
pub mod random;
pub mod receipt;
pub mod retention;
pub mod sealed;
pub mod sorted;
pub mod stored;
pub mod submission;
pub mod time;
pub mod writer;

pub use ars::{Ars, ArsError};
pub use content::{
    Allowed, Assurance, Check, CitizenPart, ConsumerSignatures, DenialRecord, EvidenceInfo, ExchangeRecord,
    ExchangeResult, Ids, InspectionRecord, Lifecycle, Outcome, Party, PreviewDecision, PreviewResult, ReleaseRecord,
    ReleasedDatum, SharedPart, Subject, SubjectRole, SupervisionPart, VoidRecord, Why,
};
pub use entry::{
    Body, DocumentKind, Entry, EntryError, Kind, LabelledKind, NewestSets, PeriodEvent, ReferenceKind, SignedEntry,
    Unsigned, period_label, verify_each,
};
pub use genesis::{GenesisDocument, GenesisError};
pub use id::{BodyId, COUNTERS, Commitment, Counter, Label, ParticipantId, Period, Phase, Sequence, Series, WriterId};
pub use idnr::{Idnr, IdnrError, TestNumbers};
pub use key::{KeyError, PreparedKey, SignatureError, SigningKey, VerifyingKey};
pub use legal_day::{GermanTime, LegalDay, LegalDayError, Season};
pub use power::Power;
pub use receipt::{Receipt, ReceiptError, VerifiedReceipt};
pub use retention::{DisclosureClass, ExpiryDay, RetentionClass};
pub use sealed::{DayKey, Header, Opened, PartKey, PartName, Parts, RecordKey, SealedError, SealedRecord, Unsealed};
pub use sorted::Sorted;
pub use stored::StoredEntry;
pub use submission::{RefusalCode, SubmissionAnswer, SubmissionAnswerError, SubmissionError, Submitted};
pub use time::Timestamp;
pub use writer::{IdentityKeys, RightError, WriterGrant};
