//! The sealed record: the opening of an entry, encrypted, deletable and stored beside the tree (design §4).
//! `docs/entry.cddl` is the normative definition of the parts' contents.
//!
//! ```text
//! sealed = header ‖ part(shared) ‖ part(citizen) ‖ part(supervision)           commitment = SHA-256(sealed)
//! header = u8 version (1) ‖ u8 retention class ‖ u32 expiry day ‖ u8 salted (0|1) ‖ [32-byte salt if salted]
//! part   = u32 length of the ciphertext ‖ 32-byte commit value ‖ 12-byte nonce ‖ ciphertext           big endian
//!
//! K_record   = HKDF-SHA256(day key, salt = address, info = "einsicht/record/v1")
//! K_part     = HKDF-SHA256(K_record, info = "shared" | "citizen" | "supervision")
//! commit     = HKDF-SHA256(K_part, info = "commit")
//! ciphertext = ChaCha20-Poly1305(K_part, nonce, content ‖ 80 ‖ 00…, aad = address ‖ header)
//! ```
//!
//! The *address* is the entry's label. A denial has no label, so its header carries 32 random bytes instead
//! ("salted"), and its day key is [`DayKey::denial_key`].
//!
//! Contents are padded to size classes so that the length of a ciphertext reveals as little as possible. The shared
//! part has 4096 bytes (256 in a denial) or the next power of two, the citizen part always 256, and the supervision
//! part 512 (2048 in a denial) or the next power of two.
//!
//! What goes wrong: ChaCha20-Poly1305 does not commit to its key, so an attacker can make one ciphertext that opens
//! under two keys to two texts. The commit value, which is checked before decryption, prevents this. A record that is
//! moved to another entry or under another header does not open, because label and header are authenticated. Swapped
//! parts do not open, because each part has its own key.

mod keys;
mod unsealed;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tlog::Hash;
use zeroize::Zeroizing;

use crate::cbor::{self, CborError};
use crate::content::{CitizenPart, SharedPart};
use crate::id::{Commitment, Label};
use crate::padding::{pad, unpad};
use crate::random::{RandomnessError, random};
use crate::retention::{ExpiryDay, RetentionClass};
pub use keys::{DayKey, PartKey, PartName, RecordKey};
pub use unsealed::{Opened, Unsealed};

const VERSION: u8 = 1;
const HEADER_LEN: usize = 7;
const SALT_LEN: usize = 32;
const PART_HEAD: usize = 4 + 32 + 12;
const TAG_LEN: usize = 16;
/// The largest padded content of a part, in bytes.
const MAX_CONTENT: usize = 64 * 1024;
/// The longest sealed record, in bytes.
pub const MAX_RECORD: usize = HEADER_LEN + SALT_LEN + 3 * (PART_HEAD + MAX_CONTENT + TAG_LEN);

/// Why a record cannot be sealed or opened. None of these goes away on a retry, except [`SealedError::Random`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealedError {
    /// The bytes are not a sealed record.
    #[error("not a sealed record: {0}")]
    Malformed(&'static str),
    /// A labelled record needs a label and no salt; a denial's record needs a salt and no label.
    #[error("the record's header does not match its label")]
    Address,
    /// The part was sealed with another key.
    #[error("the key is not the one this part was sealed with")]
    WrongKey,
    /// The part was changed, or belongs to another entry or header.
    #[error("the part was changed or belongs to another entry")]
    Changed,
    /// The content is not the deterministic CBOR of its part.
    #[error("the part's content is wrong: {0}")]
    Content(#[from] CborError),
    /// The content is too long for its part.
    #[error("the content is too long for the part {0:?}")]
    TooLong(PartName),
    /// The shared part of a denial must be empty, and that of any other record must not.
    #[error("the shared part does not match the record's header")]
    Shared,
    /// The system's random number generator failed.
    #[error("the system's random number generator failed")]
    Random,
}

/// The part of a record that is readable without a key. It determines when the record is due for erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// How long the record is kept.
    pub class: RetentionClass,
    /// The record is erased at the end of this day.
    pub expiry: ExpiryDay,
    /// The address of a denial's record, which has no label; `None` for any other record.
    pub salt: Option<[u8; 32]>,
}

impl From<RandomnessError> for SealedError {
    fn from(_: RandomnessError) -> Self {
        Self::Random
    }
}

impl Header {
    /// The header of a labelled entry's record.
    #[must_use]
    pub const fn labelled(class: RetentionClass, expiry: ExpiryDay) -> Self {
        Self {
            class,
            expiry,
            salt: None,
        }
    }

