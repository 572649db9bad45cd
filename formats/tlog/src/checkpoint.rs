//! Checkpoints (c2sp.org/tlog-checkpoint): notes whose text is the head of a tree.
//!
//! ```text
//! checkpoint = origin LF size LF base64(root) LF *(extension LF)
//! ```
//!
//! * CP-1 the origin is a non-empty line that names the log; it need not resolve.
//! * CP-2 the size has no leading zeros.
//! * CP-3 this crate reads extension lines but never writes them, because ML-DSA cosignatures do not cover them.
//! * CP-4 a log never signs two inconsistent checkpoints; the ledger's sequencer enforces this, not this module.
//! * CP-5 the log's key has the origin as its name.
//! * CP-6 the empty tree has a checkpoint too, with the root SHA-256("").

use core::fmt;
use core::str::FromStr;

use crate::Hash;
use crate::encoding;
use crate::merkle::Size;
use crate::note::{self, Algorithm, KeyName, Note, NoteError, SignatureLine, SignerKey, Verifier, VerifierKey};

/// The name of a log: one line of 1 to 255 bytes without control characters. Compared as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

/// Why a checkpoint is refused. None of these is retryable with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The origin is not one line of 1 to 255 bytes.
    #[error("an origin is one line of 1 to 255 bytes")]
    Origin,
    /// The text is not origin, size, root and non-empty extension lines.
    #[error("the text is not a checkpoint")]
    Structure,
    /// The size is not a canonical decimal number below 2^63.
    #[error("the checkpoint's size is not a canonical number below 2^63")]
    Size,
    /// The root is not canonical base64 of 32 bytes.
    #[error("the checkpoint's root is not canonical base64 of 32 bytes")]
    Root,
    /// The checkpoint belongs to another log.
    #[error("the checkpoint is of the log {found}, not {expected}")]
    OtherLog {
        /// The origin that the caller expected.
        expected: Origin,
        /// The origin of the checkpoint.
        found: Origin,
    },
    /// The checkpoint has extension lines, and only ML-DSA signatures, which do not cover them, were verified.
    #[error("no verified signature covers the checkpoint's extension lines")]
    UncoveredExtensions,
    /// The note is malformed, or its signatures do not verify.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Origin {
    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the origin: the path segment under which a witness serves the log's checkpoint.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(self.0.as_bytes())
    }
}

impl FromStr for Origin {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=255).contains(&text.len());
        if fits && text.bytes().all(|byte| byte >= 0x20) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CheckpointError::Origin)
        }
    }
}

impl From<&KeyName> for Origin {
    /// The origin of the log whose key has this name (CP-5).
    fn from(name: &KeyName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The head of a tree. It is an unverified claim; [`SignedCheckpoint`] is the verified form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The origin of the log.
    pub origin: Origin,
    /// Number of entries.
    pub size: Size,
    /// Root of the tree of that size.
    pub root: Hash,
    /// Extension lines, none of them empty. The ledger writes none (CP-3).
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Makes a checkpoint without extension lines.
    #[must_use]
    pub const fn new(origin: Origin, size: Size, root: Hash) -> Self {
        Self {
            origin,
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// Signs the checkpoint with the log's note keys.
    ///
    /// # Errors
    /// As [`note::sign`].
    pub fn sign(&self, keys: &[&SignerKey]) -> Result<Note, NoteError> {
        note::sign(&self.to_string(), keys)
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Parses a note text; nothing is verified.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Structure)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Structure);
        };
        let size = encoding::from_decimal(size).map_err(|_| CheckpointError::Size)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Structure);
        }
        Ok(Self {
            origin: origin.parse()?,
            size: Size::new(size).map_err(|_| CheckpointError::Size)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointError::Root)?,
            extensions,
        })
    }
}

impl fmt::Display for Checkpoint {
    /// Writes the note text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())?;
        for line in &self.extensions {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// A checkpoint that its log has signed. Only [`SignedCheckpoint::open`] makes one. It does *not* verify cosignatures:
/// `Policy::verify_checkpoint` in [`crate::policy`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Parses a checkpoint note and verifies the log's signature. At least one line must name one of `log_keys`, and
    /// every line that does must verify. One of several keys is enough, so that a log can change its key.
    ///
    /// # Errors
    /// [`CheckpointError`] when the note is malformed, belongs to another log or does not verify.
    pub fn open(bytes: &[u8], origin: &Origin, log_keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint: Checkpoint = note.text.parse()?;
        if checkpoint.origin != *origin {
            return Err(CheckpointError::OtherLog {
                expected: origin.clone(),
                found: checkpoint.origin,
            });
        }
        let keys: Vec<&dyn Verifier> = log_keys.iter().map(|key| key as &dyn Verifier).collect();
        let verified = note.clone().verify(&keys)?;
        // CS-6: an ML-DSA signature covers origin, size and root only.
        let text_covered = verified.verified().iter().any(|signature| {
            let key = log_keys
                .iter()
                .find(|key| (key.name(), key.id()) == (&signature.name, signature.id));
            key.is_some_and(|key| key.algorithm() != Algorithm::SubtreeV1)
        });
        if !text_covered && !checkpoint.extensions.is_empty() {
            return Err(CheckpointError::UncoveredExtensions);
        }
        Ok(Self { checkpoint, note })
    }

    /// The tree head.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note with all its signature lines, verified or not.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The lines that name one of `keys`.
    pub fn lines_of<'a>(&'a self, keys: &'a [VerifierKey]) -> impl Iterator<Item = &'a SignatureLine> {
        let lines = self.note.signatures.iter();
        lines.filter(move |line| keys.iter().any(|key| key.matches(line)))
    }
}

impl fmt::Display for SignedCheckpoint {
    /// Writes the bytes that were opened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
