//! Verifies checkpoints against a policy.

use super::{Octets, Policy};
use crate::checkpoint::{Checkpoint, CheckpointError, Origin, SignedCheckpoint};
use crate::note::{Note, SignatureLine, VerifierKey, verify_line};

/// Why a policy refuses a checkpoint. A missing quorum is not an error: see [`PolicyVerdict::quorum`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerdictError {
    /// The policy lists no log with this origin.
    #[error("the policy does not trust the log {0}")]
    UnknownLog(Origin),
    /// The checkpoint is malformed, or the signature of the log or of a known witness does not verify.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A verified cosignature by a witness of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessCosignature {
    /// The policy's name for the witness.
    pub witness: Octets,
    /// The time that the witness states, POSIX seconds; 0 states nothing about recency.
    pub timestamp: u64,
}

/// A checkpoint signed by a log of the policy, with its verified cosignatures. Only [`Policy::verify_checkpoint`] makes
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVerdict {
    signed: SignedCheckpoint,
    cosignatures: Vec<WitnessCosignature>,
    quorum: bool,
    quorum_time: Option<u64>,
    unknown: Vec<SignatureLine>,
}

impl PolicyVerdict {
    /// The tree head.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// The checkpoint with its note.
    #[must_use]
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// The verified cosignatures, at most one per witness.
    #[must_use]
    pub fn cosignatures(&self) -> &[WitnessCosignature] {
        &self.cosignatures
    }

    /// Whether the cosignatures satisfy the policy's quorum. If not, only the log vouches for the checkpoint.
    #[must_use]
    pub const fn quorum(&self) -> bool {
        self.quorum
    }

    /// The newest time (POSIX seconds) at or after which a whole quorum has cosigned. `None` without a quorum, and if
    /// no witness of the policy has cosigned. A single witness cannot move it beyond the other witnesses' times.
    #[must_use]
    pub const fn quorum_time(&self) -> Option<u64> {
        self.quorum_time
    }

    /// The lines of keys that the policy does not list.
    #[must_use]
    pub fn unknown(&self) -> &[SignatureLine] {
        &self.unknown
    }
}

impl Policy {
    /// Verifies the signature of a listed log and every line of a known witness.
    ///
    /// # Errors
    /// [`VerdictError`] when the checkpoint is malformed, belongs to an unknown log, lacks the log's signature, or has
    /// a line of a known key that does not verify.
    pub fn verify_checkpoint(&self, bytes: &[u8]) -> Result<PolicyVerdict, VerdictError> {
        let note = Note::parse(bytes).map_err(CheckpointError::from)?;
        let checkpoint: Checkpoint = note.text.parse()?;
        let log_keys = self.log_keys(&checkpoint.origin);
        if log_keys.is_empty() {
            return Err(VerdictError::UnknownLog(checkpoint.origin));
        }
        let signed = SignedCheckpoint::open(bytes, &checkpoint.origin, &log_keys)?;
        let mut cosignatures: Vec<WitnessCosignature> = Vec::new();
        let mut unknown = Vec::new();
        for line in &signed.note().signatures {
            if let Some(witness) = self.witnesses.iter().find(|witness| witness.key.matches(line)) {
                let timestamp = verify_line(&signed.note().text, line, &witness.key).map_err(CheckpointError::from)?;
                // SN-9: the first line of a key counts.
                if !cosignatures.iter().any(|other| other.witness == witness.name) {
                    cosignatures.push(WitnessCosignature {
                        witness: witness.name.clone(),
                        timestamp: timestamp.unwrap_or(0),
                    });
                }
            } else if !log_keys.iter().any(|key: &VerifierKey| key.matches(line)) {
                unknown.push(line.clone());
            }
        }
        let quorum = self.quorum_satisfied(|witness| cosignatures.iter().any(|line| line.witness == witness.name));
        Ok(PolicyVerdict {
            quorum_time: self.quorum_time(&cosignatures),
            signed,
            cosignatures,
            quorum,
            unknown,
        })
    }

    fn quorum_time(&self, cosignatures: &[WitnessCosignature]) -> Option<u64> {
        let mut times: Vec<u64> = cosignatures.iter().map(|line| line.timestamp).collect();
        times.sort_unstable();
        let stated = |witness: &Octets, from| {
            let mut lines = cosignatures.iter().filter(|line| line.timestamp >= from);
            lines.any(|line| line.witness == *witness)
        };
        let satisfied = |from: &u64| self.quorum_satisfied(|witness| stated(&witness.name, *from));
        times.into_iter().rev().find(satisfied)
    }
}
