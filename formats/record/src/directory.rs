//! The participants' directory: which writer may write which kinds of entries, and which keys belong to which
//! participant. An authority signs it and a `directory` entry logs it.
//!
//! Rights belong to keys. Two writers or two participants with one key could not be told apart, so keys are unique in
//! the directory, and so are names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use text::FieldError;
use text::class::marker;
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
    /// The version: 1 for the first directory, one more for each later one.
    pub version: u32,
    /// When the version takes effect.
    pub valid_from: Timestamp,
    /// The writers and the kinds that each may write.
    pub writers: Vec<WriterGrant>,
    /// The participants that may request or provide evidence.
    pub participants: Vec<Participant>,
    /// The keys of identity.
    pub identity: IdentityKeys,
    /// The HPKE public key of supervision (X25519).
    #[serde(with = "crate::bytes")]
    pub supervision: [u8; 32],
}

/// A writer's right to write entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriterGrant {
    /// A name for people: `broker`, `identity`, `ledger` or `operator`.
    pub name: String,
    /// The key that signs the writer's entries.
    pub key: VerifyingKey,
    /// The kinds of entries that it may write.
    pub kinds: Vec<Kind>,
}

/// A participant: an authority's component with its connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The authority's component.
    pub party: Party,
    /// The key that signs S1 and S2, or the answer.
    pub signing_key: VerifyingKey,
    /// The HPKE public key (X25519) that requests are sealed to.
    #[serde(with = "crate::bytes")]
    pub sealing_key: [u8; 32],
    /// Whether it may request evidence.
    pub consumer: bool,
    /// Whether it may provide evidence.
    pub provider: bool,
}

/// The keys of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityKeys {
    /// The key that signs what identity seals to providers.
    pub signing: VerifyingKey,
    /// The HPKE public key (X25519) that the identification data of persons is sealed to.
    #[serde(with = "crate::bytes")]
    pub sealing: [u8; 32],
}

/// Why a directory is not accepted. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// The signed document is not accepted.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The payload is not the deterministic CBOR of a directory.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A text of a writer or participant is not what its field may contain.
    #[error("a participant or writer: {0}")]
    Text(#[from] FieldError),
    /// Two writers share a name or a key.
    #[error("two writers share a name or a key")]
    Writers,
    /// Two participants share an id or a signing key.
    #[error("two participants share an id or a key")]
    Participants,
}

/// Why a writer had no right to write an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RightError {
    /// The directory contains no such writer.
    #[error("the writer {0} is not in the directory")]
    UnknownWriter(WriterId),
    /// The writer may not write this kind.
    #[error("the writer {writer} may not write entries of the kind {kind}")]
    Kind {
        /// The writer.
        writer: WriterId,
        /// The kind of the entry.
        kind: Kind,
    },
    /// The entry's signature is not valid under the writer's key.
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
    /// [`DirectoryError::Text`], [`DirectoryError::Writers`], [`DirectoryError::Participants`]
    pub fn sign(&self, authority: &SigningKey) -> Result<SignedDocument, DirectoryError> {
        self.check()?;
        Ok(SignedDocument::sign(cbor::to_vec(self), authority))
    }

    fn check(&self) -> Result<(), DirectoryError> {
        let writers = &self.writers;
        for grant in writers {
            FieldError::check::<marker::Reference>("writer name", &grant.name)?;
        }
        for participant in &self.participants {
            participant.party.check()?;
        }
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

    /// The writer with this id.
    #[must_use]
    pub fn writer(&self, id: &WriterId) -> Option<&WriterGrant> {
        self.writers.iter().find(|grant| grant.key.id() == *id)
    }

    /// The participant with this id.
    #[must_use]
    pub fn participant(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.party.id == *id)
    }

    /// The participant with this id, if it may request evidence.
    #[must_use]
    pub fn consumer(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participant(id).filter(|participant| participant.consumer)
    }

    /// The participant with this id, if it may provide evidence.
    #[must_use]
    pub fn provider(&self, id: &ParticipantId) -> Option<&Participant> {
        self.participant(id).filter(|participant| participant.provider)
    }

    /// Checks that a writer of this directory signed the entry and may write entries of its kind.
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
