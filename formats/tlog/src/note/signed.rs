//! Reading, verifying and signing whole notes.

use core::fmt;

use super::MAX_BYTES;
use super::error::NoteError;
use super::line::SignatureLine;
use super::name::{KeyId, KeyName};
use super::signing::SignerKey;
use super::verifier::Verifier;

/// A note, parsed and *not* verified: use [`Note::open`] before relying on the text (SN-10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text with its final line end.
    pub text: String,
    /// The signature lines in the order of the note.
    pub signatures: Vec<SignatureLine>,
}

impl Note {
    /// Parses a note. `Display` writes the same bytes.
    ///
    /// # Errors
    /// [`NoteError`] when the bytes violate SN-1 to SN-4 or SN-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        let whole = str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if !is_clean(whole) {
            return Err(NoteError::Text);
        }
        // SPEC (SN-2): "the last blank line".
        let blank = whole.rfind("\n\n").ok_or(NoteError::Structure)?;
        let signatures = SignatureLine::parse_block(&whole[blank + 2..])?;
        Ok(Self {
            text: whole[..=blank].to_owned(),
            signatures,
        })
    }

    /// Parses a note and verifies every line of a known key.
    ///
    /// # Errors
    /// As [`Note::parse`]; [`NoteError::BadSignature`] (SN-6), [`NoteError::NoKnownSignature`] (SN-7).
    pub fn open(bytes: &[u8], keys: &[&dyn Verifier]) -> Result<VerifiedNote, NoteError> {
        Self::parse(bytes)?.verify(keys)
    }

    /// Verifies every line of a known key.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] (SN-6), [`NoteError::NoKnownSignature`] (SN-7).
    pub fn verify(self, keys: &[&dyn Verifier]) -> Result<VerifiedNote, NoteError> {
        let mut verified: Vec<VerifiedSignature> = Vec::new();
        let mut unknown = Vec::new();
        for line in self.signatures {
            let Some(key) = keys.iter().find(|key| line.is_of(key.name(), key.key_id())) else {
                unknown.push(line);
                continue;
            };
            let timestamp = verify_line(&self.text, &line, *key)?;
            // SN-9: a repeated line is checked like any other, and the first one counts.
            if !verified.iter().any(|other| line.is_of(&other.name, other.id)) {
                verified.push(VerifiedSignature {
                    name: line.name,
                    id: line.id,
                    timestamp,
                });
            }
        }
        if verified.is_empty() {
            return Err(NoteError::NoKnownSignature);
        }
        Ok(VerifiedNote {
            text: self.text,
            verified,
            unknown,
        })
    }
}

/// Verifies one line by the key that it names, and returns the time of a cosignature.
pub(crate) fn verify_line(text: &str, line: &SignatureLine, key: &dyn Verifier) -> Result<Option<u64>, NoteError> {
    key.verify(text, &line.signature)
        .map_err(|reason| NoteError::BadSignature {
            name: line.name.clone(),
            reason,
        })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// A note whose text is signed by at least one known key, and by every known key that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote {
    text: String,
    verified: Vec<VerifiedSignature>,
    unknown: Vec<SignatureLine>,
}

/// A key whose signature on a note was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// Name of the key.
    pub name: KeyName,
    /// Id of the key.
    pub id: KeyId,
    /// The time of a cosignature, POSIX seconds; `None` for a plain signature.
    pub timestamp: Option<u64>,
}

impl VerifiedNote {
    /// The signed text with its final line end.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The verified signatures, at least one, each key once.
    #[must_use]
    pub fn verified(&self) -> &[VerifiedSignature] {
        &self.verified
    }

    /// The lines of unknown keys. They prove nothing (SN-5), but a strict auditor asks where they come from.
    #[must_use]
    pub fn unknown(&self) -> &[SignatureLine] {
        &self.unknown
    }
}

/// Signs a text with plain note keys ([`Algorithm::Ed25519`](super::Algorithm::Ed25519)).
///
/// # Errors
/// [`NoteError::Text`] when the text breaks SN-1 or does not end in a line end; [`NoteError::NotANoteKey`];
/// [`NoteError::Signers`].
pub fn sign(text: &str, keys: &[&SignerKey]) -> Result<Note, NoteError> {
    if !text.ends_with('\n') || !is_clean(text) {
        return Err(NoteError::Text);
    }
    let mut signatures: Vec<SignatureLine> = Vec::new();
    for key in keys {
        let line = key.sign_text(text)?;
        if signatures.iter().any(|other| other.is_of(&line.name, line.id)) {
            return Err(NoteError::Signers);
        }
        signatures.push(line);
    }
    if signatures.is_empty() {
        return Err(NoteError::Signers);
    }
    let text = text.to_owned();
    Ok(Note { text, signatures })
}

/// SN-1, for text that is UTF-8 already.
fn is_clean(text: &str) -> bool {
    text.bytes().all(|byte| byte >= 0x20 || byte == b'\n')
}
