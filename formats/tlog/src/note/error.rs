//! Why a note or one of its signature lines is refused.

use super::name::KeyName;
use super::{MAX_BYTES, MAX_SIGNATURES};

/// Why a signature line does not verify, or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The key has another algorithm than the operation needs, or the line names another key.
    #[error("the key does not fit the signature")]
    WrongKey,
    /// The signature does not have the length that its algorithm prescribes.
    #[error("the signature has a wrong length")]
    Length,
    /// Cosignatures: the time is over 2^63 − 1, is 0 where a time is required, or is not 0 where none is allowed.
    #[error("the cosignature's time is out of range")]
    Timestamp,
    /// Cosignatures: the signed text is not a checkpoint.
    #[error("the cosigned text is not a checkpoint")]
    NotACheckpoint,
    /// The key did not make this signature on this message.
    #[error("the signature is not of this key on this text")]
    Signature,
}

/// Why a note is refused. None of these is retryable with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note has more than [`MAX_BYTES`] bytes.
    #[error("the note is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The note is not UTF-8, or contains a control character.
    #[error("the note is not UTF-8 text without control characters")]
    Text,
    /// The blank line before the signatures, the signatures or the last line end is missing.
    #[error("the note does not end in a blank line and complete signature lines")]
    Structure,
    /// The signature line with this number, counted from 1, is malformed.
    #[error("signature line {0} is malformed")]
    Line(usize),
    /// The note has more than [`MAX_SIGNATURES`] signature lines.
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// A line of a known key does not verify: the note was changed or forged.
    #[error("the signature of the known key {name} does not verify: {reason}")]
    BadSignature {
        /// Name of the key.
        name: KeyName,
        /// Why the line does not verify.
        reason: LineError,
    },
    /// No line names a known key.
    #[error("no signature is of a known key")]
    NoKnownSignature,
    /// Signing: the key makes cosignatures, which need a time.
    #[error("the key {0} is for cosignatures, not for notes")]
    NotANoteKey(KeyName),
    /// Signing: two keys have the same name and id (SN-9), or there is no key.
    #[error("a note is signed by one or more different keys")]
    Signers,
}
