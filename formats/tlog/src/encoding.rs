//! Strict text encodings: exactly one text for each value.
//!
//! * hex: lower case, even length;
//! * base64: RFC 4648 §4, standard alphabet, with padding, unused bits zero, no line breaks;
//! * decimal: no sign, no leading zeros.
//!
//! Go's base64 decoder is more lenient: it skips CR LF and ignores unused bits. A file that Go reads may therefore be
//! refused here. This is intended: a file that verifies must not be malleable.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why a text is not the canonical encoding of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// The text is not lower-case hexadecimal of even length.
    #[error("not lower-case hexadecimal")]
    Hex,
    /// The text is not strict base64 (standard alphabet, padded, canonical).
    #[error("not canonical base64 with the standard alphabet and padding")]
    Base64,
    /// The text is not a decimal number below 2^64 without sign and leading zeros.
    #[error("not a decimal number without leading zeros")]
    Decimal,
    /// The value does not have the expected length.
    #[error("{found} bytes where {expected} are expected")]
    Length {
        /// Expected length in bytes.
        expected: usize,
        /// Actual length in bytes.
        found: usize,
    },
}

/// Encodes bytes as lower-case hexadecimal.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Decodes lower-case hexadecimal.
///
/// # Errors
/// [`EncodingError::Hex`] for any other character, upper case included, and for an odd length.
pub fn from_hex(text: &str) -> Result<Vec<u8>, EncodingError> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(EncodingError::Hex);
    }
    hex::decode(text).map_err(|_| EncodingError::Hex)
}

/// Decodes lower-case hexadecimal of exactly `N` bytes.
///
/// # Errors
/// [`EncodingError::Hex`], or [`EncodingError::Length`] for another length.
pub fn from_hex_array<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    exact(&from_hex(text)?)
}

/// Encodes bytes as base64 with the standard alphabet and padding.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Appends base64 to a text, as [`to_base64`] writes it.
pub fn push_base64(text: &mut String, bytes: &[u8]) {
    STANDARD.encode_string(bytes, text);
}

/// Decodes strict base64.
///
/// # Errors
/// [`EncodingError::Base64`] for anything that [`to_base64`] would not have written.
pub fn from_base64(text: &str) -> Result<Vec<u8>, EncodingError> {
    STANDARD.decode(text).map_err(|_| EncodingError::Base64)
}

/// Decodes strict base64 of exactly `N` bytes.
///
/// # Errors
/// [`EncodingError::Base64`], or [`EncodingError::Length`] for another length.
pub fn from_base64_array<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    exact(&from_base64(text)?)
}

/// Parses a canonical decimal number.
///
/// # Errors
/// [`EncodingError::Decimal`] for signs, leading zeros, other characters and numbers from 2^64 on.
pub fn from_decimal(text: &str) -> Result<u64, EncodingError> {
    let canonical =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if !canonical {
        return Err(EncodingError::Decimal);
    }
    text.parse().map_err(|_| EncodingError::Decimal)
}

fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], EncodingError> {
    bytes.try_into().map_err(|_| EncodingError::Length {
        expected: N,
        found: bytes.len(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn base64_is_strict() {
        assert_eq!(from_base64("AA=="), Ok(vec![0]));
        assert_eq!(from_base64(""), Ok(vec![]));
        for bad in ["AA", "AB==", "A-==", "_w==", "AA==\n", "A\r\nA==", "AA= =", "AA==AA=="] {
            assert_eq!(from_base64(bad), Err(EncodingError::Base64), "{bad:?}");
        }
    }

    #[test]
    fn hex_is_lower_case() {
        assert_eq!(from_hex("0aff"), Ok(vec![10, 255]));
        for bad in ["0A", "0", "0g", " 0a", "0x0a"] {
            assert_eq!(from_hex(bad), Err(EncodingError::Hex), "{bad:?}");
        }
        assert_eq!(
            from_hex_array::<2>("00"),
            Err(EncodingError::Length { expected: 2, found: 1 })
        );
    }

    #[test]
    fn a_decimal_number_has_one_form() {
        assert_eq!(from_decimal("0"), Ok(0));
        assert_eq!(from_decimal("18446744073709551615"), Ok(u64::MAX));
        for bad in ["", "00", "01", "+1", "-1", "1 ", "18446744073709551616", "\u{664}"] {
            assert_eq!(from_decimal(bad), Err(EncodingError::Decimal), "{bad:?}");
        }
    }
}
