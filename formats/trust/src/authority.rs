//! Who signs change sets, and how many of them must.

use std::collections::{BTreeMap, BTreeSet};

use record::{VerifyingKey, WriterId};
use serde::{Deserialize, Serialize};
use text::Title;
use thiserror::Error;

use crate::kind::TrustKind;
use crate::limits::MAX_SIGNATURES;
use crate::signed::SignedHeader;

/// An authority: a key that signs change sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// The name, for people.
    pub name: Title,
    /// The key.
    pub key: VerifyingKey,
    /// The kinds of change sets that the authority may sign.
    pub signs: BTreeSet<TrustKind>,
}

/// How many distinct authorities must sign a change set: 1 to [`MAX_SIGNATURES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Threshold(u8);

/// The number is not a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a threshold is a number from 1 to {MAX_SIGNATURES}")]
pub struct ThresholdError;

impl Threshold {
    /// Takes a number from 1 to [`MAX_SIGNATURES`].
    ///
    /// # Errors
    /// [`ThresholdError`] for other numbers.
    pub const fn new(number: u8) -> Result<Self, ThresholdError> {
        if number >= 1 && (number as usize) <= MAX_SIGNATURES {
            Ok(Self(number))
        } else {
            Err(ThresholdError)
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl TryFrom<u8> for Threshold {
    type Error = ThresholdError;

    fn try_from(number: u8) -> Result<Self, ThresholdError> {
        Self::new(number)
    }
}

impl From<Threshold> for u8 {
    fn from(threshold: Threshold) -> Self {
        threshold.0
    }
}

/// The key of supervision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisionKey {
    /// The HPKE public key (X25519).
    #[serde(with = "record::bytes")]
    pub sealing: [u8; 32],
}

/// Why a set's signatures do not suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureProblem {
    /// A signer is not an authority in force, or may not sign sets of this kind.
    #[error("the signer {0} is no authority for this kind of set")]
    UnknownAuthority(WriterId),
    /// A signature is not valid.
    #[error("the signature of the authority {0} is wrong")]
    Signature(WriterId),
    /// Fewer authorities have signed than must.
    #[error("{found} authorities have signed the set, and {needed} must")]
    TooFew {
        /// The threshold.
        needed: usize,
        /// The number of distinct authorities that signed.
        found: usize,
    },
}

/// Fewer authorities may sign a kind than must sign, so that kind could never change again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{found} authorities may sign sets of the {kind}, and {needed} must sign each")]
pub struct QuorumError {
    /// The kind that could not change.
    pub kind: TrustKind,
    /// The threshold.
    pub needed: usize,
    /// How many authorities may sign the kind.
    pub found: usize,
}

/// The authorities in force and their threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    keys: BTreeMap<WriterId, (VerifyingKey, BTreeSet<TrustKind>)>,
    threshold: Threshold,
}

impl Authorities {
    /// The authorities that the genesis document names. They may sign both kinds.
    ///
    /// # Errors
    /// [`QuorumError`] when there are fewer distinct keys than must sign.
    pub fn genesis(keys: &[VerifyingKey], threshold: Threshold) -> Result<Self, QuorumError> {
        let signs = BTreeSet::from(TrustKind::ALL);
        Self::new(keys.iter().map(|key| (*key, signs.clone())), threshold)
    }

    /// Authorities and their threshold, as values of one version of a directory.
    ///
    /// # Errors
    /// [`QuorumError`] when fewer may sign a kind than must sign.
    pub fn in_force(authorities: &[Authority], threshold: Threshold) -> Result<Self, QuorumError> {
        let keys = authorities.iter();
        Self::new(
            keys.map(|authority| (authority.key, authority.signs.clone())),
            threshold,
        )
    }

    pub(crate) fn new(
        keys: impl Iterator<Item = (VerifyingKey, BTreeSet<TrustKind>)>,
        threshold: Threshold,
    ) -> Result<Self, QuorumError> {
        let mut by_id = BTreeMap::new();
        by_id.extend(keys.map(|(key, signs)| (key.id(), (key, signs))));
        let keys = by_id;
        for kind in TrustKind::ALL {
            let found = keys.values().filter(|(_, signs)| signs.contains(&kind)).count();
            if found < threshold.get() {
                return Err(QuorumError {
                    kind,
                    needed: threshold.get(),
                    found,
                });
            }
        }
        Ok(Self { keys, threshold })
    }

    /// How many must sign.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The key of an authority that may sign sets of this kind.
    #[must_use]
    pub fn key(&self, id: &WriterId, kind: TrustKind) -> Option<&VerifyingKey> {
        let (key, signs) = self.keys.get(id)?;
        signs.contains(&kind).then_some(key)
    }

    /// Verifies all signatures of a header. A signature that is not valid or not by an authority is refused even
    /// if enough others are valid, so that a log has no signature of a set that was not checked.
    ///
    /// # Errors
    /// See [`SignatureProblem`].
    pub fn verify(&self, signed: &SignedHeader) -> Result<(), SignatureProblem> {
        let kind = signed.header().kind;
        for signature in signed.signatures() {
            let id = signature.authority;
            let key = self.key(&id, kind).ok_or(SignatureProblem::UnknownAuthority(id))?;
            if !signed.is_signed_by(key, signature) {
                return Err(SignatureProblem::Signature(id));
            }
        }
        // The signers are distinct, because a header with two signatures by one key is not parsed.
        let (needed, found) = (self.threshold.get(), signed.signatures().len());
        if found < needed {
            return Err(SignatureProblem::TooFew { needed, found });
        }
        Ok(())
    }
}
