//! Cosignatures (c2sp.org/tlog-cosignature): a witness signs a checkpoint together with the time.
//!
//! ```text
//! struct { u64 timestamp; opaque signature[64 or 2420]; }   ; follows the key id of the line
//! timestamp: POSIX seconds, ≤ 2^63 − 1
//! ```
//!
//! **Ed25519, `cosignature/v1`** (key type 0x04) signs `"cosignature/v1" LF "time " timestamp LF` and the whole note
//! text. It states that at this time this is the largest consistent tree of this origin that the cosigner has seen. The
//! message does not name the cosigner, so two cosigners must never share a key (CS-4).
//!
//! **ML-DSA-44, `subtree/v1`** (key type 0x06; pure ML-DSA with an empty context) signs
//!
//! ```text
//! "subtree/v1" LF NUL
//! u8 len ‖ cosigner name ‖ u64 timestamp ‖ u8 len ‖ log origin ‖ u64 start ‖ u64 end ‖ hash[32]
//! ```
//!
//! * CS-5 for a checkpoint, start is 0, end is the size and hash is the root. A subtree with start ≠ 0 has timestamp
//!   0, which makes no statement about recency.
//! * CS-6 the signature does not cover extension lines.
//!
//! This module verifies both algorithms and signs with Ed25519 only. It has no clock: the caller decides whether a time
//! is plausible.

use crate::Hash;
use crate::checkpoint::{Checkpoint, Origin};
use crate::merkle::Subtree;
use crate::note::{Algorithm, KeyId, KeyName, LineError, SignatureLine, SignerKey, Verifier, VerifierKey};

/// The latest time that a cosignature may have, POSIX seconds.
pub const MAX_TIMESTAMP: u64 = (1 << 63) - 1;

/// The message that an Ed25519 cosignature signs.
#[must_use]
pub fn cosignature_message(text: &str, timestamp: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {timestamp}\n{text}").into_bytes()
}

/// Cosigns a note text, which must be a checkpoint, with a time in POSIX seconds.
///
/// # Errors
/// [`LineError::WrongKey`] unless the key is [`Algorithm::CosignatureV1`]; [`LineError::Timestamp`] for 0 and for times
/// beyond [`MAX_TIMESTAMP`]; [`LineError::NotACheckpoint`].
pub fn cosign(text: &str, key: &SignerKey, timestamp: u64) -> Result<SignatureLine, LineError> {
    if key.algorithm() != Algorithm::CosignatureV1 {
        return Err(LineError::WrongKey);
    }
    if timestamp == 0 || timestamp > MAX_TIMESTAMP {
        return Err(LineError::Timestamp);
    }
    let _: Checkpoint = text.parse().map_err(|_| LineError::NotACheckpoint)?;
    let signature = key.sign_bytes(&cosignature_message(text, timestamp));
    Ok(key.line([&timestamp.to_be_bytes()[..], &signature].concat()))
}

/// Verifies a cosignature on a note text and returns its time, POSIX seconds.
///
/// # Errors
/// [`LineError`]; [`LineError::WrongKey`] when the line names another key than `key`, or `key` does not make
/// cosignatures.
pub fn verify(text: &str, line: &SignatureLine, key: &VerifierKey) -> Result<u64, LineError> {
    if key.matches(line) {
        verify_signature(text, &line.signature, key)
    } else {
        Err(LineError::WrongKey)
    }
}

fn verify_signature(text: &str, timed: &[u8], key: &VerifierKey) -> Result<u64, LineError> {
    let (timestamp, signature) = split_timestamp(timed)?;
    let checkpoint: Checkpoint = text.parse().map_err(|_| LineError::NotACheckpoint)?;
    match key.algorithm() {
        Algorithm::Ed25519 => return Err(LineError::WrongKey),
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

/// Verifies by the key's algorithm. This implementation is here and not in [`crate::note`], because a cosignature is
/// about a checkpoint and a checkpoint is a note: `note` must not depend on either.
impl Verifier for VerifierKey {
    fn name(&self) -> &KeyName {
        Self::name(self)
    }

    fn key_id(&self) -> KeyId {
        self.id()
    }

    fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, LineError> {
        match self.algorithm() {
            Algorithm::Ed25519 => self.verify_ed25519(text.as_bytes(), signature).map(|()| None),
            Algorithm::CosignatureV1 | Algorithm::SubtreeV1 => verify_signature(text, signature, self).map(Some),
        }
    }
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
    /// [`LineError::Timestamp`] for a time other than 0 with start ≠ 0 (CS-5), and for one beyond [`MAX_TIMESTAMP`].
    pub fn message(&self) -> Result<Vec<u8>, LineError> {
        // SPEC (CS-5): start ≠ 0 MUST have timestamp 0.
        if self.timestamp > MAX_TIMESTAMP || (self.subtree.start() != 0 && self.timestamp != 0) {
            return Err(LineError::Timestamp);
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

    /// Verifies a line of the ML-DSA key `key` on this statement. The line must state the same time.
    ///
    /// # Errors
    /// [`LineError`].
    pub fn verify(&self, line: &SignatureLine, key: &VerifierKey) -> Result<(), LineError> {
        if !key.matches(line) || key.name() != self.cosigner {
            return Err(LineError::WrongKey);
        }
        let (timestamp, signature) = split_timestamp(&line.signature)?;
        if timestamp != self.timestamp {
            return Err(LineError::Timestamp);
        }
        key.verify_ml_dsa(&self.message()?, signature)
    }
}

/// Appends `u8 length ‖ text`. The types of names and origins limit them to 255 bytes.
fn push_short(message: &mut Vec<u8>, text: &str) {
    message.push(text.len().to_le_bytes()[0]);
    message.extend(text.as_bytes());
}

fn split_timestamp(signature: &[u8]) -> Result<(u64, &[u8]), LineError> {
    let (timestamp, rest) = signature.split_first_chunk().ok_or(LineError::Length)?;
    let timestamp = u64::from_be_bytes(*timestamp);
    if timestamp > MAX_TIMESTAMP {
        return Err(LineError::Timestamp);
    }
    Ok((timestamp, rest))
}
