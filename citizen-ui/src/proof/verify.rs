//! Verifies one access: its opening files, and whether together they are the access that the page names.
//!
//! The server takes these steps for each access when a citizen logs in:
//!
//! 1. Parse each file.
//! 2. [`proof::opening`] verifies inclusion under the policy, the path from the genesis entry to the directory in force
//!    at the entry, the writer's right to the kind of entry, the commitment, the record, and that the entry belongs to
//!    the person.
//! 3. The entries are those that the row names.
//! 4. The entries make one access ([`Access::of`]).
//!
//! An access is proved only if all four hold. Without step 3 a page could show one access and prove another.

use proof::opening::{Anchor, Opening, Proved, ProvedAnchor, VerifyError, WriterProblem};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::policy::Policy;

use crate::proof::access::{Access, OpenedEntry};

/// The root of trust that a proof is checked against. The browser gets it from the server and compares it with what its
/// program and its device know ([`crate::proof::device`]); `verifier verify` takes it from another source.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Log key, witnesses and quorum.
    pub policy: Policy,
    /// Leaf hash of entry 0.
    pub genesis: Hash,
}

/// The text form of a [`Trust`], for islands and configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustText {
    /// The text of the policy file (c2sp.org/tlog-policy).
    pub policy: String,
    /// Leaf hash of entry 0 in 64 hexadecimal digits.
    pub genesis: String,
}

impl TrustText {
    /// Parses both parts.
    ///
    /// # Errors
    /// [`Failure::Form`] if either is malformed.
    pub fn parse(&self) -> Result<Trust, Failure> {
        Ok(Trust {
            policy: Policy::parse(self.policy.as_bytes()).map_err(|_| Failure::Form)?,
            genesis: self.genesis.parse().map_err(|_| Failure::Form)?,
        })
    }
}

/// Why an access or a list is not proved. Each variant has its own text for the citizen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// The proof could not be loaded.
    #[error("the proof could not be loaded")]
    Load,
    /// The proof is malformed.
    #[error("the proof is malformed")]
    Form,
    /// A signature, hash, key or Merkle proof does not verify.
    #[error("the proof does not verify against the log")]
    Proof,
    /// The proof is of other entries, or of entries that do not belong together.
    #[error("the proof belongs to another entry")]
    Entry,
    /// The witnesses' quorum has not cosigned.
    #[error("the witnesses' quorum has not cosigned")]
    Witnesses,
    /// The list or the proof leaves out an entry of the log.
    #[error("an entry of the log is left out")]
    Hidden,
    /// The list is too long for a proof in one file.
    #[error("the list is too long for a proof in one file")]
    TooLong,
}

/// An access whose entries have been verified.
#[derive(Clone, Debug)]
pub struct VerifiedAccess {
    /// The access.
    pub access: Access,
    /// Whether the witnesses' quorum has cosigned every checkpoint used.
    pub quorum: bool,
}

/// Verifies accesses of one log. Every opening carries the same anchor (the writers' rights), which is verified once
/// and then reused.
#[derive(Debug)]
pub struct AccessVerifier {
    trust: Trust,
    beginning: Option<(Anchor, ProvedAnchor)>,
}

impl AccessVerifier {
    /// Creates a verifier that has not verified an anchor yet.
    pub fn new(trust: Trust) -> Self {
        Self { trust, beginning: None }
    }

    /// Verifies the access that consists of the entries `expected` (log indices): one opening file each, in the same
    /// order.
    ///
    /// # Errors
    /// The first [`Failure`].
    pub fn verify(&mut self, files: &[Vec<u8>], expected: &[u64]) -> Result<VerifiedAccess, Failure> {
        if files.len() != expected.len() {
            return Err(Failure::Entry);
        }
        let mut quorum = true;
        let mut persons = Vec::with_capacity(files.len());
        let mut opened = Vec::with_capacity(files.len());
        for (file, index) in files.iter().zip(expected) {
            let opening = Opening::parse(file).map_err(|_| Failure::Form)?;
            let proved = self.verify_entry(&opening)?;
            if proved.index.get() != *index {
                return Err(Failure::Entry);
            }
            quorum &= proved.quorum;
            // Each entry must be proved to belong to a person; below, intent and outcome must have the same person and
            // number.
            persons.push(proved.person.ok_or(Failure::Proof)?);
            opened.push(OpenedEntry::of(proved));
        }
        if persons.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(Failure::Entry);
        }
        let access = Access::of(opened).map_err(|_| Failure::Entry)?;
        Ok(VerifiedAccess { access, quorum })
    }

    fn verify_entry(&mut self, opening: &Opening) -> Result<Proved, Failure> {
        // Without an anchor, neither the genesis hash nor the writer's right would be checked.
        let anchor = opening.anchor.as_ref().ok_or(Failure::Proof)?;
        let beginning = match self.beginning.take() {
            Some((known, proved)) if known == *anchor => (known, proved),
            _ => {
                let proved = anchor.verify(&self.trust.policy, Some(&self.trust.genesis));
                (anchor.clone(), proved.map_err(|_| Failure::Proof)?)
            }
        };
        let proved = opening.verify_under(&self.trust.policy, Some(&beginning.1));
        self.beginning = Some(beginning);
        proved.map_err(failure_of)
    }
}

/// The failure that the citizen reads about.
pub(crate) fn failure_of(error: VerifyError) -> Failure {
    match error {
        // No `map` entry after the entry is published yet, so nothing shows which directory was in force.
        VerifyError::Writer(WriterProblem::Beyond { .. }) => Failure::Witnesses,
        _ => Failure::Proof,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_policy_is_refused() {
        let trust = |policy: &str, genesis: &str| {
            TrustText {
                policy: policy.into(),
                genesis: genesis.into(),
            }
            .parse()
        };
        assert_eq!(trust("nonsense", &"0".repeat(64)).err(), Some(Failure::Form));
    }
}
