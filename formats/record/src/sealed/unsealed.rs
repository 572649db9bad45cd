//! A record without its encryption, from which the sealed bytes can be made again.
//!
//! Sealing is deterministic once the nonces are fixed: so who has opened a record can hand on contents, keys and nonces in
//! place of the padded ciphertext, half of its size and compressible, and whoever gets them makes the bytes again and compares their SHA-256
//! with the entry's commitment. Nothing else could be opened from those bytes: [`Unsealed::reseal`] is the proof that
//! [`SealedRecord::open_shared`] would give exactly this content.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Header, PartKey, PartName, SealedError, SealedRecord, pad, seal_with};
use crate::cbor;
use crate::content::{CitizenPart, SharedPart};
use crate::id::Label;
use crate::time::{ExpiryDay, RetentionClass};

/// A labelled entry's record: two parts open, supervision's as it is. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsealed {
    /// How long it is kept.
    pub class: RetentionClass,
    /// At the end of this day it is erased.
    pub expiry: ExpiryDay,
    /// The part for both parties, citizen and supervision.
    pub shared: Opened<SharedPart>,
    /// The part that the requester does not see.
    pub citizen: Opened<CitizenPart>,
    /// Supervision's part, sealed: commit value, nonce and ciphertext.
    #[serde(with = "crate::bytes")]
    pub supervision: Vec<u8>,
}

/// A part with what it was sealed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened<T> {
    /// What it says.
    pub content: T,
    /// The part's key.
    pub key: PartKey,
    /// The nonce of its ciphertext.
    #[serde(with = "crate::bytes")]
    pub nonce: [u8; 12],
}

impl std::fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unsealed(…)")
    }
}

impl SealedRecord {
    /// Opens the two parts that a citizen may read.
    ///
    /// # Errors
    /// As [`SealedRecord::open_shared`].
    pub fn unseal(&self, shared: &PartKey, citizen: &PartKey, label: &Label) -> Result<Unsealed, SealedError> {
        let (start, end) = self.parts[PartName::Supervision as usize];
        Ok(Unsealed {
            class: self.header.class,
            expiry: self.header.expiry,
            shared: Opened {
                content: self.open_shared(shared, Some(label))?,
                key: shared.clone(),
                nonce: self.nonce(PartName::Shared)?,
            },
            citizen: Opened {
                content: self.open_citizen(citizen, Some(label))?,
                key: citizen.clone(),
                nonce: self.nonce(PartName::Citizen)?,
            },
            supervision: self.bytes[start..end].to_vec(),
        })
    }

    fn nonce(&self, name: PartName) -> Result<[u8; 12], SealedError> {
        let (start, end) = self.parts[name as usize];
        let nonce = self.bytes[start..end]
            .get(32..44)
            .and_then(|nonce| nonce.try_into().ok());
        nonce.ok_or(SealedError::Malformed("part cut off"))
    }
}

impl Unsealed {
    /// Makes the sealed record again; its commitment must be the entry's.
    ///
    /// # Errors
    /// [`SealedError::TooLong`], or [`SealedError::Malformed`] when supervision's part is none.
    pub fn reseal(&self, label: &Label) -> Result<SealedRecord, SealedError> {
        let header = Header::labelled(self.class, self.expiry);
        let aad = header.aad(Some(label))?;
        let mut bytes = header.to_bytes();
        self.shared.reseal(PartName::Shared, &header, &aad, &mut bytes)?;
        self.citizen.reseal(PartName::Citizen, &header, &aad, &mut bytes)?;
        let len = self.supervision.len().checked_sub(32 + 12);
        let len = len.and_then(|len| u32::try_from(len).ok());
        bytes.extend_from_slice(&len.ok_or(SealedError::Malformed("part cut off"))?.to_be_bytes());
        bytes.extend_from_slice(&self.supervision);
        SealedRecord::parse(bytes)
    }
}

impl<T: Serialize> Opened<T> {
    fn reseal(&self, name: PartName, header: &Header, aad: &[u8], out: &mut Vec<u8>) -> Result<(), SealedError> {
        let content = Zeroizing::new(cbor::to_vec(&self.content));
        let size = header.size_class(name, content.len())?;
        seal_with(out, &self.key, &self.nonce, aad, &pad(&content, size))
    }
}
