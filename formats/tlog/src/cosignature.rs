//! Cosignatures (c2sp.org/tlog-cosignature): a witness signs a checkpoint with the time.
//!
//! ```text
//! struct { u64 timestamp; opaque signature[64 or 2420]; }       ; POSIX seconds, ≤ 2^63 − 1; after the key id of the line
//! ```
//!
//! **Ed25519, `cosignature/v1`** (key type 0x04) signs `"cosignature/v1" LF "time " timestamp LF` and the whole note text. It
//! means: *at that time this is the largest consistent tree that I saw of this origin.* The message does not name the
//! cosigner, so a key is never shared (CS-4).
//!
//! **ML-DSA-44, `subtree/v1`** (key type 0x06), pure, empty context, signs
//!
//! ```text
//! "subtree/v1" LF NUL
//! u8 len ‖ cosigner name ‖ u64 timestamp ‖ u8 len ‖ log origin ‖ u64 start ‖ u64 end ‖ hash[32]
//! ```
//!
//! * CS-5 on a checkpoint: start 0, end the size, hash the root. A subtree with start ≠ 0 has timestamp 0, which is "no
//!   statement about recency".
//! * CS-6 it does not cover extension lines.
//!
//! Only Ed25519 signs here; both verify. Whether a time is plausible is the caller's question: there is no clock.

use crate::Hash;
use crate::checkpoint::{Checkpoint, Origin};
use crate::merkle::Subtree;
use crate::note::{Algorithm, KeyName, SignatureLine, SignerKey, VerifierKey};

/// The latest time that a cosignature may have.
pub const MAX_TIMESTAMP: u64 = (1 << 63) - 1;

/// Why a signature does not verify, or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The key is not one of the kind that is needed, or the line is another key's.
    #[error("the key does not fit the signature")]
    WrongKey,
    /// The signature has not the length of its algorithm.
    #[error("the signature has a wrong length")]
    Length,
    /// The time is over 2^63 − 1; or it is 0 where a time must be stated; or not 0 where none may be.
    #[error("the cosignature's time is out of range")]
    Timestamp,
    /// The signed text is no checkpoint.
    #[error("the cosigned text is not a checkpoint")]
    NotACheckpoint,
    /// The signature is not the key's on this message.
    #[error("the signature is not of this key on this text")]
    Signature,
}

/// The message that an Ed25519 cosignature signs.
#[must_use]
pub fn cosignature_message(text: &str, timestamp: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {timestamp}\n{text}").into_bytes()
}

/// Cosigns a note text (a checkpoint) at a time, POSIX seconds.
///
/// # Errors
/// [`CosignatureError::WrongKey`] unless the key is [`Algorithm::CosignatureV1`], [`CosignatureError::Timestamp`] for 0 and
/// beyond [`MAX_TIMESTAMP`], [`CosignatureError::NotACheckpoint`].
pub fn cosign(text: &str, key: &SignerKey, timestamp: u64) -> Result<SignatureLine, CosignatureError> {
    if key.algorithm() != Algorithm::CosignatureV1 {
        return Err(CosignatureError::WrongKey);
    }
    if timestamp == 0 || timestamp > MAX_TIMESTAMP {
        return Err(CosignatureError::Timestamp);
    }
    let _: Checkpoint = text.parse().map_err(|_| CosignatureError::NotACheckpoint)?;
    let signature = key.sign_bytes(&cosignature_message(text, timestamp));
    Ok(key.line([&timestamp.to_be_bytes()[..], &signature].concat()))
}

/// Verifies a cosignature on a note text and returns its time, POSIX seconds.
///
/// # Errors
/// [`CosignatureError`]; [`CosignatureError::WrongKey`] when the line is not of `key`, or `key` is no cosigner's.
pub fn verify(text: &str, line: &SignatureLine, key: &VerifierKey) -> Result<u64, CosignatureError> {
    if !key.matches(line) {
        return Err(CosignatureError::WrongKey);
    }
    let (timestamp, signature) = split_timestamp(&line.signature)?;
    let checkpoint: Checkpoint = text.parse().map_err(|_| CosignatureError::NotACheckpoint)?;
    match key.algorithm() {
        Algorithm::Ed25519 => return Err(CosignatureError::WrongKey),
        Algorithm::CosignatureV1 => key.verify_ed25519(&cosignature_message(text, timestamp), signature)?,
        Algorithm::SubtreeV1 => {
            let statement = SubtreeStatement {
                cosigner: key.name(),
                timestamp,
                origin: &checkpoint.origin,
                subtree: Subtree::whole(checkpoint.size),
                hash: checkpoint.root,
            };
            key.verify_ml_dsa(&statement.message()?, signature)?;
        }
    }
    Ok(timestamp)
}

/// What an ML-DSA cosigner signs: `hash` is the hash of `subtree` in the log `origin`.
#[derive(Debug, Clone, Copy)]
pub struct SubtreeStatement<'a> {
    /// Name of the cosigner's key.
    pub cosigner: &'a KeyName,
    /// POSIX seconds; 0 states nothing about recency.
    pub timestamp: u64,
    /// The log.
    pub origin: &'a Origin,
    /// The subtree; for a checkpoint the whole tree.
    pub subtree: Subtree,
    /// Its hash.
    pub hash: Hash,
}

impl SubtreeStatement<'_> {
    /// The signed message.
    ///
    /// # Errors
    /// [`CosignatureError::Timestamp`]: a time with start ≠ 0 (CS-5), or one beyond [`MAX_TIMESTAMP`].
    pub fn message(&self) -> Result<Vec<u8>, CosignatureError> {
        // SPEC (CS-5): start ≠ 0 MUST have timestamp 0.
        if self.timestamp > MAX_TIMESTAMP || (self.subtree.start() != 0 && self.timestamp != 0) {
            return Err(CosignatureError::Timestamp);
        }
        let mut message = b"subtree/v1\n\0".to_vec();
        push_short(&mut message, self.cosigner.as_str());
        message.extend(self.timestamp.to_be_bytes());
        push_short(&mut message, self.origin.as_str());
        message.extend(self.subtree.start().to_be_bytes());
        message.extend(self.subtree.end().to_be_bytes());
        message.extend(self.hash.0);
        Ok(message)
    }

    /// Verifies a line of `key` (ML-DSA) on this statement's subtree: the line's time must be the statement's.
    ///
    /// # Errors
    /// [`CosignatureError`].
    pub fn verify(&self, line: &SignatureLine, key: &VerifierKey) -> Result<(), CosignatureError> {
        if !key.matches(line) || key.name() != self.cosigner {
            return Err(CosignatureError::WrongKey);
        }
        let (timestamp, signature) = split_timestamp(&line.signature)?;
        if timestamp != self.timestamp {
            return Err(CosignatureError::Timestamp);
        }
        key.verify_ml_dsa(&self.message()?, signature)
    }
}

/// `u8 length ‖ text`; names and origins are at most 255 bytes by their types.
fn push_short(message: &mut Vec<u8>, text: &str) {
    message.push(text.len().to_le_bytes()[0]);
    message.extend(text.as_bytes());
}

fn split_timestamp(signature: &[u8]) -> Result<(u64, &[u8]), CosignatureError> {
    let (timestamp, rest) = signature.split_first_chunk().ok_or(CosignatureError::Length)?;
    let timestamp = u64::from_be_bytes(*timestamp);
    if timestamp > MAX_TIMESTAMP {
        return Err(CosignatureError::Timestamp);
    }
    Ok((timestamp, rest))
}
