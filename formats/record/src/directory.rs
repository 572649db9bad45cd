//! The participants' directory: who may write which kinds, and whose keys are whose. Signed by an authority, logged by a
//! `directory` entry.
//!
//! Who holds a right holds it by key: two writers or two participants with one key would be one, so keys are unique in the
//! directory, as names are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cbor::{self, CborError};
use crate::content::Party;
use crate::document::{DocumentError, SignedDocument};
use crate::entry::{Kind, SignedEntry};
use crate::id::{ParticipantId, WriterId};
use crate::key::{SigningKey, VerifyingKey};
use crate::time::Timestamp;

/// A version of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// From 1, each version one more.
    pub version: u32,
    /// From when on it is the directory.
    pub valid_from: Timestamp,
    /// Who may write what.
    pub writers: Vec<WriterGrant>,
    /// Who may ask and who may be asked.
    pub participants: Vec<Participant>,
    /// Keys of identity.
    pub identity: IdentityKeys,
    /// HPKE public key of supervision (X25519).
    #[serde(with = "crate::bytes")]
    pub supervision: [u8; 32],
}

/// A writer's right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriterGrant {
    /// For people: `broker`, `identity`, `ledger`, `operator`.
    pub name: String,
    /// Signs the entries.
    pub key: VerifyingKey,
    /// What it may write.
    pub kinds: Vec<Kind>,
}

/// A participant: an authority's component with its connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Who it is.
    pub party: Party,
    /// Signs S1 and S2, or the answer.
    pub signing_key: VerifyingKey,
    /// HPKE public key (X25519) that requests are sealed to.
    #[serde(with = "crate::bytes")]
    pub sealing_key: [u8; 32],
    /// Whether it may ask.
    pub consumer: bool,
    /// Whether it may be asked.
    pub provider: bool,
}

/// Keys of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityKeys {
    /// Signs what identity seals to providers.
    pub signing: VerifyingKey,
    /// HPKE public key (X25519) that persons are sealed to.
    #[serde(with = "crate::bytes")]
    pub sealing: [u8; 32],
}

/// Why a directory is not accepted. All of these are final.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// The signed document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The payload.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Two writers share a name or a key.
    #[error("two writers share a name or a key")]
    Writers,
    /// Two participants share an id or a signing key.
    #[error("two participants share an id or a key")]
    Participants,
}

/// Why an entry is not its writer's to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RightError {
    /// No such writer in the directory.
    #[error("the writer {0} is not in the directory")]
    UnknownWriter(WriterId),
    /// The writer may not write this kind.
    #[error("the writer {writer} may not write entries of the kind {kind}")]
    Kind {
        /// Who wrote.
        writer: WriterId,
        /// What.
        kind: Kind,
    },
    /// The entry's signature does not fit.
    #[error("the entry's signature is not that of the writer {0}")]
    Signature(WriterId),
}

impl Directory {
    /// Reads a signed directory, verifies its authority's signature and checks names and keys.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    pub fn open(bytes: &[u8], authorities: &[VerifyingKey]) -> Result<Self, DirectoryError> {
        let document = SignedDocument::open(bytes, authorities)?;
        let directory: Self = cbor::from_slice(document.payload())?;
        directory.check()?;
        Ok(directory)
    }

    /// Checks and signs a directory.
    ///
    /// # Errors
    /// [`DirectoryError::Writers`], [`DirectoryError::Participants`]
    pub fn sign(&self, authority: &SigningKey) -> Result<SignedDocument, DirectoryError> {
        self.check()?;
        Ok(SignedDocument::sign(cbor::to_vec(self), authority))
    }

    fn check(&self) -> Result<(), DirectoryError> {
        let writers = &self.writers;
        if !unique(writers.iter().map(|grant| &grant.name)) || !unique(writers.iter().map(|grant| grant.key.id())) {
            return Err(DirectoryError::Writers);
        }
        let participants = &self.participants;
        if !unique(participants.iter().map(|participant| &participant.party.id))
            || !unique(participants.iter().map(|participant| participant.signing_key.id()))
        {
            return Err(DirectoryError::Participants);
        }
        Ok(())
    }

    /// The writer of an id.
    #[must_use]
    pub fn writer(&self, id: &WriterId) -> Option<&WriterGrant> {
        self.writers.iter().find(|grant| grant.key.id() == *id)
    }

    /// The writer of a name.
    #[must_use]
    pub fn writer_named(&self, name: &str) -> Option<&WriterGrant> {
        self.writers.iter().find(|grant| grant.name == name)
    }

    /// The participant of an id.
    #[must_use]
    pub fn participant(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.party.id == *id)
    }

    /// The participant of an id, if it may ask.
    #[must_use]
    pub fn consumer(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participant(id).filter(|participant| participant.consumer)
    }

    /// The participant of an id, if it may be asked.
    #[must_use]
    pub fn provider(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participant(id).filter(|participant| participant.provider)
    }

    /// Checks that an entry is by a writer of this directory, of a kind it may write, and signed by it.
    ///
    /// # Errors
    /// See [`RightError`].
    pub fn check_writer(&self, entry: &SignedEntry) -> Result<&WriterGrant, RightError> {
        let writer = entry.entry().writer;
        let kind = entry.entry().body.kind();
        let grant = self.writer(&writer).ok_or(RightError::UnknownWriter(writer))?;
        if !grant.kinds.contains(&kind) {
            return Err(RightError::Kind { writer, kind });
        }
        entry.verify(&grant.key).map_err(|_| RightError::Signature(writer))?;
        Ok(grant)
    }
}

fn unique<T: Ord>(mut items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.all(|item| seen.insert(item))
}

#[cfg(test)]
#[path = "directory_tests.rs"]
pub(crate) mod tests;
