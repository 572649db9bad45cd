//! Entry bundles (tlog-tiles): `(u16 length ‖ entry)*`, with 256 entries, or fewer in the last bundle.

use super::layout::TILE;

/// Splits a bundle into its entries.
///
/// # Errors
/// A sentence: truncated, an empty entry, too few or too many bytes.
pub(crate) fn split(bytes: &[u8], width: u64) -> Result<Vec<&[u8]>, String> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    for number in 0..width {
        let at = bytes.len() - rest.len();
        let (length, tail) = rest
            .split_first_chunk()
            .ok_or_else(|| format!("ends at byte {at}, after {number} of {width} entries"))?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 {
            return Err(format!("an empty entry at byte {at}"));
        }
        let (entry, tail) = tail
            .split_at_checked(length)
            .ok_or_else(|| format!("the entry at byte {at} is cut off"))?;
        entries.push(entry);
        rest = tail;
    }
    match rest.len() {
        0 => Ok(entries),
        surplus => Err(format!("{surplus} bytes too many after {width} entries")),
    }
}

/// The first `width` entries of a full bundle, as a bundle. `None` if it is not a full bundle.
pub(crate) fn cut(mut full: Vec<u8>, width: u64) -> Option<Vec<u8>> {
    let entries = split(&full, TILE).ok()?;
    let kept = entries.iter().take(usize::try_from(width).ok()?);
    let length = kept.map(|entry| 2 + entry.len()).sum();
    full.truncate(length);
    Some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tt_7_bundles_are_exact() {
        let bundle = [0, 2, 7, 8, 0, 1, 9];
        assert_eq!(split(&bundle, 2), Ok(vec![&[7, 8][..], &[9]]));
        assert!(split(&bundle, 1).is_err());
        assert!(split(&bundle, 3).is_err());
        assert!(split(&bundle[..6], 2).is_err());
        assert!(split(&bundle[..5], 2).is_err());
        assert!(split(&[0, 0], 1).is_err());
        assert_eq!(split(&[], 0), Ok(vec![]));
    }

    #[test]
    fn a_partial_bundle_is_cut_from_a_full_one_only() {
        let full = [0, 1, 7].repeat(256);
        assert_eq!(cut(full.clone(), 3), Some([0, 1, 7].repeat(3)));
        assert_eq!(cut(full[3..].to_vec(), 3), None);
        assert_eq!(cut([0, 1, 7].repeat(257), 3), None);
    }
}
