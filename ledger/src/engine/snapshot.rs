//! A durable, signed state of the log, shared by everybody who reads.

use tlog::checkpoint::{Checkpoint, Origin};
use tlog::merkle::{Index, RangeError, Size};
use tlog::note::{KeyError, NoteError, SigningKey, VerifierKey};

use super::edge::Edge;
use super::reader::TreeReader;
use super::rows::{Head, Rows};
use crate::store::StoreError;

/// Signs checkpoints of one log.
#[derive(Debug)]
pub struct Signer {
    origin: Origin,
    key: SigningKey,
    verifier: VerifierKey,
}

/// A log key cannot sign checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// It has no valid public key.
    #[error("the log's key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// It does not sign notes.
    #[error("the log's key does not sign: {0}")]
    Note(#[from] NoteError),
    /// The tree is too large.
    #[error("the tree is too large: {0}")]
    Size(#[from] RangeError),
}

impl Signer {
    /// A signer for the log whose origin is the key's name.
    pub fn new(key: SigningKey) -> Result<Self, SignerError> {
        let verifier = key.verifier_key()?;
        Ok(Self {
            origin: Origin::from(verifier.name()),
            key,
            verifier,
        })
    }

    /// The log's origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that verifies.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed checkpoint of a durable head.
    ///
    /// Ed25519 is deterministic: signing the same head again gives the same bytes.
    pub fn sign(&self, head: &Head) -> Result<String, SignerError> {
        let size = Size::new(head.size)?;
        let note = Checkpoint::new(self.origin.clone(), size, head.root).sign(&[&self.key])?;
        Ok(note.to_string())
    }
}

/// A head that is durable, its signed checkpoint, and the edge that proofs are made from.
#[derive(Debug)]
pub struct Snapshot {
    /// Size and root.
    pub head: Head,
    /// The checkpoint with the log's signature.
    pub note: String,
    /// The edge before it was trimmed: it has every node on the path of the newest entries.
    pub edge: Edge,
}

impl Snapshot {
    /// The inclusion path of `index` in the tree of `size` leaves, `size` at most this snapshot's.
    pub fn inclusion(&self, rows: &Rows, index: u64, size: u64) -> Result<Vec<tlog::Hash>, StoreError> {
        let index = Index::new(index).map_err(|error| StoreError(error.to_string()))?;
        TreeReader::new(&self.edge, rows).inclusion(index, to_size(size)?)
    }

    /// The consistency proof from `old` to `new` leaves, `new` at most this snapshot's.
    pub fn consistency(&self, rows: &Rows, old: u64, new: u64) -> Result<Vec<tlog::Hash>, StoreError> {
        TreeReader::new(&self.edge, rows).consistency(to_size(old)?, to_size(new)?)
    }
}

fn to_size(size: u64) -> Result<Size, StoreError> {
    Size::new(size).map_err(|error| StoreError(error.to_string()))
}
