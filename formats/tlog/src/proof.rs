//! Offline proofs (c2sp.org/tlog-proof): the receipt of an entry, a file `*.tlog-proof`.
//!
//! ```text
//! proof = "c2sp.org/tlog-proof@v1" LF
//!         [ "extra " base64(opaque) LF ]
//!         "index " decimal LF
//!         *( base64(hash) LF )            ; the leaf's sibling first
//!         LF
//!         checkpoint                      ; the signed note, with its cosignatures
//! ```
//!
//! * TP-1 nothing follows the checkpoint.
//! * TP-2 the index has no leading zeros and is below the size; the number of hashes is exactly that of an inclusion
//!   proof for this index and size.
//! * TP-3 `extra` has at most 48 KiB, because Go readers stop at lines of 64 KiB. It may be empty.
//! * TP-4 the application defines `extra`; a reader does not trust it until it has led to the leaf hash.
//!
//! The file does not contain the entry: the verifying caller has it, or builds it from `extra`, and passes its leaf
//! hash. Without a quorum of witnesses, only the log vouches for the entry; [`Verified::quorum`] reports this.

use core::fmt;
use core::str::FromStr;

use crate::Hash;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::encoding;
use crate::merkle::{self, Index, MAX_PROOF, ProofError};
use crate::note::{self, Note};
use crate::policy::{Policy, PolicyVerdict, VerdictError, WitnessCosignature};

/// First line of the file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most bytes of `extra` (TP-3).
pub const MAX_EXTRA: usize = 48 * 1024;

/// The most bytes of the whole file.
pub const MAX_BYTES: usize = note::MAX_BYTES + 4 * MAX_EXTRA;

/// A tlog-proof, parsed and *not* verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Bytes that the application defines, at most [`MAX_EXTRA`].
    pub extra: Option<Vec<u8>>,
    /// The entry's index.
    pub index: Index,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

/// Why a file is not a tlog-proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// The file is too long, not UTF-8, or does not have the lines of a tlog-proof.
    #[error("the file is not a tlog-proof: {0}")]
    Structure(&'static str),
    /// The index or the number of hashes breaks TP-2.
    #[error("the proof's index and hashes do not fit the checkpoint's size")]
    Shape,
    /// The checkpoint is malformed.
    #[error("the proof's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a tlog-proof does not prove the entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// No trusted log has signed the checkpoint, or a line of a known key does not verify.
    #[error(transparent)]
    Checkpoint(#[from] VerdictError),
    /// The hashes do not prove that the entry has this index in the checkpoint's tree.
    #[error("the entry is not proved to be in the log: {0}")]
    Inclusion(#[from] ProofError),
}

/// Proof that an entry is in a log. Only [`TlogProof::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    index: Index,
    verdict: PolicyVerdict,
}

impl Verified {
    /// The entry's index.
    #[must_use]
    pub const fn index(&self) -> Index {
        self.index
    }

    /// The head of the tree that contains the entry.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.verdict.checkpoint()
    }

    /// The policy's verdict on the checkpoint.
    #[must_use]
    pub const fn verdict(&self) -> &PolicyVerdict {
        &self.verdict
    }

    /// The verified cosignatures of the checkpoint.
    #[must_use]
    pub fn cosignatures(&self) -> &[WitnessCosignature] {
        self.verdict.cosignatures()
    }

    /// Whether the cosignatures satisfy the policy's quorum.
    #[must_use]
    pub const fn quorum(&self) -> bool {
        self.verdict.quorum()
    }

    /// The newest time (POSIX seconds) that a whole quorum states ([`PolicyVerdict::quorum_time`]).
    #[must_use]
    pub const fn quorum_time(&self) -> Option<u64> {
        self.verdict.quorum_time()
    }
}

impl TlogProof {
    /// Parses a file. [`to_text`](Self::to_text) writes the same bytes.
    ///
    /// # Errors
    /// [`ProofFileError`] when the bytes are not a tlog-proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        if bytes.len() > MAX_BYTES {
            return Err(ProofFileError::Structure("too long"));
        }
        let text = str::from_utf8(bytes).map_err(|_| ProofFileError::Structure("not UTF-8"))?;
        // The first blank line ends the proof; the checkpoint contains others.
        let end = text.find("\n\n").ok_or(ProofFileError::Structure("no blank line"))?;
        let checkpoint = text[end + 2..].to_owned();
        let mut lines = text[..end].split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofFileError::Structure("not of version v1"));
        }
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .map(parse_extra)
            .transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|index| encoding::from_decimal(index).ok());
        let index = index
            .and_then(|index| Index::new(index).ok())
            .ok_or(ProofFileError::Structure("no index line"))?;
        let hashes = lines
            .take(MAX_PROOF + 1)
            .map(Hash::from_base64)
            .collect::<Result<Vec<_>, _>>();
        let hashes = hashes.map_err(|_| ProofFileError::Structure("a hash is malformed"))?;
        let proof = Self {
            extra,
            index,
            hashes,
            checkpoint,
        };
        proof.check_shape()?;
        Ok(proof)
    }

    /// Writes the file. A log does this for every entry, so the text is built directly and not through a formatter.
    #[must_use]
    pub fn to_text(&self) -> String {
        let extra = self.extra.as_ref().map_or(0, Vec::len);
        let lines = extra.div_ceil(3) * 4 + 45 * self.hashes.len() + self.checkpoint.len();
        let mut text = String::with_capacity(lines + 64);
        text.push_str(HEADER);
        if let Some(extra) = &self.extra {
            text.push_str("\nextra ");
            encoding::push_base64(&mut text, extra);
        }
        text.push_str("\nindex ");
        text.push_str(&self.index.to_string());
        for hash in &self.hashes {
            text.push('\n');
            encoding::push_base64(&mut text, &hash.0);
        }
        text.push_str("\n\n");
        text.push_str(&self.checkpoint);
        text
    }

    /// Checks TP-2 and parses the checkpoint.
    fn check_shape(&self) -> Result<(), ProofFileError> {
        let note = Note::parse(self.checkpoint.as_bytes()).map_err(CheckpointError::from)?;
        let checkpoint: Checkpoint = note.text.parse()?;
        if merkle::inclusion_proof_length(self.index, checkpoint.size) == Some(self.hashes.len()) {
            Ok(())
        } else {
            Err(ProofFileError::Shape)
        }
    }

    /// Verifies that the entry with leaf hash `leaf` is in a log of the policy: checks the log's signature, every line
    /// of a known witness, and the inclusion proof. The caller decides whether it needs the quorum.
    ///
    /// # Errors
    /// [`VerifyError`] when the checkpoint or the inclusion proof does not verify.
    pub fn verify(&self, leaf: &Hash, policy: &Policy) -> Result<Verified, VerifyError> {
        let verdict = policy.verify_checkpoint(self.checkpoint.as_bytes())?;
        let Checkpoint { size, root, .. } = verdict.checkpoint();
        merkle::verify_inclusion(leaf, self.index, *size, &self.hashes, root)?;
        let index = self.index;
        Ok(Verified { index, verdict })
    }
}

fn parse_extra(line: &str) -> Result<Vec<u8>, ProofFileError> {
    let text = line.strip_prefix("extra ").unwrap_or_default();
    let extra = encoding::from_base64(text).map_err(|_| ProofFileError::Structure("extra is malformed"))?;
    if extra.len() > MAX_EXTRA {
        return Err(ProofFileError::Structure("extra is too long"));
    }
    Ok(extra)
}

impl FromStr for TlogProof {
    type Err = ProofFileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
