//! The path from the genesis hash to the writers' rights.
//!
//! The genesis document contains the operator's key, the authorities' keys and the digest of the directory's first
//! change set. An anchor contains the signed headers of some versions of the directory, each with the receipt of its
//! entry, and values under their roots ([`trust::ValueProof`]). Its last version is the newest one: a later `map` entry
//! names it. All openings of one log share the anchor, so a page verifies it once.
//!
//! # A right at an index
//!
//! A value under the root of version `v` names the version `w` whose set has put it. The value was in force from `w` to
//! `v`, without a gap: an entry at an index `i` is permitted by it if
//!
//! ```text
//! index of w < i <= index of v + 1       or, if v is the newest,  i <= index of the `map` entry
//! ```
//!
//! because the entry that carries version `v + 1` is still judged by version `v`. The anchor must contain `w`, and
//! `v + 1` if `v` is not the newest; a right whose interval is not proved does not count. So an anchor of a log whose
//! writers have never changed has the first version and the newest one, whatever else has changed between. A key that
//! was replaced is proved in the last version that had it.
//!
//! # Authorities
//!
//! The authorities of the genesis document sign until a version of the anchor contains others, all of them with their
//! threshold. A set after such a version must be signed by the new ones.
//!
//! # What an anchor does not prove
//!
//! An anchor leaves versions out, so it rests on two rules that the ledger keeps and that followers and auditors, who
//! replay every set, check: a set is in the log once, after the version before it and signed by the authorities in
//! force there; and a `map` entry names the newest set before it. An operator who breaks a rule together with the
//! holder of an ended writer's or authority's key could stretch what that key may do, and every auditor would find the
//! entries that do it.

use serde::{Deserialize, Serialize};
use trust::ValueProof;

/// The most versions of an anchor. Writers and authorities rarely change.
pub const MAX_VERSIONS: usize = 256;

/// The most values of an anchor, in all versions together.
pub const MAX_VALUES: usize = 1024;

/// Receipts and documents that lead from the genesis hash to the writers' rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Receipt of entry 0.
    #[serde(with = "record::bytes")]
    pub genesis_receipt: Vec<u8>,
    /// The genesis document (plain CBOR).
    #[serde(with = "record::bytes")]
    pub genesis_document: Vec<u8>,
    /// Versions of the directory, ascending: the first, the newest, and those that bound the rights of writers or in
    /// which authorities changed ([`super::plan`]).
    pub versions: Vec<AnchorVersion>,
    /// Receipt of a `map` entry that names the last of them as the newest.
    #[serde(with = "record::bytes")]
    pub map_receipt: Vec<u8>,
}

/// A version of the directory in an [`Anchor`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorVersion {
    /// Receipt of the `directory` entry that carries the version's change set.
    #[serde(with = "record::bytes")]
    pub receipt: Vec<u8>,
    /// The signed header of the set.
    #[serde(with = "record::bytes")]
    pub header: Vec<u8>,
    /// Values under its root, ascending by key: writers; and all authorities with their threshold, if they have
    /// changed.
    pub values: Vec<ValueProof>,
}
