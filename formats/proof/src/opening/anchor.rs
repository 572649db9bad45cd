//! The path from the genesis hash to the directory, which lists the writers' rights.
//!
//! The genesis document contains the operator's key and the authorities' keys. A directory is valid if an authority has
//! signed it and the log has an entry with its digest. All openings of one log share the anchor, so a page verifies it
//! once.

use record::{Body, Directory, DocumentKind, GenesisDocument, RightError, SignedEntry, VerifiedReceipt};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::checkpoint::Origin;
use tlog::policy::Policy;

use super::error::VerifyError;
use super::receipt::read_receipt;

/// Receipts and documents that lead from the genesis hash to the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Receipt of entry 0.
    #[serde(with = "record::bytes")]
    pub genesis_receipt: Vec<u8>,
    /// The genesis document (plain CBOR).
    #[serde(with = "record::bytes")]
    pub genesis_document: Vec<u8>,
    /// Receipt of a `directory` entry.
    #[serde(with = "record::bytes")]
    pub directory_receipt: Vec<u8>,
    /// The directory, signed by an authority.
    #[serde(with = "record::bytes")]
    pub directory_document: Vec<u8>,
}

/// A verified [`Anchor`]. Only [`Anchor::verify`] makes one.
#[derive(Clone, Debug)]
pub struct ProvedAnchor {
    origin: Origin,
    genesis: Hash,
    directory: Directory,
    quorum: bool,
}

impl ProvedAnchor {
    /// Origin of the log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Leaf hash of entry 0.
    #[must_use]
    pub fn genesis(&self) -> &Hash {
        &self.genesis
    }

    /// The verified directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether the policy's quorum has cosigned the checkpoints of both receipts.
    #[must_use]
    pub fn quorum(&self) -> bool {
        self.quorum
    }

    /// Checks that the directory allows the entry's writer to write this kind and that the writer has signed the entry.
    /// Returns the writer's name.
    ///
    /// # Errors
    /// [`VerifyError::Writer`] when either check fails.
    pub fn check_writer(&self, entry: &SignedEntry) -> Result<&str, VerifyError> {
        Ok(self.writer_of(entry)?)
    }

    pub(crate) fn writer_of(&self, entry: &SignedEntry) -> Result<&str, RightError> {
        Ok(&self.directory.check_writer(entry)?.name)
    }
}

impl Anchor {
    /// Verifies both receipts and both documents. `genesis` is the genesis hash, if the caller knows it from elsewhere.
    ///
    /// # Errors
    /// [`VerifyError`] for the first check that fails.
    pub fn verify(&self, policy: &Policy, genesis: Option<&Hash>) -> Result<ProvedAnchor, VerifyError> {
        let first = read_receipt(&self.genesis_receipt, policy)?;
        let document = self.open_genesis(&first, genesis)?;
        let second = read_receipt(&self.directory_receipt, policy)?;
        let directory = self.open_directory(&second, &document)?;
        Ok(ProvedAnchor {
            origin: first.checkpoint().origin.clone(),
            genesis: first.entry().leaf_hash(),
            directory,
            quorum: first.quorum() && second.quorum(),
        })
    }

    /// Checks that the receipt is of entry 0, that the entry has the expected hash and origin, and that the operator
    /// that its document names has signed it.
    fn open_genesis(&self, first: &VerifiedReceipt, genesis: Option<&Hash>) -> Result<GenesisDocument, VerifyError> {
        if first.index().get() != 0 || genesis.is_some_and(|hash| *hash != first.entry().leaf_hash()) {
            return Err(VerifyError::Genesis);
        }
        check_digest(first, DocumentKind::Genesis, &self.genesis_document)?;
        let document = GenesisDocument::parse(&self.genesis_document)
            .map_err(|_| VerifyError::Document("not a genesis document"))?;
        let of_this_log = document.origin == first.checkpoint().origin.as_str();
        if of_this_log && first.entry().verify(&document.operator).is_ok() {
            Ok(document)
        } else {
            Err(VerifyError::Genesis)
        }
    }

    /// Checks that the directory is in the same log and that an authority has signed it.
    fn open_directory(&self, receipt: &VerifiedReceipt, genesis: &GenesisDocument) -> Result<Directory, VerifyError> {
        if receipt.checkpoint().origin.as_str() != genesis.origin {
            return Err(VerifyError::Genesis);
        }
        check_digest(receipt, DocumentKind::Directory, &self.directory_document)?;
        let directory = Directory::open(&self.directory_document, &genesis.authorities)
            .map_err(|_| VerifyError::Document("not a directory signed by an authority of the genesis entry"))?;
        // The operator writes entry 1. The writer of a later directory needs the right in that directory.
        let by_operator = receipt.entry().verify(&genesis.operator).is_ok();
        if !by_operator {
            directory.check_writer(receipt.entry())?;
        }
        Ok(directory)
    }
}

/// Checks that the entry names this document, with this kind.
fn check_digest(receipt: &VerifiedReceipt, kind: DocumentKind, document: &[u8]) -> Result<(), VerifyError> {
    match &receipt.entry().entry().body {
        Body::Document { kind: named, digest } if *named == kind && *digest == Hash::of(document) => Ok(()),
        _ => Err(VerifyError::Document("not the one that its entry names")),
    }
}
