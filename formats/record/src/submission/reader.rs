//! Reads deterministic CBOR in place, without building a tree and without copying.

use crate::cbor::{self, ARRAY, BYTES, MAP, NULL, TEXT, UINT};

/// The offset of the first item that is not what the format demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnexpectedItem(pub(super) usize);

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.offset == self.bytes.len()
    }

    /// The error for the item that begins at the current offset.
    pub(super) fn unexpected(&self) -> UnexpectedItem {
        UnexpectedItem(self.offset)
    }

    /// Whether the next item is an array; reads nothing.
    pub(super) fn next_is_array(&self) -> bool {
        self.bytes.get(self.offset).is_some_and(|byte| byte >> 5 == ARRAY)
    }

    /// Reads the head of an array of exactly `length` items.
    pub(super) fn array(&mut self, length: u64) -> Result<(), UnexpectedItem> {
        let error = self.unexpected();
        if self.head(ARRAY)? == length {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// Reads the head of a map and returns its number of pairs.
    pub(super) fn map(&mut self) -> Result<u64, UnexpectedItem> {
        self.head(MAP)
    }

    /// Reads a map key that must be `name`.
    pub(super) fn key(&mut self, name: &str) -> Result<(), UnexpectedItem> {
        let error = self.unexpected();
        if self.text()? == name { Ok(()) } else { Err(error) }
    }

    pub(super) fn uint(&mut self) -> Result<u64, UnexpectedItem> {
        self.head(UINT)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], UnexpectedItem> {
        self.string(BYTES)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, UnexpectedItem> {
        let error = self.unexpected();
        core::str::from_utf8(self.string(TEXT)?).map_err(|_| error)
    }

    pub(super) fn optional_bytes(&mut self) -> Result<Option<&'a [u8]>, UnexpectedItem> {
        if self.bytes.get(self.offset) == Some(&NULL) {
            self.offset += 1;
            return Ok(None);
        }
        self.bytes().map(Some)
    }

    fn string(&mut self, major: u8) -> Result<&'a [u8], UnexpectedItem> {
        let error = self.unexpected();
        let length = usize::try_from(self.head(major)?).map_err(|_| error)?;
        let end = self.offset.checked_add(length).ok_or(error)?;
        let content = self.bytes.get(self.offset..end).ok_or(error)?;
        self.offset = end;
        Ok(content)
    }

    /// Reads a head of this major type and returns its argument.
    fn head(&mut self, wanted: u8) -> Result<u64, UnexpectedItem> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        match cbor::head(rest) {
            Ok((major, argument, length)) if major == wanted => {
                self.offset += length;
                Ok(argument)
            }
            _ => Err(self.unexpected()),
        }
    }
}