    /// The header of a denial's record, with a fresh salt.
    ///
    /// # Errors
    /// [`SealedError::Random`]
    pub fn denial(class: RetentionClass, expiry: ExpiryDay) -> Result<Self, SealedError> {
        Ok(Self {
            class,
            expiry,
            salt: Some(random()?),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + SALT_LEN);
        out.extend_from_slice(&[VERSION, self.class.code()]);
        out.extend_from_slice(&self.expiry.0.to_be_bytes());
        out.push(u8::from(self.salt.is_some()));
        out.extend_from_slice(self.salt.as_ref().map_or(&[], |salt| salt.as_slice()));
        out
    }

    /// Reads a header from the beginning of `bytes` and returns it with the bytes that follow.
    fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), SealedError> {
        let (fixed, rest) = bytes
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(SealedError::Malformed("header cut off"))?;
        let [version, class, e0, e1, e2, e3, salted] = *fixed;
        if version != VERSION {
            return Err(SealedError::Malformed("unknown version"));
        }
        let class = RetentionClass::from_code(class).ok_or(SealedError::Malformed("unknown retention class"))?;
        let (salt, rest) = match salted {
            0 => (None, rest),
            1 => {
                let (salt, rest) = rest
                    .split_first_chunk::<SALT_LEN>()
                    .ok_or(SealedError::Malformed("salt cut off"))?;
                (Some(*salt), rest)
            }
            _ => return Err(SealedError::Malformed("unknown kind of header")),
        };
        Ok((
            Self {
                class,
                expiry: ExpiryDay(u32::from_be_bytes([e0, e1, e2, e3])),
                salt,
            },
            rest,
        ))
    }

    /// The label, or the salt of a denial.
    fn address<'a>(&'a self, label: Option<&'a Label>) -> Result<&'a [u8; 32], SealedError> {
        match (label, &self.salt) {
            (Some(label), None) => Ok(label.as_bytes()),
            (None, Some(salt)) => Ok(salt),
            _ => Err(SealedError::Address),
        }
    }

    fn aad(&self, label: Option<&Label>) -> Result<Vec<u8>, SealedError> {
        Ok([self.address(label)?.as_slice(), &self.to_bytes()].concat())
    }

    /// The padded length of a content of `len` bytes with its end mark.
    fn size_class(&self, name: PartName, len: usize) -> Result<usize, SealedError> {
        let (smallest, largest) = self.size_range(name);
        let size = (len + 1).next_power_of_two().max(smallest);
        if size > largest {
            Err(SealedError::TooLong(name))
        } else {
            Ok(size)
        }
    }

    const fn size_range(&self, name: PartName) -> (usize, usize) {
        match (name, self.salt.is_some()) {
            (PartName::Shared, false) => (4096, MAX_CONTENT),
            (PartName::Shared, true) | (PartName::Citizen, _) => (256, 256),
            (PartName::Supervision, false) => (512, MAX_CONTENT),
            (PartName::Supervision, true) => (2048, MAX_CONTENT),
        }
    }
}

/// The contents of a record before sealing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The part that both parties, the citizen and supervision can read.
    pub shared: SharedPart,
    /// The part that the requester cannot read.
    pub citizen: CitizenPart,
    /// The supervision part. The caller has sealed it to the supervision key (HPKE); its plaintext is a
    /// [`crate::content::SupervisionPart`].
    pub supervision: Vec<u8>,
}

impl Parts {
    /// The parts of a denial, which has contents in the supervision part only.
    #[must_use]
    pub const fn denial(supervision: Vec<u8>) -> Self {
        Self {
            shared: SharedPart::Denied,
            citizen: CitizenPart { internal_reason: None },
            supervision,
        }
    }
}

/// A sealed record: its bytes and the part of them that is readable without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    bytes: Vec<u8>,
    header: Header,
    /// The range of each part in `bytes`, from its commit value to its end.
    parts: [(usize, usize); 3],
}

impl SealedRecord {
    /// Seals the parts. `label` is the label of a labelled entry and `None` for a denial.
    ///
    /// # Errors
    /// [`SealedError::Address`], [`SealedError::Shared`], [`SealedError::TooLong`], [`SealedError::Random`]
    pub fn seal(header: &Header, label: Option<&Label>, key: &RecordKey, parts: &Parts) -> Result<Self, SealedError> {
        if header.salt.is_some() != (parts.shared == SharedPart::Denied) {
            return Err(SealedError::Shared);
        }
        let aad = header.aad(label)?;
        let mut bytes = header.to_bytes();
        for name in PartName::ALL {
            let content = Zeroizing::new(match name {
                PartName::Shared => cbor::to_vec(&parts.shared),
                PartName::Citizen => cbor::to_vec(&parts.citizen),
                PartName::Supervision => parts.supervision.clone(),
            });
            let size = header.size_class(name, content.len())?;
            seal_part(&mut bytes, &key.part(name), &aad, &pad_to(name, &content, size)?)?;
        }
        Self::parse(bytes)
    }

