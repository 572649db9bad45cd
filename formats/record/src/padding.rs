//! Padding of plaintexts before encryption: the byte 0x80, then zero bytes.
//!
//! SPEC: ISO/IEC 9797-1 padding method 2 (also ISO/IEC 7816-4), applied to whole bytes. The callers choose the padded
//! length and must check it when they open a ciphertext, because [`unpad`] accepts any number of zero bytes.

use zeroize::Zeroizing;

/// Pads `content` to `length` bytes; `None` if content and mark do not fit.
#[must_use]
pub fn pad(content: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    if content.len() >= length {
        return None;
    }
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(content);
    padded.push(0x80);
    padded.resize(length, 0);
    Some(padded)
}

/// Removes the padding; `None` if there is no mark.
#[must_use]
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let mark = padded.iter().rposition(|byte| *byte != 0)?;
    if padded.get(mark) == Some(&0x80) {
        padded.get(..mark)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_content_that_leaves_no_room_for_the_mark_is_refused() {
        assert_eq!(pad(&[1, 2], 4).unwrap().as_slice(), [1, 2, 0x80, 0]);
        assert_eq!(pad(&[1, 2], 3).unwrap().as_slice(), [1, 2, 0x80]);
        assert!(pad(&[1, 2], 2).is_none());
    }
}
