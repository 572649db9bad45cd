//! Signature lines, parsed and not verified.

use core::fmt;
use core::str::FromStr;

use super::MAX_SIGNATURES;
use super::error::NoteError;
use super::name::{KeyId, KeyName};
use crate::encoding;

/// The start of every signature line: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// A signature line, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// Name of the key.
    pub name: KeyName,
    /// Id of the key.
    pub id: KeyId,
    /// The bytes after the id, at least one.
    pub signature: Vec<u8>,
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

    /// Parses a block of at most [`MAX_SIGNATURES`] lines, each with its line end. A witness answers with such a block.
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

    /// Reports whether the line names the key with this name and id (SN-5).
    pub(super) fn is_of(&self, name: &KeyName, id: KeyId) -> bool {
        self.id == id && self.name == *name
    }
}

impl FromStr for SignatureLine {
    type Err = NoteError;

    /// Parses one line without its line end.
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        Self::parse(line).ok_or(NoteError::Line(1))
    }
}

impl fmt::Display for SignatureLine {
    /// Writes the line without its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.id.0[..], &self.signature].concat();
        write!(f, "{LINE_START}{} {}", self.name, encoding::to_base64(&blob))
    }
}