    /// Reads the frame without decrypting anything.
    ///
    /// # Errors
    /// [`SealedError::Malformed`] for everything that [`SealedRecord::seal`] would not have written.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, SealedError> {
        let bytes = bytes.into();
        let (header, rest) = Header::parse(&bytes)?;
        let mut at = bytes.len() - rest.len();
        let mut parts = [(0, 0); 3];
        for (name, part) in PartName::ALL.into_iter().zip(&mut parts) {
            let len = bytes[at..]
                .first_chunk::<4>()
                .ok_or(SealedError::Malformed("part cut off"))?;
            let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
            let (smallest, largest) = header.size_range(name);
            if !len
                .checked_sub(TAG_LEN)
                .is_some_and(|size| size.is_power_of_two() && (smallest..=largest).contains(&size))
            {
                return Err(SealedError::Malformed("length of no size class"));
            }
            *part = (at + 4, at + PART_HEAD + len);
            at = part.1;
            if at > bytes.len() {
                return Err(SealedError::Malformed("part cut off"));
            }
        }
        if at != bytes.len() {
            return Err(SealedError::Malformed("bytes follow the last part"));
        }
        Ok(Self { bytes, header, parts })
    }

    /// The record's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The record's bytes, without copying.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// SHA-256 of the bytes, which the entry must carry as its commitment.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        Commitment(Hash::of(&self.bytes))
    }

    /// Opens the shared part.
    ///
    /// # Errors
    /// [`SealedError::Address`], [`SealedError::WrongKey`], [`SealedError::Changed`], [`SealedError::Content`]
    pub fn open_shared(&self, key: &PartKey, label: Option<&Label>) -> Result<SharedPart, SealedError> {
        self.open_content(PartName::Shared, key, label)
    }

    /// Opens the citizen part.
    ///
    /// # Errors
    /// As [`SealedRecord::open_shared`].
    pub fn open_citizen(&self, key: &PartKey, label: Option<&Label>) -> Result<CitizenPart, SealedError> {
        self.open_content(PartName::Citizen, key, label)
    }

    /// Opens the outer layer of the supervision part and returns the HPKE ciphertext inside.
    ///
    /// # Errors
    /// As [`SealedRecord::open_shared`].
    pub fn open_supervision(&self, key: &PartKey, label: Option<&Label>) -> Result<Vec<u8>, SealedError> {
        self.open(PartName::Supervision, key, label)
            .map(|content| content.to_vec())
    }

    fn open_content<T: DeserializeOwned + Serialize>(
        &self,
        name: PartName,
        key: &PartKey,
        label: Option<&Label>,
    ) -> Result<T, SealedError> {
        Ok(cbor::from_slice(&self.open(name, key, label)?)?)
    }

    fn open(&self, name: PartName, key: &PartKey, label: Option<&Label>) -> Result<Zeroizing<Vec<u8>>, SealedError> {
        let (start, end) = self.parts[name as usize];
        let part = &self.bytes[start..end];
        let (commit, part) = part.split_first_chunk::<32>().ok_or(SealedError::Changed)?;
        let (nonce, ciphertext) = part.split_first_chunk::<12>().ok_or(SealedError::Changed)?;
        let aad = self.header.aad(label)?;
        if !bool::from(key.commit_value().ct_eq(commit)) {
            return Err(SealedError::WrongKey);
        }
        let plaintext = cipher(key)
            .decrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &aad,
                },
            )
            .map_err(|_| SealedError::Changed)?;
        let mut content = Zeroizing::new(plaintext);
        let length = unpad(&content).ok_or(SealedError::Malformed("padding"))?.len();
        content.truncate(length);
        Ok(content)
    }
}

fn pad_to(name: PartName, content: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>, SealedError> {
    pad(content, size).ok_or(SealedError::TooLong(name))
}

fn seal_part(out: &mut Vec<u8>, key: &PartKey, aad: &[u8], padded: &[u8]) -> Result<(), SealedError> {
    seal_with(out, key, &random()?, aad, padded)
}

fn seal_with(out: &mut Vec<u8>, key: &PartKey, nonce: &[u8; 12], aad: &[u8], padded: &[u8]) -> Result<(), SealedError> {
    let ciphertext = cipher(key)
        .encrypt(&Nonce::from(*nonce), Payload { msg: padded, aad })
        .map_err(|_| SealedError::Malformed("content cannot be encrypted"))?;
    let len = u32::try_from(ciphertext.len()).map_err(|_| SealedError::Malformed("content cannot be encrypted"))?;
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&key.commit_value());
    out.extend_from_slice(nonce);
    out.extend_from_slice(&ciphertext);
    Ok(())
}

fn cipher(key: &PartKey) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(key.0))
}

#[cfg(test)]
mod tests;
