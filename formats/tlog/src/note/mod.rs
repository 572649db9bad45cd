//! Signed notes (c2sp.org/signed-note): a text with signature lines.
//!
//! ```text
//! note    = text LF 1*sigline            ; text ends in LF, so a blank line stands before the signatures
//! text    = 1*line                       ; UTF-8, no byte below 0x20 but LF
//! sigline = "—" SP name SP base64 LF     ; U+2014
//! base64  = base64( u32 key id ‖ signature )
//! ```
//!
//! Rules (the names are used by the tests):
//!
//! * SN-1 the whole note is UTF-8 without control characters below 0x20 but LF.
//! * SN-2 text and signatures part at the *last* LF LF.
//! * SN-3 there is at least one signature line, and every line of the block parses.
//! * SN-4 names are not empty, have no Unicode white space and no `+`, and at most 255 bytes.
//! * SN-5 name and id together identify a key and its algorithm; a line of an unknown key is ignored.
//! * SN-6 a line of a known key must verify, else the whole note is refused.
//! * SN-7 without a known signature the note is refused.
//! * SN-8 at most 100 signatures and 1 000 000 bytes.
//! * SN-9 nobody writes two lines of one key; a reader checks all and counts the first.
//! * SN-10 the text means nothing before it is verified.
//!
//! ```
//! use tlog::note::{Note, VerifierKey};
//!
//! let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
//! let bytes = "This is an example message.\n\n— example.com/foo \
//!     Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
//! let note = Note::open(bytes.as_bytes(), &[&key])?;
//! assert_eq!(note.text(), "This is an example message.\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod key;
mod name;
mod signing;

use core::fmt;
use core::str::FromStr;

pub use key::{Algorithm, KeyError, VerifierKey};
pub use name::{KeyId, KeyName, NameError};
pub use signing::SignerKey;

use crate::cosignature::{self, CosignatureError};
use crate::encoding;

/// The most bytes that a note may have (SN-8).
pub const MAX_BYTES: usize = 1_000_000;

/// The most signature lines that a note may have (SN-8).
pub const MAX_SIGNATURES: usize = 100;

/// What every signature line begins with: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// Why a note is refused. None is retryable with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_BYTES`].
    #[error("the note is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not UTF-8, or a control character.
    #[error("the note is not UTF-8 text without control characters")]
    Text,
    /// No blank line before the signatures, no signature, or no line end.
    #[error("the note does not end in a blank line and complete signature lines")]
    Structure,
    /// A signature line is not well formed.
    #[error("signature line {0} is malformed")]
    Line(usize),
    /// More than [`MAX_SIGNATURES`] lines.
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// A line of a known key does not verify: the note was changed or forged.
    #[error("the signature of the known key {name} does not verify: {reason}")]
    BadSignature {
        /// Name of the key.
        name: KeyName,
        /// What is wrong with it.
        reason: CosignatureError,
    },
    /// No line is of a known key.
    #[error("no signature is of a known key")]
    NoKnownSignature,
    /// Signing: the key is one for cosignatures, which need a time.
    #[error("the key {0} is for cosignatures, not for notes")]
    NotANoteKey(KeyName),
    /// Signing: two keys have one name and id (SN-9), or there is no key.
    #[error("a note is signed by one or more different keys")]
    Signers,
}

/// A signature line, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// Name of the key.
    pub name: KeyName,
    /// Id of the key.
    pub id: KeyId,
    /// What follows the id: at least one byte.
    pub signature: Vec<u8>,
}

impl FromStr for SignatureLine {
    type Err = NoteError;

