//! One file: its rows and values with their places, still without meaning.

pub mod csv_file;
pub mod raw;
pub mod toml_file;

pub use raw::{Cell, RawFile, RawRow, RawValue};

use crate::finding::FileError;

/// The longest file, in bytes.
pub const MAX_FILE: usize = 16 * 1024 * 1024;

/// Reads a file. Its name says the format.
#[must_use]
pub fn read(name: &str, bytes: &[u8]) -> RawFile {
    let refused = |offset, error| RawFile {
        rows: Vec::new(),
        errors: vec![(offset..offset, error)],
    };
    if bytes.len() > MAX_FILE {
        return refused(MAX_FILE, FileError::TooLong(MAX_FILE));
    }
    let text = match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return refused(error.valid_up_to(), FileError::NotUtf8),
    };
    let file = match name.rsplit_once('.') {
        Some((_, "toml")) => toml_file::read(text),
        Some((stem, "csv")) => csv_file::read(stem, text),
        _ => return refused(0, FileError::Extension),
    };
    if file.rows.is_empty() && file.errors.is_empty() {
        return refused(0, FileError::NoRows);
    }
    file
}
