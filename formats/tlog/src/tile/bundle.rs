//! Entry bundles (TT-7): `( u16 length ‖ entry )*`.

use super::FULL_WIDTH;

/// Why entries do not fit into a bundle, or why bytes are not a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry has more than 65 535 bytes.
    #[error("an entry has {0} bytes, a bundle's entries have at most 65535")]
    EntryTooLong(usize),
    /// There are no entries, or more than 256.
    #[error("a bundle has 1 to 256 entries")]
    Width,
    /// The bytes end before the end of the last entry, or continue after it.
    #[error("the bytes are not exactly the entries of the bundle")]
    Bytes,
}

/// Encodes a bundle.
///
/// # Errors
/// [`BundleError::EntryTooLong`], [`BundleError::Width`].
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, BundleError> {
    if !(1..=usize::from(FULL_WIDTH)).contains(&entries.len()) {
        return Err(BundleError::Width);
    }
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.as_ref().len()).sum());
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong(entry.len()))?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// Decodes a bundle of exactly `width` entries.
///
/// # Errors
/// [`BundleError::Bytes`] when the bytes are not exactly so many entries.
pub fn decode_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(usize::from(width.min(FULL_WIDTH)));
    for _ in 0..width {
        let (length, after) = rest.split_first_chunk().ok_or(BundleError::Bytes)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(BundleError::Bytes)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() {
        Ok(entries)
    } else {
        Err(BundleError::Bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn tt_7_bundles() {
        let longest = vec![1; 65_535];
        let bytes = encode_bundle(&[&b"ab"[..], b"", &longest]).unwrap();
        assert_eq!(bytes[..6], [0, 2, b'a', b'b', 0, 0]);
        assert_eq!(decode_bundle(&bytes, 3).unwrap(), [&b"ab"[..], b"", &longest]);
        for (end, width) in [(bytes.len(), 2), (bytes.len(), 4), (bytes.len() - 1, 3), (5, 2), (0, 1)] {
            assert_eq!(decode_bundle(&bytes[..end], width), Err(BundleError::Bytes));
        }
        let too_long = [vec![0; 65_536]];
        assert_eq!(encode_bundle(&too_long), Err(BundleError::EntryTooLong(65_536)));
        assert_eq!(encode_bundle::<&[u8]>(&[]), Err(BundleError::Width));
        assert_eq!(encode_bundle(&[b""; 257]), Err(BundleError::Width));
    }
}