    /// Parses one line without its line end.
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        Self::parse(line).ok_or(NoteError::Line(1))
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, blob) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let name = name.parse().ok()?;
        let blob = encoding::from_base64(blob).ok()?;
        let (id, signature) = blob.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name,
            id: KeyId(*id),
            signature: signature.to_vec(),
        })
    }

    /// Parses a block of lines, each with its line end: what a witness answers. At most [`MAX_SIGNATURES`].
    ///
    /// # Errors
    /// [`NoteError::Structure`], [`NoteError::Line`], [`NoteError::TooManySignatures`].
    pub fn parse_block(block: &str) -> Result<Vec<Self>, NoteError> {
        let lines = block.strip_suffix('\n').ok_or(NoteError::Structure)?;
        let mut signatures = Vec::new();
        for (at, line) in lines.split('\n').enumerate() {
            if at == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(Self::parse(line).ok_or(NoteError::Line(at + 1))?);
        }
        Ok(signatures)
    }
}

impl fmt::Display for SignatureLine {
    /// The line without its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.id.0[..], &self.signature].concat();
        write!(f, "{LINE_START}{} {}", self.name, encoding::to_base64(&blob))
    }
}

/// A note, parsed and *not* verified: use [`Note::open`] before believing the text (SN-10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text with its final line end.
    pub text: String,
    /// The signature lines, in their order.
    pub signatures: Vec<SignatureLine>,
}

impl Note {
    /// Parses a note. `Display` gives back the same bytes.
    ///
    /// # Errors
    /// [`NoteError`] for what breaks SN-1 to SN-4 or SN-8.
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
    pub fn open(bytes: &[u8], keys: &[&VerifierKey]) -> Result<VerifiedNote, NoteError> {
        Self::parse(bytes)?.verify(keys)
    }

    /// Verifies every line of a known key.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] (SN-6), [`NoteError::NoKnownSignature`] (SN-7).
    pub fn verify(self, keys: &[&VerifierKey]) -> Result<VerifiedNote, NoteError> {
        let mut verified: Vec<VerifiedSignature> = Vec::new();
        let mut unknown = Vec::new();
        for line in self.signatures {
            let Some(key) = keys.iter().find(|key| key.matches(&line)) else {
                unknown.push(line);
                continue;
            };
            let timestamp = verify_line(&self.text, &line, key)?;
            // SN-9: a repeated line is checked like any other, and the first one counts.
            if !verified.iter().any(|other| other.key == **key) {
                verified.push(VerifiedSignature {
                    key: (*key).clone(),
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

/// Verifies one line by the key that it names; a cosignature's time is returned.
pub(crate) fn verify_line(text: &str, line: &SignatureLine, key: &VerifierKey) -> Result<Option<u64>, NoteError> {
    let outcome = match key.algorithm() {
        Algorithm::Ed25519 => key.verify_ed25519(text.as_bytes(), &line.signature).map(|()| None),
        Algorithm::CosignatureV1 | Algorithm::SubtreeV1 => cosignature::verify(text, line, key).map(Some),
    };
    outcome.map_err(|reason| NoteError::BadSignature {
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

/// A note whose text is signed by at least one known key, and by every known key that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote {
    text: String,
    verified: Vec<VerifiedSignature>,
    unknown: Vec<SignatureLine>,
}

/// A key whose signature on a note was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// The key.
    pub key: VerifierKey,
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

    /// The lines of keys that are not known: they say nothing (SN-5), and a strict auditor asks where they come from.
    #[must_use]
    pub fn unknown(&self) -> &[SignatureLine] {
        &self.unknown
    }
}

/// Signs a text by plain note keys ([`Algorithm::Ed25519`]).
///
/// # Errors
/// [`NoteError::Text`] when the text is no note text (SN-1; it ends in a line end), [`NoteError::NotANoteKey`],
/// [`NoteError::Signers`].
pub fn sign(text: &str, keys: &[&SignerKey]) -> Result<Note, NoteError> {
    if !text.ends_with('\n') || !is_clean(text) {
        return Err(NoteError::Text);
    }
    let mut signatures: Vec<SignatureLine> = Vec::new();
    for key in keys {
        let line = key.sign_text(text)?;
        if signatures
            .iter()
            .any(|other| (&other.name, other.id) == (&line.name, line.id))
        {
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
