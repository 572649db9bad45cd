//! The receipt: proof that an entry stands in the log. A `*.tlog-proof` file (c2sp.org/tlog-proof) that carries its entry.
//!
//! Its `extra` is the CBOR array `["einsicht/entry/v1", leaf bytes]`, so the file is enough to verify offline. What counts is
//! [`Receipt::verify`]; that the writer had the right to write the entry is a second question, for which the directory is
//! needed ([`VerifiedReceipt::check_writer`]).

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Index;
use tlog::policy::{Policy, WitnessCosignature};
use tlog::proof::{ProofFileError, TlogProof, Verified, VerifyError};

use crate::bytes::Form;
use crate::cbor::{self, CborError};
use crate::directory::{Directory, RightError, WriterGrant};
use crate::entry::{EntryError, SignedEntry};

const TYPE: &str = "einsicht/entry/v1";

#[derive(Serialize, Deserialize)]
struct Extra(String, Form<Vec<u8>>);

/// Why a file is no receipt. All of these are final.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// Not a tlog-proof.
    #[error(transparent)]
    Proof(#[from] ProofFileError),
    /// It does not carry an entry.
    #[error("the receipt carries no entry")]
    NoEntry,
    /// What it carries is not encoded as it must be.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// What it carries is no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// It does not prove that the entry stands in a trusted log.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// A receipt: parsed, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    proof: TlogProof,
    entry: SignedEntry,
}

impl Receipt {
    /// Puts a receipt together: the entry, its place, the inclusion proof and the signed checkpoint's text.
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
    /// All of [`ReceiptError`] but `Verify`.
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

    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.proof.to_text().into_bytes()
    }

    /// Where the entry is said to stand.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.proof.index
    }

    /// The entry it is said to prove.
    #[must_use]
    pub const fn entry(&self) -> &SignedEntry {
        &self.entry
    }

    /// The tlog-proof.
    #[must_use]
    pub const fn proof(&self) -> &TlogProof {
        &self.proof
    }

    /// Verifies the log's signature, every known witness's line and the inclusion of the entry. Whether the witnesses' quorum
    /// is met stands in the result: a receipt fresh from the log has none yet.
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

/// An entry that is proved to stand in a trusted log. Only [`Receipt::verify`] makes one.
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

    /// Its index.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.verified.index()
    }

    /// The checkpoint it is proved under.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.verified.checkpoint()
    }

    /// Whether the policy's quorum of witnesses has cosigned that checkpoint.
    #[must_use]
    pub const fn quorum(&self) -> bool {
        self.verified.quorum()
    }

    /// The witnesses that have.
    #[must_use]
    pub fn cosignatures(&self) -> &[WitnessCosignature] {
        self.verified.cosignatures()
    }

    /// Checks that the entry was its writer's to write, and its signature.
    ///
    /// # Errors
    /// See [`RightError`].
    pub fn check_writer<'a>(&self, directory: &'a Directory) -> Result<&'a WriterGrant, RightError> {
        directory.check_writer(&self.entry)
    }
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
