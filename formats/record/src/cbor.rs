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
//! The serde halves are [`encode`] and [`decode`]. No library has both of what they do: `ciborium` writes a struct in
//! the order of its fields and reads every encoding. With it, sorted maps need a tree of values, which made a browser's
//! download 20 kB larger. The tests compare both halves with it.
//!
//! [`MAX_DEPTH`] bounds the depth and [`MAX_LEN`] the size. A length that the input announces is not trusted until
//! that many bytes have been found.

mod decode;
mod encode;
mod error;
mod item;

use serde::Serialize;
use serde::de::DeserializeOwned;

use decode::Decoder;
use encode::Encoder;
pub use error::CborError;
pub(crate) use item::{ARRAY, BYTES, MAP, NULL, TEXT, UINT, head, put_bytes, put_head, put_text};
pub use item::{MAX_DEPTH, MAX_LEN, item_len};

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
    let mut bytes = Vec::new();
    value
        .serialize(&mut Encoder(&mut bytes))
        .expect("types sent by this system serialise");
    bytes
}

/// Reads a value from its deterministic encoding and refuses every other encoding.
///
/// # Errors
/// See [`CborError`].
pub fn from_slice<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, CborError> {
    if item_len(bytes)? != bytes.len() {
        return Err(CborError::TrailingBytes);
    }
    let value = T::deserialize(&mut Decoder(bytes))?;
    if to_vec(&value) != bytes {
        return Err(CborError::NotDeterministic(
            "the type has another encoding of this value",
        ));
    }
    Ok(value)
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

#[cfg(test)]
#[path = "cbor_tests.rs"]
mod tests;
