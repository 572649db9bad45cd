//! What [`Note::open`](super::Note::open) needs of a key.

use super::error::LineError;
use super::name::{KeyId, KeyName};

/// A key that verifies signature lines, as `Verifier` in golang.org/x/mod/sumdb/note.
///
/// A note knows of keys no more than this, so that a kind of signature can be about a format that is itself a note:
/// [`crate::cosignature`] is about checkpoints.
pub trait Verifier {
    /// The key's name.
    fn name(&self) -> &KeyName;

    /// The key's id.
    fn key_id(&self) -> KeyId;

    /// Verifies the signature bytes of a line that names this key, on the note text `text` with its final line end.
    /// Returns the time of a cosignature, POSIX seconds, and `None` for a plain signature.
    ///
    /// # Errors
    /// [`LineError`] when the signature does not verify.
    fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, LineError>;
}
