//! Values of the directory that entries are checked with: writers' rights, and the keys of identity. Crate `trust` has
//! the directory itself, whose versions are logged.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entry::{Kind, SignedEntry};
use crate::id::WriterId;
use crate::key::VerifyingKey;

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

impl WriterGrant {
    /// Checks that this writer signed the entry and may write entries of its kind.
    ///
    /// # Errors
    /// [`RightError::Kind`], [`RightError::Signature`]
    pub fn check(&self, entry: &SignedEntry) -> Result<(), RightError> {
        self.check_kind(entry)?;
        let writer = entry.entry().writer;
        entry.verify(&self.key).map_err(|_| RightError::Signature(writer))
    }

    /// Checks that this writer may write entries of the entry's kind.
    ///
    /// # Errors
    /// [`RightError::Kind`]
    pub fn check_kind(&self, entry: &SignedEntry) -> Result<(), RightError> {
        let (writer, kind) = (entry.entry().writer, entry.entry().body.kind());
        if self.kinds.contains(&kind) {
            Ok(())
        } else {
            Err(RightError::Kind { writer, kind })
        }
    }
}
