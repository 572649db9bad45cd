//! Living trust: the directory and the Registerlandkarte as sequences of signed change sets. The crate does no I/O,
//! reads no clock and compiles to `wasm32-unknown-unknown`.
//!
//! | module | concept |
//! | --- | --- |
//! | [`kind`], [`key`], [`value`] | what is versioned: typed values under keys |
//! | [`authority`], [`body`], [`component`] | who signs; bodies and delegations; components |
//! | [`operation`], [`header`], [`signed`], [`change_set`] | a change set: operations, header, signatures |
//! | [`trust_map`], [`state`] | the values of a version, and how a set leads to the next one |
//! | [`refused`], [`error`] | why a set is refused |
//! | [`snapshot`], [`proof`] | all values of a version, or one, checked under a logged root |
//! | [`page`] | consecutive sets in one answer |
//! | [`limits`] | how large everything may be |
//! | [`history`] | which version was in force at an index of the log |
//! | [`base_data`] | which base data identity may release to a component |
//! | [`decision`] | whether two versions together permit an exchange, and who is competent |
//!
//! # From set to state
//!
//! Each kind has versions 1, 2, 3 …, without gaps; version 0 is empty. A change set puts and ends values and names the
//! root of the authenticated map ([`tlog::map`]) after it:
//!
//! ```text
//! key   = SHA-256(text of the key)            value = u64 version of the set that put it ‖ SHA-256(CBOR of the value)
//! ```
//!
//! So one root commits to all values and to their age, and everyone who replays the sets finds a wrong one.
//! [`TrustState::apply`] accepts a set only as a whole: its signatures by enough authorities of the state *before* it,
//! its kind, log and number, every operation, and the root. Otherwise nothing changes.
//!
//! A log's entry names the signed header by its digest, and the header names the operations. A light client with a
//! [`ValueProof`] needs the header alone.
//!
//! `docs/change-set.cddl` is the normative definition of the formats.

pub mod authority;
pub mod base_data;
pub mod body;
pub mod certificates;
pub mod change_set;
pub mod component;
pub mod decision;
pub mod endpoint;
mod error;
pub mod header;
pub mod history;
mod in_force;
mod index;
pub mod key;
pub mod kind;
pub mod limits;
mod lookup;
pub mod operation;
pub mod page;
pub mod proof;
pub mod refused;
mod relations;
pub mod signed;
pub mod snapshot;
pub mod state;
mod stored;
mod trie;
pub mod trust_map;
pub mod value;

pub use authority::{Authorities, Authority, QuorumError, SignatureProblem, SupervisionKey, Threshold, ThresholdError};
pub use base_data::{BaseDataError, BaseDataPermit};
pub use body::{Body, BodyRole, Delegation, Forms, Level};
pub use certificates::CertificateAuthorities;
pub use change_set::{ChangeSet, SignedChangeSet};
pub use component::{Ceilings, Component, ComponentState, PreviousKeys, ServedRegister};
pub use decision::{PermitError, Transmission, Versions};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::SetParseError;
pub use header::SetHeader;
pub use history::{AppliedSet, History, HistoryError, Position, RelianceError, SUPERSEDED_GRACE, WriterError};
pub use key::{DelegationId, InvalidKey, Key, Section};
pub use kind::{TrustKind, UnknownKind, Version};
pub use operation::{Operation, Operations};
pub use page::{LoggedSet, PageError, SetPage};
pub use proof::{ProofError, ProvedValue, ValueProof};
pub use record::{Ars, ArsError, BodyId};
pub use refused::{OperationProblem, SetError, SetProblem};
pub use relations::relation;
pub use signed::{CONTEXT, SetSignature, SignedHeader};
pub use snapshot::{Snapshot, SnapshotError, SnapshotHead};
pub use state::{GenesisProblem, TrustState};
pub use stored::StoredValue;
pub use trust_map::TrustMap;
pub use value::{Value, ValueError};
