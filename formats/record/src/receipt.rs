//! The receipt: a proof that the log contains an entry. It is a `*.tlog-proof` file (c2sp.org/tlog-proof) that
//! carries the entry.
//!
//! Its `extra` is the CBOR array `["einsicht/entry/v1", leaf bytes]`, so the file can be verified offline without
//! other data. [`Receipt::verify`] checks the proof. Whether the writer had the right to write the entry is a
//! separate check that needs the directory ([`crate::WriterGrant::check`]).

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use tlog::policy::{Policy, WitnessCosignature};
use tlog::proof::{ProofFileError, TlogProof, Verified, VerifyError};

use crate::bytes::Form;
use crate::cbor::{self, CborError};
use crate::entry::{EntryError, SignedEntry};
use crate::time::Timestamp;

const TYPE: &str = "einsicht/entry/v1";

#[derive(Serialize, Deserialize)]
struct Extra(String, Form<Vec<u8>>);

/// Why a file is not a receipt. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// The file is not a tlog-proof.
    #[error(transparent)]
    Proof(#[from] ProofFileError),
    /// The file does not carry an entry.
    #[error("the receipt carries no entry")]
    NoEntry,
    /// The `extra` is not deterministic CBOR of the expected shape.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The carried bytes are not an entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The file does not prove that a trusted log contains the entry.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// A receipt that has been parsed but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    proof: TlogProof,
    entry: SignedEntry,
}

impl Receipt {
    /// Creates a receipt from the entry, its index, the inclusion proof and the text of the signed checkpoint.
    #[must_use]
    pub fn new(entry: SignedEntry, index: Index, hashes: Vec<Hash>, checkpoint: String) -> Self {
        let extra = cbor::to_vec(&Extra(TYPE.to_owned(), Form(entry.bytes().to_vec())));
        Self {
            proof: TlogProof {
                extra: Some(extra),
                index,
                hashes,
                checkpoint,
            },
            entry,
        }
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// Every [`ReceiptError`] except `Verify`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let proof = TlogProof::parse(bytes)?;
        let Extra(name, Form(leaf)) = cbor::from_slice(proof.extra.as_deref().ok_or(ReceiptError::NoEntry)?)?;
        if name != TYPE {
            return Err(ReceiptError::NoEntry);
        }
        Ok(Self {
            proof,
            entry: SignedEntry::parse(leaf)?,
        })
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.proof.to_text().into_bytes()
    }

    /// The index that the receipt claims for the entry.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.proof.index
    }

    /// The entry that the receipt claims to prove.
    #[must_use]
    pub const fn entry(&self) -> &SignedEntry {
        &self.entry
    }

    /// The tlog-proof.
    #[must_use]
    pub const fn proof(&self) -> &TlogProof {
        &self.proof
    }

    /// Verifies the log's signature, the cosignature of every known witness and the inclusion of the entry. The
    /// result reports whether the quorum of witnesses has cosigned; a receipt that the log has just issued has no
    /// cosignatures yet.
    ///
    /// # Errors
    /// [`ReceiptError::Verify`]
    pub fn verify(&self, policy: &Policy) -> Result<VerifiedReceipt, ReceiptError> {
        let verified = self.proof.verify(&self.entry.leaf_hash(), policy)?;
        Ok(VerifiedReceipt {
            entry: self.entry.clone(),
            verified,
        })
    }
}

/// An entry that a trusted log is proved to contain. Only [`Receipt::verify`] creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    entry: SignedEntry,
    verified: Verified,
}

impl VerifiedReceipt {
    /// The entry.
    #[must_use]
    pub const fn entry(&self) -> &SignedEntry {
        &self.entry
    }

    /// The entry's index.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.verified.index()
    }

    /// The checkpoint that the proof is for.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.verified.checkpoint()
    }

    /// Whether the policy's quorum of witnesses has cosigned that checkpoint.
    #[must_use]
    pub const fn quorum(&self) -> bool {
        self.verified.quorum()
    }

    /// The newest time that a whole quorum of the policy's witnesses states in their cosignatures of that checkpoint.
    #[must_use]
    pub fn quorum_time(&self) -> Option<Timestamp> {
        self.verified.quorum_time().map(Timestamp)
    }

    /// The cosignatures of the witnesses that have cosigned that checkpoint.
    #[must_use]
    pub fn cosignatures(&self) -> &[WitnessCosignature] {
        self.verified.cosignatures()
    }
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
