//! Deterministic CBOR (RFC 8949 §4.2.1). Every other encoding is refused.
//!
//! This module encodes everything that is hashed or signed, so one value has one encoding:
//!
//! * definite lengths, shortest lengths and integers, map keys sorted by the bytes of their encoding, no key twice;
//! * only unsigned and negative integers, byte strings, text, arrays, maps, `false`, `true` and `null`: no floats, no
//!   tags (the one tag in this system, COSE_Sign1's 18, is read by the crate's own COSE reader);
//! * [`from_slice`] encodes the value that it has read and compares the bytes. It therefore also refuses an absent
//!   field where `null` belongs, and a number where the type would write text.
//!
//! [`MAX_DEPTH`] bounds the depth and [`MAX_LEN`] the size. A length that the input announces is not trusted until
//! that many bytes have been found.

use ciborium::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The maximum nesting depth of arrays and maps.
pub const MAX_DEPTH: usize = 32;

/// The longest item that [`from_slice`] reads, in bytes. The largest message is a batch of entries with their records.
pub const MAX_LEN: usize = 64 * 1024 * 1024;

/// Major type of an unsigned integer (RFC 8949 §3.1).
pub(crate) const UINT: u8 = 0;
/// Major type of a byte string.
pub(crate) const BYTES: u8 = 2;
/// Major type of a text string.
pub(crate) const TEXT: u8 = 3;
/// Major type of an array.
pub(crate) const ARRAY: u8 = 4;
/// Major type of a map.
pub(crate) const MAP: u8 = 5;
/// The whole item `null`.
pub(crate) const NULL: u8 = 0xf6;

/// Why bytes are not the deterministic encoding of the expected type. None of these goes away on a retry: the sender
/// must change the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CborError {
    /// Longer than [`MAX_LEN`].
    #[error("CBOR item of {0} bytes is too long")]
    TooLong(usize),
    /// The input ends inside an item.
    #[error("CBOR item is cut off")]
    Truncated,
    /// Bytes follow the item.
    #[error("bytes follow the CBOR item")]
    TrailingBytes,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("CBOR item is nested too deeply")]
    TooDeep,
    /// The item breaks a rule of RFC 8949 §4.2.1 or is of a kind that this system does not use.
    #[error("CBOR item is not deterministic: {0}")]
    NotDeterministic(&'static str),
    /// The item is not of the expected type.
    ///
    /// The text names fields and types, never values.
    #[error("CBOR item has the wrong shape: {0}")]
    Shape(String),
}

/// The deterministic encoding of `value`.
///
/// # Panics
/// Panics when the type's own `Serialize` implementation fails. Derived implementations never do, so a panic is an
/// error in the program and cannot be caused by data.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "documented: a Serialize implementation that fails is a programming error"
)]
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut value = Value::serialized(value).expect("types sent by this system serialise");
    sort_maps(&mut value);
    encode(&value)
}

#[expect(clippy::expect_used, reason = "writing to memory cannot fail")]
fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("writing to a Vec succeeds");
    bytes
}

/// SPEC: RFC 8949 §4.2.1: "The keys in every map MUST be sorted in the bytewise lexicographic order of their
/// deterministic encodings."
fn sort_maps(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(sort_maps),
        Value::Map(pairs) => {
            for (key, item) in pairs.iter_mut() {
                sort_maps(key);
                sort_maps(item);
            }
            pairs.sort_by_cached_key(|(key, _)| encode(key));
        }
        Value::Tag(_, item) => sort_maps(item),
        _ => {}
    }
}

/// Reads a value from the bytes.
#[cfg(not(target_arch = "wasm32"))]
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    ciborium::de::from_reader_with_recursion_limit(bytes, 2 * MAX_DEPTH).map_err(shape)
}

/// Reads the bytes as a tree, and the value from the tree. It gives the same values, and a browser's program becomes
/// smaller: of the code that reads bytes, which is much, it has one copy and not one for each type.
#[cfg(any(test, target_arch = "wasm32"))]
fn read_tree<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    let tree: Value = ciborium::de::from_reader_with_recursion_limit(bytes, 2 * MAX_DEPTH).map_err(shape)?;
    tree.deserialized().map_err(|error| CborError::Shape(error.to_string()))
}

#[cfg(target_arch = "wasm32")]
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    read_tree(bytes)
}

/// Reads a value from its deterministic encoding and refuses every other encoding.
///
/// # Errors
/// See [`CborError`].
pub fn from_slice<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CborError> {
    if item_len(bytes)? != bytes.len() {
        return Err(CborError::TrailingBytes);
    }
    let value: T = read(bytes)?;
    if to_vec(&value) != bytes {
        return Err(CborError::NotDeterministic(
            "the type has another encoding of this value",
        ));
    }
    Ok(value)
}

