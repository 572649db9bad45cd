//! An opened record from which the sealed bytes can be reproduced.
//!
//! Sealing is deterministic once the nonces are fixed. A holder of an opened record can therefore pass on contents,
//! keys and nonces instead of the padded ciphertext; they take half of its size and are compressible. The recipient
//! seals them again with [`Unsealed::reseal`] and compares the SHA-256 of the result with the entry's commitment. If
//! they match, [`SealedRecord::open_shared`] would return exactly this content.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Header, PartKey, PartName, SealedError, SealedRecord, pad_to, seal_with};
use crate::cbor;
use crate::content::{CitizenPart, SharedPart};
use crate::id::Label;
use crate::retention::{ExpiryDay, RetentionClass};

/// The record of a labelled entry with two parts opened and the supervision part still sealed. `Debug` prints none of
/// it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsealed {
    /// How long the record is kept.
    pub class: RetentionClass,
    /// The record is erased at the end of this day.
    pub expiry: ExpiryDay,
    /// The part that both parties, the citizen and supervision can read.
    pub shared: Opened<SharedPart>,
    /// The part that the requester cannot read.
    pub citizen: Opened<CitizenPart>,
    /// The sealed supervision part: commit value, nonce and ciphertext.
    #[serde(with = "crate::bytes")]
    pub supervision: Vec<u8>,
}

/// An opened part with the key and nonce that it was sealed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened<T> {
    /// The content.
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
    /// Seals the record again. The caller must compare the commitment of the result with that of the entry.
    ///
    /// # Errors
    /// [`SealedError::TooLong`], or [`SealedError::Malformed`] when the supervision part is not a sealed part.
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
        seal_with(out, &self.key, &self.nonce, aad, &pad_to(name, &content, size)?)
    }
}
