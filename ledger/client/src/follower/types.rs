//! What the follower returns: errors, entries, proofs.

use std::sync::Arc;

use record::{Kind, Label, Period, Sequence, Timestamp, WriterId};
use tlog::Hash;
use tlog::merkle::Index;

use crate::trust::Head;

/// Why the follower does not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FollowerError {
    /// The log contradicts itself or its rules. Fatal until an operator acts.
    #[error("the log is broken: {0}")]
    Broken(Arc<str>),
    /// The follower could not reach the newest head. Retryable.
    #[error("the log cannot be followed at present: {0}")]
    Behind(String),
    /// The index or size is beyond the tree followed so far.
    #[error("beyond the tree followed so far")]
    OutOfTree,
    /// The process is shutting down.
    #[error("shutting down")]
    Ended,
}

/// An entry found by its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The period whose map has its label.
    pub period: Period,
    /// Its index in the log.
    pub index: Index,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Its kind.
    pub kind: Kind,
    /// Its writer's time.
    pub time: Timestamp,
    /// Its writer.
    pub writer: WriterId,
}

/// A writer's last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEntry {
    /// Its number in the chain.
    pub sequence: Sequence,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Its index in the log.
    pub index: Index,
    /// Its time.
    pub time: Timestamp,
}

/// The position that proofs for other parties are as of.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The last `map` entry in the published tree.
    pub map: Index,
    /// The published checkpoint, with the policy's quorum.
    pub published: Arc<Head>,
}

/// Which proofs a caller wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Labels to look up, by map.
    pub lookups: Vec<(Period, Vec<Label>)>,
    /// Entries to prove in the published tree, strictly ascending.
    pub entries: Vec<Index>,
}

/// The proofs.
#[derive(Debug, Clone)]
pub struct MapProofs {
    /// One proof of [`tlog::map::prove_lookups`] per lookup, under the roots in the `map` entry, or final before it.
    pub maps: Vec<Vec<u8>>,
    /// Proof of [`tlog::merkle::inclusion_batch`] in the published tree.
    pub tree: Vec<Hash>,
    /// The published checkpoint.
    pub published: Arc<Head>,
}
