//! Errors of reading.

use thiserror::Error;

/// Why bytes are not the deterministic encoding of the expected type. None of these goes away on a retry: the sender
/// must change the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CborError {
    /// Longer than [`MAX_LEN`](super::MAX_LEN).
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