fn shape(error: ciborium::de::Error<std::io::Error>) -> CborError {
    match error {
        ciborium::de::Error::Semantic(_, message) => CborError::Shape(message),
        ciborium::de::Error::RecursionLimitExceeded => CborError::TooDeep,
        ciborium::de::Error::Io(_) => CborError::Truncated,
        ciborium::de::Error::Syntax(_) => CborError::Shape("unexpected kind of item".to_owned()),
    }
}

/// Splits a CBOR sequence (RFC 8742) into its items, each of which must be deterministic. An empty input has no items.
///
/// # Errors
/// See [`CborError`].
pub fn sequence(mut bytes: &[u8]) -> Result<Vec<&[u8]>, CborError> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let (item, rest) = bytes.split_at(item_len(bytes)?);
        items.push(item);
        bytes = rest;
    }
    Ok(items)
}

/// The length of the deterministic item at the beginning of `bytes`.
///
/// # Errors
/// See [`CborError`].
pub fn item_len(bytes: &[u8]) -> Result<usize, CborError> {
    let len = scan(bytes, 0)?;
    if len > MAX_LEN {
        return Err(CborError::TooLong(len));
    }
    Ok(len)
}

/// Reads the head of an item (RFC 8949 §3) and returns its major type, its argument and the length of the head in
/// bytes.
pub(crate) fn head(bytes: &[u8]) -> Result<(u8, u64, usize), CborError> {
    let (&first, rest) = bytes.split_first().ok_or(CborError::Truncated)?;
    let (major, additional) = (first >> 5, first & 0x1f);
    let width = match additional {
        0..=23 => return Ok((major, u64::from(additional), 1)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 => return Err(CborError::NotDeterministic("indefinite length")),
        _ => return Err(CborError::NotDeterministic("reserved additional information")),
    };
    let argument = rest.get(..width).ok_or(CborError::Truncated)?;
    let argument = argument.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let smallest = match width {
        1 => 24,
        2 => 1 << 8,
        4 => 1 << 16,
        _ => 1 << 32,
    };
    if argument < smallest && major != 7 {
        return Err(CborError::NotDeterministic("a number or length is not the shortest"));
    }
    Ok((major, argument, 1 + width))
}

fn scan(bytes: &[u8], depth: usize) -> Result<usize, CborError> {
    if depth > MAX_DEPTH {
        return Err(CborError::TooDeep);
    }
    let (major, argument, head_len) = head(bytes)?;
    match major {
        0 | 1 => Ok(head_len),
        2 | 3 => {
            let len = usize::try_from(argument).map_err(|_| CborError::Truncated)?;
            let end = head_len.checked_add(len).ok_or(CborError::Truncated)?;
            let content = bytes.get(head_len..end).ok_or(CborError::Truncated)?;
            if major == 3 && core::str::from_utf8(content).is_err() {
                return Err(CborError::NotDeterministic("text is not UTF-8"));
            }
            Ok(end)
        }
        4 => scan_items(bytes, head_len, argument, depth),
        5 => scan_map(bytes, head_len, argument, depth),
        6 => Err(CborError::NotDeterministic("a tag")),
        _ if head_len == 1 && (20..=22).contains(&argument) => Ok(1),
        _ => Err(CborError::NotDeterministic("a float or an unknown simple value")),
    }
}

fn scan_items(bytes: &[u8], mut at: usize, count: u64, depth: usize) -> Result<usize, CborError> {
    for _ in 0..count {
        at += scan(bytes.get(at..).ok_or(CborError::Truncated)?, depth + 1)?;
    }
    Ok(at)
}

fn scan_map(bytes: &[u8], mut at: usize, count: u64, depth: usize) -> Result<usize, CborError> {
    let mut previous: Option<&[u8]> = None;
    for _ in 0..count {
        let rest = bytes.get(at..).ok_or(CborError::Truncated)?;
        let key_len = scan(rest, depth + 1)?;
        let (key, rest) = rest.split_at(key_len);
        if previous.is_some_and(|previous| previous >= key) {
            return Err(CborError::NotDeterministic("map keys are not sorted or not unique"));
        }
        previous = Some(key);
        at += key_len + scan(rest, depth + 1)?;
    }
    Ok(at)
}

/// Appends the shortest head of an item.
pub(crate) fn put_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let initial = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => out.push(initial | bytes[7]),
        24..0x100 => out.extend_from_slice(&[initial | 24, bytes[7]]),
        0x100..0x1_0000 => {
            out.push(initial | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(initial | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(initial | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

/// Appends a byte string.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a text string.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_head(out, TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
#[path = "cbor_tests.rs"]
mod tests;
